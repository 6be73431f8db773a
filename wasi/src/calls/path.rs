//! Directory entries: every `path_*` function but `path_open`.
//!
//! Each resolves the path up to its last component with [`crate::sandbox`] and hands that one
//! component to a system call that does not follow symbolic links.

use rustix::fs::{AtFlags, FileType, Mode};

use crate::calls::fd_meta::timestamps;
use crate::errno::Errno;
use crate::fd::rights::Rights;
use crate::fs::mounts::{self, Base};
use crate::guest::Memory;
use crate::guest::layout::{Filestat, Lookupflags};
use crate::state::blueprint::Wasi;

/// Makes a directory.
///
/// ```text
/// reads   path: u8[path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_CREATE_DIRECTORY`.
/// - `EEXIST`: the name is taken.
/// - `EROFS`: on a read-only mount.
/// - `EBADF`, `ENOTDIR`: no directory. `EPERM`: the path leads outside.
/// - `EFAULT`, `EILSEQ`, `EINVAL`, `ENAMETOOLONG`, `ENOENT`: a bad path.
///
/// [`path_create_directory`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_create_directory),
/// [mkdirat(2)](https://man7.org/linux/man-pages/man2/mkdir.2.html)
pub(crate) fn path_create_directory(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = memory.path(path, path_len)?;
    let directory = match wasi.fds.writable_base(fd, Rights::PATH_CREATE_DIRECTORY)? {
        Base::Host(directory) => directory,
        Base::Tree(tree) => return tree.create_directory(wasi, path),
    };
    let entry = wasi.resolver.entry(directory.root(), path)?;
    // The host's umask applies, as to any program.
    Ok(rustix::fs::mkdirat(entry.dir(), entry.name(), Mode::from_raw_mode(0o777))?)
}

/// Tells what a file is, how large, how old.
///
/// ```text
/// reads   path: u8[path_len]
/// writes  stat: filestat
/// ```
/// - `ENOTCAPABLE`: without `PATH_FILESTAT_GET`.
/// - `ELOOP`: too many symbolic links.
/// - `EBADF`, `ENOTDIR`: no directory. `EPERM`: the path leads outside.
/// - `EFAULT`, `EILSEQ`, `EINVAL`, `ENAMETOOLONG`, `ENOENT`: a bad path, flag or pointer.
///
/// [`path_filestat_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_filestat_get),
/// [fstatat(2)](https://man7.org/linux/man-pages/man2/stat.2.html)
#[inline(always)]
pub(crate) fn path_filestat_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
    stat: u32,
) -> Result<(), Errno> {
    let filestat = filestat(wasi, memory, fd, flags, path, path_len)?;
    memory.write(stat, &filestat.bytes())
}

/// What the file at a path of a guest is.
#[inline(always)]
pub(crate) fn filestat(
    wasi: &Wasi,
    memory: &Memory<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
) -> Result<Filestat, Errno> {
    let follow = Lookupflags::from_guest(flags)?.contains(Lookupflags::SYMLINK_FOLLOW);
    let path = memory.path(path, path_len)?;
    let directory = match wasi.fds.base(fd, Rights::PATH_FILESTAT_GET)? {
        Base::Host(directory) => directory,
        Base::Tree(tree) => return tree.path_stat(wasi, path, follow),
    };
    let (_, host) = wasi.resolver.lookup(directory.root(), path, follow)?;
    let filetype = FileType::from_raw_mode(host.st_mode).into();
    Ok(Filestat::of_host(filetype, &host))
}

/// Sets a file's timestamps.
///
/// ```text
/// reads   path: u8[path_len]
/// ```
/// - `EINVAL`: no such flag, or a time both given and now; a NUL in the path.
/// - `ENOTCAPABLE`: without `PATH_FILESTAT_SET_TIMES`.
/// - `EROFS`: on a read-only mount.
/// - `ELOOP`: too many symbolic links.
/// - `EBADF`, `ENOTDIR`: no directory. `EPERM`: the path leads outside.
/// - `EFAULT`, `EILSEQ`, `ENAMETOOLONG`, `ENOENT`: a bad path.
///
/// [`path_filestat_set_times`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_filestat_set_times),
/// [utimensat(2)](https://man7.org/linux/man-pages/man2/utimensat.2.html)
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
pub(crate) fn path_filestat_set_times(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
    atim: u64,
    mtim: u64,
    fst_flags: u32,
) -> Result<(), Errno> {
    let follow = Lookupflags::from_guest(flags)?.contains(Lookupflags::SYMLINK_FOLLOW);
    let times = timestamps(atim, mtim, fst_flags)?;
    let path = memory.path(path, path_len)?;
    let directory = match wasi.fds.writable_base(fd, Rights::PATH_FILESTAT_SET_TIMES)? {
        Base::Host(directory) => directory,
        Base::Tree(tree) => return tree.path_set_times(wasi, path, follow, &times),
    };
    let (entry, stat) = wasi.resolver.lookup(directory.root(), path, follow)?;
    entry.require_ordinary(&stat)?;
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    Ok(rustix::fs::utimensat(entry.dir(), entry.bare_name(), &times, flags)?)
}

/// Gives a file a second name. A symbolic link itself gets it, not what it leads to.
///
/// ```text
/// reads   old_path: u8[old_path_len], new_path: u8[new_path_len]
/// ```
/// - `EINVAL`: `SYMLINK_FOLLOW`, which is not supported; a NUL in a path.
/// - `ENOTCAPABLE`: without `PATH_LINK_SOURCE` and `PATH_LINK_TARGET`.
/// - `EPERM`: a path leads outside, or the file is a directory.
/// - `EROFS`: either is on a read-only mount; a second name elsewhere would be a way to write.
/// - `EXDEV`: on different file systems.
/// - `EBADF`, `ENOTDIR`: no directory. `EEXIST`: the new name is taken.
/// - `EFAULT`, `EILSEQ`, `EMLINK`, `ENAMETOOLONG`, `ENOENT`: a bad path.
///
/// [`path_link`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_link),
/// [linkat(2)](https://man7.org/linux/man-pages/man2/link.2.html)
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
pub(crate) fn path_link(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    old_fd: u32,
    old_flags: u32,
    old_path: u32,
    old_path_len: u32,
    new_fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Result<(), Errno> {
    if Lookupflags::from_guest(old_flags)?.contains(Lookupflags::SYMLINK_FOLLOW) {
        return Err(Errno::Inval);
    }
    let old_path = memory.path(old_path, old_path_len)?;
    let new_path = memory.path(new_path, new_path_len)?;
    let old_base = wasi.fds.writable_base(old_fd, Rights::PATH_LINK_SOURCE)?;
    let new_base = wasi.fds.writable_base(new_fd, Rights::PATH_LINK_TARGET)?;
    let (old_directory, new_directory) = match (&old_base, &new_base) {
        (Base::Host(old), Base::Host(new)) => (old, new),
        _ => return mounts::link(wasi, &old_base, old_path, &new_base, new_path),
    };
    let old = wasi.resolver.entry(old_directory.root(), old_path)?;
    if old.is_slashed() {
        // The host would follow a symbolic link here. A directory cannot be linked to anyway.
        wasi.resolver.lookup(old_directory.root(), old_path, true)?;
        return Err(Errno::Perm);
    }
    let new = wasi.resolver.entry(new_directory.root(), new_path)?;
    let flags = AtFlags::empty();
    Ok(rustix::fs::linkat(old.dir(), old.bare_name(), new.dir(), new.name(), flags)?)
}

/// Reads a symbolic link, cut off at `buf_len` bytes and without a terminator.
///
/// ```text
/// reads   path: u8[path_len]
/// writes  buf: u8[buf_len], as many of them as the link has; bufused: u32
/// ```
/// - `EINVAL`: no symbolic link; a NUL in the path.
/// - `ENOTCAPABLE`: without `PATH_READLINK`.
/// - `EBADF`, `ENOTDIR`: no directory. `EPERM`: the path leads outside.
/// - `EFAULT`, `EILSEQ`, `ENAMETOOLONG`, `ENOENT`: a bad path or pointer.
///
/// [`path_readlink`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_readlink),
/// [readlinkat(2)](https://man7.org/linux/man-pages/man2/readlink.2.html)
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
pub(crate) fn path_readlink(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
    buf: u32,
    buf_len: u32,
    bufused: u32,
) -> Result<(), Errno> {
    /// What a link can hold on the host.
    const LONGEST: usize = 4096;

    memory.check(bufused, 4)?;
    memory.range(buf, buf_len)?;
    let path = memory.path(path, path_len)?;
    let directory = match wasi.fds.base(fd, Rights::PATH_READLINK)? {
        Base::Host(directory) => directory,
        Base::Tree(tree) => {
            let target = tree.read_link(wasi, path)?;
            let n = target.len().min(buf_len as usize);
            memory.write(buf, &target[..n])?;
            return memory.write_u32(bufused, n as u32);
        }
    };
    let entry = wasi.resolver.entry(directory.root(), path)?;
    if entry.is_slashed() {
        // Means what the link leads to, and that is no link.
        wasi.resolver.lookup(directory.root(), path, true)?;
        return Err(Errno::Inval);
    }
    // The buffer and the path may overlap in guest memory: not read straight into it.
    let mut target = [0; LONGEST];
    let n = rustix::fs::readlinkat_raw(entry.dir(), entry.bare_name(), &mut target)?;
    let n = n.min(buf_len as usize);
    memory.write(buf, &target[..n])?;
    memory.write_u32(bufused, n as u32)
}

/// Removes an empty directory.
///
/// ```text
/// reads   path: u8[path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_REMOVE_DIRECTORY`.
/// - `ENOTDIR`: no directory. `ENOTEMPTY`: not empty. `EINVAL`: `.`; a NUL in the path.
/// - `EROFS`: on a read-only mount.
/// - `EBADF`: no such descriptor. `EPERM`: the path leads outside.
/// - `EFAULT`, `EILSEQ`, `ENAMETOOLONG`, `ENOENT`: a bad path.
///
/// [`path_remove_directory`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_remove_directory),
/// [unlinkat(2)](https://man7.org/linux/man-pages/man2/unlink.2.html)
pub(crate) fn path_remove_directory(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = memory.path(path, path_len)?;
    let directory = match wasi.fds.writable_base(fd, Rights::PATH_REMOVE_DIRECTORY)? {
        Base::Host(directory) => directory,
        Base::Tree(tree) => return tree.remove_directory(wasi, path),
    };
    let entry = wasi.resolver.entry(directory.root(), path)?;
    Ok(rustix::fs::unlinkat(entry.dir(), entry.name(), AtFlags::REMOVEDIR)?)
}

/// Removes a file; of a symbolic link, the link.
///
/// ```text
/// reads   path: u8[path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_UNLINK_FILE`.
/// - `EISDIR`: a directory.
/// - `EROFS`: on a read-only mount.
/// - `EBADF`, `ENOTDIR`: no directory. `EPERM`: the path leads outside.
/// - `EFAULT`, `EILSEQ`, `EINVAL`, `ENAMETOOLONG`, `ENOENT`: a bad path.
///
/// [`path_unlink_file`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_unlink_file),
/// [unlinkat(2)](https://man7.org/linux/man-pages/man2/unlink.2.html)
pub(crate) fn path_unlink_file(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    path: u32,
    path_len: u32,
) -> Result<(), Errno> {
    let path = memory.path(path, path_len)?;
    let directory = match wasi.fds.writable_base(fd, Rights::PATH_UNLINK_FILE)? {
        Base::Host(directory) => directory,
        Base::Tree(tree) => return tree.unlink_file(wasi, path),
    };
    let entry = wasi.resolver.entry(directory.root(), path)?;
    Ok(rustix::fs::unlinkat(entry.dir(), entry.name(), AtFlags::empty())?)
}

/// Renames a file or directory, replacing what had the new name.
///
/// ```text
/// reads   old_path: u8[old_path_len], new_path: u8[new_path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_RENAME_SOURCE` and `PATH_RENAME_TARGET`.
/// - `EROFS`: either is on a read-only mount.
/// - `EISDIR`, `ENOTDIR`, `ENOTEMPTY`: what had the new name cannot be replaced.
/// - `EXDEV`: on different file systems. `EINVAL`: into itself; a NUL in a path.
/// - `EBADF`: no such descriptor. `EBUSY`: `.`. `EPERM`: a path leads outside.
/// - `EFAULT`, `EILSEQ`, `ENAMETOOLONG`, `ENOENT`: a bad path.
///
/// [`path_rename`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_rename),
/// [renameat(2)](https://man7.org/linux/man-pages/man2/rename.2.html)
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
pub(crate) fn path_rename(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    old_path: u32,
    old_path_len: u32,
    new_fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Result<(), Errno> {
    let old_path = memory.path(old_path, old_path_len)?;
    let new_path = memory.path(new_path, new_path_len)?;
    let old_base = wasi.fds.writable_base(fd, Rights::PATH_RENAME_SOURCE)?;
    let new_base = wasi.fds.writable_base(new_fd, Rights::PATH_RENAME_TARGET)?;
    let (old_directory, new_directory) = match (&old_base, &new_base) {
        (Base::Host(old), Base::Host(new)) => (old, new),
        _ => {
            let moved = mounts::rename(wasi, &old_base, old_path, &new_base, new_path)?;
            if let Some((from, to)) = moved {
                wasi.fds.relocate(&from, &to);
            }
            return Ok(());
        }
    };
    let old = wasi.resolver.entry(old_directory.root(), old_path)?;
    let new = wasi.resolver.entry(new_directory.root(), new_path)?;
    Ok(rustix::fs::renameat(old.dir(), old.name(), new.dir(), new.name())?)
}

/// Makes a symbolic link. What it says is not looked at before it is followed; only absolute
/// paths, which no guest could follow but a program of the host might, are refused.
///
/// ```text
/// reads   old_path: u8[old_path_len], new_path: u8[new_path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_SYMLINK`.
/// - `EEXIST`: the name is taken.
/// - `EPERM`: the new path leads outside, or the link would be absolute.
/// - `EROFS`: on a read-only mount.
/// - `EBADF`, `ENOTDIR`: no directory.
/// - `EFAULT`, `EILSEQ`, `EINVAL`, `ENAMETOOLONG`, `ENOENT`: a bad path.
///
/// [`path_symlink`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_symlink),
/// [symlinkat(2)](https://man7.org/linux/man-pages/man2/symlink.2.html)
pub(crate) fn path_symlink(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    old_path: u32,
    old_path_len: u32,
    fd: u32,
    new_path: u32,
    new_path_len: u32,
) -> Result<(), Errno> {
    let old_path = memory.path(old_path, old_path_len)?;
    let new_path = memory.path(new_path, new_path_len)?;
    let directory = match wasi.fds.writable_base(fd, Rights::PATH_SYMLINK)? {
        Base::Host(directory) => directory,
        Base::Tree(tree) => return tree.symlink(wasi, old_path, new_path),
    };
    let entry = wasi.resolver.entry(directory.root(), new_path)?;
    Ok(rustix::fs::symlinkat(old_path.bytes(), entry.dir(), entry.name())?)
}
