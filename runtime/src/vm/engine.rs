//! An engine: what all stores of a runtime share.

use super::activation::interrupt;
use super::activation::stack::StackBounds;
#[cfg(feature = "async")]
use super::fiber::Fibers;
use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};

/// The switch that closes all stores, the bounds of their stacks, and the embedding API's settings.
pub(crate) struct Engine {
    closed: AtomicBool,
    stack: StackBounds,
    /// The calls that wait on stacks of their own, and these stacks.
    #[cfg(feature = "async")]
    pub(in crate::vm) fibers: Fibers,
    settings: Box<dyn Any + Send + Sync>,
}

impl Engine {
    /// An engine whose guests use at most `max_stack` bytes of stack in a call of the host, and
    /// whose host functions have at least `host_stack`.
    pub(crate) fn new(
        max_stack: usize,
        host_stack: usize,
        settings: impl Any + Send + Sync,
    ) -> Engine {
        let stack = StackBounds::new(max_stack, host_stack);
        Engine {
            closed: AtomicBool::new(false),
            stack,
            #[cfg(feature = "async")]
            fibers: Fibers::new(stack.own_stack()),
            settings: Box::new(settings),
        }
    }

    /// The settings, which have type `S`.
    ///
    /// # Panics
    ///
    /// When they have another type.
    pub(crate) fn settings<S: Any>(&self) -> &S {
        self.settings.downcast_ref().expect("the type that the engine was made with")
    }

    pub(in crate::vm) fn stack(&self) -> StackBounds {
        self.stack
    }

    /// Closes all stores, and stops their calls: in machine code at once, in host functions when they
    /// return. Calls that wait are woken.
    pub(crate) fn close(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) {
            interrupt::ask_all();
            #[cfg(feature = "async")]
            self.fibers.wakers.wake_all();
        }
    }

    /// Whether the engine was closed.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}
