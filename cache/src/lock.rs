//! Locks between processes, and between the threads of one.
//!
//! A lock is a byte of the file `lock`, held through an open file (fcntl(2), "Open file
//! description locks"): the kernel takes it back when the process ends in whatever way, the file
//! is never removed, and there is nothing to clean up.

use crate::folder::Folder;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The byte for the folder as a whole.
pub(crate) const FOLDER: u64 = 0;

/// A lock, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Holds it: closing gives it back.
    _file: File,
    /// Whether it had to be waited for.
    pub(crate) waited: bool,
}

impl Lock {
    /// Waits for the lock on a byte, at most for `limit`; none if somebody holds it for longer.
    ///
    /// It asks again and again, as waiting in the kernel has no limit: whoever holds the lock may
    /// have been stopped by a user who is waiting for us.
    pub(crate) fn acquire(folder: &Folder, byte: u64, limit: Duration) -> io::Result<Option<Lock>> {
        let file = folder.open_lock("lock")?;
        // Somebody who can write to the folder may hold a lock for ever: that costs one wait.
        let limit = if folder.is_stuck() { Duration::ZERO } else { limit };
        let (start, mut pause) = (Instant::now(), Duration::from_micros(200));
        let mut waited = false;
        while !try_lock(&file, byte)? {
            waited = true;
            if start.elapsed() >= limit {
                folder.set_stuck();
                return Ok(None);
            }
            sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
        Ok(Some(Lock { _file: file, waited }))
    }
}

/// The byte for a key: any but the folder's, in what a file may be long.
pub(crate) fn byte_of(number: u64) -> u64 {
    (number >> 2) | 1
}

/// Locks a whole file for as long as it is open: it says that its writer lives.
pub(crate) fn mark_alive(file: &File) -> io::Result<()> {
    try_lock(file, 0).map(drop)
}

/// Whether the writer of a file lives.
pub(crate) fn is_alive(file: &File) -> bool {
    let mut lock = range(0);
    match fcntl(file.as_fd(), FcntlArg::F_OFD_GETLK(&mut lock)) {
        Ok(_) => lock.l_type != libc::F_UNLCK as libc::c_short,
        // Where locks do not work nothing is known; then it is left alone.
        Err(_) => true,
    }
}

fn try_lock(file: &File, byte: u64) -> io::Result<bool> {
    match fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&range(byte))) {
        Ok(_) => Ok(true),
        Err(nix::Error::EAGAIN | nix::Error::EACCES) => Ok(false),
        // A file system without locks: two may compile the same, and the bounds are approximate.
        Err(nix::Error::ENOLCK | nix::Error::ENOSYS | nix::Error::EOPNOTSUPP) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn range(byte: u64) -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte as libc::off_t,
        l_len: 1,
        l_pid: 0,
    }
}
