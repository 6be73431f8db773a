//! Suspension of a store's call: what is kept while the call waits, and restored when it goes on.

use super::Store;
use crate::vm::activation::interrupt::Interrupt;
use crate::vm::activation::{Activation, thread};
use std::sync::atomic::{Ordering, compiler_fence};

/// What a store restores when a call goes on. Calls that are made while it waits restore it too, except
/// those that are forgotten and never end.
#[derive(Clone, Copy)]
pub(in crate::vm) struct Suspended {
    depth: u32,
    guest_sp: usize,
}

impl Store {
    /// Says that the innermost call waits, so that no thread runs it. It is not in the list of the
    /// thread's activations any more.
    pub(in crate::vm) fn suspend(&mut self, activation: &Activation) -> Suspended {
        // An interrupt whose reason is gone may have left its mark.
        self.context.stack_limit = activation.stack_limit.get();
        if let Some(shared) = self.interruption.shared() {
            shared.leave(activation.outer_thread.get());
        }
        Suspended { depth: self.depth, guest_sp: self.guest_sp }
    }

    /// Says that the call goes on, on this thread. It is the innermost of the thread's activations
    /// again. If it has to stop, it does so when the host function returns.
    pub(in crate::vm) fn go_on(&mut self, activation: &Activation, suspended: Suspended) {
        let Suspended { depth, guest_sp } = suspended;
        (self.depth, self.guest_sp) = (depth, guest_sp);
        self.context.stack_limit = activation.stack_limit.get();
        if let Some(shared) = self.interruption.shared() {
            activation.outer_thread.set(shared.enter());
        }
        // Other threads that see no thread yet have made the request before this.
        compiler_fence(Ordering::SeqCst);
        if self.asks_on_return() {
            thread::set_interrupted(true);
        }
    }

    /// Whether a call that waits must stop. A deadline of a call within its host function does not stop
    /// it.
    pub(in crate::vm) fn must_stop(&self, suspended: Suspended) -> bool {
        let requested =
            |shared: &Interrupt| shared.is_requested() || shared.is_expired_for(suspended.depth);
        self.engine.is_closed() || self.interruption.shared().is_some_and(requested)
    }
}
