//! Single flight: of those who want the same entry at the same time, one makes it.

use crate::cache::Cache;
use crate::key::Key;
use crate::lock::{Lock, byte_of};

/// The right to make an entry, until it is dropped.
#[derive(Debug)]
pub struct Flight(Option<Lock>);

impl Cache {
    /// Waits until nobody else makes the entry for a key, or has been at it for longer than the
    /// settings allow. After that the entry may be there: look again.
    ///
    /// Where there can be no locks nobody is waited for.
    pub fn flight(&self, key: &Key) -> Flight {
        let lock = Lock::acquire(self.folder(), byte_of(key.lock()), self.options().wait);
        let flight = Flight(lock.ok().flatten());
        self.counters().waited.add(flight.waited().into());
        flight
    }
}

impl Flight {
    /// Whether somebody else was at it, and has been waited for.
    pub fn waited(&self) -> bool {
        self.0.as_ref().is_some_and(|lock| lock.waited)
    }
}
