//! `Task`: a call on a fiber, as a future.

use super::stack::FiberStack;
use super::wait::Wait;
use super::{Core, Resume, Waiting, Yielder};
use crate::error::{Error, ErrorKind};
use crate::vm::activation::Activation;
use crate::vm::activation::thread::Running;
use crate::vm::engine::Engine;
use crate::vm::store::{Store, StoreHandle, Suspended, handle_at};
use corosensei::{Coroutine, CoroutineResult};
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use tracing::Span;

/// What a call gives, or its panic.
type Outcome<R> = Result<Result<R, Error>, Box<dyn Any + Send>>;

/// A call of a store on a fiber, which begins when it is first polled. If it is dropped while it waits,
/// the call stops as if it were interrupted.
pub(super) struct Task<'a, F, R> {
    store: NonNull<Store>,
    state: State<F, R>,
    /// The task's number and waker, as they were added to the wakers of the engine and the store.
    registration: Option<Registration>,
    /// The span that is entered while the task is polled.
    span: Option<Span>,
    borrow: PhantomData<&'a mut StoreHandle>,
}

enum State<F, R> {
    New(F),
    Waiting(Fiber<R>, Waiting),
    Done,
}

/// A fiber that has begun.
struct Fiber<R> {
    coroutine: Coroutine<Resume, Waiting, Outcome<R>, FiberStack>,
    /// The lowest usable address of its stack.
    stack_low: usize,
    core: *const Core,
    /// The activation of its call, and what its store has for it, while it waits.
    suspended: Option<(NonNull<Activation>, Suspended)>,
}

struct Registration {
    number: u64,
    waker: Waker,
    /// Whether the store had wakers.
    with_store: bool,
}

// SAFETY: invariant **fiber**; closure and result can be sent, and the store belongs to the task, which
// has its handle borrowed.
unsafe impl<F: Send, R: Send> Send for Task<'_, F, R> {}

impl<F, R> Unpin for Task<'_, F, R> {}

impl<'a, F: FnOnce(&mut StoreHandle) -> Result<R, Error>, R> Task<'a, F, R> {
    /// A task that runs `call` on a fiber. The call is one of the store with this handle.
    ///
    /// # Safety
    ///
    /// Invariant **fiber** holds for the frames of `call` while a call of [`OnFiber`](super::OnFiber)
    /// runs in it.
    pub(super) unsafe fn new(handle: &'a mut StoreHandle, span: Option<Span>, call: F) -> Self {
        let (store, state) = (handle.pointer(), State::New(call));
        Task { store, state, registration: None, span, borrow: PhantomData }
    }
}

impl<F: FnOnce(&mut StoreHandle) -> Result<R, Error>, R> Future for Task<'_, F, R> {
    type Output = Result<R, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let task = self.get_mut();
        let span = task.span.clone();
        let _span = span.as_ref().map(Span::enter);
        // A panic leaves a task that is done.
        let (mut fiber, mut waiting) = match std::mem::replace(&mut task.state, State::Done) {
            State::New(call) => {
                let stack = match task.engine().fibers.stacks.take() {
                    Ok(stack) => stack,
                    Err(error) => {
                        let what = "mapping a stack for a call";
                        return Poll::Ready(Err(ErrorKind::System { what, error }.into()));
                    }
                };
                let mut fiber = Fiber::new(stack, task.store, call);
                match fiber.resume(task.store, Resume::Ready) {
                    CoroutineResult::Yield(waiting) => (fiber, waiting),
                    CoroutineResult::Return(outcome) => {
                        return Poll::Ready(task.end(fiber, outcome));
                    }
                }
            }
            State::Waiting(fiber, waiting) => (fiber, waiting),
            State::Done => panic!("a call was polled after its end"),
        };
        loop {
            // SAFETY: the fiber waits, so its slot lives and this is the only use.
            let wait = unsafe { waiting.as_mut() };
            let resume = match task.try_poll(wait, fiber.suspended, context) {
                Ok(Poll::Pending) => {
                    task.state = State::Waiting(fiber, waiting);
                    return Poll::Pending;
                }
                Ok(Poll::Ready(resume)) => resume,
                Err(payload) => Resume::Panic(payload),
            };
            match fiber.resume(task.store, resume) {
                CoroutineResult::Yield(next) => waiting = next,
                CoroutineResult::Return(outcome) => return Poll::Ready(task.end(fiber, outcome)),
            }
        }
    }
}

impl<F, R> Task<'_, F, R> {
    fn store(&self) -> &Store {
        // SAFETY: the task has the handle borrowed, and no code of the call runs.
        unsafe { self.store.as_ref() }
    }

    fn engine(&self) -> &Engine {
        self.store().engine()
    }

    /// Polls the future that the fiber waits for, unless the call has to stop. Gives what the fiber goes
    /// on with, or the panic of the future. When the fiber goes on, the future is dropped.
    fn try_poll(
        &mut self,
        wait: &mut (dyn Wait + 'static),
        suspended: Option<(NonNull<Activation>, Suspended)>,
        context: &mut Context<'_>,
    ) -> Result<Poll<Resume>, Box<dyn Any + Send>> {
        let must_stop =
            |task: &Self| suspended.is_some_and(|(_, suspended)| task.store().must_stop(suspended));
        if !must_stop(self) {
            // The code of the executor's waker may panic too.
            let polled = catch_unwind(AssertUnwindSafe(|| {
                let ready = wait.poll(context).is_ready();
                if !ready {
                    self.register(context.waker());
                }
                ready
            }));
            match polled {
                Ok(true) => return Ok(Poll::Ready(Resume::Ready)),
                Ok(false) if must_stop(self) => {}
                Ok(false) => return Ok(Poll::Pending),
                Err(payload) => {
                    // The panic of its drop would hide the first one.
                    let _ = catch_unwind(AssertUnwindSafe(|| wait.drop_future()));
                    return Err(payload);
                }
            }
        }
        catch_unwind(AssertUnwindSafe(|| wait.drop_future()))?;
        Ok(Poll::Ready(Resume::Stop))
    }

    /// Lets the task be woken when the call has to stop.
    fn register(&mut self, waker: &Waker) {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let with_store = self.store().wakers().is_some();
        let is_known =
            |known: &Registration| known.waker.will_wake(waker) && known.with_store == with_store;
        if self.registration.as_ref().is_some_and(is_known) {
            return;
        }
        let number = match &self.registration {
            Some(known) => known.number,
            None => LAST.fetch_add(1, Ordering::Relaxed),
        };
        self.engine().fibers.wakers.set(number, waker);
        if let Some(wakers) = self.store().wakers() {
            wakers.set(number, waker);
        }
        self.registration = Some(Registration { number, waker: waker.clone(), with_store });
    }

    /// The task is not woken any more.
    fn unregister(&mut self) {
        let Some(Registration { number, .. }) = self.registration.take() else { return };
        self.engine().fibers.wakers.remove(number);
        if let Some(wakers) = self.store().wakers() {
            wakers.remove(number);
        }
    }

    /// Gives back the stack of a fiber that has ended, and gives the result. A panic of the call
    /// continues here.
    fn end(&mut self, fiber: Fiber<R>, outcome: Outcome<R>) -> Result<R, Error> {
        self.engine().fibers.stacks.give(fiber.coroutine.into_stack());
        self.unregister();
        outcome.unwrap_or_else(|payload| resume_unwind(payload))
    }
}

impl<F, R> Drop for Task<'_, F, R> {
    fn drop(&mut self) {
        let State::Waiting(mut fiber, mut waiting) =
            std::mem::replace(&mut self.state, State::Done)
        else {
            return;
        };
        let span = self.span.clone();
        let _span = span.as_ref().map(Span::enter);
        // The guest does not go on, so the fiber waits no more. A fiber that did would be stopped again.
        loop {
            // SAFETY: as in `poll`.
            let wait = unsafe { waiting.as_mut() };
            let resume = match catch_unwind(AssertUnwindSafe(|| wait.drop_future())) {
                Ok(()) => Resume::Stop,
                Err(payload) => Resume::Panic(payload),
            };
            match fiber.resume(self.store, resume) {
                CoroutineResult::Yield(next) => waiting = next,
                CoroutineResult::Return(outcome) => {
                    match catch_unwind(AssertUnwindSafe(|| self.end(fiber, outcome))) {
                        Err(payload) if !std::thread::panicking() => resume_unwind(payload),
                        _ => return,
                    }
                }
            }
        }
    }
}

impl<R> Fiber<R> {
    /// A fiber that runs `call` when it is first resumed.
    fn new(
        stack: FiberStack,
        store: NonNull<Store>,
        call: impl FnOnce(&mut StoreHandle) -> Result<R, Error>,
    ) -> Fiber<R> {
        let stack_low = stack.low();
        let main = move |yielder: &Yielder, _: Resume| {
            let core = Core::new(yielder);
            super::thread::set_fiber(&core);
            // SAFETY: the task has the handle borrowed, and lends it to the call.
            let handle = unsafe { &mut *handle_at(store.as_ptr()) };
            catch_unwind(AssertUnwindSafe(|| call(handle)))
        };
        // SAFETY: what the closure borrows is borrowed by the task, which runs the fiber to its end
        // before the borrow ends. If the task is forgotten, the fiber never runs again.
        let coroutine = unsafe { Coroutine::with_stack_unchecked(stack, main) };
        Fiber { coroutine, stack_low, core: std::ptr::null(), suspended: None }
    }

    /// Runs the fiber until it waits or ends. Its call is one of `store`.
    fn resume(
        &mut self,
        mut store: NonNull<Store>,
        resume: Resume,
    ) -> CoroutineResult<Waiting, Outcome<R>> {
        let outside = Running::on_fiber(self.stack_low, self.core).begin();
        if let Some((activation, suspended)) = self.suspended.take() {
            // SAFETY: the activation is in a frame of the fiber's stack. The task has the store's handle
            // borrowed, and this borrow ends here.
            let (activation, store) = unsafe { (activation.as_ref(), store.as_mut()) };
            activation.outer.set(outside.innermost());
            super::thread::enter(activation);
            store.go_on(activation, suspended);
        }
        // The fiber catches the panics of its call.
        let result = self.coroutine.resume(resume);
        let inside = outside.begin();
        if let CoroutineResult::Yield(_) = result {
            self.core = inside.fiber();
            let activation = NonNull::new(inside.innermost().cast_mut());
            let activation = activation.expect("a fiber waits in a call");
            // SAFETY: as above.
            let suspended = unsafe { store.as_mut().suspend(activation.as_ref()) };
            self.suspended = Some((activation, suspended));
        }
        result
    }
}
