//! Clocks: `clock_time_get`, `clock_res_get`.

use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::Wasi;

/// Writes the resolution of a clock.
///
/// ```text
/// writes  resolution: u64
/// ```
/// - `EINVAL`: no such clock.
/// - `EFAULT`: a bad pointer.
///
/// [`clock_res_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#clock_res_get),
/// [clock_getres(2)](https://man7.org/linux/man-pages/man2/clock_getres.2.html)
pub(crate) fn clock_res_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    id: u32,
    resolution: u32,
) -> Result<(), Errno> {
    memory.write_u64(resolution, wasi.clocks.resolution(id)?)
}

/// Writes the time of a clock. The precision asked for is ignored: the best costs no more.
///
/// ```text
/// writes  time: u64
/// ```
/// - `EINVAL`: no such clock.
/// - `EFAULT`: a bad pointer.
///
/// [`clock_time_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#clock_time_get),
/// [clock_gettime(2)](https://man7.org/linux/man-pages/man2/clock_gettime.2.html)
pub(crate) fn clock_time_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    id: u32,
    _precision: u64,
    time: u32,
) -> Result<(), Errno> {
    memory.check(time, 8)?;
    memory.write_u64(time, wasi.clocks.read(id)?)
}
