//! Counts of what a cache did: hits, misses, evictions.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counts since the cache was opened in this process.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn read(&self) -> Counts {
                Counts { $($name: self.$name.0.load(Relaxed),)* }
            }
        }
    };
}

counts! {
    /// Entries that were found and used.
    hits,
    /// Entries that were missing or refused, and were compiled.
    misses,
    /// Entries that were found and refused: damaged, foreign, or of another version.
    refused,
    /// Modules that were written.
    published,
    /// Entries that were evicted to keep within the bounds.
    evicted,
    /// Waits for another process or thread that compiled the same module.
    waited,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }
}
