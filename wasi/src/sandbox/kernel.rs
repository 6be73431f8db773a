//! The sandbox kept by the kernel: `openat2(2)` with `RESOLVE_BENEATH`.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno as HostErrno;

use super::{NAME_ROOM, PASS_THROUGH, c_name, walk};
use crate::errno::Errno;

/// Nothing above the root, and none of the links of `/proc` that jump without a path.
const CONFINED: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

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
    if is_one_component(path) && !flags.contains(OFlags::PATH) {
        // What is neither a symbolic link nor `..` lies in the directory, and the confinement that
        // `openat2` checks once more takes a tenth of its time.
        let itself = flags | OFlags::NOFOLLOW;
        let opened = match c_name(&mut [0; NAME_ROOM], path) {
            Some(name) => openat(root, name, itself, mode),
            None => openat(root, path, itself, mode),
        };
        match opened {
            // Perhaps a link that is to be followed.
            Err(HostErrno::LOOP | HostErrno::NOTDIR) if !flags.contains(OFlags::NOFOLLOW) => {}
            opened => return Ok(opened?),
        }
    }
    // `openat2` refuses a mode that nothing would use.
    let mode = if flags.contains(OFlags::CREATE) { mode } else { Mode::empty() };
    let links = if max_links == 0 { ResolveFlags::NO_SYMLINKS } else { ResolveFlags::empty() };
    for _ in 0..RETRIES {
        match openat2(root, path, flags, mode, CONFINED | links) {
            Ok(fd) => return Ok(fd),
            Err(HostErrno::XDEV) => return Err(Errno::Perm),
            // The kernel could not tell whether a `..` stayed beneath the root while something was
            // being renamed. Also what a lease or a FIFO answers: then `walk` says so again.
            Err(HostErrno::AGAIN) => continue,
            Err(error) => return Err(error.into()),
        }
    }
    walk::open(root, path, flags, mode, max_links)
}

/// Whether a path is the name of an entry and nothing else: no slash, no dots that are a directory.
fn is_one_component(path: &[u8]) -> bool {
    !path.contains(&b'/') && !matches!(path, b"" | b"." | b"..")
}
