//! Reading, writing and seeking: `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`, `fd_seek`,
//! `fd_tell`, `fd_advise`, `fd_allocate`, `fd_sync`, `fd_datasync`.
//!
//! Each is at most one system call on slices of guest memory. The kernel keeps the file offset,
//! unless [`crate::fd::offset`] does, and blocks if it must; a signal that interrupts it becomes the
//! guest's `EINTR`.
//!
//! What is hot becomes part of the function that machine code calls: each frame between a system
//! call and the guest costs up to 25 ns (see RATIONALE.md).

use std::num::NonZeroU64;
use std::os::fd::AsFd;

use rustix::fs::{Advice, FallocateFlags, SeekFrom};

use crate::calls::path_open;
use crate::errno::Errno;
use crate::fd::host_io::{self, Positioned, Sequential};
use crate::fd::rights::Rights;
use crate::fd::table::{FileOrStream, Object, Seekable};
use crate::guest::Memory;
use crate::guest::layout::Filetype;
use crate::state::blueprint::Wasi;

/// Reads from a descriptor, into all buffers with one system call.
///
/// ```text
/// reads   iovs: iovec[iovs_len]
/// writes  the buffers; nread: u32
/// ```
/// - `EBADF`: no such descriptor, a directory, or not open for reading.
/// - `ENOTCAPABLE`: without `FD_READ`.
/// - `EFAULT`, `EINVAL`: bad buffers.
/// - what the host says: `EAGAIN`, `EINTR`, `EIO`, `ECONNRESET`, ...
///
/// [`fd_read`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_read),
/// [readv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
#[inline(always)]
pub(crate) fn fd_read(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nread: u32,
) -> Result<(), Errno> {
    memory.check(nread, 4)?;
    let n = match wasi.fds.file(fd, Rights::FD_READ)? {
        FileOrStream::File(file) => memory.scatter_with(iovs, iovs_len, Sequential(file)),
        other => read_other(memory, other, iovs, iovs_len),
    }?;
    memory.write_u32(nread, n)
}

/// Reads what is no file of the host, or not known to be one.
#[inline(never)]
fn read_other(
    memory: &mut Memory<'_>,
    from: FileOrStream<'_>,
    iovs: u32,
    count: u32,
) -> Result<u32, Errno> {
    match from {
        FileOrStream::File(file) => memory.scatter_with(iovs, count, Sequential(file)),
        FileOrStream::Stream(stream) => memory.scatter(iovs, count, |bufs| stream.read(bufs)),
        FileOrStream::Virtual(file) => memory.scatter(iovs, count, |bufs| file.read(bufs)),
        FileOrStream::Fresh(fd) => {
            let mut asked = false;
            let result = memory.scatter(iovs, count, |bufs| {
                asked |= bufs.iter().any(|buf| !buf.is_empty());
                host_io::read_next(fd.as_fd(), bufs)
            });
            // A directory cannot be read, whatever a host says of it, unless it reads nothing.
            let read = asked && result.is_ok();
            if !read && path_open::filetype(fd.as_fd())? == Filetype::Directory {
                return Err(Errno::Badf);
            }
            result
        }
    }
}

/// Writes to a descriptor, from all buffers with one system call.
///
/// ```text
/// reads   iovs: ciovec[iovs_len], the buffers
/// writes  nwritten: u32
/// ```
/// - `EBADF`: no such descriptor, a directory, or not open for writing.
/// - `ENOTCAPABLE`: without `FD_WRITE`.
/// - `EFAULT`, `EINVAL`: bad buffers.
/// - what the host says: `EAGAIN`, `EFBIG`, `EINTR`, `EIO`, `ENOSPC`, `EPIPE`, ...
///
/// [`fd_write`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_write),
/// [writev(2)](https://man7.org/linux/man-pages/man2/writev.2.html)
#[inline(always)]
pub(crate) fn fd_write(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nwritten: u32,
) -> Result<(), Errno> {
    memory.check(nwritten, 4)?;
    let n = match wasi.fds.file(fd, Rights::FD_WRITE)? {
        FileOrStream::File(file) => memory.gather_with(iovs, iovs_len, Sequential(file)),
        other => write_other(memory, other, iovs, iovs_len),
    }?;
    memory.write_u32(nwritten, n)
}

/// Writes to what is no file of the host, or not known to be one.
#[inline(never)]
fn write_other(
    memory: &Memory<'_>,
    to: FileOrStream<'_>,
    iovs: u32,
    count: u32,
) -> Result<u32, Errno> {
    match to {
        FileOrStream::File(file) => memory.gather_with(iovs, count, Sequential(file)),
        FileOrStream::Stream(stream) => memory.gather(iovs, count, |bufs| stream.write(bufs)),
        FileOrStream::Virtual(file) => memory.gather(iovs, count, |bufs| file.write(bufs)),
        // The host opens no directory for writing.
        FileOrStream::Fresh(fd) => {
            memory.gather(iovs, count, |bufs| host_io::write_next(fd.as_fd(), bufs))
        }
    }
}

/// Reads at an offset, leaving the descriptor's own where it is.
///
/// ```text
/// reads   iovs: iovec[iovs_len]
/// writes  the buffers; nread: u32
/// ```
/// - `EBADF`: no such descriptor, a directory, or not open for reading.
/// - `ENOTCAPABLE`: without `FD_READ` and `FD_SEEK`.
/// - `ESPIPE`: nothing that has offsets.
/// - `EFAULT`, `EINVAL`: bad buffers; an offset of 2^63 or more.
///
/// [`fd_pread`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_pread),
/// [preadv(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
#[inline(always)]
pub(crate) fn fd_pread(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    mut offset: u64,
    nread: u32,
) -> Result<(), Errno> {
    memory.check(nread, 4)?;
    let n = match wasi.fds.seekable(fd, Rights::FD_READ | Rights::FD_SEEK)? {
        Seekable::File(file) => memory.scatter_with(iovs, iovs_len, Positioned(file, offset)),
        Seekable::Virtual(file) => memory.scatter(iovs, iovs_len, |bufs| {
            let n = file.file.read_at(bufs, position(offset)?)?;
            offset += n as u64;
            Ok(n)
        }),
    }?;
    memory.write_u32(nread, n)
}

/// Writes at an offset, leaving the descriptor's own where it is.
///
/// ```text
/// reads   iovs: ciovec[iovs_len], the buffers
/// writes  nwritten: u32
/// ```
/// - `EBADF`: no such descriptor, a directory, or not open for writing.
/// - `ENOTCAPABLE`: without `FD_WRITE` and `FD_SEEK`.
/// - `ESPIPE`: nothing that has offsets.
/// - `EFAULT`, `EINVAL`: bad buffers; an offset of 2^63 or more.
/// - what the host says: `EFBIG`, `EIO`, `ENOSPC`, ...
///
/// [`fd_pwrite`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_pwrite),
/// [pwritev(2)](https://man7.org/linux/man-pages/man2/readv.2.html)
#[inline(always)]
pub(crate) fn fd_pwrite(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    offset: u64,
    nwritten: u32,
) -> Result<(), Errno> {
    memory.check(nwritten, 4)?;
    let n = match wasi.fds.seekable(fd, Rights::FD_WRITE | Rights::FD_SEEK)? {
        Seekable::File(file) => memory.gather_with(iovs, iovs_len, Positioned(file, offset)),
        Seekable::Virtual(file) => {
            memory.gather(iovs, iovs_len, |bufs| file.changing()?.write_at(bufs, position(offset)?))
        }
    }?;
    memory.write_u32(nwritten, n)
}

/// Moves a descriptor's offset.
///
/// ```text
/// writes  newoffset: u64
/// ```
/// - `EBADF`: no such descriptor, or a directory.
/// - `EINVAL`: no such `whence`; an offset before the start.
/// - `ENOTCAPABLE`: without `FD_SEEK`; `FD_TELL` is enough to stay in place.
/// - `ESPIPE`: nothing that has an offset.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_seek`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_seek),
/// [lseek(2)](https://man7.org/linux/man-pages/man2/lseek.2.html)
#[inline(always)]
pub(crate) fn fd_seek(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    offset: i64,
    whence: u32,
    newoffset: u32,
) -> Result<(), Errno> {
    const SET: u32 = 0;
    const CUR: u32 = 1;
    const END: u32 = 2;

    let position = match whence {
        SET => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::Inval)?),
        CUR => SeekFrom::Current(offset),
        END => SeekFrom::End(offset),
        _ => return Err(Errno::Inval),
    };
    seek(wasi, memory, fd, position, newoffset)
}

/// Moves a descriptor's offset and tells it.
#[inline(always)]
pub(crate) fn seek(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    position: SeekFrom,
    newoffset: u32,
) -> Result<(), Errno> {
    memory.check(newoffset, 8)?;
    // `FD_SEEK` implies `FD_TELL`; the converse holds only for staying in place.
    let staying =
        position == SeekFrom::Current(0) && wasi.fds.get(fd)?.base.contains(Rights::FD_TELL);
    let rights = if staying { Rights::FD_TELL } else { Rights::FD_SEEK };
    let position = match wasi.fds.seekable(fd, rights)? {
        Seekable::File(file) => file.seek(position)?,
        Seekable::Virtual(file) => file.seek(position)?,
    };
    memory.write_u64(newoffset, position)
}

/// Tells a descriptor's offset.
///
/// ```text
/// writes  offset: u64
/// ```
/// - `EBADF`: no such descriptor, or a directory.
/// - `ENOTCAPABLE`: without `FD_TELL` or `FD_SEEK`.
/// - `ESPIPE`: nothing that has an offset.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_tell`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_tell),
/// [lseek(2)](https://man7.org/linux/man-pages/man2/lseek.2.html)
#[inline(always)]
pub(crate) fn fd_tell(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    offset: u32,
) -> Result<(), Errno> {
    seek(wasi, memory, fd, SeekFrom::Current(0), offset)
}

/// Tells the host how a file will be used.
///
/// - `EBADF`: no such descriptor, or a directory.
/// - `EINVAL`: no such advice; a region beyond 2^63.
/// - `ENOTCAPABLE`: without `FD_ADVISE`.
/// - `ESPIPE`: nothing that has offsets.
///
/// [`fd_advise`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_advise),
/// [posix_fadvise(2)](https://man7.org/linux/man-pages/man2/posix_fadvise.2.html)
pub(crate) fn fd_advise(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    offset: u64,
    len: u64,
    advice: u32,
) -> Result<(), Errno> {
    const ADVICE: [Advice; 6] = [
        Advice::Normal,
        Advice::Sequential,
        Advice::Random,
        Advice::WillNeed,
        Advice::DontNeed,
        Advice::NoReuse,
    ];
    let advice = *ADVICE.get(advice as usize).ok_or(Errno::Inval)?;
    region(offset, len)?;
    match wasi.fds.seekable(fd, Rights::FD_ADVISE)? {
        Seekable::File(file) => {
            Ok(rustix::fs::fadvise(&file.fd, offset, NonZeroU64::new(len), advice)?)
        }
        // It is only advice.
        Seekable::Virtual(_) => Ok(()),
    }
}

/// Makes sure that a region of a file has space on the device; the file grows to hold it.
///
/// - `EBADF`: no such descriptor, a directory, or not open for writing.
/// - `EINVAL`: an empty region, or one beyond 2^63.
/// - `ENOTCAPABLE`: without `FD_ALLOCATE`.
/// - `ENOTSUP`: the file system cannot.
/// - `EROFS`: on a read-only mount.
/// - `ESPIPE`: nothing that has offsets.
/// - `EFBIG`, `ENOSPC`: no room.
///
/// [`fd_allocate`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_allocate),
/// [fallocate(2)](https://man7.org/linux/man-pages/man2/fallocate.2.html)
pub(crate) fn fd_allocate(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    offset: u64,
    len: u64,
) -> Result<(), Errno> {
    region(offset, len)?;
    match wasi.fds.seekable(fd, Rights::FD_ALLOCATE)? {
        Seekable::File(file) => {
            file.require_writable()?;
            Ok(rustix::fs::fallocate(&file.fd, FallocateFlags::empty(), offset, len)?)
        }
        Seekable::Virtual(_) if len == 0 => Err(Errno::Inval),
        Seekable::Virtual(file) => file.changing()?.allocate(offset, len),
    }
}

/// Writes a file's data and metadata to the device. Of a directory: its entries.
///
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: nothing that lies on a device.
/// - `ENOTCAPABLE`: without `FD_SYNC`.
/// - `EIO`, `ENOSPC`: the device.
///
/// [`fd_sync`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_sync),
/// [fsync(2)](https://man7.org/linux/man-pages/man2/fsync.2.html)
pub(crate) fn fd_sync(wasi: &mut Wasi, _: &mut Memory<'_>, fd: u32) -> Result<(), Errno> {
    let descriptor = wasi.fds.get_mut(fd)?;
    descriptor.require(Rights::FD_SYNC)?;
    match &mut descriptor.object {
        Object::Virtual(file) => file.file.sync(),
        Object::Tree(_) => Ok(()),
        _ => Ok(rustix::fs::fsync(descriptor.host_fd().ok_or(Errno::Inval)?)?),
    }
}

/// Writes a file's data to the device.
///
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: nothing that lies on a device.
/// - `ENOTCAPABLE`: without `FD_DATASYNC`.
/// - `EIO`, `ENOSPC`: the device.
///
/// [`fd_datasync`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_datasync),
/// [fdatasync(2)](https://man7.org/linux/man-pages/man2/fsync.2.html)
pub(crate) fn fd_datasync(wasi: &mut Wasi, _: &mut Memory<'_>, fd: u32) -> Result<(), Errno> {
    let descriptor = wasi.fds.get_mut(fd)?;
    descriptor.require(Rights::FD_DATASYNC)?;
    match &mut descriptor.object {
        Object::Virtual(file) => file.file.sync(),
        Object::Tree(_) => Ok(()),
        _ => Ok(rustix::fs::fdatasync(descriptor.host_fd().ok_or(Errno::Inval)?)?),
    }
}

/// `EINVAL` if an offset is beyond what the host's can say.
fn position(offset: u64) -> Result<u64, Errno> {
    region(offset, 0).map(|()| offset)
}

/// `EINVAL` if a region ends beyond what the host's offsets can say.
fn region(offset: u64, len: u64) -> Result<(), Errno> {
    match offset.checked_add(len) {
        Some(end) if i64::try_from(end).is_ok() => Ok(()),
        _ => Err(Errno::Inval),
    }
}
