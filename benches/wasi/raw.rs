//! The system calls with which the rows are compared: each does the same for a native program.
//!
//! A program makes system calls through functions of its C library, and so do these rows. That is
//! not free: on some processors the first return after a system call is predicted wrongly, which
//! costs as much as a third of the call. See `seek_inline`.

use std::hint::black_box;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, fcntl_getfl, fstat, openat,
    openat2, seek, statat,
};
use rustix::rand::{GetRandomFlags, getrandom};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// The descriptors of the guest.
pub(crate) struct Raw {
    directory: OwnedFd,
    file: OwnedFd,
    zero: OwnedFd,
    null: OwnedFd,
    many: OwnedFd,
    buffer: Box<[u8; 4096]>,
    listing: Box<[MaybeUninit<u8>; 16384]>,
}

/// The flags with which the sandbox opens.
const CONFINED: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

impl Raw {
    /// Opens the files that the guest opens.
    ///
    /// # Errors
    ///
    /// Those of the host.
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let open = |path: &Path, flags| openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty());
        Ok(Raw {
            directory: open(directory, OFlags::RDONLY | OFlags::DIRECTORY)?,
            file: open(&directory.join("file"), OFlags::RDWR)?,
            zero: open(Path::new("/dev/zero"), OFlags::RDONLY)?,
            null: open(Path::new("/dev/null"), OFlags::WRONLY)?,
            many: open(&directory.join("many"), OFlags::RDONLY | OFlags::DIRECTORY)?,
            buffer: Box::new([0; 4096]),
            listing: Box::new([MaybeUninit::uninit(); 16384]),
        })
    }

    /// Does the work of a row `n` times. Returns whether there is a system call for it.
    ///
    /// # Errors
    ///
    /// Those of the host.
    pub(crate) fn run(&mut self, row: &str, n: u32) -> io::Result<bool> {
        let Some(call) = call(row) else { return Ok(false) };
        for _ in 0..n {
            // Called like a function of the C library: through a pointer, and with a return.
            black_box(call)(self)?;
        }
        Ok(true)
    }

    /// Seeks `n` times, without a function around the system call.
    ///
    /// # Errors
    ///
    /// Those of the host.
    pub(crate) fn seek_inline(&mut self, n: u32) -> io::Result<()> {
        for _ in 0..n {
            black_box(seek(&self.file, SeekFrom::Start(9))?);
        }
        Ok(())
    }
}

/// A function that makes a system call.
type Call = fn(&mut Raw) -> rustix::io::Result<()>;

/// The system call of a row.
fn call(row: &str) -> Option<Call> {
    Some(match row {
        // Through the vDSO.
        "clock_time_get monotonic" => |_| done(clock_gettime(ClockId::Monotonic)),
        "clock_time_get realtime" => |_| done(clock_gettime(ClockId::Realtime)),
        "random_get 16 B" => |raw| done(getrandom(&mut raw.buffer[..16], GetRandomFlags::empty())?),
        "random_get 32 B" => |raw| done(getrandom(&mut raw.buffer[..32], GetRandomFlags::empty())?),
        "random_get 4 KiB" => |raw| done(getrandom(&mut raw.buffer[..], GetRandomFlags::empty())?),
        "sched_yield" => |_| {
            rustix::thread::sched_yield();
            Ok(())
        },
        "fd_read 1 B" => |raw| done(rustix::io::read(&raw.zero, &mut raw.buffer[..1])?),
        "fd_read 4 KiB" => |raw| done(rustix::io::read(&raw.zero, &mut raw.buffer[..])?),
        "fd_write 1 B" => |raw| done(rustix::io::write(&raw.null, &raw.buffer[..1])?),
        "fd_write 4 KiB" => |raw| done(rustix::io::write(&raw.null, &raw.buffer[..])?),
        "fd_write 2 x 2 KiB" => |raw| {
            let (first, second) = raw.buffer.split_at(2048);
            let buffers = [io::IoSlice::new(first), io::IoSlice::new(second)];
            done(rustix::io::writev(&raw.null, &buffers)?)
        },
        "fd_pread 1 B" => |raw| done(rustix::io::pread(&raw.file, &mut raw.buffer[..1], 9)?),
        "fd_pread 4 KiB" => |raw| done(rustix::io::pread(&raw.file, &mut raw.buffer[..], 0)?),
        "fd_pwrite 1 B" => |raw| done(rustix::io::pwrite(&raw.file, &raw.buffer[..1], 9)?),
        "fd_pwrite 4 KiB" => |raw| done(rustix::io::pwrite(&raw.file, &raw.buffer[..], 0)?),
        "fd_seek" => |raw| done(seek(&raw.file, SeekFrom::Start(9))?),
        "fd_tell" => |raw| done(seek(&raw.file, SeekFrom::Current(0))?),
        "fd_fdstat_get" => |raw| done(fcntl_getfl(&raw.file)?),
        "fd_filestat_get" => |raw| done(fstat(&raw.file)?),
        "path_filestat_get" => {
            |raw| done(statat(&raw.directory, c"file", AtFlags::SYMLINK_NOFOLLOW)?)
        }
        "path_open + fd_close" => |raw| {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC;
            done(openat2(&raw.directory, c"file", flags, Mode::empty(), CONFINED)?)
        },
        "path_open + fd_close, folder" => |raw| {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
            done(openat2(&raw.directory, c"many", flags, Mode::empty(), CONFINED)?)
        },
        "fd_readdir 100 entries" => |raw| {
            seek(&raw.many, SeekFrom::Start(0))?;
            let mut entries = RawDir::new(&raw.many, &mut raw.listing[..]);
            let mut names = 0;
            while let Some(entry) = entries.next() {
                names += entry?.file_name().count_bytes();
            }
            done(names)
        },
        "poll_oneoff no time" => {
            |_| done(rustix::event::poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?)
        }
        _ => return None,
    })
}

/// Keeps an unused result from being optimised away.
fn done<R>(result: R) -> rustix::io::Result<()> {
    black_box(result);
    Ok(())
}
