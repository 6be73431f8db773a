//! The watch: a thread that interrupts calls at their deadlines, and repeats interrupts until they
//! are settled. It starts with the first of either.

use super::interrupt::Interrupt;
use super::threads::ThreadRecord;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Time until an interrupt that is not settled is repeated. It doubles with each repetition.
const FIRST_REPETITION: Duration = Duration::from_micros(200);
/// Longest time between repetitions.
const SLOWEST_REPETITION: Duration = Duration::from_millis(50);

/// Identifies a deadline: its time, and a number that is not used twice.
pub(super) type Key = (Instant, u64);

/// An interrupt that is repeated until it is settled.
struct Pursuit {
    thread: &'static ThreadRecord,
    request: u32,
    next: Instant,
    delay: Duration,
}

pub(super) struct Watch {
    /// The deadlines of stores, and for which calls they are in force: see [`Interrupt::expire`].
    deadlines: BTreeMap<Key, (Arc<Interrupt>, u32)>,
    pursuits: Vec<Pursuit>,
    last_number: u64,
    /// When the thread wakes by itself.
    wakes: Option<Instant>,
    /// Whether the thread was started.
    started: bool,
}

static WATCH: Mutex<Watch> = Mutex::new(Watch {
    deadlines: BTreeMap::new(),
    pursuits: Vec::new(),
    last_number: 0,
    wakes: None,
    started: false,
});
static CHANGED: Condvar = Condvar::new();

pub(super) fn lock() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Adds a deadline that is in force for calls after the first `since`.
pub(super) fn add(at: Instant, interrupt: Arc<Interrupt>, since: u32) -> Key {
    let mut watch = lock();
    watch.start();
    watch.last_number += 1;
    let key = (at, watch.last_number);
    watch.deadlines.insert(key, (interrupt, since));
    watch.wake_by(at);
    key
}

/// Removes a deadline; false if it has passed.
pub(super) fn remove(key: Key) -> bool {
    lock().deadlines.remove(&key).is_some()
}

/// Repeats an interrupt until it is settled.
pub(super) fn pursue(thread: &'static ThreadRecord, request: u32) {
    let mut watch = lock();
    watch.start();
    let next = Instant::now() + FIRST_REPETITION;
    // The last request of a thread is settled after all before it.
    watch.pursuits.retain(|pursuit| !std::ptr::eq(pursuit.thread, thread));
    watch.pursuits.push(Pursuit { thread, request, next, delay: FIRST_REPETITION });
    watch.wake_by(next);
}

/// The thread's work.
fn run() {
    let mut watch = lock();
    loop {
        let now = Instant::now();
        let passed = watch.take_passed(now);
        if !passed.is_empty() {
            drop(watch);
            passed.iter().for_each(|interrupt| interrupt.stop_running());
            watch = lock();
            continue;
        }
        watch.repeat(now);
        watch.wakes = watch.next();
        watch = match watch.wakes {
            None => CHANGED.wait(watch).unwrap_or_else(|poisoned| poisoned.into_inner()),
            Some(at) => {
                let wait = at.saturating_duration_since(Instant::now());
                let woken = CHANGED.wait_timeout(watch, wait);
                woken.unwrap_or_else(|poisoned| poisoned.into_inner()).0
            }
        };
    }
}

impl Watch {
    /// Starts the thread, unless it runs.
    fn start(&mut self) {
        if self.started {
            return;
        }
        self.started = true;
        let started = std::thread::Builder::new().name("precast-watch".to_owned()).spawn(run);
        if let Err(error) = started {
            tracing::warn!(%error, "no thread for deadlines: calls are not interrupted at theirs");
        }
    }

    /// Begins without a thread, in a forked child, which has not inherited it. Deadlines that were in
    /// force pass only if the child starts the thread again.
    pub(super) fn begin_again(&mut self) {
        self.started = false;
        self.wakes = None;
        self.pursuits.clear();
    }

    /// Wakes the thread if it would wake later.
    fn wake_by(&mut self, at: Instant) {
        if self.wakes.is_none_or(|wakes| at < wakes) {
            self.wakes = Some(at);
            CHANGED.notify_one();
        }
    }

    /// Takes the deadlines that have passed, and says so to their stores. The lock is held, so that
    /// each deadline is either removed or has passed.
    fn take_passed(&mut self, now: Instant) -> Vec<Arc<Interrupt>> {
        let later = self.deadlines.split_off(&(now, u64::MAX));
        let passed = std::mem::replace(&mut self.deadlines, later);
        let passed = passed.into_values().map(|(interrupt, since)| {
            interrupt.expire(since);
            interrupt
        });
        passed.collect()
    }

    /// Repeats the interrupts that are due, and forgets those that are settled.
    fn repeat(&mut self, now: Instant) {
        self.pursuits.retain_mut(|pursuit| {
            if pursuit.next > now {
                return true;
            }
            pursuit.delay = (2 * pursuit.delay).min(SLOWEST_REPETITION);
            pursuit.next = now + pursuit.delay;
            !pursuit.thread.is_settled(pursuit.request) && pursuit.thread.signal()
        });
    }

    /// When something is to be done next.
    fn next(&self) -> Option<Instant> {
        let deadline = self.deadlines.keys().next().map(|&(at, _)| at);
        let repetition = self.pursuits.iter().map(|pursuit| pursuit.next).min();
        deadline.into_iter().chain(repetition).min()
    }
}
