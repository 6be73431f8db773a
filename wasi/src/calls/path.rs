//! Directory entries: every `path_*` function except `path_open`.
//!
//! Each function resolves the path up to the last component with [`crate::sandbox`] and passes the
//! last component to a system call that does not follow symbolic links.

use rustix::fs::FileType;

use crate::errno::Errno;
use crate::fd::{self, DirectoryRef, NewTimestamps, Rights};
use crate::guest::Memory;
use crate::guest::layout::{Filestat, Lookupflags};
use crate::state::Wasi;

/// Creates a directory.
///
/// ```text
/// reads   path: u8[path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_CREATE_DIRECTORY`.
/// - `EEXIST`: the name exists.
/// - `EROFS`: on a read-only mount.
/// - `EBADF`, `ENOTDIR`: not a directory. `EPERM`: the path leads outside.
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
    match wasi.fds.writable_directory(fd, Rights::PATH_CREATE_DIRECTORY)? {
        DirectoryRef::Host(directory) => {
            wasi.resolver.entry(directory.root(), path)?.create_directory()
        }
        DirectoryRef::Virtual(directory) => directory.create_directory(&wasi.mounts, path),
    }
}

/// Writes the metadata of a file.
///
/// ```text
/// reads   path: u8[path_len]
/// writes  stat: filestat
/// ```
/// - `ENOTCAPABLE`: without `PATH_FILESTAT_GET`.
/// - `ELOOP`: too many symbolic links.
/// - `EBADF`, `ENOTDIR`: not a directory. `EPERM`: the path leads outside.
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

/// The metadata of the file at a path.
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
    let directory = match wasi.fds.directory(fd, Rights::PATH_FILESTAT_GET)? {
        DirectoryRef::Host(directory) => directory,
        DirectoryRef::Virtual(directory) => return directory.path_stat(&wasi.mounts, path, follow),
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
/// - `EINVAL`: no such flag, or a timestamp with both a value and the flag for now; a
///   NUL in the path.
/// - `ENOTCAPABLE`: without `PATH_FILESTAT_SET_TIMES`.
/// - `EROFS`: on a read-only mount.
/// - `ELOOP`: too many symbolic links.
/// - `EBADF`, `ENOTDIR`: not a directory. `EPERM`: the path leads outside.
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
    let times = NewTimestamps::from_guest(atim, mtim, fst_flags, || wasi.clocks.now(0))?;
    let path = memory.path(path, path_len)?;
    match wasi.fds.writable_directory(fd, Rights::PATH_FILESTAT_SET_TIMES)? {
        DirectoryRef::Host(directory) => {
            let (entry, stat) = wasi.resolver.lookup(directory.root(), path, follow)?;
            entry.set_times(&stat, &times.host)
        }
        DirectoryRef::Virtual(directory) => {
            directory.path_set_times(&wasi.mounts, path, follow, &times)
        }
    }
}

/// Creates a hard link. A symbolic link is not followed: the link itself gets the new name.
///
/// ```text
/// reads   old_path: u8[old_path_len], new_path: u8[new_path_len]
/// ```
/// - `EINVAL`: `SYMLINK_FOLLOW`, which is not supported; a NUL in a path.
/// - `ENOTCAPABLE`: without `PATH_LINK_SOURCE` and `PATH_LINK_TARGET`.
/// - `EPERM`: a path leads outside, or the file is a directory.
/// - `EROFS`: either path is on a read-only mount. A link on a writable mount would allow writing.
/// - `EXDEV`: on different file systems.
/// - `EBADF`, `ENOTDIR`: not a directory. `EEXIST`: the new name exists.
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
    let old_dir = wasi.fds.writable_directory(old_fd, Rights::PATH_LINK_SOURCE)?;
    let new_dir = wasi.fds.writable_directory(new_fd, Rights::PATH_LINK_TARGET)?;
    let (old_directory, new_directory) = match (&old_dir, &new_dir) {
        (DirectoryRef::Host(old), DirectoryRef::Host(new)) => (old, new),
        _ => return fd::link(&wasi.mounts, &old_dir, old_path, &new_dir, new_path),
    };
    let old = wasi.resolver.entry(old_directory.root(), old_path)?;
    if old.is_slashed() {
        // The host would follow a symbolic link here. A directory cannot get a hard link.
        wasi.resolver.lookup(old_directory.root(), old_path, true)?;
        return Err(Errno::Perm);
    }
    old.link(&wasi.resolver.entry(new_directory.root(), new_path)?)
}

/// Reads a symbolic link, cut off at `buf_len` bytes and without a terminator.
///
/// ```text
/// reads   path: u8[path_len]
/// writes  buf: u8[buf_len], up to the length of the target; bufused: u32
/// ```
/// - `EINVAL`: not a symbolic link; a NUL in the path.
/// - `ENOTCAPABLE`: without `PATH_READLINK`.
/// - `EBADF`, `ENOTDIR`: not a directory. `EPERM`: the path leads outside.
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
    /// The longest target of a link on the host.
    const LONGEST: usize = 4096;

    memory.check(bufused, 4)?;
    memory.range(buf, buf_len)?;
    let path = memory.path(path, path_len)?;
    let directory = match wasi.fds.directory(fd, Rights::PATH_READLINK)? {
        DirectoryRef::Host(directory) => directory,
        DirectoryRef::Virtual(directory) => {
            let target = directory.read_link(&wasi.mounts, path)?;
            let n = target.len().min(buf_len as usize);
            memory.write(buf, &target[..n])?;
            return memory.write_u32(bufused, n as u32);
        }
    };
    let entry = wasi.resolver.entry(directory.root(), path)?;
    if entry.is_slashed() {
        // A slash follows the link, and a directory is not a link.
        wasi.resolver.lookup(directory.root(), path, true)?;
        return Err(Errno::Inval);
    }
    // Not read directly into guest memory, where the buffer and the path may overlap.
    let mut target = [0; LONGEST];
    let n = entry.read_link_to(&mut target)?.min(buf_len as usize);
    memory.write(buf, &target[..n])?;
    memory.write_u32(bufused, n as u32)
}

/// Removes an empty directory.
///
/// ```text
/// reads   path: u8[path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_REMOVE_DIRECTORY`.
/// - `ENOTDIR`: not a directory. `ENOTEMPTY`: not empty. `EINVAL`: `.`; a NUL in the path.
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
    match wasi.fds.writable_directory(fd, Rights::PATH_REMOVE_DIRECTORY)? {
        DirectoryRef::Host(directory) => {
            wasi.resolver.entry(directory.root(), path)?.remove_directory()
        }
        DirectoryRef::Virtual(directory) => directory.remove_directory(&wasi.mounts, path),
    }
}

/// Removes a file. A symbolic link is not followed: the link itself is removed.
///
/// ```text
/// reads   path: u8[path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_UNLINK_FILE`.
/// - `EISDIR`: a directory.
/// - `EROFS`: on a read-only mount.
/// - `EBADF`, `ENOTDIR`: not a directory. `EPERM`: the path leads outside.
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
    match wasi.fds.writable_directory(fd, Rights::PATH_UNLINK_FILE)? {
        DirectoryRef::Host(directory) => wasi.resolver.entry(directory.root(), path)?.unlink_file(),
        DirectoryRef::Virtual(directory) => directory.unlink_file(&wasi.mounts, path),
    }
}

/// Renames a file or directory, and replaces a file or empty directory that has the new name.
///
/// ```text
/// reads   old_path: u8[old_path_len], new_path: u8[new_path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_RENAME_SOURCE` and `PATH_RENAME_TARGET`.
/// - `EROFS`: either path is on a read-only mount.
/// - `EISDIR`, `ENOTDIR`, `ENOTEMPTY`: the file with the new name cannot be replaced.
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
    let old_dir = wasi.fds.writable_directory(fd, Rights::PATH_RENAME_SOURCE)?;
    let new_dir = wasi.fds.writable_directory(new_fd, Rights::PATH_RENAME_TARGET)?;
    let (old_directory, new_directory) = match (&old_dir, &new_dir) {
        (DirectoryRef::Host(old), DirectoryRef::Host(new)) => (old, new),
        _ => {
            let moved =
                fd::rename(&wasi.mounts, &wasi.fds, &old_dir, old_path, &new_dir, new_path)?;
            if let Some((from, to)) = moved {
                wasi.fds.relocate(&from, &to);
            }
            return Ok(());
        }
    };
    let old = wasi.resolver.entry(old_directory.root(), old_path)?;
    old.rename(&wasi.resolver.entry(new_directory.root(), new_path)?)
}

/// Creates a symbolic link. The target is checked when the link is followed. Only absolute targets
/// are refused here: no guest could follow them, but a program of the host might.
///
/// ```text
/// reads   old_path: u8[old_path_len], new_path: u8[new_path_len]
/// ```
/// - `ENOTCAPABLE`: without `PATH_SYMLINK`.
/// - `EEXIST`: the name exists.
/// - `EPERM`: the new path leads outside, or the target is absolute.
/// - `EROFS`: on a read-only mount.
/// - `EBADF`, `ENOTDIR`: not a directory.
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
    match wasi.fds.writable_directory(fd, Rights::PATH_SYMLINK)? {
        DirectoryRef::Host(directory) => {
            wasi.resolver.entry(directory.root(), new_path)?.symlink(old_path.bytes())
        }
        DirectoryRef::Virtual(directory) => directory.symlink(&wasi.mounts, old_path, new_path),
    }
}
