//! Async host functions: closures that return futures, for which guests wait without a thread.

use crate::error::{Error, ErrorKind, HostError};
use crate::host::{Caller, HostModuleBuilder};
use crate::linker::Linker;
use crate::vm::activation::typed::{WasmResults, WasmTy};
use crate::vm::arities::for_each_arity;
use crate::vm::host::typed::{HostReturn, ShimClosure};
use crate::vm::host::waits::Waits;
use crate::vm::host::{HostFuncDef, Invocation};

pub use crate::vm::host::waits::HostFuture;

/// The parameters of an async host function: a tuple of up to 16 [`WasmTy`].
pub trait HostParams: WasmResults + Send + 'static {
    /// The host function of two closures.
    #[doc(hidden)]
    #[allow(private_interfaces, private_bounds)]
    fn define<T, R, F, G>(closures: Waits<F, G, R>) -> Result<HostFuncDef, Error>
    where
        T: Send + 'static,
        R: HostReturn + 'static,
        F: for<'a> Fn(Invocation<'a, T>, Self) -> HostFuture<'a, R> + Send + Sync + 'static,
        G: Fn(Invocation<'_, T>, Self) -> Result<R::Values, HostError> + Send + Sync + 'static;
}

macro_rules! params {
    ($($($ty:ident)*;)*) => {$(
        impl<$($ty: WasmTy),*> HostParams for ($($ty,)*) {
            #[allow(private_interfaces, private_bounds)]
            fn define<T, R, F, G>(closures: Waits<F, G, R>) -> Result<HostFuncDef, Error>
            where
                T: Send + 'static,
                R: HostReturn + 'static,
                F: for<'a> Fn(Invocation<'a, T>, Self) -> HostFuture<'a, R> + Send + Sync + 'static,
                G: Fn(Invocation<'_, T>, Self) -> Result<R::Values, HostError>
                    + Send
                    + Sync
                    + 'static,
            {
                ShimClosure::<T, ($($ty,)*), Result<R::Values, HostError>>::into_def(closures)
            }
        }
    )*};
}

for_each_arity!(params);

/// The host function of a closure that returns a future. Calls that cannot wait fail.
fn definition<T, P, R>(
    f: impl for<'a> Fn(Caller<'a, T>, P) -> HostFuture<'a, R> + Send + Sync + 'static,
) -> Result<HostFuncDef, Error>
where
    T: Send + 'static,
    P: HostParams,
    R: HostReturn + 'static,
{
    define(f, |_: Invocation<'_, T>, _| Err(HostError::from(Error::from(ErrorKind::NeedsAsync))))
}

/// The host function of a closure that returns a future, and of one for calls that cannot wait.
fn definition_or<T, P, R>(
    f: impl for<'a> Fn(Caller<'a, T>, P) -> HostFuture<'a, R> + Send + Sync + 'static,
    instead: impl Fn(&mut Caller<'_, T>, P) -> R + Send + Sync + 'static,
) -> Result<HostFuncDef, Error>
where
    T: Send + 'static,
    P: HostParams,
    R: HostReturn + 'static,
{
    define(f, move |call: Invocation<'_, T>, params| {
        instead(&mut Caller::new(call), params).into_values()
    })
}

/// As [`definition_or`], where the second closure gives what the shim takes.
fn define<T, P, R>(
    f: impl for<'a> Fn(Caller<'a, T>, P) -> HostFuture<'a, R> + Send + Sync + 'static,
    instead: impl Fn(Invocation<'_, T>, P) -> Result<R::Values, HostError> + Send + Sync + 'static,
) -> Result<HostFuncDef, Error>
where
    T: Send + 'static,
    P: HostParams,
    R: HostReturn + 'static,
{
    P::define(Waits::new(
        move |call: Invocation<'_, T>, params| f(Caller::new(call), params),
        instead,
    ))
}

impl<T: Send + 'static> HostModuleBuilder<T> {
    /// Defines a function by a closure that returns a future. The guest that calls it waits for the
    /// future without a thread: it was called by [`TypedFunc::call_async`](crate::TypedFunc::call_async)
    /// or a similar function, whose future polls this one.
    ///
    /// The future may borrow the [`Caller`]: the memory, the state and the namespace, in which it may
    /// call other functions. Their calls can wait too if they are made with `call_async`. The closure
    /// takes the parameters as one tuple.
    ///
    /// Any other call that reaches the function fails with [`ErrorKind::NeedsAsync`].
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use precast_runtime::{HostModuleBuilder, Runtime};
    ///
    /// let runtime = Runtime::new();
    /// let env = HostModuleBuilder::with_state("env", || 0i64)
    ///     .func_async("add", |mut caller, (by,): (i64,)| {
    ///         Box::pin(async move {
    ///             std::future::ready(()).await; // Any future that can be sent.
    ///             *caller.state() += by;
    ///             *caller.state()
    ///         })
    ///     })
    ///     .build(&runtime)?;
    /// # let text = r#"(module
    /// #     (import "env" "add" (func $add (param i64) (result i64)))
    /// #     (func (export "run") (result i64) (call $add (i64.const 7))))"#;
    /// # let wasm = wat::parse_str(text)?;
    /// let module = runtime.compile(&wasm)?; // `run` calls `add` with 7.
    /// let mut namespace = runtime.namespace();
    /// namespace.instantiate_host(&env)?;
    /// let instance = namespace.instantiate(&module)?;
    /// let run = instance.typed::<(), i64>(&namespace, "run")?;
    /// # use std::{future::Future, pin::pin, task::{Context, Poll, Waker}};
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = pin!(future);
    /// #     loop {
    /// #         let mut context = Context::from_waker(Waker::noop());
    /// #         if let Poll::Ready(output) = future.as_mut().poll(&mut context) { break output }
    /// #     }
    /// # }
    /// assert_eq!(block_on(run.call_async(&mut namespace, ()))?, 7);
    /// # Ok(())
    /// # }
    /// ```
    pub fn func_async<P: HostParams, R: HostReturn + 'static>(
        self,
        name: &str,
        f: impl for<'a> Fn(Caller<'a, T>, P) -> HostFuture<'a, R> + Send + Sync + 'static,
    ) -> Self {
        self.define(name, definition(f))
    }

    /// As [`HostModuleBuilder::func_async`], with a closure for calls that cannot wait, which blocks the
    /// thread instead.
    pub fn func_async_or<P: HostParams, R: HostReturn + 'static>(
        self,
        name: &str,
        f: impl for<'a> Fn(Caller<'a, T>, P) -> HostFuture<'a, R> + Send + Sync + 'static,
        instead: impl Fn(&mut Caller<'_, T>, P) -> R + Send + Sync + 'static,
    ) -> Self {
        self.define(name, definition_or(f, instead))
    }
}

impl Linker {
    /// Defines a host function by a closure that returns a future, as
    /// [`HostModuleBuilder::func_async`].
    ///
    /// # Errors
    ///
    /// As [`Linker::func`].
    pub fn func_async<P: HostParams, R: HostReturn + 'static>(
        &mut self,
        module: &str,
        name: &str,
        f: impl for<'a> Fn(Caller<'a, ()>, P) -> HostFuture<'a, R> + Send + Sync + 'static,
    ) -> Result<&mut Self, Error> {
        self.single_func(module, name, definition(f))
    }
}
