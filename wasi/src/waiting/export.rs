//! Export of the functions of WASI that may wait, in place of those that block.

use precast_runtime::{Caller, HostModuleBuilder};

use super::{send, until_readable, yield_to_executor};
use crate::calls::{fd_io, poll, preview0, sched, sock};
use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::Wasi;
use crate::trace::{self, Function};

/// Calls a function of WASI, and gives its result as the guest gets it.
fn call<T: AsMut<Wasi>, const TRACED: bool>(
    caller: &mut Caller<'_, T>,
    function: Function,
    arguments: &[(&'static str, u64)],
    f: impl FnOnce(&mut Wasi, &mut Memory<'_>) -> Result<(), Errno>,
) -> i32 {
    let (memory, state) = caller.memory_and_state();
    let (wasi, memory) = (state.as_mut(), &mut Memory::new(memory));
    let result = match TRACED {
        true => trace::call(function, arguments, wasi, memory, f),
        false => f(wasi, memory),
    };
    i32::from(result.err().unwrap_or(Errno::Success).code())
}

/// Adds functions that may wait. They are of two kinds: those that wait until the function of the same
/// name does not block, and then call it; and those that another function replaces, which waits. Calls that
/// cannot wait call the function of the same name at once.
macro_rules! export {
    ($builder:expr, $state:ident, $traced:ident;
     $($module:ident :: $name:ident ($($arg:ident: $ty:ty),*) $how:ident $with:path $(: $for:ident)?;)*) => {
        $builder$(.func_async_or(
            stringify!($name),
            |mut caller: Caller<'_, $state>, ($($arg,)*): ($($ty,)*)| Box::pin(async move {
                export!(@$how $state, $traced, caller, $with $(: $for)?, $module::$name($($arg),*))
            }),
            |caller: &mut Caller<'_, $state>, ($($arg,)*): ($($ty,)*)| {
                export!(@now $state, $traced, caller, $module::$name($($arg),*))
            },
        ))*
    };
    (@after $state:ident, $traced:ident, $caller:ident, $wait:path $(: $for:ident)?,
     $module:ident :: $name:ident ($($arg:ident),*)) => {{
        $wait($caller.state().as_mut() $(, $for)?).await;
        export!(@now $state, $traced, &mut $caller, $module::$name($($arg),*))
    }};
    (@by $state:ident, $traced:ident, $caller:ident, $wait:path,
     $module:ident :: $name:ident ($($arg:ident),*)) => {{
        let (memory, state) = $caller.memory_and_state();
        let result = $wait(state.as_mut(), &mut Memory::new(memory), $($arg),*).await;
        export!(@call $state, $traced, &mut $caller, $module::$name($($arg),*), |_, _| result)
    }};
    (@now $state:ident, $traced:ident, $caller:expr,
     $module:ident :: $name:ident ($($arg:ident),*)) => {
        export!(@call $state, $traced, $caller, $module::$name($($arg),*),
                |wasi, memory| $module::$name(wasi, memory, $($arg),*))
    };
    (@call $state:ident, $traced:ident, $caller:expr,
     $module:ident :: $name:ident ($($arg:ident),*), $f:expr) => {
        call::<$state, $traced>(
            $caller,
            Function { module: stringify!($module), name: stringify!($name) },
            &[$((stringify!($arg), u64::from($arg))),*],
            $f,
        )
    };
}

/// Replaces the functions that may block.
pub(crate) fn export<T: AsMut<Wasi> + Send + 'static, const TRACED: bool>(
    builder: HostModuleBuilder<T>,
    is_preview0: bool,
) -> HostModuleBuilder<T> {
    let builder = export! { builder, T, TRACED;
        fd_io::fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32) after until_readable: fd;
        fd_io::fd_write(fd: u32, iovs: u32, iovs_len: u32, nwritten: u32) by send::fd_write;
        sched::sched_yield() after yield_to_executor;
        sock::sock_accept(fd: u32, flags: u32, accepted: u32) after until_readable: fd;
        sock::sock_recv(
            fd: u32, data: u32, data_len: u32, ri_flags: u32, received: u32, ro_flags: u32
        ) after until_readable: fd;
        sock::sock_send(fd: u32, data: u32, data_len: u32, si_flags: u32, sent: u32)
            by send::sock_send;
    };
    if is_preview0 {
        return export! { builder, T, TRACED;
            preview0::poll_oneoff(
                subscriptions: u32, events: u32, nsubscriptions: u32, nevents: u32
            ) by super::poll::poll_oneoff_of_preview0;
        };
    }
    export! { builder, T, TRACED;
        poll::poll_oneoff(subscriptions: u32, events: u32, nsubscriptions: u32, nevents: u32)
            by super::poll::poll_oneoff;
    }
}
