//! Which file it is, and whether it may have changed.

use crate::Cache;
use crate::key::{Fingerprint, Key};
use rustix::fs::{FileType, FsWord, Mode, OFlags, Stat};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A file in one state: another file, or the same one after a change, has another identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileIdentity {
    pub(crate) record: Record,
    /// Whether any change after this identity was taken gives the file another one.
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

/// The file systems, as fstatfs(2) numbers them, that give a file new times at the first store
/// through each new shared mapping: their `page_mkwrite` calls `file_update_time`.
///
/// Others do not. tmpfs maps pages writable at once, so that no store is seen; the mapping of a
/// file on overlayfs belongs to another file, which a lease does not know of; on network file
/// systems and in FUSE the times are what somebody else says.
const TRUSTED: [FsWord; 4] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0xf2f5_2010, // F2FS
];

impl FileIdentity {
    /// The identity of an open file, for [`Cache::known`]. [`Cache::remember`] ignores it.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn of(file: &File) -> io::Result<FileIdentity> {
        let record = Record::from(&rustix::fs::fstat(file)?);
        Ok(FileIdentity { record, settled: false })
    }

    /// The identity of an open file that is going to be read, for [`Cache::remember`].
    ///
    /// `is_unwritten` says whether at the moment of the call nobody in the system has the file
    /// open for writing; a shared mapping that can be written keeps a file open. It is called only
    /// if the answer matters, and must answer no when it does not know.
    ///
    /// # Errors
    ///
    /// Those of fstat(2).
    pub fn before_reading(
        file: &File,
        is_unwritten: impl FnOnce(&File) -> bool,
    ) -> io::Result<FileIdentity> {
        // The order matters. Whoever writes after the question opens the file after it, and gives
        // it a time that is not in the record. Whoever wrote between record and question was done
        // before the file is read, or has changed its times as well.
        let stat = rustix::fs::fstat(file)?;
        let settled = is_still(&stat) && has_true_times(file) && is_unwritten(file);
        Ok(FileIdentity { record: Record::from(&stat), settled })
    }
}

impl Cache {
    /// The key of the file that a path leads to, as [`Cache::known`]. The file is opened, so that a
    /// process without the right to read it learns nothing. None if it cannot be opened, or is no
    /// regular file.
    pub fn known_path(&self, path: &Path, fingerprint: &Fingerprint) -> Option<Key> {
        // A pipe that is opened and not read breaks for its writer.
        if !self.regular().has(path) && !is_regular(&rustix::fs::stat(path).ok()?) {
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
        let key = self.known(&FileIdentity::of(&file).ok()?, fingerprint)?;
        self.regular().add(path);
        Some(key)
    }
}

/// Some paths that led to known files, as hashes: to look again what they lead to would be a fifth
/// of what a hit costs. If one leads to a pipe by now, or has the hash of one, that is opened once.
#[derive(Debug, Default)]
pub(crate) struct Regular([AtomicU64; 16]);

impl Regular {
    fn has(&self, path: &Path) -> bool {
        let hash = Self::hash(path);
        self.slot(hash).load(Ordering::Relaxed) == hash
    }

    fn add(&self, path: &Path) {
        let hash = Self::hash(path);
        self.slot(hash).store(hash, Ordering::Relaxed);
    }

    fn slot(&self, hash: u64) -> &AtomicU64 {
        &self.0[hash as usize % self.0.len()]
    }

    /// Never zero, which is no path.
    fn hash(path: &Path) -> u64 {
        xxhash_rust::xxh3::xxh3_64(path.as_os_str().as_bytes()) | 1 << 63
    }
}

/// Whether a file is a regular one and had been left alone for some seconds.
fn is_still(stat: &Stat) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    is_regular(stat) && stat.st_mtime.max(stat.st_ctime) <= now - SETTLED_SECONDS
}

/// A pipe or a device gives something else each time it is read.
fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Whether the times of a file tell of every change.
fn has_true_times(file: &File) -> bool {
    rustix::fs::fstatfs(file).is_ok_and(|stat| TRUSTED.contains(&stat.f_type))
}

impl From<&Stat> for Record {
    fn from(stat: &Stat) -> Self {
        Record {
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
