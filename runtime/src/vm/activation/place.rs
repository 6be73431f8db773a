//! `Place`: where a call runs, on the stack of its thread or on a stack of its own.

use super::{Activation, thread};

/// Where a call runs. A call on a stack of its own may end on another thread than the one on which it
/// began, so it must not use addresses of thread-locals that were computed before.
pub(in crate::vm) trait Place {
    /// Whether the call may wait.
    const WAITS: bool;

    /// Says that a call begins whose activation is the innermost.
    fn entered(activation: &Activation);

    /// Says that a call ends, and makes the activation around it the innermost.
    fn leave(outer: *const Activation);
}

/// On the stack of the thread that calls.
pub(in crate::vm) struct OnThread;

impl Place for OnThread {
    const WAITS: bool = false;

    #[inline(always)]
    fn entered(_: &Activation) {}

    #[inline(always)]
    fn leave(outer: *const Activation) {
        thread::leave(outer);
    }
}
