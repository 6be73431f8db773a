//! The state of a thread: its readiness for traps, and its last trap.

use crate::error::Error;
use crate::vm::activation::traps;
use crate::vm::sys::{self, GENERAL_REGISTERS, SigAltStack};
use precast_abi::trap::TrapCode;
use std::any::Any;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem::ManuallyDrop;

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

thread_local! {
    /// The lowest usable address of the stack; zero before it is known.
    static STACK_LOW: Cell<usize> = const { Cell::new(0) };
    static RAW_TRAP: UnsafeCell<RawTrap> = const {
        UnsafeCell::new(RawTrap::new(TrapCode::Unreachable, [0; GENERAL_REGISTERS]))
    };
    /// The cause that a host function recorded; none means a trap.
    /// It has no destructor, so that it is there until the very end of the thread.
    static CAUSE: RefCell<ManuallyDrop<Option<Cause>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
    static ALT_STACK: RefCell<Option<SigAltStack>> = const { RefCell::new(None) };
}

/// The lowest usable address of this thread's stack. Makes the thread ready for traps the first
/// time.
#[inline]
pub(crate) fn stack_low() -> usize {
    match STACK_LOW.get() {
        0 => init(),
        low => low,
    }
}

#[cold]
fn init() -> usize {
    traps::install();
    // Without a signal stack, a stack overflow of a guest kills the process.
    let alt_stack = SigAltStack::install();
    if let Err(error) = &alt_stack {
        tracing::warn!(%error, "no signal stack: a guest's stack overflow will be fatal");
    }
    ALT_STACK.with(|cell| *cell.borrow_mut() = alt_stack.ok());
    let (low, _) = sys::thread_stack();
    STACK_LOW.set(low);
    low
}

/// Whether this thread's stack overflows to an address. A function whose frame is larger than the
/// stack below the stack limit touches the frame, page by page, before it compares its stack pointer.
/// Callable in signal handlers.
pub(in crate::vm) fn is_stack_overflow(address: usize) -> bool {
    /// Bytes below the stack within which an overflow first touches: the guard gap of a main thread.
    const BELOW: usize = 16 << 20;
    /// Bytes above its lowest address within which the stack of a main thread may fail to grow.
    const ABOVE: usize = 256 << 10;
    let low = STACK_LOW.get();
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
