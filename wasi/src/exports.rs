//! `FunctionExporter`: the table of all functions, and their export into a host module.

use precast_runtime::{Caller, HostError, HostFunction, HostModuleBuilder, Inlined};

use crate::calls::{args, clock, dirs, fd_io, fd_meta, path, path_open, poll};
use crate::calls::{preview0, process, random, sched, sock};
use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::Wasi;
use crate::trace::{self, Function};
#[cfg(feature = "async")]
use crate::waiting;

/// Exports the functions of WASI into a host module under construction.
///
/// A definition replaces an earlier one of the same name, so functions defined after the export
/// override those of WASI. The module's state is a [`Wasi`], or a type of the embedder that
/// contains one and implements `AsMut<Wasi>`.
///
/// ```
/// # use precast_runtime::{Caller, HostModuleBuilder, Runtime};
/// # use precast_wasi as wasi;
/// # fn main() -> Result<(), precast_runtime::Error> {
/// struct State {
///     wasi: wasi::Wasi,
///     yields: u32,
/// }
///
/// impl AsMut<wasi::Wasi> for State {
///     fn as_mut(&mut self) -> &mut wasi::Wasi {
///         &mut self.wasi
///     }
/// }
///
/// let states = wasi::Builder::new().arg("prog").states()?;
/// let state = move || State { wasi: states(), yields: 0 };
/// let module = wasi::FunctionExporter::new()
///     .export(HostModuleBuilder::with_state(wasi::MODULE_NAME, state))
///     .func("sched_yield", |caller: &mut Caller<'_, State>| -> i32 {
///         caller.state().yields += 1;
///         0
///     })
///     .build(&Runtime::new())?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FunctionExporter {
    preview0: bool,
    traced: bool,
    #[cfg(feature = "async")]
    waiting: bool,
}

/// Adds functions with the signature `fn(&mut Wasi, &mut Memory, args...) -> Result<(), Errno>` to
/// a module with the state `$state`. Every call is traced if `$traced` is true.
///
/// Each function is a type and not a closure so that it can be `#[inline(always)]`: see
/// [`fd_io`].
macro_rules! export {
    ($builder:expr, $state:ident, $traced:ident; $($module:ident :: $name:ident ($($arg:ident: $ty:ty),*);)*) => {
        $builder$(.func(stringify!($name), {
            struct Exported<const TRACED: bool>;

            impl<T, const TRACED: bool> HostFunction<T, ($($ty,)*), i32> for Exported<TRACED>
            where
                T: AsMut<Wasi>,
            {
                #[inline(always)]
                fn call(caller: &mut Caller<'_, T>, ($($arg,)*): ($($ty,)*)) -> i32 {
                    let (memory, state) = caller.memory_and_state();
                    let (wasi, memory) = (state.as_mut(), &mut Memory::new(memory));
                    let result = if TRACED {
                        trace::call(
                            Function { module: stringify!($module), name: stringify!($name) },
                            &[$((stringify!($arg), $arg as u64)),*],
                            wasi,
                            memory,
                            |wasi, memory| $module::$name(wasi, memory, $($arg),*),
                        )
                    } else {
                        $module::$name(wasi, memory, $($arg),*)
                    };
                    i32::from(result.err().unwrap_or(Errno::Success).code())
                }
            }

            Inlined::<Exported<$traced>>::new()
        }))*
    };
}

impl FunctionExporter {
    /// Exports the functions of preview 1.
    pub fn new() -> Self {
        FunctionExporter::default()
    }

    /// Exports the functions of preview 0, whose records have other layouts. Guests import them
    /// from the module [`MODULE_NAME_PREVIEW0`](crate::MODULE_NAME_PREVIEW0).
    pub fn preview0() -> Self {
        FunctionExporter { preview0: true, ..FunctionExporter::default() }
    }

    /// Adds every function of WASI to `builder`, and the check of snapshots: a guest that has opened
    /// files, closed granted descriptors or written to its own directories in memory has no snapshot.
    pub fn export<T: AsMut<Wasi> + Send + 'static>(
        self,
        builder: HostModuleBuilder<T>,
    ) -> HostModuleBuilder<T> {
        let builder = builder.check_snapshot(|state: &mut T| state.as_mut().check_snapshot());
        // Two sets of functions: without a trace, no code for tracing runs.
        match self.traced {
            true => self.export_either::<T, true>(builder),
            false => self.export_either::<T, false>(builder),
        }
    }

    /// Exports functions that wait for the events of the state's source, if it has one: see
    /// [`Builder::events`](crate::Builder::events).
    #[cfg(feature = "async")]
    pub fn waiting(mut self, yes: bool) -> Self {
        self.waiting = yes;
        self
    }

    /// Exports functions that write a line for every call to the trace of the state, if there is
    /// one: see [`Builder::trace`](crate::Builder::trace).
    pub fn traced(mut self, yes: bool) -> Self {
        self.traced = yes;
        self
    }

    fn export_either<T: AsMut<Wasi> + Send + 'static, const TRACED: bool>(
        self,
        builder: HostModuleBuilder<T>,
    ) -> HostModuleBuilder<T> {
        let mut builder = export_preview1::<T, TRACED>(builder);
        if self.preview0 {
            builder = export! { builder, T, TRACED;
                preview0::fd_filestat_get(fd: u32, stat: u32);
                preview0::fd_seek(fd: u32, offset: i64, whence: u32, newoffset: u32);
                preview0::path_filestat_get(
                    fd: u32, flags: u32, path: u32, path_len: u32, stat: u32
                );
                preview0::poll_oneoff(
                    subscriptions: u32, events: u32, nsubscriptions: u32, nevents: u32
                );
            };
        }
        #[cfg(feature = "async")]
        if self.waiting {
            builder = waiting::export::<T, TRACED>(builder, self.preview0);
        }
        builder
    }
}

fn export_preview1<T: AsMut<Wasi> + Send + 'static, const TRACED: bool>(
    builder: HostModuleBuilder<T>,
) -> HostModuleBuilder<T> {
    export! { builder, T, TRACED;
        args::args_get(argv: u32, argv_buf: u32);
        args::args_sizes_get(argc: u32, argv_buf_size: u32);
        args::environ_get(environ: u32, environ_buf: u32);
        args::environ_sizes_get(count: u32, size: u32);
        clock::clock_res_get(id: u32, resolution: u32);
        clock::clock_time_get(id: u32, precision: u64, time: u32);
        fd_io::fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
        fd_io::fd_allocate(fd: u32, offset: u64, len: u64);
        fd_meta::fd_close(fd: u32);
        fd_io::fd_datasync(fd: u32);
        fd_meta::fd_fdstat_get(fd: u32, stat: u32);
        fd_meta::fd_fdstat_set_flags(fd: u32, flags: u32);
        fd_meta::fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
        fd_meta::fd_filestat_get(fd: u32, stat: u32);
        fd_meta::fd_filestat_set_size(fd: u32, size: u64);
        fd_meta::fd_filestat_set_times(fd: u32, atim: u64, mtim: u64, fst_flags: u32);
        fd_io::fd_pread(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nread: u32);
        fd_meta::fd_prestat_get(fd: u32, buf: u32);
        fd_meta::fd_prestat_dir_name(fd: u32, path: u32, path_len: u32);
        fd_io::fd_pwrite(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nwritten: u32);
        fd_io::fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32);
        dirs::fd_readdir(fd: u32, buf: u32, buf_len: u32, cookie: u64, bufused: u32);
        fd_meta::fd_renumber(fd: u32, to: u32);
        fd_io::fd_seek(fd: u32, offset: i64, whence: u32, newoffset: u32);
        fd_io::fd_sync(fd: u32);
        fd_io::fd_tell(fd: u32, offset: u32);
        fd_io::fd_write(fd: u32, iovs: u32, iovs_len: u32, nwritten: u32);
        path::path_create_directory(fd: u32, path: u32, path_len: u32);
        path::path_filestat_get(fd: u32, flags: u32, path: u32, path_len: u32, stat: u32);
        path::path_filestat_set_times(
            fd: u32, flags: u32, path: u32, path_len: u32,
            atim: u64, mtim: u64, fst_flags: u32
        );
        path::path_link(
            old_fd: u32, old_flags: u32, old_path: u32, old_path_len: u32,
            new_fd: u32, new_path: u32, new_path_len: u32
        );
        path_open::path_open(
            fd: u32, dirflags: u32, path: u32, path_len: u32, oflags: u32,
            base: u64, inheriting: u64, fdflags: u32, opened: u32
        );
        path::path_readlink(
            fd: u32, path: u32, path_len: u32, buf: u32, buf_len: u32, bufused: u32
        );
        path::path_remove_directory(fd: u32, path: u32, path_len: u32);
        path::path_rename(
            fd: u32, old_path: u32, old_path_len: u32,
            new_fd: u32, new_path: u32, new_path_len: u32
        );
        path::path_symlink(
            old_path: u32, old_path_len: u32, fd: u32, new_path: u32, new_path_len: u32
        );
        path::path_unlink_file(fd: u32, path: u32, path_len: u32);
        poll::poll_oneoff(subscriptions: u32, events: u32, nsubscriptions: u32, nevents: u32);
        random::random_get(buf: u32, buf_len: u32);
        sched::sched_yield();
        sock::sock_accept(fd: u32, flags: u32, accepted: u32);
        sock::sock_recv(
            fd: u32, data: u32, data_len: u32, ri_flags: u32, received: u32, ro_flags: u32
        );
        sock::sock_send(fd: u32, data: u32, data_len: u32, si_flags: u32, sent: u32);
        sock::sock_shutdown(fd: u32, how: u32);
    }
    // These two may end the guest.
    .func("proc_exit", |caller: &mut Caller<'_, T>, code: u32| -> Result<(), HostError> {
        before_exit::<T, TRACED>(caller, "proc_exit", ("code", code.into()));
        Err(process::proc_exit(code))
    })
    .func("proc_raise", |caller: &mut Caller<'_, T>, signal: u32| -> Result<i32, HostError> {
        before_exit::<T, TRACED>(caller, "proc_raise", ("signal", signal.into()));
        process::proc_raise(signal).map(|errno| i32::from(errno.code()))
    })
}

/// Calls [`trace::before_exit`] if the guest is `TRACED`.
fn before_exit<T: AsMut<Wasi>, const TRACED: bool>(
    caller: &mut Caller<'_, T>,
    name: &'static str,
    argument: (&'static str, u64),
) {
    if TRACED {
        let (memory, state) = caller.memory_and_state();
        let function = Function { module: "process", name };
        trace::before_exit(function, &[argument], state.as_mut(), &mut Memory::new(memory));
    }
}
