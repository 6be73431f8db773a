//! Scheduling: `sched_yield`.

use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::Wasi;

/// Yields the processor to other threads of the host, or calls the embedder's function.
///
/// [`sched_yield`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sched_yield),
/// [sched_yield(2)](https://man7.org/linux/man-pages/man2/sched_yield.2.html)
pub(crate) fn sched_yield(wasi: &mut Wasi, _: &mut Memory<'_>) -> Result<(), Errno> {
    match &wasi.callbacks.yield_now {
        Some(yield_now) => yield_now(),
        None => rustix::thread::sched_yield(),
    }
    Ok(())
}
