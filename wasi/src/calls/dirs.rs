//! Directory listings: `fd_readdir`.
//!
//! A cookie is the host's position in the directory. Between two calls only a descriptor is kept: a
//! listing continues after entries were added or removed, can start at any cookie, and uses no
//! memory.

use crate::errno::Errno;
use crate::fd::{DirectoryRef, Dirents, Rights};
use crate::guest::Memory;
use crate::state::Wasi;

/// Lists a directory from a cookie on; 0 is the start. `.` and `..` are listed too.
///
/// The last entry, and even its `dirent` record, may be cut off. The guest then calls again with
/// the cookie of the entry before it. Fewer than `buf_len` bytes mean the end of the directory.
///
/// ```text
/// writes  buf: u8[buf_len], dirents each followed by its name; bufused: u32
/// ```
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: a cookie that the host has not returned.
/// - `ENOTCAPABLE`: without `FD_READDIR`.
/// - `ENOTDIR`: not a directory.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_readdir`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_readdir),
/// [getdents64(2)](https://man7.org/linux/man-pages/man2/getdents.2.html)
pub(crate) fn fd_readdir(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    buf: u32,
    buf_len: u32,
    cookie: u64,
    bufused: u32,
) -> Result<(), Errno> {
    memory.check(bufused, 4)?;
    let buffer = memory.bytes_mut(buf, buf_len)?;
    let mut dirents = Dirents::new(buffer);
    match wasi.fds.directory(fd, Rights::FD_READDIR)? {
        DirectoryRef::Host(_) => {
            let directory = wasi.fds.host_directory_mut(fd)?;
            dirents.extend_from_host(directory.listing()?, cookie, |_| true)?;
        }
        DirectoryRef::Virtual(directory) => directory.list(&wasi.mounts, cookie, &mut dirents)?,
    }
    // At most `buf_len`.
    let used = dirents.used() as u32;
    memory.write_u32(bufused, used)
}
