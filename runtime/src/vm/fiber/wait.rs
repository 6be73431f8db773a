//! Waiting: a host function on a fiber suspends it until a future is ready.

use super::{Core, Resume, Waiting};
use crate::vm::activation::thread;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

/// A future that a fiber waits for.
pub(super) trait Wait {
    /// Polls the future. It is dropped when it is ready.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Drops the future.
    fn drop_future(&mut self);
}

/// A future in a frame of a fiber's stack, and its output.
struct Slot<F: Future> {
    /// Pinned: it stays where it is until it is dropped.
    future: Option<F>,
    output: Option<F::Output>,
}

impl<F: Future> Wait for Slot<F> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(future) = &mut self.future else { return Poll::Ready(()) };
        // SAFETY: the future is not moved: its slot stays in its frame, and it is dropped in place.
        let Poll::Ready(output) = unsafe { Pin::new_unchecked(future) }.poll(context) else {
            return Poll::Pending;
        };
        self.output = Some(output);
        self.future = None;
        Poll::Ready(())
    }

    fn drop_future(&mut self) {
        self.future = None;
    }
}

/// The fiber on which the innermost call of this thread runs; none if that call cannot wait.
#[inline(never)]
pub(in crate::vm) fn current<'a>() -> Option<&'a Core> {
    // SAFETY: the thread runs the fiber, so the fiber lives. It lives until the call returns, and the
    // caller of this function runs within the call.
    let core = unsafe { thread::fiber().as_ref() }?;
    (core.activation.get() == thread::innermost()).then_some(core)
}

impl Core {
    /// Waits for a future. The output is none if the call must stop. The thread may be another one
    /// afterwards. A panic of the future continues here.
    ///
    /// # Safety
    ///
    /// The fiber is [`current`]. Invariant **fiber**: the frames up to machine code have no values that
    /// belong to the thread, and use no address of a thread-local that was computed before. So do those
    /// from machine code to the first frame of the fiber.
    #[inline(never)]
    pub(in crate::vm) unsafe fn wait<F: Future + Send>(&self, future: F) -> Option<F::Output> {
        let mut slot = Slot { future: Some(future), output: None };
        let waiting: NonNull<dyn Wait + '_> = NonNull::from(&mut slot);
        // SAFETY: only the lifetime changes. The task uses the slot until it resumes the fiber.
        let waiting = unsafe { std::mem::transmute::<NonNull<dyn Wait + '_>, Waiting>(waiting) };
        // SAFETY: the yielder lives as long as the fiber, on whose stack this runs.
        match unsafe { &*self.yielder }.suspend(waiting) {
            Resume::Ready => slot.output,
            Resume::Stop => None,
            Resume::Panic(payload) => resume_unwind(payload),
        }
    }
}
