//! Counts of what the pools do.
//!
//! Each thread counts in a cache line of its own. The sums are made when somebody asks for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sums over the pools of all threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) kept: u64,
    pub(crate) resident_bytes: u64,
    pub(crate) made: u64,
    pub(crate) reused: u64,
    pub(crate) reused_as_they_were: u64,
    pub(crate) unmapped_when_full: u64,
    pub(crate) emptied_when_full: u64,
}

/// The counts of a thread. Only the thread writes them, so it needs no atomic additions.
#[repr(align(128))]
#[derive(Default)]
pub(super) struct Counts {
    kept: AtomicU64,
    resident_bytes: AtomicU64,
    made: AtomicU64,
    reused: AtomicU64,
    same: AtomicU64,
    unmapped: AtomicU64,
    emptied: AtomicU64,
}

/// The threads that count, and the sums of those that have ended.
struct Threads {
    counts: Vec<Arc<Counts>>,
    ended: Sums,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads { counts: Vec::new(), ended: Sums::NONE });

impl Sums {
    const NONE: Sums = Sums {
        kept: 0,
        resident_bytes: 0,
        made: 0,
        reused: 0,
        reused_as_they_were: 0,
        unmapped_when_full: 0,
        emptied_when_full: 0,
    };

    fn add(&mut self, counts: &Counts) {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        self.kept += get(&counts.kept);
        self.resident_bytes += get(&counts.resident_bytes);
        self.made += get(&counts.made);
        self.reused += get(&counts.reused);
        self.reused_as_they_were += get(&counts.same);
        self.unmapped_when_full += get(&counts.unmapped);
        self.emptied_when_full += get(&counts.emptied);
    }
}

/// The counts of a thread that begins to count.
pub(super) fn of_thread() -> Arc<Counts> {
    let counts = Arc::new(Counts::default());
    threads(|threads| threads.counts.push(counts.clone()));
    counts
}

/// Takes the counts of a thread that ends. It keeps nothing any more.
pub(super) fn retire(counts: &Arc<Counts>) {
    counts.keeps(0, 0);
    threads(|threads| {
        threads.counts.retain(|other| !Arc::ptr_eq(other, counts));
        threads.ended.add(counts);
    });
}

/// The sums of all threads now.
pub(crate) fn sums() -> Sums {
    threads(|threads| {
        let mut sums = threads.ended;
        threads.counts.iter().for_each(|counts| sums.add(counts));
        sums
    })
}

fn threads<T>(f: impl FnOnce(&mut Threads) -> T) -> T {
    f(&mut lock().0)
}

/// The lock of the threads that count.
pub(in crate::vm) struct Lock(MutexGuard<'static, Threads>);

/// Takes the lock.
pub(in crate::vm) fn lock() -> Lock {
    // No code panics while it holds it.
    Lock(THREADS.lock().unwrap_or_else(PoisonError::into_inner))
}

fn add_one(count: &AtomicU64) {
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

impl Counts {
    /// No reservation was kept that fits: one is made.
    pub(super) fn made(&self) {
        add_one(&self.made);
    }

    /// A kept reservation is used again, by the same module as before or by another.
    pub(super) fn taken(&self, same: bool) {
        add_one(&self.reused);
        if same {
            add_one(&self.same);
        }
    }

    /// A reservation is unmapped because as many are kept as may be.
    pub(super) fn is_full(&self) {
        add_one(&self.unmapped);
    }

    /// The pages of a reservation are dropped because as many bytes are kept as may be.
    pub(super) fn is_large(&self) {
        add_one(&self.emptied);
    }

    /// What the thread keeps now.
    pub(super) fn keeps(&self, reservations: usize, resident: usize) {
        self.kept.store(reservations as u64, Ordering::Relaxed);
        self.resident_bytes.store(resident as u64, Ordering::Relaxed);
    }
}
