//! The state of a thread: its readiness for traps, its innermost activation, and its last trap.

use super::Activation;
use super::threads::ThreadRecord;
use crate::error::Error;
use crate::vm::activation::{interrupt, threads, traps};
#[cfg(feature = "async")]
use crate::vm::fiber::Core;
use crate::vm::sys::{self, GENERAL_REGISTERS, SigAltStack};
use precast_abi::trap::TrapCode;
use std::any::Any;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering, compiler_fence};

/// Most frames kept of a backtrace.
pub(in crate::vm) const MAX_FRAMES: usize = 64;
/// Most program counters kept of a backtrace: one more than frames, as the innermost may lie in a
/// stub, which is no function.
pub(in crate::vm) const RAW_FRAMES: usize = MAX_FRAMES + 1;

/// A trap as a signal handler writes it: no allocation, no destructor.
#[derive(Clone, Copy)]
pub(in crate::vm) struct RawTrap {
    pub(in crate::vm) code: TrapCode,
    /// Program counters, innermost first: the trapping instruction, then return addresses.
    pub(in crate::vm) frames: [usize; RAW_FRAMES],
    pub(in crate::vm) len: usize,
    /// The general registers at the trapping instruction; zero for a trap of a host function.
    pub(in crate::vm) registers: [usize; GENERAL_REGISTERS],
}

impl RawTrap {
    /// A trap without frames.
    pub(in crate::vm) const fn new(
        code: TrapCode,
        registers: [usize; GENERAL_REGISTERS],
    ) -> RawTrap {
        RawTrap { code, frames: [0; RAW_FRAMES], len: 0, registers }
    }
}

/// The reason why a call did not return.
pub(in crate::vm) enum Cause {
    /// The trap in the thread's [`RawTrap`].
    Trap,
    /// A host function failed.
    Error(Error),
    /// A host function panicked.
    Panic(Box<dyn Any + Send>),
}

/// What calls and signal handlers read of a thread.
///
/// It has no destructor, so that it is there until the very end of the thread.
struct Thread {
    /// The lowest usable address of the stack; zero before it is known.
    stack_low: Cell<usize>,
    /// The innermost activation; null when the thread runs none.
    innermost: AtomicPtr<Activation>,
    /// Whether a host function that returns must ask whether its caller has to stop. Set by the
    /// handler of interrupts.
    interrupted: AtomicBool,
    /// The record by which other threads find this one; none before the thread is ready for traps.
    record: Cell<Option<&'static ThreadRecord>>,
    /// The fiber on whose stack the thread runs; null on its own stack.
    #[cfg(feature = "async")]
    fiber: Cell<*const Core>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            stack_low: Cell::new(0),
            innermost: AtomicPtr::new(ptr::null_mut()),
            interrupted: AtomicBool::new(false),
            record: Cell::new(None),
            #[cfg(feature = "async")]
            fiber: Cell::new(ptr::null()),
        }
    };
    static RAW_TRAP: UnsafeCell<RawTrap> = const {
        UnsafeCell::new(RawTrap::new(TrapCode::Unreachable, [0; GENERAL_REGISTERS]))
    };
    /// The cause that a host function recorded; none means a trap.
    /// It has no destructor, so that it is there until the very end of the thread.
    static CAUSE: RefCell<ManuallyDrop<Option<Cause>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
    static REGISTRATION: RefCell<Option<Registration>> = const { RefCell::new(None) };
}

/// What a thread gives back when it ends.
struct Registration {
    _alt_stack: Option<SigAltStack>,
    record: &'static ThreadRecord,
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Another thread will have the record: calls of destructors that come later have none.
        THREAD.with(|thread| thread.record.set(None));
        threads::remove(self.record);
    }
}

/// The lowest usable address of this thread's stack. Makes the thread ready for traps the first
/// time.
#[inline]
pub(crate) fn stack_low() -> usize {
    match THREAD.with(|thread| thread.stack_low.get()) {
        0 => init(),
        low => low,
    }
}

#[cold]
fn init() -> usize {
    traps::install();
    interrupt::install();
    // Without a signal stack, a stack overflow of a guest kills the process.
    let alt_stack = SigAltStack::install();
    if let Err(error) = &alt_stack {
        tracing::warn!(%error, "no signal stack: a guest's stack overflow will be fatal");
    }
    let record = THREAD.with(|thread| {
        // SAFETY: the cell lives until the thread ends. Before that, the destructor of the
        // registration removes the record.
        let record = unsafe { threads::add(&thread.innermost) };
        thread.record.set(Some(record));
        record
    });
    let registration = Registration { _alt_stack: alt_stack.ok(), record };
    // While a thread ends, the cell may be gone: then the thread cannot be interrupted.
    let _ = REGISTRATION.try_with(|cell| *cell.borrow_mut() = Some(registration));
    let (low, _) = sys::thread_stack();
    THREAD.with(|thread| thread.stack_low.set(low));
    low
}

/// Makes an activation the innermost.
#[inline(always)]
pub(in crate::vm) fn enter(activation: &Activation) {
    THREAD.with(|thread| {
        // Signal handlers of this thread read the activation as soon as it is the innermost.
        compiler_fence(Ordering::Release);
        thread.innermost.store(ptr::from_ref(activation).cast_mut(), Ordering::Relaxed);
        // Other threads see it before this thread reads whether it has to stop: they have a memory
        // barrier run on this thread in between.
        compiler_fence(Ordering::SeqCst);
    });
}

/// Makes the outer activation the innermost again.
#[inline(always)]
pub(in crate::vm) fn leave(outer: *const Activation) {
    THREAD.with(|thread| thread.innermost.store(outer.cast_mut(), Ordering::Relaxed));
}

/// The innermost activation; null when the thread runs none. Callable in signal handlers.
#[inline(always)]
pub(in crate::vm) fn innermost() -> *const Activation {
    THREAD.with(|thread| thread.innermost.load(Ordering::Relaxed))
}

/// The record by which other threads find this one. Callable in signal handlers.
pub(in crate::vm) fn record() -> Option<&'static ThreadRecord> {
    THREAD.with(|thread| thread.record.get())
}

/// Whether a host function that returns must ask whether its caller has to stop.
#[inline(always)]
pub(in crate::vm) fn is_interrupted() -> bool {
    THREAD.with(|thread| thread.interrupted.load(Ordering::Relaxed))
}

/// Says whether host functions that return must ask. Callable in signal handlers.
pub(in crate::vm) fn set_interrupted(yes: bool) {
    THREAD.with(|thread| thread.interrupted.store(yes, Ordering::Relaxed));
}

/// The stack on which a thread runs, and what runs there.
#[cfg(feature = "async")]
#[derive(Clone, Copy)]
pub(in crate::vm) struct Running {
    stack_low: usize,
    innermost: *const Activation,
    fiber: *const Core,
}

#[cfg(feature = "async")]
impl Running {
    /// A fiber whose stack ends at `stack_low`.
    pub(in crate::vm) fn on_fiber(stack_low: usize, fiber: *const Core) -> Running {
        Running { stack_low, innermost: innermost(), fiber }
    }

    /// The innermost activation.
    pub(in crate::vm) fn innermost(&self) -> *const Activation {
        self.innermost
    }

    /// The fiber; null on the thread's own stack.
    pub(in crate::vm) fn fiber(&self) -> *const Core {
        self.fiber
    }

    /// Makes the thread run there, and gives where it ran before. Makes the thread ready for traps
    /// the first time.
    pub(in crate::vm) fn begin(self) -> Running {
        let before = Running { stack_low: stack_low(), innermost: innermost(), fiber: fiber() };
        THREAD.with(|thread| {
            thread.stack_low.set(self.stack_low);
            thread.fiber.set(self.fiber);
        });
        leave(self.innermost);
        before
    }
}

/// The fiber on whose stack the thread runs; null on its own stack.
///
/// Not inlined, as the functions below: a fiber may go on on another thread, and the compiler assumes
/// that a function sees the address of a thread-local once.
#[cfg(feature = "async")]
#[inline(never)]
pub(in crate::vm) fn fiber() -> *const Core {
    THREAD.with(|thread| thread.fiber.get())
}

/// Says on which fiber's stack the thread runs.
#[cfg(feature = "async")]
#[inline(never)]
pub(in crate::vm) fn set_fiber(fiber: *const Core) {
    THREAD.with(|thread| thread.fiber.set(fiber));
}

/// [`leave`] for a function that may have begun on another thread.
#[cfg(feature = "async")]
#[inline(never)]
pub(in crate::vm) fn leave_anew(outer: *const Activation) {
    leave(outer);
}

/// [`is_interrupted`] for a function that may have begun on another thread.
#[cfg(feature = "async")]
#[inline(never)]
pub(in crate::vm) fn is_interrupted_anew() -> bool {
    is_interrupted()
}

/// Whether this thread's stack overflows to an address. A function whose frame is larger than the
/// stack below the stack limit touches the frame, page by page, before it compares its stack pointer.
/// Callable in signal handlers.
pub(in crate::vm) fn is_stack_overflow(address: usize) -> bool {
    /// Bytes below the stack within which an overflow first touches: the guard gap of a main thread.
    const BELOW: usize = 16 << 20;
    /// Bytes above its lowest address within which the stack of a main thread may fail to grow.
    const ABOVE: usize = 256 << 10;
    let low = THREAD.with(|thread| thread.stack_low.get());
    low != 0 && address >= low.saturating_sub(BELOW) && address < low + ABOVE
}

/// Writes the thread's trap record. Callable in signal handlers.
pub(in crate::vm) fn set_raw_trap(trap: &RawTrap) {
    // SAFETY: only this thread accesses the cell, and no access is under way while machine code
    // runs, so a signal handler never interrupts one.
    RAW_TRAP.with(|cell| unsafe { cell.get().write(*trap) });
}

/// Records the reason why the current call is about to end.
pub(in crate::vm) fn set_cause(cause: Cause) {
    CAUSE.with(|cell| **cell.borrow_mut() = Some(cause));
}

/// The reason why the last call did not return.
pub(in crate::vm) fn take_cause() -> Cause {
    CAUSE.with(|cell| cell.borrow_mut().take()).unwrap_or(Cause::Trap)
}

/// The last trap's record.
pub(in crate::vm) fn raw_trap() -> RawTrap {
    // SAFETY: as in `set_raw_trap`.
    RAW_TRAP.with(|cell| unsafe { *cell.get() })
}
