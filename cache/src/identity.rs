//! Which file it is, and whether it may have changed.

use rustix::fs::{FileType, Stat};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A file in one state: another file, or the same one after a change, has another identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileIdentity {
    pub(crate) record: Record,
    /// Whether the file had been left alone for so long that any change after this identity was
    /// taken gives it another one.
    pub(crate) settled: bool,
}

/// What an identity consists of, as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Record {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    size: u64,
    modified: i64,
    changed: i64,
    modified_nanos: u32,
    changed_nanos: u32,
}

/// A file that changed so recently may change again and keep its times: the clock that file
/// systems take them from has steps, of two seconds in the coarsest case.
const SETTLED_SECONDS: i64 = 3;

impl FileIdentity {
    /// The identity of an open file.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn of(file: &File) -> io::Result<FileIdentity> {
        Ok(Self::from(&rustix::fs::fstat(file)?))
    }

    /// The identity of the file a path leads to.
    ///
    /// # Errors
    ///
    /// Those of stat(2).
    pub fn of_path(path: &Path) -> io::Result<FileIdentity> {
        Ok(Self::from(&rustix::fs::stat(path)?))
    }
}

impl From<&Stat> for FileIdentity {
    fn from(stat: &Stat) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        // A pipe or a device gives something else each time it is read.
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let last = stat.st_mtime.max(stat.st_ctime);
        let record = Record {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size as u64,
            modified: stat.st_mtime,
            changed: stat.st_ctime,
            modified_nanos: stat.st_mtime_nsec as u32,
            changed_nanos: stat.st_ctime_nsec as u32,
        };
        FileIdentity { record, settled: regular && last <= now - SETTLED_SECONDS }
    }
}
