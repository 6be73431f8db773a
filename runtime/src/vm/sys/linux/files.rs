//! Files: anonymous files in memory, and checks whether others can change a file.

use rustix::fs::MemfdFlags;
use std::fs::File;
use std::io;
#[cfg(feature = "cache")]
use std::os::fd::AsRawFd;

/// A file in memory that only this process has (memfd_create(2)).
pub(in crate::vm) fn anonymous_file() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("precast", MemfdFlags::CLOEXEC)?.into())
}

/// Magic numbers of local file systems: ext2 to 4, XFS, Btrfs, F2FS, ZFS,
/// bcachefs, tmpfs, ramfs, overlayfs, and the read-only squashfs and EROFS.
#[cfg(feature = "cache")]
const LOCAL_FILE_SYSTEMS: &[u32] = &[
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0xf2f5_2010,
    0x2fc1_2fc1,
    0xca45_1a4e,
    0x0102_1994,
    0x8584_58f6,
    0x794c_7630,
    0x7371_7368,
    0xe0f5_e1e2,
];

/// Whether another user, or the server of a network file system, may change an open file.
#[cfg(feature = "cache")]
pub(in crate::vm) fn is_exposed(file: &File) -> bool {
    let (Ok(stat), Ok(system)) = (rustix::fs::fstat(file), rustix::fs::fstatfs(file)) else {
        return true;
    };
    let own = stat.st_uid == rustix::process::geteuid().as_raw();
    let local = LOCAL_FILE_SYSTEMS.contains(&(system.f_type as u32));
    // The group's bits show the most that an access control list grants.
    !own || stat.st_mode & 0o022 != 0 || !local
}

/// Whether nobody in the system has a file open for writing, at this moment. A shared mapping that
/// can be written keeps its file open.
///
/// The kernel grants a read lease only then (fcntl(2), `F_SETLEASE`), and only to the file's owner
/// or with `CAP_LEASE`. Without a lease the answer is no. The lease is given back at once.
#[cfg(feature = "cache")]
pub(crate) fn is_unwritten(file: &File) -> bool {
    let control = |command: libc::c_int, argument: libc::c_int| {
        // SAFETY: these commands take a number, and touch no memory of this process.
        unsafe { libc::fcntl(file.as_raw_fd(), command, argument) }
    };
    // The lease of another part of the process stays as it is.
    if control(libc::F_GETLEASE, 0) != libc::F_UNLCK {
        return false;
    }
    // When somebody opens the file for writing meanwhile, the kernel sends a signal to this process:
    // by default SIGIO, which would end it. SIGURG is ignored by default.
    let signal = control(F_GETSIG, 0);
    if signal < 0 || control(F_SETSIG, libc::SIGURG) != 0 {
        return false;
    }
    let granted = control(libc::F_SETLEASE, libc::F_RDLCK) == 0;
    if granted {
        control(libc::F_SETLEASE, libc::F_UNLCK);
    }
    control(F_SETSIG, signal);
    granted
}

/// Commands of fcntl(2) that set and get the signal of a lease, the same on every machine.
#[cfg(feature = "cache")]
const F_SETSIG: libc::c_int = 10;
#[cfg(feature = "cache")]
const F_GETSIG: libc::c_int = 11;
