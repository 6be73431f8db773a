//! What a descriptor is: `fd_fdstat_*`, `fd_filestat_*`, `fd_prestat_*`, `fd_close`, `fd_renumber`.

use rustix::fs::{OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fcntl_getfl, fcntl_setfl};

use crate::errno::Errno;
use crate::fd::rights::Rights;
use crate::fd::table::{Object, Seekable};
use crate::fs::Times;
use crate::guest::Memory;
use crate::guest::layout::{self, Fdflags, Fdstat, Filestat, Filetype, Fstflags};
use crate::state::blueprint::Wasi;
use crate::state::clocks::Clocks;

/// The flags of a descriptor, in WASI's words and the host's.
///
/// On Linux `RSYNC` is `SYNC`, and `SYNC` includes the bit of `DSYNC`: the larger come first.
const FDFLAGS: [(Fdflags, OFlags); 5] = [
    (Fdflags::APPEND, OFlags::APPEND),
    (Fdflags::NONBLOCK, OFlags::NONBLOCK),
    (Fdflags::SYNC, OFlags::SYNC),
    (Fdflags::RSYNC, OFlags::RSYNC),
    (Fdflags::DSYNC, OFlags::DSYNC),
];

/// The host's flags for a guest's.
pub(crate) fn host_flags(flags: Fdflags) -> OFlags {
    FDFLAGS
        .iter()
        .filter(|(guest, _)| flags.contains(*guest))
        .fold(OFlags::empty(), |flags, (_, host)| flags | *host)
}

/// The guest's flags for the host's; each bit of the host speaks for one flag.
fn guest_flags(mut host: OFlags) -> Fdflags {
    let mut flags = Fdflags::empty();
    for (guest, bits) in FDFLAGS {
        if host.contains(bits) {
            flags = flags.with(guest);
            host -= bits;
        }
    }
    flags
}

/// Closes a descriptor. Preopened directories and standard streams may be closed too; that does
/// not close them for the host.
///
/// - `EBADF`: no such descriptor.
///
/// [`fd_close`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_close),
/// [close(2)](https://man7.org/linux/man-pages/man2/close.2.html)
pub(crate) fn fd_close(wasi: &mut Wasi, _: &mut Memory<'_>, fd: u32) -> Result<(), Errno> {
    wasi.fds.close(fd)
}

/// Moves a descriptor onto another one, which is closed.
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

/// Tells a descriptor's type, flags and rights.
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
        (Object::Virtual(file), None) => file.flags,
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
/// - `EINVAL`: no such flag, or one of the `SYNC`s would change.
/// - `ENOTCAPABLE`: without `FD_FDSTAT_SET_FLAGS`. The standard streams inherited from this
///   process have it not: their flags are shared with whoever else has the terminal open.
/// - `ENOTSUP`: a stream that is no descriptor of the host.
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
    let syncs = |flags| host_flags(flags) & (OFlags::SYNC | OFlags::DSYNC | OFlags::RSYNC);
    let descriptor = wasi.fds.get_mut(fd)?;
    descriptor.require(Rights::FD_FDSTAT_SET_FLAGS)?;
    if let Object::Virtual(file) = &mut descriptor.object {
        if syncs(flags) != syncs(file.flags) {
            return Err(Errno::Inval);
        }
        file.flags = flags;
        return Ok(());
    }
    let host = descriptor.host_fd().ok_or(Errno::Notsup)?;
    if syncs(flags) != syncs(guest_flags(fcntl_getfl(host)?)) {
        return Err(Errno::Inval);
    }
    if let Object::Host(file) = &descriptor.object {
        // From now on the offset may depend on them.
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

/// Tells what a file is, how large, how old.
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

/// What a descriptor's file is.
pub(crate) fn filestat(wasi: &Wasi, fd: u32) -> Result<Filestat, Errno> {
    let descriptor = wasi.fds.get(fd)?;
    descriptor.require(Rights::FD_FILESTAT_GET)?;
    match &descriptor.object {
        Object::Host(file) => Ok(Filestat::of_host(file.filetype, &rustix::fs::fstat(&file.fd)?)),
        Object::Directory(directory) => {
            Ok(Filestat::of_host(Filetype::Directory, &rustix::fs::fstat(&directory.fd)?))
        }
        Object::Virtual(file) => file.stat(),
        Object::Tree(tree) => tree.stat(wasi),
        Object::Stream(_) => Ok(Filestat::of_stream(descriptor.filetype())),
    }
}

/// Cuts a file or fills it up with zeros.
///
/// - `EBADF`: no such descriptor, or a directory.
/// - `EINVAL`: not open for writing, no regular file, or a size of 2^63 or more.
/// - `ENOTCAPABLE`: without `FD_FILESTAT_SET_SIZE`.
/// - `EROFS`: on a read-only mount.
/// - `EFBIG`, `EIO`: the file system.
///
/// [`fd_filestat_set_size`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_filestat_set_size),
/// [ftruncate(2)](https://man7.org/linux/man-pages/man2/ftruncate.2.html)
pub(crate) fn fd_filestat_set_size(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    size: u64,
) -> Result<(), Errno> {
    // As the host says it of a descriptor that is not open for writing.
    let opened_for_writing = wasi.fds.get(fd)?.opened_for.contains(Rights::FD_WRITE);
    match wasi.fds.seekable(fd, Rights::FD_FILESTAT_SET_SIZE)? {
        Seekable::File(file) => {
            file.require_writable()?;
            Ok(rustix::fs::ftruncate(&file.fd, size)?)
        }
        Seekable::Virtual(file) => {
            let file = file.changing()?;
            if opened_for_writing { file.set_size(size) } else { Err(Errno::Inval) }
        }
    }
}

/// Sets a file's timestamps.
///
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: no such flag, or a time both given and now.
/// - `ENOTCAPABLE`: without `FD_FILESTAT_SET_TIMES`.
/// - `ENOTSUP`: a stream that is no descriptor of the host.
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
    let times = timestamps(atim, mtim, fst_flags)?;
    wasi.fds.get(fd)?.require(Rights::FD_FILESTAT_SET_TIMES)?;
    if let Object::Virtual(file) = &mut wasi.fds.get_mut(fd)?.object {
        return file.changing()?.set_times(virtual_times(&times, &wasi.clocks)?);
    }
    match &wasi.fds.get(fd)?.object {
        Object::Host(file) => {
            file.require_writable()?;
            Ok(rustix::fs::futimens(&file.fd, &times)?)
        }
        Object::Directory(directory) => {
            directory.require_writable()?;
            Ok(rustix::fs::futimens(&directory.fd, &times)?)
        }
        Object::Tree(tree) => tree.set_times(wasi, &times),
        Object::Stream(_) | Object::Virtual(_) => Err(Errno::Notsup),
    }
}

/// The same timestamps for a file system that is not the host's.
pub(crate) fn virtual_times(times: &Timestamps, clocks: &Clocks) -> Result<Times, Errno> {
    let time = |time: &Timespec| match time.tv_nsec {
        UTIME_OMIT => Ok(None),
        UTIME_NOW => clocks.now(0).map(Some),
        nanoseconds => Ok(Some(layout::nanoseconds(time.tv_sec, nanoseconds as u64))),
    };
    Ok(Times { accessed: time(&times.last_access)?, modified: time(&times.last_modification)? })
}

/// The timestamps a guest wants set. `EINVAL`: no such flag, or a time both given and now.
pub(crate) fn timestamps(atim: u64, mtim: u64, flags: u32) -> Result<Timestamps, Errno> {
    let flags = Fstflags::from_guest(flags)?;
    let time = |given: Fstflags, now: Fstflags, time: u64| {
        let special = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
        match (flags.contains(given), flags.contains(now)) {
            (true, true) => Err(Errno::Inval),
            (true, false) => Ok(Timespec {
                tv_sec: (time / 1_000_000_000) as i64,
                tv_nsec: (time % 1_000_000_000) as _,
            }),
            (false, true) => Ok(special(UTIME_NOW)),
            (false, false) => Ok(special(UTIME_OMIT)),
        }
    };
    Ok(Timestamps {
        last_access: time(Fstflags::ATIM, Fstflags::ATIM_NOW, atim)?,
        last_modification: time(Fstflags::MTIM, Fstflags::MTIM_NOW, mtim)?,
    })
}

/// Tells whether a descriptor is a preopened directory, and how long its name is. A guest's C
/// library asks this of 3, 4, ... until it gets `EBADF`.
///
/// ```text
/// writes  buf: prestat
/// ```
/// - `EBADF`: no such descriptor, or it was not preopened.
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

/// Tells the name of a preopened directory, without a terminator.
///
/// ```text
/// writes  path: u8[path_len], as many of them as the name has
/// ```
/// - `EBADF`: no such descriptor, or it was not preopened.
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

fn preopen_name(wasi: &Wasi, fd: u32) -> Result<&[u8], Errno> {
    match &wasi.fds.get(fd)?.object {
        Object::Directory(directory) => directory.preopen.as_deref().ok_or(Errno::Badf),
        Object::Tree(tree) => tree.preopen.as_deref().ok_or(Errno::Badf),
        _ => Err(Errno::Badf),
    }
}
