//! The functions of `wasi_snapshot_preview1`, as one table.

use precast_runtime::{Caller, HostError, HostModuleBuilder};
use tracing::trace;

use crate::errno::Errno;
use crate::memory::Memory;
use crate::state::Wasi;
use crate::{args, clocks, dirs, fd_meta, file_io, open, paths, poll, process, random, sockets};

/// Exports the functions of WASI into a host module whose state is [`Wasi`].
///
/// A definition replaces an earlier one of the same name: what is defined after exporting
/// overrides WASI's.
///
/// ```
/// # use precast_runtime::{Caller, Runtime};
/// # use precast_wasi as wasi;
/// # fn main() -> Result<(), precast_runtime::Error> {
/// let runtime = Runtime::new();
/// let module = wasi::Builder::new()
///     .module_builder()? // has exported already
///     .func("sched_yield", |_: &mut Caller<'_, wasi::Wasi>| 0)
///     .build(&runtime)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FunctionExporter;

/// Adds functions of the shape `fn(&mut Wasi, &mut Memory, args...) -> Result<(), Errno>`, and logs
/// each call with its arguments and its answer. A log nobody listens to costs one load.
macro_rules! export {
    ($builder:expr; $($module:ident :: $name:ident ($($arg:ident: $ty:ty),*);)*) => {
        $builder$(.func(stringify!($name), |caller: &mut Caller<'_, Wasi>, $($arg: $ty),*| -> i32 {
            let (memory, wasi) = caller.memory_and_state();
            let result = $module::$name(wasi, &mut Memory::new(memory), $($arg),*);
            let errno = result.err().unwrap_or(Errno::Success);
            trace!($($arg,)* errno = errno.name(), stringify!($name));
            i32::from(errno.code())
        }))*
    };
}

impl FunctionExporter {
    /// Adds every function of WASI to `builder`.
    pub fn export(builder: HostModuleBuilder<Wasi>) -> HostModuleBuilder<Wasi> {
        export! { builder;
            args::args_get(argv: u32, argv_buf: u32);
            args::args_sizes_get(argc: u32, argv_buf_size: u32);
            args::environ_get(environ: u32, environ_buf: u32);
            args::environ_sizes_get(count: u32, size: u32);
            clocks::clock_res_get(id: u32, resolution: u32);
            clocks::clock_time_get(id: u32, precision: u64, time: u32);
            file_io::fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
            file_io::fd_allocate(fd: u32, offset: u64, len: u64);
            fd_meta::fd_close(fd: u32);
            file_io::fd_datasync(fd: u32);
            fd_meta::fd_fdstat_get(fd: u32, stat: u32);
            fd_meta::fd_fdstat_set_flags(fd: u32, flags: u32);
            fd_meta::fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
            fd_meta::fd_filestat_get(fd: u32, stat: u32);
            fd_meta::fd_filestat_set_size(fd: u32, size: u64);
            fd_meta::fd_filestat_set_times(fd: u32, atim: u64, mtim: u64, fst_flags: u32);
            file_io::fd_pread(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nread: u32);
            fd_meta::fd_prestat_get(fd: u32, buf: u32);
            fd_meta::fd_prestat_dir_name(fd: u32, path: u32, path_len: u32);
            file_io::fd_pwrite(fd: u32, iovs: u32, iovs_len: u32, offset: u64, nwritten: u32);
            file_io::fd_read(fd: u32, iovs: u32, iovs_len: u32, nread: u32);
            dirs::fd_readdir(fd: u32, buf: u32, buf_len: u32, cookie: u64, bufused: u32);
            fd_meta::fd_renumber(fd: u32, to: u32);
            file_io::fd_seek(fd: u32, offset: i64, whence: u32, newoffset: u32);
            file_io::fd_sync(fd: u32);
            file_io::fd_tell(fd: u32, offset: u32);
            file_io::fd_write(fd: u32, iovs: u32, iovs_len: u32, nwritten: u32);
            paths::path_create_directory(fd: u32, path: u32, path_len: u32);
            paths::path_filestat_get(fd: u32, flags: u32, path: u32, path_len: u32, stat: u32);
            paths::path_filestat_set_times(
                fd: u32, flags: u32, path: u32, path_len: u32,
                atim: u64, mtim: u64, fst_flags: u32
            );
            paths::path_link(
                old_fd: u32, old_flags: u32, old_path: u32, old_path_len: u32,
                new_fd: u32, new_path: u32, new_path_len: u32
            );
            open::path_open(
                fd: u32, dirflags: u32, path: u32, path_len: u32, oflags: u32,
                base: u64, inheriting: u64, fdflags: u32, opened: u32
            );
            paths::path_readlink(
                fd: u32, path: u32, path_len: u32, buf: u32, buf_len: u32, bufused: u32
            );
            paths::path_remove_directory(fd: u32, path: u32, path_len: u32);
            paths::path_rename(
                fd: u32, old_path: u32, old_path_len: u32,
                new_fd: u32, new_path: u32, new_path_len: u32
            );
            paths::path_symlink(
                old_path: u32, old_path_len: u32, fd: u32, new_path: u32, new_path_len: u32
            );
            paths::path_unlink_file(fd: u32, path: u32, path_len: u32);
            poll::poll_oneoff(subscriptions: u32, events: u32, nsubscriptions: u32, nevents: u32);
            random::random_get(buf: u32, buf_len: u32);
            process::sched_yield();
            sockets::sock_accept(fd: u32, flags: u32, accepted: u32);
            sockets::sock_recv(
                fd: u32, data: u32, data_len: u32, ri_flags: u32, received: u32, ro_flags: u32
            );
            sockets::sock_send(fd: u32, data: u32, data_len: u32, si_flags: u32, sent: u32);
            sockets::sock_shutdown(fd: u32, how: u32);
        }
        // These two may end the guest.
        .func("proc_exit", |_: &mut Caller<'_, Wasi>, code: u32| -> Result<(), HostError> {
            trace!(code, "proc_exit");
            Err(process::proc_exit(code))
        })
        .func("proc_raise", |_: &mut Caller<'_, Wasi>, signal: u32| -> Result<i32, HostError> {
            trace!(signal, "proc_raise");
            process::proc_raise(signal).map(|errno| i32::from(errno.code()))
        })
    }
}
