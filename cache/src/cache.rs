//! The cache: finds entries by key, and the keys of known files.

use crate::entry::{Damage, Entry};
use crate::file_stamp::FileStamp;
use crate::folder::{Folder, OpenError};
use crate::index::Index;
use crate::key::{Fingerprint, Key, push_hex};
use crate::known_path::RegularPaths;
use crate::options::Options;
use crate::stats::{Counters, Counts};
use crate::trailer::Kind;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A cache in a folder. Clones are cheap and share one cache. Any number of processes and threads
/// may use the same folder.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    folder: Folder,
    options: Options,
    index: Index,
    counters: Counters,
    /// Whether the warning was given.
    warned: AtomicBool,
    regular_paths: RegularPaths,
}

impl Cache {
    /// Opens a folder with default settings. Creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`] if the folder cannot be opened or created. Another error if another user
    /// could put code into it ([`OpenError::is_unsafe`]).
    pub fn open(path: impl AsRef<Path>) -> Result<Cache, OpenError> {
        Options::new().open(path)
    }

    pub(crate) fn with_options(path: &Path, options: Options) -> Result<Cache, OpenError> {
        let folder = Folder::open(path, &options)?;
        let (index, counters) = (Index::new(&options, folder.user), Counters::default());
        let warned = AtomicBool::new(false);
        let regular_paths = RegularPaths::default();
        Ok(Cache(Arc::new(Inner { folder, options, index, counters, warned, regular_paths })))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0.folder.path
    }

    /// The counts of what this cache did since it was opened in this process.
    pub fn counts(&self) -> Counts {
        self.0.counters.read()
    }

    /// Opens the entry for a key. None if there is none.
    ///
    /// # Errors
    ///
    /// If the file under the entry's name is not a valid entry for the key.
    pub fn find(&self, key: &Key) -> Result<Option<(Entry, File)>, Damage> {
        let Ok((file, dir)) = self.folder().open_entry(&path_of(key)) else { return Ok(None) };
        let entry = Entry::examine(self, key, &file, &dir);
        let entry = entry.inspect_err(|_| self.refused(key))?;
        Ok(Some((entry, file)))
    }

    /// The key that was remembered for a file and a fingerprint. None if the file changed since, or
    /// if the key was remembered before the last boot.
    pub fn known(&self, file: &FileStamp, fingerprint: &Fingerprint) -> Option<Key> {
        self.0.index.find(self.folder(), file, fingerprint)
    }

    /// Remembers the key of a file, for [`Cache::known`]. `file` must come from
    /// [`FileStamp::before_reading`], taken before the file was read. The key is not remembered if
    /// a later change of the file could keep its stamp: if the file changed in the last seconds, if
    /// a process had it open for writing or that was unknown, or if its file system does not update
    /// times with every change.
    pub fn remember(&self, file: &FileStamp, fingerprint: &Fingerprint, key: &Key) {
        self.0.index.remember(self.folder(), file, fingerprint, key);
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.0.folder
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }

    pub(crate) fn regular_paths(&self) -> &RegularPaths {
        &self.0.regular_paths
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Counts an entry that failed its check.
    pub(crate) fn refused(&self, key: &Key) {
        tracing::debug!(?key, "a cache entry is refused");
        self.counters().refused.add(1);
        // Publishing opens the directory by its path again, which may be another one by now.
        self.folder().forget_open_dirs();
    }

    /// Warns that the folder cannot be written. Only the first call does so.
    pub(crate) fn warn(&self, error: &dyn fmt::Display) {
        if self.0.warned.swap(true, Ordering::Relaxed) {
            return;
        }
        let line = format!("the cache folder {} is not written: {error}", self.path().display());
        match &self.options().warn {
            Some(warn) => warn(&line),
            None => tracing::warn!("{line}"),
        }
    }
}

/// The path of the entry for a key, relative to the folder.
pub(crate) fn path_of(key: &Key) -> String {
    // Every hit builds this path, and `format!` takes longer than opening the file.
    let mut path = String::with_capacity(96);
    path.push_str(Kind::Module.folder());
    path.push('/');
    push_hex(&mut path, &key.build.0);
    path.push('/');
    push_hex(&mut path, &key.digest);
    path
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("path", &self.path())
            .field("options", self.options())
            .field("counts", &self.counts())
            .finish()
    }
}
