//! Fibers: calls on stacks of their own, which can wait without a thread.
//!
//! ```text
//!   executor ── poll ── Task ── resume ──> fiber's stack: entry thunk, guest, host thunk, shim
//!                        │ <─ suspend ────  wait(future): the frames stay where they are
//!                        └── polls the future, on the executor's stack
//! ```
//!
//! A fiber waits only in a host function that machine code called directly from the call that began on
//! the fiber. So the frames on its stack are those of this crate and of machine code, and none of the
//! embedder's, whose values may belong to a thread.

pub(crate) mod call;
mod pool;
mod stack;
mod task;
mod wait;
mod wakers;

use super::activation::Activation;
use super::activation::place::Place;
use super::activation::thread;
use pool::StackPool;
use std::any::Any;
use std::cell::Cell;
use std::ptr::{self, NonNull};

use task::Task;
pub(in crate::vm) use wait::current;
pub(in crate::vm) use wakers::Wakers;

/// What an engine has for fibers.
pub(in crate::vm) struct Fibers {
    stacks: StackPool,
    /// The wakers of all calls that wait.
    pub(in crate::vm) wakers: Wakers,
}

impl Fibers {
    /// Fibers whose stacks have `stack` bytes.
    pub(in crate::vm) fn new(stack: usize) -> Fibers {
        Fibers { stacks: StackPool::new(stack), wakers: Wakers::default() }
    }
}

/// What a fiber receives when it goes on.
enum Resume {
    /// The future is ready.
    Ready,
    /// The call must stop.
    Stop,
    /// The future panicked.
    Panic(Box<dyn Any + Send>),
}

/// What a fiber gives when it waits: the future, in a frame of its stack.
type Waiting = NonNull<dyn wait::Wait>;

type Yielder = corosensei::Yielder<Resume, Waiting>;

/// A fiber as code on its stack sees it. It lies in the first frame of the stack.
pub(in crate::vm) struct Core {
    yielder: *const Yielder,
    /// The activation of the call that runs on the fiber; null before and after it. Calls that begin
    /// within it are not on the fiber, although they use its stack.
    activation: Cell<*const Activation>,
}

impl Core {
    fn new(yielder: &Yielder) -> Core {
        Core { yielder, activation: Cell::new(ptr::null()) }
    }
}

/// On the stack of a fiber.
pub(in crate::vm) struct OnFiber;

impl OnFiber {
    /// The fiber.
    fn core<'a>() -> &'a Core {
        // SAFETY: calls are made on the stack of a fiber only after it has made itself known, and it
        // lives until its first frame returns.
        unsafe { &*thread::fiber() }
    }
}

impl Place for OnFiber {
    const WAITS: bool = true;

    fn entered(activation: &Activation) {
        Self::core().activation.set(activation);
    }

    fn leave(outer: *const Activation) {
        Self::core().activation.set(ptr::null());
        thread::leave_anew(outer);
    }
}
