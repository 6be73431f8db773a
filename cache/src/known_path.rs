//! The key of a file by its path, without reading the file.

use crate::Cache;
use crate::file_stamp::{FileStamp, is_regular};
use crate::key::{Fingerprint, Key};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

impl Cache {
    /// The key of the file at a path, as [`Cache::known`]. None if the file cannot be opened or is
    /// not a regular file. The file is opened, so that a process without the right to read it learns
    /// nothing about it.
    pub fn known_path(&self, path: &Path, fingerprint: &Fingerprint) -> Option<Key> {
        // Opening and closing a pipe would break it for its writer.
        if !self.regular_paths().contains(path) && !is_regular(&rustix::fs::stat(path).ok()?) {
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
        let key = self.known(&FileStamp::of(&file).ok()?, fingerprint)?;
        self.regular_paths().add(path);
        Some(key)
    }
}

/// Hashes of paths that led to regular files a moment ago. They save a stat(2) of the path, which is
/// a fifth of the cost of a hit. If such a path leads to a pipe by now, or if a pipe's path has the
/// same hash, the pipe is opened once.
#[derive(Debug, Default)]
pub(crate) struct RegularPaths([AtomicU64; 16]);

impl RegularPaths {
    fn contains(&self, path: &Path) -> bool {
        let hash = Self::hash(path);
        self.bucket(hash).load(Ordering::Relaxed) == hash
    }

    fn add(&self, path: &Path) {
        let hash = Self::hash(path);
        self.bucket(hash).store(hash, Ordering::Relaxed);
    }

    fn bucket(&self, hash: u64) -> &AtomicU64 {
        &self.0[hash as usize % self.0.len()]
    }

    /// The hash of a path. It is never zero: zero is an empty bucket.
    fn hash(path: &Path) -> u64 {
        xxhash_rust::xxh3::xxh3_64(path.as_os_str().as_bytes()) | 1 << 63
    }
}
