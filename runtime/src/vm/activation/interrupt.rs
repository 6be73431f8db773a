//! Interrupts: a signal stops the calls of a thread that have to stop.
//!
//! In machine code the handler leaves the call at once, as for a trap, so that compiled code has no
//! checks. In host code it only says that host functions must ask when they return to machine code,
//! and makes the stack limit one that every comparison fails, for builtins of the runtime that return
//! to machine code. The watch repeats the signal until it is settled: a system call may have begun just
//! after the signal, and some instructions of thunks cannot be left.

use super::threads::{self, ThreadRecord};
use super::{Activation, fork, thread, unwind, watch};
use crate::vm::activation::thread::RawTrap;
use crate::vm::code::registry;
#[cfg(feature = "async")]
use crate::vm::fiber::Wakers;
use crate::vm::store::{INTERRUPTED, Store};
use crate::vm::sys::{self, StoppedThread};
use precast_abi::trap::TrapCode;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering, fence};
use std::sync::{Arc, Once};
#[cfg(feature = "async")]
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Time after which a processor's writes are visible to others.
const VISIBLE: Duration = Duration::from_micros(50);

/// The requests to interrupt the calls of a store.
pub(crate) struct Interrupt {
    /// Whether a handle asked for it.
    requested: AtomicBool,
    /// The number of deadlines in force that have passed.
    expired: AtomicU32,
    /// The thread of the store's innermost call; null when there is none.
    thread: AtomicPtr<ThreadRecord>,
    /// For each of these deadlines, the number of calls that were inside the store when it was put in
    /// force: it is in force for later ones.
    #[cfg(feature = "async")]
    expired_since: Mutex<Vec<u32>>,
    /// The wakers of the store's calls that wait on stacks of their own.
    #[cfg(feature = "async")]
    pub(in crate::vm) wakers: Wakers,
}

impl Interrupt {
    /// No requests. `running` is the thread of the store's innermost call.
    pub(in crate::vm) fn new(running: Option<&'static ThreadRecord>) -> Interrupt {
        Interrupt {
            requested: AtomicBool::new(false),
            expired: AtomicU32::new(0),
            thread: AtomicPtr::new(as_ptr(running)),
            #[cfg(feature = "async")]
            expired_since: Mutex::default(),
            #[cfg(feature = "async")]
            wakers: Wakers::default(),
        }
    }

    /// Stops the calls that run, or refuses the next one.
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::Relaxed);
        self.stop_running();
    }

    pub(in crate::vm) fn is_requested(&self) -> bool {
        self.requested.load(Ordering::Relaxed)
    }

    pub(in crate::vm) fn forget_request(&self) {
        self.requested.store(false, Ordering::Relaxed);
    }

    pub(in crate::vm) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed) != 0
    }

    /// Whether a deadline has passed that is in force for a call which is number `depth` inside the
    /// store.
    #[cfg(feature = "async")]
    pub(in crate::vm) fn is_expired_for(&self, depth: u32) -> bool {
        self.is_expired() && self.expired_since().iter().any(|&since| since < depth)
    }

    #[cfg(feature = "async")]
    fn expired_since(&self) -> MutexGuard<'_, Vec<u32>> {
        self.expired_since.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Says that a deadline has passed that is in force for calls after the first `since`.
    pub(super) fn expire(&self, since: u32) {
        #[cfg(feature = "async")]
        self.expired_since().push(since);
        let _ = since;
        self.expired.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that such a deadline is not in force any more.
    fn lift(&self, since: u32) {
        self.expired.fetch_sub(1, Ordering::Relaxed);
        #[cfg(feature = "async")]
        {
            let mut expired = self.expired_since();
            let found = expired.iter().position(|&other| other == since);
            found.map(|at| expired.swap_remove(at));
        }
        let _ = since;
    }

    /// Stops the calls that run, and wakes those that wait.
    pub(super) fn stop_running(&self) {
        // A call that begins is seen here, or sees the request. Without a barrier, its write is
        // visible a little later.
        if !sys::barrier_on_all_threads() {
            fence(Ordering::SeqCst);
            std::thread::sleep(VISIBLE);
        }
        // SAFETY: records live as long as the process.
        if let Some(thread) = unsafe { self.thread.load(Ordering::Acquire).as_ref() } {
            ask(thread);
        }
        #[cfg(feature = "async")]
        self.wakers.wake_all();
    }

    /// Says that a call runs on this thread, and gives the thread of the call around it.
    pub(in crate::vm) fn enter(&self) -> *const ThreadRecord {
        let outer = self.thread.load(Ordering::Relaxed);
        // Who reads it reads the record too, which may be new.
        self.thread.store(as_ptr(thread::record()), Ordering::Release);
        outer
    }

    /// Says that the call has ended, and gives the thread of the call around it if that is another
    /// one.
    pub(in crate::vm) fn leave(&self, outer: *const ThreadRecord) -> Option<&'static ThreadRecord> {
        self.thread.store(outer.cast_mut(), Ordering::Release);
        // SAFETY: records live as long as the process.
        unsafe { outer.as_ref() }.filter(|&outer| as_ptr(thread::record()) != as_ptr(Some(outer)))
    }
}

fn as_ptr(record: Option<&'static ThreadRecord>) -> *mut ThreadRecord {
    record.map_or(ptr::null_mut(), |record| ptr::from_ref(record).cast_mut())
}

/// A deadline that is in force until this is dropped.
pub(crate) struct Deadline {
    interrupt: Arc<Interrupt>,
    /// The key by which the watch knows it; none if it had passed already.
    key: Option<watch::Key>,
    /// The number of calls that are inside the store.
    since: u32,
}

impl Deadline {
    /// Puts a deadline in force for the calls in a store that have not begun yet.
    pub(crate) fn new(store: &mut Store, at: Instant) -> Deadline {
        let (interrupt, since) = (store.interrupt(), store.depth());
        let key = match at <= Instant::now() {
            true => {
                interrupt.expire(since);
                None
            }
            false => Some(watch::add(at, interrupt.clone(), since)),
        };
        Deadline { interrupt, key, since }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if !self.key.is_some_and(watch::remove) {
            self.interrupt.lift(self.since);
        }
    }
}

/// Whether a comparison of the stack pointer with the stack limit failed because a signal handler has
/// replaced the limit. Callable in signal handlers.
pub(super) fn has_made_it_fail() -> bool {
    let store = stores().next();
    // SAFETY: invariant **chain**.
    store.is_some_and(|store| unsafe { Store::stack_limit(store) } == INTERRUPTED)
}

/// Installs the process's handler, once, and lets the signal reach this thread.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        sys::install_interrupt_handler(on_interrupt);
        fork::install();
    });
    sys::admit_interrupts();
}

/// Asks a thread to stop the calls that have to stop.
pub(in crate::vm) fn ask(thread: &'static ThreadRecord) {
    let request = thread.request();
    if thread.signal() {
        watch::pursue(thread, request);
    }
}

/// Asks all threads that run calls to stop those that have to stop.
pub(in crate::vm) fn ask_all() {
    threads::running().into_iter().for_each(ask);
}

/// The stores of this thread's activations, innermost first. Callable in signal handlers.
fn stores() -> impl Iterator<Item = *const Store> {
    // SAFETY: invariant **chain**.
    let chain = std::iter::successors(unsafe { thread::innermost().as_ref() }, |activation| {
        // SAFETY: as above.
        unsafe { activation.outer.get().as_ref() }
    });
    chain.map(|activation: &Activation| activation.store)
}

/// Whether an activation of this thread must ask when a host function returns to it. Callable in
/// signal handlers.
fn must_ask() -> bool {
    // SAFETY: invariant **chain**. The fields that are read are constant or atomic.
    stores().any(|store| unsafe { &*store }.asks_on_return())
}

/// Says that host functions need not ask any more, if that is so.
pub(in crate::vm) fn settle() {
    let Some(record) = thread::record() else { return };
    let request = record.last_request();
    if !must_ask() {
        thread::set_interrupted(false);
        record.settle(request);
    }
}

/// Stops the innermost call of the thread if it has to stop and the thread is in machine code.
fn on_interrupt(stopped: &mut StoppedThread<'_>) -> bool {
    let Some(record) = thread::record() else { return false };
    let request = record.last_request();
    // SAFETY: invariant **chain**.
    let innermost = unsafe { thread::innermost().as_ref() };
    let Some(innermost) = innermost.filter(|_| must_ask()) else {
        record.settle(request);
        return false;
    };
    thread::set_interrupted(true);
    let store = innermost.store;
    // SAFETY: as in `must_ask`.
    if unsafe { &*store }.stop_reason().is_none() {
        // Calls around it stop when it returns to them.
        record.settle(request);
        return false;
    }
    let at = stopped.registers();
    if registry::lookup(at.pc, |_, _| ()).is_some() {
        let trap = RawTrap::new(TrapCode::Interrupted, stopped.general_registers());
        let frames = at.sp..innermost.sp;
        // SAFETY: frames are followed within the stack that machine code uses, which lies between the
        // stack pointer and that of the function that called it.
        if let Some(target) = unsafe { unwind::trap_within(trap, at.pc, at.fp, frames) } {
            record.settle(request);
            stopped.go_on_at(target);
            return true;
        }
    }
    // SAFETY: the store lives, and this thread is the only one that uses it.
    unsafe { Store::set_stack_limit(store.cast_mut(), INTERRUPTED) };
    false
}
