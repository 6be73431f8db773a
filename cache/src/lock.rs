//! Locks between processes and threads, as byte ranges of a file.
//!
//! A lock is a byte of the file `lock`, held through an open file (fcntl(2), "Open file description
//! locks"). The kernel releases it when the process ends for any reason. The file is never removed.

use crate::folder::Folder;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The byte of the lock on the whole folder.
pub(crate) const FOLDER: u64 = 0;

/// A lock, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Closing the file releases the lock.
    _file: File,
    /// Whether another process or thread held the lock at first.
    pub(crate) waited: bool,
}

impl Lock {
    /// Waits for the lock on a byte, at most for `limit`. None if another holder keeps it longer.
    ///
    /// It polls, because a wait in the kernel has no time limit and the holder may be a process that
    /// its user has stopped.
    pub(crate) fn acquire(folder: &Folder, byte: u64, limit: Duration) -> io::Result<Option<Lock>> {
        let file = folder.open_lock("lock")?;
        // A user who can write to the folder may hold a lock for ever: we wait for it only once.
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

/// The byte for a key: never the folder's byte, and below the largest offset of a file.
pub(crate) fn byte_of(number: u64) -> u64 {
    (number >> 2) | 1
}

/// Locks a temporary file for as long as it is open. The lock says that its writer is alive.
pub(crate) fn mark_alive(file: &File) -> io::Result<()> {
    try_lock(file, 0).map(drop)
}

/// Whether the writer of a temporary file is alive.
pub(crate) fn is_alive(file: &File) -> bool {
    let mut lock = range(0);
    match fcntl(file.as_fd(), FcntlArg::F_OFD_GETLK(&mut lock)) {
        Ok(_) => lock.l_type != libc::F_UNLCK as libc::c_short,
        // Without locks it is unknown, so the file is kept.
        Err(_) => true,
    }
}

fn try_lock(file: &File, byte: u64) -> io::Result<bool> {
    match fcntl(file.as_fd(), FcntlArg::F_OFD_SETLK(&range(byte))) {
        Ok(_) => Ok(true),
        Err(nix::Error::EAGAIN | nix::Error::EACCES) => Ok(false),
        // The file system has no locks: two processes may compile the same module, and the bounds of
        // the folder are approximate.
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
