//! Metadata of descriptors: `fd_fdstat_*`, `fd_filestat_*`, `fd_prestat_*`, `fd_close`,
//! `fd_renumber`.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::errno::Errno;
use crate::fd::{NewTimestamps, Object, Rights, Seekable, guest_flags, host_flags};
use crate::guest::Memory;
use crate::guest::layout::{self, Fdflags, Fdstat, Filestat, Filetype};
use crate::state::Wasi;

/// Closes a descriptor. Preopened directories and standard streams can be closed too; they stay
/// open on the host.
///
/// - `EBADF`: no such descriptor.
///
/// [`fd_close`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_close),
/// [close(2)](https://man7.org/linux/man-pages/man2/close.2.html)
pub(crate) fn fd_close(wasi: &mut Wasi, _: &mut Memory<'_>, fd: u32) -> Result<(), Errno> {
    wasi.fds.close(fd)
}

/// Moves a descriptor to the number of another one, which is closed.
///
/// - `EBADF`: one of them is not open.
///
/// [`fd_renumber`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_renumber)
pub(crate) fn fd_renumber(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    to: u32,
) -> Result<(), Errno> {
    wasi.fds.renumber(fd, to)
}

/// Writes a descriptor's type, flags and rights.
///
/// ```text
/// writes  stat: fdstat
/// ```
/// - `EBADF`: no such descriptor.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_fdstat_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_fdstat_get),
/// [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html)
pub(crate) fn fd_fdstat_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    stat: u32,
) -> Result<(), Errno> {
    let descriptor = wasi.fds.get(fd)?;
    let flags = match (&descriptor.object, descriptor.host_fd()) {
        (_, Some(fd)) => guest_flags(fcntl_getfl(fd)?),
        (Object::VirtualFile(file), None) => file.flags,
        (_, None) => Fdflags::empty(),
    };
    let fdstat = Fdstat {
        filetype: descriptor.filetype(),
        flags,
        base: descriptor.base.bits(),
        inheriting: descriptor.inheriting.bits(),
    };
    memory.write(stat, &fdstat.bytes())
}

/// Sets a descriptor's flags. Only `APPEND` and `NONBLOCK` can change once a file is open.
///
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: no such flag, or a change of `DSYNC`, `RSYNC` or `SYNC`.
/// - `ENOTCAPABLE`: without `FD_FDSTAT_SET_FLAGS`. Standard streams inherited from this process do
///   not have this right: their flags are shared with all processes that have the terminal open.
/// - `ENOTSUP`: a stream of the embedder.
///
/// [`fd_fdstat_set_flags`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_fdstat_set_flags),
/// [fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html)
pub(crate) fn fd_fdstat_set_flags(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    flags: u32,
) -> Result<(), Errno> {
    let flags = Fdflags::from_guest(flags)?;
    let sync_flags = |flags| host_flags(flags) & (OFlags::SYNC | OFlags::DSYNC | OFlags::RSYNC);
    let descriptor = wasi.fds.get_mut(fd)?;
    descriptor.require(Rights::FD_FDSTAT_SET_FLAGS)?;
    if let Object::VirtualFile(file) = &mut descriptor.object {
        if sync_flags(flags) != sync_flags(file.flags) {
            return Err(Errno::Inval);
        }
        file.flags = flags;
        return Ok(());
    }
    let host = descriptor.host_fd().ok_or(Errno::Notsup)?;
    if sync_flags(flags) != sync_flags(guest_flags(fcntl_getfl(host)?)) {
        return Err(Errno::Inval);
    }
    if let Object::HostFile(file) = &descriptor.object {
        // With `APPEND` the kernel must keep the file offset.
        file.return_offset()?;
    }
    Ok(fcntl_setfl(host, host_flags(flags))?)
}

/// Gives up rights of a descriptor.
///
/// - `EBADF`: no such descriptor.
/// - `ENOTCAPABLE`: a right it does not have.
///
/// [`fd_fdstat_set_rights`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_fdstat_set_rights)
pub(crate) fn fd_fdstat_set_rights(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    base: u64,
    inheriting: u64,
) -> Result<(), Errno> {
    let (base, inheriting) = (Rights::from_bits(base), Rights::from_bits(inheriting));
    let descriptor = wasi.fds.get_mut(fd)?;
    if !descriptor.base.contains(base) || !descriptor.inheriting.contains(inheriting) {
        return Err(Errno::Notcapable);
    }
    (descriptor.base, descriptor.inheriting) = (base, inheriting);
    Ok(())
}

/// Writes the metadata of a file.
///
/// ```text
/// writes  stat: filestat
/// ```
/// - `EBADF`: no such descriptor.
/// - `ENOTCAPABLE`: without `FD_FILESTAT_GET`.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_filestat_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_filestat_get),
/// [fstat(2)](https://man7.org/linux/man-pages/man2/stat.2.html)
pub(crate) fn fd_filestat_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    stat: u32,
) -> Result<(), Errno> {
    memory.write(stat, &filestat(wasi, fd)?.bytes())
}

/// The metadata of a descriptor's file.
pub(crate) fn filestat(wasi: &Wasi, fd: u32) -> Result<Filestat, Errno> {
    let descriptor = wasi.fds.get(fd)?;
    descriptor.require(Rights::FD_FILESTAT_GET)?;
    match &descriptor.object {
        Object::HostFile(file) => {
            Ok(Filestat::of_host(file.filetype, &rustix::fs::fstat(&file.fd)?))
        }
        Object::HostDirectory(directory) => {
            Ok(Filestat::of_host(Filetype::Directory, &rustix::fs::fstat(&directory.fd)?))
        }
        Object::VirtualFile(file) => file.stat(),
        Object::VirtualDirectory(directory) => directory.stat(&wasi.mounts),
        Object::Stream(_) => Ok(Filestat::of_stream(descriptor.filetype())),
    }
}

/// Truncates a file, or extends it with zeros.
///
/// - `EBADF`: no such descriptor, or a directory.
/// - `EINVAL`: not open for writing, no regular file, or a size of 2^63 or more.
/// - `ENOTCAPABLE`: without `FD_FILESTAT_SET_SIZE`.
/// - `EROFS`: on a read-only mount.
/// - `EFBIG`, `EIO`: errors of the file system.
///
/// [`fd_filestat_set_size`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_filestat_set_size),
/// [ftruncate(2)](https://man7.org/linux/man-pages/man2/ftruncate.2.html)
pub(crate) fn fd_filestat_set_size(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    size: u64,
) -> Result<(), Errno> {
    // The host returns `EINVAL` for a descriptor that is not open for writing.
    let opened_for_writing = wasi.fds.get(fd)?.opened_for.contains(Rights::FD_WRITE);
    match wasi.fds.seekable(fd, Rights::FD_FILESTAT_SET_SIZE)? {
        Seekable::HostFile(file) => {
            file.require_writable()?;
            Ok(rustix::fs::ftruncate(&file.fd, size)?)
        }
        Seekable::VirtualFile(file) => {
            let file = file.for_change()?;
            if opened_for_writing { file.set_size(size) } else { Err(Errno::Inval) }
        }
    }
}

/// Sets a file's timestamps.
///
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: no such flag, or a timestamp with both a value and the flag for now.
/// - `ENOTCAPABLE`: without `FD_FILESTAT_SET_TIMES`.
/// - `ENOTSUP`: a stream of the embedder.
/// - `EROFS`: on a read-only mount.
///
/// [`fd_filestat_set_times`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_filestat_set_times),
/// [futimens(3)](https://man7.org/linux/man-pages/man3/futimens.3.html)
pub(crate) fn fd_filestat_set_times(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    atim: u64,
    mtim: u64,
    fst_flags: u32,
) -> Result<(), Errno> {
    let times = NewTimestamps::from_guest(atim, mtim, fst_flags, || wasi.clocks.now(0))?;
    wasi.fds.get(fd)?.require(Rights::FD_FILESTAT_SET_TIMES)?;
    if let Object::VirtualFile(file) = &mut wasi.fds.get_mut(fd)?.object {
        return file.for_change()?.set_times(times.virtual_fs);
    }
    match &wasi.fds.get(fd)?.object {
        Object::HostFile(file) => {
            file.require_writable()?;
            Ok(rustix::fs::futimens(&file.fd, &times.host)?)
        }
        Object::HostDirectory(directory) => {
            directory.require_writable()?;
            Ok(rustix::fs::futimens(&directory.fd, &times.host)?)
        }
        Object::VirtualDirectory(directory) => directory.set_times(&wasi.mounts, &times),
        Object::Stream(_) | Object::VirtualFile(_) => Err(Errno::Notsup),
    }
}

/// Writes the length of a preopened directory's name. A guest's C library calls this for 3, 4, ...
/// until it gets `EBADF`.
///
/// ```text
/// writes  buf: prestat
/// ```
/// - `EBADF`: no such descriptor, or not a preopened directory.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_prestat_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_prestat_get)
pub(crate) fn fd_prestat_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    buf: u32,
) -> Result<(), Errno> {
    let name = preopen_name(wasi, fd)?;
    let len = u32::try_from(name.len()).map_err(|_| Errno::Overflow)?;
    memory.write(buf, &layout::prestat_dir(len))
}

/// Writes the name of a preopened directory, without a terminator.
///
/// ```text
/// writes  path: u8[path_len], up to the length of the name
/// ```
/// - `EBADF`: no such descriptor, or not a preopened directory.
/// - `ENAMETOOLONG`: the name is longer than `path_len`.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_prestat_dir_name`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_prestat_dir_name)
pub(crate) fn fd_prestat_dir_name(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let name = preopen_name(wasi, fd)?;
    if name.len() > path_len as usize {
        return Err(Errno::Nametoolong);
    }
    memory.write(path, name)
}

/// The name of a preopened directory. `EBADF`: any other descriptor.
fn preopen_name(wasi: &Wasi, fd: u32) -> Result<&[u8], Errno> {
    let preopen = match &wasi.fds.get(fd)?.object {
        Object::HostDirectory(directory) => &directory.preopen,
        Object::VirtualDirectory(directory) => &directory.preopen,
        _ => return Err(Errno::Badf),
    };
    preopen.as_ref().map(|name| &***name).ok_or(Errno::Badf)
}
