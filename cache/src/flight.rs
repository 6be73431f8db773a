//! Single flight: if several callers miss the same entry at once, one compiles and the rest wait.

use crate::cache::Cache;
use crate::key::Key;
use crate::lock::{Lock, byte_of};

/// The right to compile an entry, held until it is dropped.
#[derive(Debug)]
pub struct Flight(Option<Lock>);

impl Cache {
    /// Waits until no other caller compiles the entry for a key, or until the time limit of the
    /// settings. After a wait the entry may exist: look it up again.
    ///
    /// If the file system has no locks, it returns at once.
    pub fn flight(&self, key: &Key) -> Flight {
        let lock = Lock::acquire(self.folder(), byte_of(key.lock()), self.options().wait);
        let flight = Flight(lock.ok().flatten());
        self.counters().waited.add(flight.waited().into());
        flight
    }
}

impl Flight {
    /// Whether it waited for another caller.
    pub fn waited(&self) -> bool {
        self.0.as_ref().is_some_and(|lock| lock.waited)
    }
}
