//! An activation: a call of the host into WebAssembly, from its entry to its return or trap.

mod backtrace;
pub(crate) mod call;
mod fork;
pub(crate) mod interrupt;
pub(in crate::vm) mod place;
pub(in crate::vm) mod stack;
pub(in crate::vm) mod thread;
pub(in crate::vm) mod threads;
mod traps;
pub(crate) mod typed;
pub(in crate::vm) mod unwind;
mod watch;

use super::store::Store;
use stack::Outer;
use std::cell::Cell;
use std::ptr;
use threads::ThreadRecord;

/// An activation, in the frame of the function that calls machine code.
///
/// Invariant **chain**: a thread's activations form a list from the innermost outwards. All that are
/// in it live, as do their stores. Signal handlers of the thread read it.
pub(in crate::vm) struct Activation {
    /// The store that was entered.
    pub(in crate::vm) store: *const Store,
    /// The activation around it on this thread; null for the outermost. It is another one when a call
    /// goes on after a wait.
    pub(in crate::vm) outer: Cell<*const Activation>,
    /// The stack pointer of the function that calls machine code: the frames of machine code lie below.
    /// The activation itself may lie elsewhere, as AddressSanitizer moves it off the stack.
    pub(in crate::vm) sp: usize,
    /// The stack limit of the call.
    pub(in crate::vm) stack_limit: Cell<usize>,
    /// The stack of the call around it in the same store, which may be on another thread.
    pub(in crate::vm) outer_stack: Outer,
    /// The thread of that call, if the store can be interrupted; null if there is no such call.
    pub(in crate::vm) outer_thread: Cell<*const ThreadRecord>,
}

impl Activation {
    /// An activation of a store that is not in the list yet, in a function with the stack pointer
    /// `sp`. `outer_stack` is the stack of the call around it in the store.
    #[inline(always)]
    pub(in crate::vm) fn new(store: *const Store, sp: usize, outer_stack: Outer) -> Activation {
        Activation {
            store,
            sp,
            outer: Cell::new(thread::innermost()),
            stack_limit: Cell::new(0),
            outer_stack,
            outer_thread: Cell::new(ptr::null()),
        }
    }
}
