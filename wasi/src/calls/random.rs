//! Random bytes: `random_get`.

use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::Wasi;

/// Fills a buffer with random bytes.
///
/// ```text
/// writes  buf: u8[buf_len]
/// ```
/// - `EFAULT`: a bad pointer.
/// - `EINTR`: interrupted, while the host had no random numbers yet shortly after it was started; part
///   of the buffer may be filled.
/// - errors of the host: `ENOSYS`, `EPERM` if the host's process may not make the system call.
///
/// [`random_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#random_get),
/// [getrandom(2)](https://man7.org/linux/man-pages/man2/getrandom.2.html)
#[inline]
pub(crate) fn random_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    buf: u32,
    buf_len: u32,
) -> Result<(), Errno> {
    wasi.random.fill(memory.bytes_mut(buf, buf_len)?)
}
