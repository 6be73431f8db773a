//! Reading, writing and seeking: `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`, `fd_seek`,
//! `fd_tell`, `fd_advise`, `fd_allocate`, `fd_sync`, `fd_datasync`.
//!
//! Each function makes at most one system call on slices of guest memory, which may block. A signal
//! that interrupts the system call becomes the guest's `EINTR`. The kernel or the instance keeps
//! the file offset (see [`HostFile::seek`](crate::fd::HostFile::seek)).
//!
//! Hot functions are inlined into the function that machine code calls: each frame between a system
//! call and the guest costs up to 25 ns (see RATIONALE.md).

use std::num::NonZeroU64;
use std::os::fd::AsFd;

use rustix::fs::{Advice, FallocateFlags, SeekFrom};

use crate::errno::Errno;
use crate::fd::{self, FileOrStream, Object, Positioned, Rights, Seekable, Sequential};
use crate::guest::Memory;
use crate::guest::layout::{Filetype, whence};
use crate::state::Wasi;

/// Reads from a descriptor, into all buffers with one system call.
///
/// ```text
/// reads   iovs: iovec[iovs_len]
/// writes  the buffers; nread: u32
/// ```
/// - `EBADF`: no such descriptor, a directory, or not open for reading.
/// - `ENOTCAPABLE`: without `FD_READ`.
/// - `EFAULT`, `EINVAL`: bad buffers.
/// - errors of the host: `EAGAIN`, `EINTR`, `EIO`, `ECONNRESET`, ...
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
        FileOrStream::HostFile(file) => memory.scatter_with(iovs, iovs_len, Sequential(file)),
        other => read_other(memory, other, iovs, iovs_len),
    }?;
    memory.write_u32(nread, n)
}

/// Reads from all other objects.
#[inline(never)]
fn read_other(
    memory: &mut Memory<'_>,
    from: FileOrStream<'_>,
    iovs: u32,
    count: u32,
) -> Result<u32, Errno> {
    match from {
        FileOrStream::HostFile(file) => memory.scatter_with(iovs, count, Sequential(file)),
        FileOrStream::Stream(stream) => memory.scatter(iovs, count, |bufs| stream.read(bufs)),
        FileOrStream::VirtualFile(file) => memory.scatter(iovs, count, |bufs| file.read(bufs)),
        FileOrStream::Unclassified(host_fd) => {
            let mut nonempty = false;
            let result = memory.scatter(iovs, count, |bufs| {
                nonempty |= bufs.iter().any(|buf| !buf.is_empty());
                fd::read_next(host_fd.as_fd(), bufs)
            });
            // A directory is `EBADF`, with any buffers. Only reading at least one byte without an
            // error shows that the file is not a directory.
            let is_file = nonempty && result.is_ok();
            if !is_file && fd::filetype(host_fd.as_fd())? == Filetype::Directory {
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
/// - errors of the host: `EAGAIN`, `EFBIG`, `EINTR`, `EIO`, `ENOSPC`, `EPIPE`, ...
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
        FileOrStream::HostFile(file) => memory.gather_with(iovs, iovs_len, Sequential(file)),
        other => write_other(memory, other, iovs, iovs_len),
    }?;
    memory.write_u32(nwritten, n)
}

/// Writes to all other objects.
#[inline(never)]
fn write_other(
    memory: &Memory<'_>,
    to: FileOrStream<'_>,
    iovs: u32,
    count: u32,
) -> Result<u32, Errno> {
    match to {
        FileOrStream::HostFile(file) => memory.gather_with(iovs, count, Sequential(file)),
        FileOrStream::Stream(stream) => memory.gather(iovs, count, |bufs| stream.write(bufs)),
        FileOrStream::VirtualFile(file) => memory.gather(iovs, count, |bufs| file.write(bufs)),
        // It is not a directory: the host opens no directory for writing.
        FileOrStream::Unclassified(host_fd) => {
            memory.gather(iovs, count, |bufs| fd::write_next(host_fd.as_fd(), bufs))
        }
    }
}

/// Reads at an offset. The descriptor's own offset does not change.
///
/// ```text
/// reads   iovs: iovec[iovs_len]
/// writes  the buffers; nread: u32
/// ```
/// - `EBADF`: no such descriptor, a directory, or not open for reading.
/// - `ENOTCAPABLE`: without `FD_READ` and `FD_SEEK`.
/// - `ESPIPE`: the object has no offsets.
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
        Seekable::HostFile(file) => memory.scatter_with(iovs, iovs_len, Positioned(file, offset)),
        Seekable::VirtualFile(file) => memory.scatter(iovs, iovs_len, |bufs| {
            let n = file.file.read_at(bufs, position(offset)?)?;
            offset += n as u64;
            Ok(n)
        }),
    }?;
    memory.write_u32(nread, n)
}

/// Writes at an offset. The descriptor's own offset does not change.
///
/// ```text
/// reads   iovs: ciovec[iovs_len], the buffers
/// writes  nwritten: u32
/// ```
/// - `EBADF`: no such descriptor, a directory, or not open for writing.
/// - `ENOTCAPABLE`: without `FD_WRITE` and `FD_SEEK`.
/// - `ESPIPE`: the object has no offsets.
/// - `EFAULT`, `EINVAL`: bad buffers; an offset of 2^63 or more.
/// - errors of the host: `EFBIG`, `EIO`, `ENOSPC`, ...
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
        Seekable::HostFile(file) => memory.gather_with(iovs, iovs_len, Positioned(file, offset)),
        Seekable::VirtualFile(file) => memory
            .gather(iovs, iovs_len, |bufs| file.for_change()?.write_at(bufs, position(offset)?)),
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
/// - `ENOTCAPABLE`: without `FD_SEEK`; `FD_TELL` is enough for a seek that does not move the
///   offset.
/// - `ESPIPE`: the object has no offset.
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
    let position = match whence {
        whence::SET => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::Inval)?),
        whence::CUR => SeekFrom::Current(offset),
        whence::END => SeekFrom::End(offset),
        _ => return Err(Errno::Inval),
    };
    seek(wasi, memory, fd, position, newoffset)
}

/// Moves a descriptor's offset and writes the new one.
#[inline(always)]
fn seek(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    position: SeekFrom,
    newoffset: u32,
) -> Result<(), Errno> {
    memory.check(newoffset, 8)?;
    // `FD_SEEK` implies `FD_TELL`. `FD_TELL` allows only a seek that does not move the offset.
    let staying =
        position == SeekFrom::Current(0) && wasi.fds.get(fd)?.base.contains(Rights::FD_TELL);
    let rights = if staying { Rights::FD_TELL } else { Rights::FD_SEEK };
    let position = match wasi.fds.seekable(fd, rights)? {
        Seekable::HostFile(file) => file.seek(position)?,
        Seekable::VirtualFile(file) => file.seek(position)?,
    };
    memory.write_u64(newoffset, position)
}

/// Writes a descriptor's offset.
///
/// ```text
/// writes  offset: u64
/// ```
/// - `EBADF`: no such descriptor, or a directory.
/// - `ENOTCAPABLE`: without `FD_TELL` or `FD_SEEK`.
/// - `ESPIPE`: the object has no offset.
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
/// - `ESPIPE`: the object has no offsets.
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
        Seekable::HostFile(file) => {
            Ok(rustix::fs::fadvise(&file.fd, offset, NonZeroU64::new(len), advice)?)
        }
        // Advice may be ignored.
        Seekable::VirtualFile(_) => Ok(()),
    }
}

/// Allocates space for a region of a file. The file is extended to the end of the region.
///
/// - `EBADF`: no such descriptor, a directory, or not open for writing.
/// - `EINVAL`: an empty region, or one beyond 2^63.
/// - `ENOTCAPABLE`: without `FD_ALLOCATE`.
/// - `ENOTSUP`: the file system does not support it.
/// - `EROFS`: on a read-only mount.
/// - `ESPIPE`: the object has no offsets.
/// - `EFBIG`, `ENOSPC`: not enough space.
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
        Seekable::HostFile(file) => {
            file.require_writable()?;
            Ok(rustix::fs::fallocate(&file.fd, FallocateFlags::empty(), offset, len)?)
        }
        Seekable::VirtualFile(_) if len == 0 => Err(Errno::Inval),
        Seekable::VirtualFile(file) => file.for_change()?.allocate(offset, len),
    }
}

/// Writes a file's data and metadata, or a directory's entries, to the device.
///
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: the object is not on a device.
/// - `ENOTCAPABLE`: without `FD_SYNC`.
/// - `EIO`, `ENOSPC`: errors of the device.
///
/// [`fd_sync`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_sync),
/// [fsync(2)](https://man7.org/linux/man-pages/man2/fsync.2.html)
pub(crate) fn fd_sync(wasi: &mut Wasi, _: &mut Memory<'_>, fd: u32) -> Result<(), Errno> {
    let descriptor = wasi.fds.get_mut(fd)?;
    descriptor.require(Rights::FD_SYNC)?;
    match &mut descriptor.object {
        Object::VirtualFile(file) => file.file.sync(),
        Object::VirtualDirectory(_) => Ok(()),
        _ => Ok(rustix::fs::fsync(descriptor.host_fd().ok_or(Errno::Inval)?)?),
    }
}

/// Writes a file's data to the device.
///
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: the object is not on a device.
/// - `ENOTCAPABLE`: without `FD_DATASYNC`.
/// - `EIO`, `ENOSPC`: errors of the device.
///
/// [`fd_datasync`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_datasync),
/// [fdatasync(2)](https://man7.org/linux/man-pages/man2/fsync.2.html)
pub(crate) fn fd_datasync(wasi: &mut Wasi, _: &mut Memory<'_>, fd: u32) -> Result<(), Errno> {
    let descriptor = wasi.fds.get_mut(fd)?;
    descriptor.require(Rights::FD_DATASYNC)?;
    match &mut descriptor.object {
        Object::VirtualFile(file) => file.file.sync(),
        Object::VirtualDirectory(_) => Ok(()),
        _ => Ok(rustix::fs::fdatasync(descriptor.host_fd().ok_or(Errno::Inval)?)?),
    }
}

/// `EINVAL` if an offset is too large for the host.
fn position(offset: u64) -> Result<u64, Errno> {
    region(offset, 0).map(|()| offset)
}

/// `EINVAL` if a region ends at an offset that is too large for the host.
fn region(offset: u64, len: u64) -> Result<(), Errno> {
    match offset.checked_add(len) {
        Some(end) if i64::try_from(end).is_ok() => Ok(()),
        _ => Err(Errno::Inval),
    }
}
