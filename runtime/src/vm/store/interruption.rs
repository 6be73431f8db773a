//! Interruption of a store's calls: why they must stop, and what a call does that may be interrupted.

use super::Store;
use crate::error::{Error, ErrorKind};
use crate::trap::Trap;
use crate::vm::activation::interrupt::{self, Interrupt};
use crate::vm::activation::{Activation, thread};
#[cfg(feature = "async")]
use crate::vm::fiber::Wakers;
use crate::vm::instance;
use crate::vm::instance::context::Context;
use precast_abi::trap::TrapCode;
use std::collections::HashSet;
use std::ptr;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence};

/// The stack limit of a store whose running call must stop: every comparison with it fails.
pub(in crate::vm) const INTERRUPTED: usize = usize::MAX;

/// Why the calls of a store must stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vm) enum StopReason {
    /// The runtime was closed.
    Closed,
    /// A handle asked for it.
    Requested,
    /// A deadline passed.
    Deadline,
}

/// The requests to interrupt a store, and the instances that were interrupted.
#[derive(Default)]
pub(super) struct Interruption {
    /// Shared with the handles and deadlines; none before the first of them exists.
    shared: OnceLock<Arc<Interrupt>>,
    /// The instances that an interrupted call has left in an unknown state.
    pub(super) unusable: HashSet<u32>,
    /// Whether there are any. Signal handlers read it.
    pub(super) any_unusable: AtomicBool,
}

impl Interruption {
    /// The requests, if a handle or a deadline was made.
    #[cfg(feature = "async")]
    pub(super) fn shared(&self) -> Option<&Interrupt> {
        self.shared.get().map(|shared| &**shared)
    }

    pub(super) fn clear(&mut self) {
        self.unusable.clear();
        self.any_unusable.store(false, Ordering::Relaxed);
    }
}

impl Store {
    /// The requests to interrupt this store. From now on its calls say which thread they run on.
    pub(crate) fn interrupt(&mut self) -> Arc<Interrupt> {
        self.attention = true;
        let running = (self.depth > 0).then(thread::record).flatten();
        self.interruption.shared.get_or_init(|| Arc::new(Interrupt::new(running))).clone()
    }

    /// The wakers of calls that wait, to be woken by handles and deadlines; none before the first of
    /// those was made.
    #[cfg(feature = "async")]
    pub(in crate::vm) fn wakers(&self) -> Option<&Wakers> {
        self.interruption.shared().map(|shared| &shared.wakers)
    }

    /// Why calls must stop, if they must. Callable in signal handlers.
    pub(in crate::vm) fn stop_reason(&self) -> Option<StopReason> {
        if self.engine.is_closed() {
            return Some(StopReason::Closed);
        }
        let shared = self.interruption.shared.get()?;
        if shared.is_requested() {
            return Some(StopReason::Requested);
        }
        shared.is_expired().then_some(StopReason::Deadline)
    }

    /// Whether host functions that return to one of its instances must ask whether it has to stop.
    /// Callable in signal handlers.
    pub(in crate::vm) fn asks_on_return(&self) -> bool {
        self.stop_reason().is_some() || self.interruption.any_unusable.load(Ordering::Relaxed)
    }

    /// Whether an instance was interrupted, or is linked to one that was.
    pub(crate) fn is_interrupted(&self, instance: u32) -> bool {
        self.interruption.unusable.contains(&instance)
    }

    /// What a call does first if the store is closed, can be interrupted, or was interrupted.
    #[cold]
    pub(super) fn enter_with_attention(
        &mut self,
        activation: &Activation,
        callee: Option<Context>,
    ) -> Result<(), Error> {
        if self.is_closed() {
            return Err(self.closed());
        }
        // SAFETY: the callee is a context of this store.
        let callee = callee.map(|ctx| unsafe { instance::of(ctx) }.index);
        if callee.is_some_and(|instance| self.is_interrupted(instance)) {
            return Err(ErrorKind::Interrupted.into());
        }
        let Some(shared) = self.interruption.shared.get() else { return Ok(()) };
        activation.outer_thread.set(shared.enter());
        // Other threads that see no thread yet have made the request before this.
        compiler_fence(Ordering::SeqCst);
        let Some(reason) = self.stop_reason() else { return Ok(()) };
        shared.leave(activation.outer_thread.get());
        if self.depth == 0 {
            shared.forget_request();
        }
        Err(self.stopped(reason, Trap::new(TrapCode::Interrupted, None, Vec::new())))
    }

    /// What a call does last if the store is closed, can be interrupted, or was interrupted.
    ///
    /// Not inlined: it reads thread-locals, and the call may have begun on another thread.
    #[cold]
    #[inline(never)]
    pub(super) fn leave_with_attention(&mut self, activation: &Activation) {
        if let Some(shared) = self.interruption.shared.get() {
            let outer = shared.leave(activation.outer_thread.get());
            // The call around this one may be on another thread, which does not know yet.
            if self.depth > 0 && self.asks_on_return() {
                outer.into_iter().for_each(interrupt::ask);
            }
        }
        if self.depth == 0 && self.closed {
            self.clear();
        }
    }

    /// The error of a call that was interrupted. `callee` is the context that the host called; none if
    /// it called a host function.
    #[cold]
    pub(in crate::vm) fn interrupted(&mut self, trap: Trap, callee: Option<Context>) -> Error {
        // SAFETY: the callee is a context of this store.
        let callee = callee.map(|callee| unsafe { instance::of(callee) }.index);
        callee.into_iter().for_each(|callee| self.make_unusable(callee));
        // The calls around this one ask when a host function returns to them.
        thread::set_interrupted(true);
        let reason = self.stop_reason();
        if reason == Some(StopReason::Requested)
            && self.depth == 1
            && let Some(shared) = self.interruption.shared.get()
        {
            shared.forget_request();
        }
        match reason {
            Some(reason) => self.stopped(reason, trap),
            None => trap.into(),
        }
    }

    /// The error of a call that was stopped, or not begun.
    fn stopped(&self, reason: StopReason, trap: Trap) -> Error {
        match reason {
            StopReason::Closed => self.closed(),
            StopReason::Requested => trap.into(),
            StopReason::Deadline => trap.with_code(TrapCode::DeadlineExceeded).into(),
        }
    }

    /// Whether the instance with the context `caller`, to which a host function is about to return,
    /// must stop. The context is null if it is not known.
    #[cold]
    pub(in crate::vm) fn stops_on_return(&mut self, caller: *mut u8) -> bool {
        if self.stop_reason().is_some() {
            return true;
        }
        let unusable = match caller.is_null() {
            true => !self.interruption.unusable.is_empty(),
            // SAFETY: a context that is not null is that of a live instance.
            false => self.is_interrupted(unsafe { instance::of(Context::from_raw(caller)) }.index),
        };
        if !unusable {
            self.restore_stack_limit(thread::innermost());
            interrupt::settle();
        }
        unusable
    }

    /// Restores the stack limit of the store's call that runs on this thread, if a signal handler
    /// replaced it for a reason that is gone. `from` is the activation to begin with.
    #[cold]
    pub(super) fn restore_stack_limit(&mut self, from: *const Activation) {
        if self.depth == 0 || self.context.stack_limit != INTERRUPTED {
            return;
        }
        let mut at = from;
        // SAFETY: invariant **chain**.
        while let Some(activation) = unsafe { at.as_ref() } {
            if ptr::eq(activation.store, self) {
                self.context.stack_limit = activation.stack_limit.get();
                return;
            }
            at = activation.outer.get();
        }
    }
}
