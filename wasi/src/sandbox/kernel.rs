//! The sandbox kept by the kernel: `openat2(2)` with `RESOLVE_BENEATH`.
//!
//! At first without leaving the mount of the root, which costs nothing: then what is opened is on the
//! file system that was granted. A path that leaves it is resolved again, and the end is looked at
//! before it is opened and after: it may be the kernel's own ([`super::pseudo_fs`]).

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno as HostErrno;

use super::{NAME_ROOM, PASS_THROUGH, c_name, pseudo_fs, userspace};
use crate::errno::Errno;

/// Nothing above the root, and none of the links of `/proc` that jump without a path.
const CONFINED: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// An entry of a directory, and nothing that is mounted there.
const ENTRY: ResolveFlags = ResolveFlags::NO_XDEV.union(ResolveFlags::NO_MAGICLINKS);

/// How often a resolution is tried again that a rename elsewhere disturbed.
const RETRIES: usize = 8;

/// Whether this kernel has `openat2` (Linux 5.6) and lets us use it. Asked once in a process.
pub(super) fn is_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| openat2(CWD, c".", PASS_THROUGH, Mode::empty(), CONFINED).is_ok())
}

/// Opens `path` beneath `root`, past at most `max_links` symbolic links: none, or as many as the
/// kernel follows.
pub(super) fn open(
    root: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
    max_links: usize,
) -> Result<OwnedFd, Errno> {
    // `openat2` refuses a mode that nothing would use.
    let mode = if flags.contains(OFlags::CREATE) { mode } else { Mode::empty() };
    if is_one_component(path) && !flags.contains(OFlags::PATH) {
        // What is neither a symbolic link nor `..` lies in the directory, and the confinement that
        // `openat2` checks once more takes a tenth of its time.
        let itself = flags | OFlags::NOFOLLOW;
        let opened = match c_name(&mut [0; NAME_ROOM], path) {
            Some(name) => openat2(root, name, itself, mode, ENTRY),
            None => openat2(root, path, itself, mode, ENTRY),
        };
        match opened {
            // Perhaps a link that is to be followed.
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

/// Opens `path`, which leads outside or to another mount. None: `walk` must find out.
#[cold]
fn across(
    root: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
    confined: ResolveFlags,
) -> Option<Result<OwnedFd, Errno>> {
    if flags.contains(OFlags::CREATE) {
        // What is not there yet cannot be looked at.
        return None;
    }
    let open = |flags| match resolve(root, path, flags, mode, confined) {
        Err(HostErrno::AGAIN) => None,
        Err(HostErrno::XDEV) => Some(Err(Errno::Perm)),
        Err(error) => Some(Err(error.into())),
        Ok(fd) => Some(pseudo_fs::require_ordinary(&fd).map(|()| fd)),
    };
    // To open a file may be to do something.
    if !flags.intersects(OFlags::PATH | OFlags::DIRECTORY)
        && let Err(error) = open(OFlags::PATH | OFlags::CLOEXEC | flags & OFlags::NOFOLLOW)?
    {
        return Some(Err(error));
    }
    open(flags)
}

/// `EAGAIN`: the kernel could not tell whether a `..` stayed beneath the root while something was
/// being renamed. Also what a lease or a FIFO answers: then `walk` says so again.
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

/// Whether a path is the name of an entry and nothing else: no slash, no dots that are a directory.
fn is_one_component(path: &[u8]) -> bool {
    !path.contains(&b'/') && !matches!(path, b"" | b"." | b"..")
}
