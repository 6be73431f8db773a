//! The settings of a cache.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How much of an entry is checked before it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Verify {
    /// All of it: any changed byte is found.
    #[default]
    Full,
    /// Header and metadata, in a time that does not depend on the size. It is for users who trust
    /// their disk. A file that was written to or copied since it was published is checked as with
    /// [`Verify::Full`].
    Header,
}

/// Called once, with the reason why the folder cannot be written.
pub(crate) type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// Settings of a [`crate::Cache`]. The defaults suit a user's own machine.
#[derive(Clone)]
pub struct Options {
    pub(crate) verify: Verify,
    pub(crate) max_bytes: u64,
    pub(crate) max_entries: u64,
    pub(crate) wait: Duration,
    pub(crate) key: Option<[u8; 32]>,
    pub(crate) warn: Option<Warn>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            verify: Verify::Full,
            max_bytes: 1 << 30,
            max_entries: 16 << 10,
            wait: Duration::from_secs(60),
            key: None,
            warn: None,
        }
    }
}

impl Options {
    /// The default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much of an entry is checked before it is used. Default: [`Verify::Full`].
    pub fn verify(mut self, level: Verify) -> Self {
        self.verify = level;
        self
    }

    /// The bound on the size of the folder in bytes. The least recently used entries are evicted
    /// first. An entry above the bound is not stored. Default: 1 GiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The bound on the number of entries. Default: 16,384.
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = entries;
        self
    }

    /// The longest wait for another process or thread that compiles the same module. After it the
    /// module is compiled twice. The wait ends at once if that process ends. Default: a minute.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = limit;
        self
    }

    /// Authenticates entries with a secret key (keyed BLAKE3): only entries that were written with the
    /// same key are used. With a key other users may write to the folder, and every entry is hashed as
    /// a whole when it is used, at every level of verification.
    ///
    /// If other users can write to the folder, an entry is copied before it is checked and used.
    ///
    /// Every holder of the key can create entries. Other users who can write to the folder can remove
    /// entries, and can hold a lock, which delays a cache once.
    pub fn key(mut self, key: [u8; 32]) -> Self {
        self.key = Some(key);
        self
    }

    /// Calls `warn` with one line if the folder cannot be written, once for a cache. Default: an event
    /// of the `tracing` crate.
    pub fn on_warning(mut self, warn: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.warn = Some(Arc::new(warn));
        self
    }

    /// Opens the folder. Creates it if it does not exist.
    ///
    /// # Errors
    ///
    /// As [`crate::Cache::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<crate::Cache, crate::OpenError> {
        crate::Cache::with_options(path.as_ref(), self)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Options")
            .field("verify", &self.verify)
            .field("max_bytes", &self.max_bytes)
            .field("max_entries", &self.max_entries)
            .field("wait", &self.wait)
            .field("authenticated", &self.key.is_some())
            .finish_non_exhaustive()
    }
}
