//! Path resolution by the kernel: `openat2(2)` with `RESOLVE_BENEATH`.
//!
//! The first attempt does not leave the mount of the root. This costs nothing, and the opened file
//! is on the file system that was granted. A path that leaves the mount is resolved again, and the
//! file is checked before it is opened and after: it may be on a pseudo file system
//! ([`super::pseudo_fs`]).

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno as HostErrno;

use super::{NAME_ROOM, TRAVERSE, c_name, pseudo_fs, userspace};
use crate::errno::Errno;

/// The resolution stays beneath the root and follows no magic link of `/proc`.
const CONFINED: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// The name is resolved in its directory and does not cross a mount point.
const ENTRY: ResolveFlags = ResolveFlags::NO_XDEV.union(ResolveFlags::NO_MAGICLINKS);

/// The number of attempts when concurrent renames make a resolution fail.
const RETRIES: usize = 8;

/// Whether `openat2` (Linux 5.6) exists and is permitted. Tested once in a process.
pub(super) fn is_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| openat2(CWD, c".", TRAVERSE, Mode::empty(), CONFINED).is_ok())
}

/// Opens `path` beneath `root`. `max_links` is 0, or the number of symbolic links that the kernel
/// follows.
pub(super) fn open(
    root: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
    max_links: usize,
) -> Result<OwnedFd, Errno> {
    // `openat2` refuses a mode without `O_CREAT`.
    let mode = if flags.contains(OFlags::CREATE) { mode } else { Mode::empty() };
    if is_one_component(path) && !flags.contains(OFlags::PATH) {
        // A component that is neither a symbolic link nor `..` is in the directory. Without the
        // confinement, `openat2` is faster by a tenth.
        let itself = flags | OFlags::NOFOLLOW;
        let opened = match c_name(&mut [0; NAME_ROOM], path) {
            Some(name) => openat2(root, name, itself, mode, ENTRY),
            None => openat2(root, path, itself, mode, ENTRY),
        };
        match opened {
            // It may be a link, which must be followed.
            Err(HostErrno::LOOP | HostErrno::NOTDIR) if !flags.contains(OFlags::NOFOLLOW) => {}
            Err(HostErrno::XDEV) => {}
            opened => return Ok(opened?),
        }
    }
    let links = if max_links == 0 { ResolveFlags::NO_SYMLINKS } else { ResolveFlags::empty() };
    let confined = CONFINED | links;
    match resolve(root, path, flags, mode, confined | ResolveFlags::NO_XDEV) {
        Ok(fd) => Ok(fd),
        Err(HostErrno::XDEV) => across(root, path, flags, mode, confined)
            .unwrap_or_else(|| userspace::open(root.into(), path, flags, mode, max_links)),
        Err(HostErrno::AGAIN) => userspace::open(root.into(), path, flags, mode, max_links),
        Err(error) => Err(error.into()),
    }
}

/// Opens `path`, which leads outside or to another mount. `None`: only [`userspace`] can resolve it
/// safely.
#[cold]
fn across(
    root: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
    confined: ResolveFlags,
) -> Option<Result<OwnedFd, Errno>> {
    if flags.contains(OFlags::CREATE) {
        // A file that does not exist yet cannot be checked before it is opened.
        return None;
    }
    let open = |flags| match resolve(root, path, flags, mode, confined) {
        Err(HostErrno::AGAIN) => None,
        Err(HostErrno::XDEV) => Some(Err(Errno::Perm)),
        Err(error) => Some(Err(error.into())),
        Ok(fd) => Some(pseudo_fs::require_ordinary(&fd).map(|()| fd)),
    };
    // Opening a file can have side effects, so it is checked first.
    if !flags.intersects(OFlags::PATH | OFlags::DIRECTORY)
        && let Err(error) = open(OFlags::PATH | OFlags::CLOEXEC | flags & OFlags::NOFOLLOW)?
    {
        return Some(Err(error));
    }
    open(flags)
}

/// `EAGAIN`: because of a concurrent rename, the kernel cannot tell whether a `..` stays beneath
/// the root. A lease or a FIFO gives the same error; then [`userspace`] gives it again.
fn resolve(
    root: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
    resolve: ResolveFlags,
) -> Result<OwnedFd, HostErrno> {
    for _ in 0..RETRIES {
        match openat2(root, path, flags, mode, resolve) {
            Err(HostErrno::AGAIN) => continue,
            result => return result,
        }
    }
    Err(HostErrno::AGAIN)
}

/// Whether a path is one component and neither `.` nor `..`.
fn is_one_component(path: &[u8]) -> bool {
    !path.contains(&b'/') && !matches!(path, b"" | b"." | b"..")
}
