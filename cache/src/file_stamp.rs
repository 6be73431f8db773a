//! The stamp of a file: device, inode, size and times, which tell whether the file changed.

use rustix::fs::{FileType, FsWord, Stat};
use std::fs::File;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The stamp of a file: another file, or the same file after a change, has another stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileStamp {
    pub(crate) stat: FileStat,
    /// Whether every later change of the file changes its stamp.
    pub(crate) settled: bool,
}

/// The fields of a stamp, as the index stores them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct FileStat {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    size: u64,
    modified: i64,
    changed: i64,
    modified_nanos: u32,
    changed_nanos: u32,
}

/// A file that changed within this many seconds may change again and keep its times: the clock of a
/// file system has a resolution, of two seconds in the coarsest case.
const SETTLED_SECONDS: i64 = 3;

/// The file systems, by their numbers in fstatfs(2), that update a file's times at the first store
/// through each new shared mapping: their `page_mkwrite` calls `file_update_time`.
///
/// Others do not. tmpfs maps pages writable at once, so the kernel sees no store. On overlayfs a
/// mapping belongs to another file, which a lease does not cover. On network file systems and in
/// FUSE the server decides the times.
const RELIABLE_FILE_SYSTEMS: [FsWord; 4] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0xf2f5_2010, // F2FS
];

impl FileStamp {
    /// The stamp of an open file, for [`Cache::known`](crate::Cache::known).
    /// [`Cache::remember`](crate::Cache::remember) ignores it.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn of(file: &File) -> io::Result<FileStamp> {
        let stat = FileStat::from(&rustix::fs::fstat(file)?);
        Ok(FileStamp { stat, settled: false })
    }

    /// The stamp of an open file before it is read, for
    /// [`Cache::remember`](crate::Cache::remember).
    ///
    /// `is_unwritten` returns true if at the moment of the call no process has the file open for
    /// writing; a writable shared mapping keeps a file open. It is called only if the answer
    /// matters, and must return false if it does not know.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn before_reading(
        file: &File,
        is_unwritten: impl FnOnce(&File) -> bool,
    ) -> io::Result<FileStamp> {
        // The order matters. A process that writes after `is_unwritten` opens the file after it and
        // gives it times that differ from those in `stat`. A process that wrote between fstat and
        // `is_unwritten` finished before the file is read, or changed the times as well.
        let stat = rustix::fs::fstat(file)?;
        let settled = is_settled(&stat) && has_reliable_times(file) && is_unwritten(file);
        Ok(FileStamp { stat: FileStat::from(&stat), settled })
    }
}

/// Whether a file is a regular one that has not changed for some seconds.
fn is_settled(stat: &Stat) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    is_regular(stat) && stat.st_mtime.max(stat.st_ctime) <= now - SETTLED_SECONDS
}

/// Whether a file is a regular one. A pipe or a device gives other bytes each time it is read.
pub(crate) fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Whether every change of a file updates its times.
fn has_reliable_times(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|stat| RELIABLE_FILE_SYSTEMS.contains(&stat.f_type))
}

impl From<&Stat> for FileStat {
    fn from(stat: &Stat) -> Self {
        FileStat {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size as u64,
            modified: stat.st_mtime,
            changed: stat.st_ctime,
            modified_nanos: stat.st_mtime_nsec as u32,
            changed_nanos: stat.st_ctime_nsec as u32,
        }
    }
}
