//! Export of the functions of WASI that may wait, in place of those that block.

use precast_runtime::{Caller, HostModuleBuilder};

use super::{poll, until_readable, yield_to_executor};
use crate::calls::{self, fd_io, preview0, sched, sock};
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

/// Adds functions that wait before they call the function of the same name, which then does not block. A
/// call that cannot wait calls it at once.
macro_rules! export {
    ($builder:expr, $state:ident, $traced:ident;
     $($module:ident :: $name:ident ($($arg:ident: $ty:ty),*) after $wait:ident ($($for:ident),*);)*) => {
        $builder$(.func_async_or(
            stringify!($name),
            |mut caller: Caller<'_, $state>, ($($arg,)*): ($($ty,)*)| Box::pin(async move {
                $wait(caller.state().as_mut(), $($for),*).await;
                export!(@now $state, $traced, &mut caller, $module::$name($($arg),*))
            }),
            |caller: &mut Caller<'_, $state>, ($($arg,)*): ($($ty,)*)| {
                export!(@now $state, $traced, caller, $module::$name($($arg),*))
            },
        ))*
    };
    (@now $state:ident, $traced:ident, $caller:expr, $module:ident :: $name:ident ($($arg:ident),*)) => {
        call::<$state, $traced>(
            $caller,
            Function { module: stringify!($module), name: stringify!($name) },
            &[$((stringify!($arg), u64::from($arg))),*],
            |wasi, memory| $module::$name(wasi, memory, $($arg),*),
        )
    };
}

/// Replaces the functions that may block.
pub(crate) fn export<T: AsMut<Wasi> + Send + 'static, const TRACED: bool>(
    builder: HostModuleBuilder<T>,
    is_preview0: bool,
) -> HostModuleBuilder<T> {
    let builder = export! { builder, T, TRACED;
        fd_io::fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32) after until_readable(fd);
        sched::sched_yield() after yield_to_executor();
        sock::sock_accept(fd: u32, flags: u32, accepted: u32) after until_readable(fd);
        sock::sock_recv(
            fd: u32, data: u32, data_len: u32, ri_flags: u32, received: u32, ro_flags: u32
        ) after until_readable(fd);
    };
    builder.func_async_or(
        "poll_oneoff",
        move |mut caller: Caller<'_, T>, args| {
            Box::pin(async move {
                let (subscriptions, events, nsubscriptions, nevents) = args;
                let (memory, state) = caller.memory_and_state();
                let memory = &mut Memory::new(memory);
                let layout = match is_preview0 {
                    true => &preview0::SUBSCRIPTION,
                    false => &calls::poll::SUBSCRIPTION,
                };
                let wasi = state.as_mut();
                let result = poll::poll(
                    wasi,
                    memory,
                    subscriptions,
                    events,
                    nsubscriptions,
                    nevents,
                    layout,
                );
                let result = result.await;
                poll_oneoff::<T, TRACED>(&mut caller, is_preview0, args, Some(result))
            })
        },
        move |caller: &mut Caller<'_, T>, args| {
            poll_oneoff::<T, TRACED>(caller, is_preview0, args, None)
        },
    )
}

/// The call of `poll_oneoff` with these arguments. It gives `result` if it has waited already.
fn poll_oneoff<T: AsMut<Wasi>, const TRACED: bool>(
    caller: &mut Caller<'_, T>,
    is_preview0: bool,
    (subscriptions, events, nsubscriptions, nevents): (u32, u32, u32, u32),
    result: Option<Result<(), Errno>>,
) -> i32 {
    let arguments = [
        ("subscriptions", subscriptions.into()),
        ("events", events.into()),
        ("nsubscriptions", nsubscriptions.into()),
        ("nevents", nevents.into()),
    ];
    let (module, poll) = match is_preview0 {
        true => ("preview0", preview0::poll_oneoff as PollOneoff),
        false => ("poll", calls::poll::poll_oneoff as PollOneoff),
    };
    let function = Function { module, name: "poll_oneoff" };
    call::<T, TRACED>(caller, function, &arguments, |wasi, memory| match result {
        Some(result) => result,
        None => poll(wasi, memory, subscriptions, events, nsubscriptions, nevents),
    })
}

type PollOneoff = fn(&mut Wasi, &mut Memory<'_>, u32, u32, u32, u32) -> Result<(), Errno>;
