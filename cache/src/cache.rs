//! The cache: finds entries by key, and keys by files.

use crate::entry::{Damage, Entry};
use crate::folder::{Folder, OpenError};
use crate::identity::{FileIdentity, Regular};
use crate::index::Index;
use crate::key::{Fingerprint, Key, push_hex};
use crate::options::Options;
use crate::stats::{Counters, Counts};
use crate::trailer::Kind;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A folder of entries. Cheap to clone; the clones are one cache. Any number of processes and
/// threads may use a folder.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    folder: Folder,
    options: Options,
    index: Index,
    counters: Counters,
    warned: AtomicBool,
    regular: Regular,
}

impl Cache {
    /// Opens a folder with default settings, and makes it if it does not exist.
    ///
    /// # Errors
    ///
    /// [`OpenError::Owner`] and [`OpenError::Shared`] when somebody else could put code into it,
    /// [`OpenError::Io`] when it cannot be opened or made.
    pub fn open(path: impl AsRef<Path>) -> Result<Cache, OpenError> {
        Options::new().open(path)
    }

    pub(crate) fn with_options(path: &Path, options: Options) -> Result<Cache, OpenError> {
        let folder = Folder::open(path, &options)?;
        let (index, counters) = (Index::new(&options, folder.user), Counters::default());
        let warned = AtomicBool::new(false);
        let regular = Regular::default();
        Ok(Cache(Arc::new(Inner { folder, options, index, counters, warned, regular })))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0.folder.path
    }

    /// What it did since it was opened here.
    pub fn counts(&self) -> Counts {
        self.0.counters.read()
    }

    /// Opens the entry for a key. None when there is none.
    ///
    /// # Errors
    ///
    /// When what is there cannot be the entry.
    pub fn find(&self, key: &Key) -> Result<Option<(Entry, File)>, Damage> {
        let Ok((file, place)) = self.folder().open_entry(&path_of(key)) else { return Ok(None) };
        let entry = Entry::examine(self, key, &file, &place);
        let entry = entry.inspect_err(|_| self.refused(key))?;
        Ok(Some((entry, file)))
    }

    /// The key of a file that is known by its identity: it was compiled in this way before, since
    /// the system was started, and did not change after that.
    pub fn known(&self, file: &FileIdentity, fingerprint: &Fingerprint) -> Option<Key> {
        self.0.index.find(self.folder(), file, fingerprint)
    }

    /// Remembers the key of a file, for [`Cache::known`]. `file` must be what
    /// [`FileIdentity::before_reading`] gave before the file was read. It is not remembered if the
    /// file could have changed after that without a sign: if it had changed in the seconds before,
    /// if somebody had it open for writing or that could not be told, or if its file system does
    /// not keep times that tell.
    pub fn remember(&self, file: &FileIdentity, fingerprint: &Fingerprint, key: &Key) {
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

    pub(crate) fn regular(&self) -> &Regular {
        &self.0.regular
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Counts an entry that is not used.
    pub(crate) fn refused(&self, key: &Key) {
        tracing::debug!(?key, "a cache entry is refused");
        self.counters().refused.add(1);
        // Publishing replaces it under its name, which may lead to another folder by now.
        self.folder().forget_places();
    }

    /// Says once that the folder cannot be written.
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

/// Where the entry for a key is in the folder.
pub(crate) fn path_of(key: &Key) -> String {
    // Every hit does this: formatting it takes longer than opening the file.
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
