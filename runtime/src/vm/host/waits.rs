//! `Waits`: host functions that return futures, as closures that shims call.

use super::Invocation;
use super::typed::{HostCall, HostReturn};
use crate::error::HostError;
use crate::vm::fiber;
use precast_abi::trap::TrapCode;
use std::marker::PhantomData;
use std::pin::Pin;

/// The future of a host function, which borrows its caller.
pub type HostFuture<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// A closure whose future a call waits for, and one that is called instead by calls that cannot wait.
pub(crate) struct Waits<F, G, R> {
    wait: F,
    instead: G,
    result: PhantomData<fn() -> R>,
}

impl<F, G, R> Waits<F, G, R> {
    pub(crate) fn new<T, P>(wait: F, instead: G) -> Self
    where
        R: HostReturn,
        F: for<'a> Fn(Invocation<'a, T>, P) -> HostFuture<'a, R>,
        G: Fn(Invocation<'_, T>, P) -> Result<R::Values, HostError>,
    {
        Waits { wait, instead, result: PhantomData }
    }
}

impl<T, P, R, F, G> HostCall<T, P, Result<R::Values, HostError>> for Waits<F, G, R>
where
    R: HostReturn + 'static,
    F: for<'a> Fn(Invocation<'a, T>, P) -> HostFuture<'a, R> + Send + Sync + 'static,
    G: Fn(Invocation<'_, T>, P) -> Result<R::Values, HostError> + Send + Sync + 'static,
{
    const WAITS: bool = true;

    #[inline(always)]
    fn call(&self, invocation: Invocation<'_, T>, params: P) -> Result<R::Values, HostError> {
        let Some(fiber) = fiber::current() else { return (self.instead)(invocation, params) };
        let future = self.begin(invocation, params);
        // SAFETY: the frames from here to machine code are this one and that of the shim.
        match unsafe { fiber.wait(future) } {
            Some(result) => finish(result),
            None => Err(HostError::trap(TrapCode::Interrupted)),
        }
    }
}

/// The values of a result, or the error that stops the guest.
///
/// Not inlined, as [`Waits::begin`]: the conversion of an error is code of the embedder.
#[inline(never)]
fn finish<R: HostReturn>(result: R) -> Result<R::Values, HostError> {
    result.into_values()
}

impl<F, G, R> Waits<F, G, R> {
    /// Calls the closure that gives the future.
    ///
    /// Not inlined: the closure may use thread-locals, whose addresses change while the caller waits.
    #[inline(never)]
    fn begin<'a, T, P>(&self, invocation: Invocation<'a, T>, params: P) -> HostFuture<'a, R>
    where
        F: Fn(Invocation<'a, T>, P) -> HostFuture<'a, R>,
    {
        (self.wait)(invocation, params)
    }
}
