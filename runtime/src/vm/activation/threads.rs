//! The threads that run guests, as other threads see them. A call is stopped by a signal to its thread.

use super::Activation;
use crate::vm::sys;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

/// A thread that runs guests.
///
/// A record lives as long as the process. After the end of its thread another thread reuses it, so
/// a signal may reach a thread that it was not meant for, which then finds no call to stop.
pub(in crate::vm) struct ThreadRecord {
    /// The kernel's number of the thread; 0 after its end.
    tid: AtomicI32,
    /// The number of requests to stop the calls that have to stop.
    requests: AtomicU32,
    /// The request after which no call had to stop any more.
    settled: AtomicU32,
    /// The cell with the thread's innermost activation; null after the end of the thread.
    ///
    /// Invariant **cell**: it is followed under the lock of [`THREADS`] alone, and a thread that
    /// ends makes it null under the lock.
    innermost: AtomicPtr<AtomicPtr<Activation>>,
}

/// The records, in use or free.
pub(super) struct Threads {
    used: Vec<&'static ThreadRecord>,
    free: Vec<&'static ThreadRecord>,
}

static THREADS: Mutex<Threads> = Mutex::new(Threads { used: Vec::new(), free: Vec::new() });

pub(super) fn lock() -> MutexGuard<'static, Threads> {
    THREADS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Adds this thread. `innermost` is the cell with its innermost activation.
///
/// # Safety
///
/// The cell lives until [`remove`] is called for the record.
pub(super) unsafe fn add(innermost: &AtomicPtr<Activation>) -> &'static ThreadRecord {
    let mut threads = lock();
    let record = threads.free.pop().unwrap_or_else(|| {
        Box::leak(Box::new(ThreadRecord {
            tid: AtomicI32::new(0),
            requests: AtomicU32::new(0),
            settled: AtomicU32::new(0),
            innermost: AtomicPtr::new(ptr::null_mut()),
        }))
    });
    record.tid.store(sys::thread_id(), Ordering::Relaxed);
    record.innermost.store(ptr::from_ref(innermost).cast_mut(), Ordering::Relaxed);
    threads.used.push(record);
    record
}

/// Removes a thread that ends.
pub(super) fn remove(record: &'static ThreadRecord) {
    let mut threads = lock();
    record.tid.store(0, Ordering::Relaxed);
    record.innermost.store(ptr::null_mut(), Ordering::Relaxed);
    threads.used.retain(|used| !ptr::eq(*used, record));
    threads.free.push(record);
}

/// The threads that run calls. Calls that begin later see what the caller wrote before.
pub(super) fn running() -> Vec<&'static ThreadRecord> {
    let ordered = sys::barrier_on_all_threads();
    let threads = lock();
    let runs = |record: &&'static ThreadRecord| {
        let cell = record.innermost.load(Ordering::Relaxed);
        // SAFETY: invariant **cell**: the lock is held.
        !ordered || unsafe { !(*cell).load(Ordering::Relaxed).is_null() }
    };
    threads.used.iter().copied().filter(runs).collect()
}

impl Threads {
    /// Keeps the record of this thread alone, in a forked child that has no other.
    pub(super) fn keep_only(&mut self, own: Option<&'static ThreadRecord>) {
        let is_own = |record: &&'static ThreadRecord| own.is_some_and(|own| ptr::eq(*record, own));
        for record in std::mem::take(&mut self.used) {
            if is_own(&record) {
                record.tid.store(sys::thread_id(), Ordering::Relaxed);
                self.used.push(record);
            } else {
                record.tid.store(0, Ordering::Relaxed);
                record.innermost.store(ptr::null_mut(), Ordering::Relaxed);
                self.free.push(record);
            }
        }
    }
}

impl ThreadRecord {
    /// Counts a request, and gives its number.
    pub(super) fn request(&self) -> u32 {
        self.requests.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The number of the last request. Callable in signal handlers.
    pub(super) fn last_request(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Says that after this request no call has to stop any more. Callable in signal handlers.
    pub(super) fn settle(&self, request: u32) {
        self.settled.store(request, Ordering::Relaxed);
    }

    /// Whether a request is settled.
    pub(super) fn is_settled(&self, request: u32) -> bool {
        self.settled.load(Ordering::Relaxed).wrapping_sub(request) as i32 >= 0
    }

    /// Sends the signal; false when the thread has ended.
    pub(super) fn signal(&self) -> bool {
        match self.tid.load(Ordering::Relaxed) {
            0 => false,
            tid => sys::interrupt_thread(tid),
        }
    }
}
