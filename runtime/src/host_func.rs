//! Closures that can be host functions whose signature is known at compile time.

use crate::error::Error;
use crate::host::Caller;
use crate::vm::activation::typed::WasmTy;
use crate::vm::arities::for_each_arity;
use crate::vm::host::typed::{HostCall, HostReturn, ShimClosure};
use crate::vm::host::{HostFuncDef, Invocation};
use std::marker::PhantomData;

/// A closure that can be a host function of a module with state `T`. Implemented for closures
/// of up to 16 parameters that are [`WasmTy`], with or without a `&mut Caller<'_, T>` before
/// them, that return a [`HostReturn`].
pub trait IntoHostFunc<T, P, R>: Sized {
    /// The host function.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn into_def(self) -> Result<HostFuncDef, Error>;
}

/// Marks closures that take their caller.
#[derive(Debug)]
pub struct WithCaller;

/// A host function as a type, for WASI. Its `call` can be `#[inline(always)]`, which a closure
/// cannot be: then no function returns between it and the guest.
#[doc(hidden)]
pub trait HostFunction<T, P, R>: 'static {
    /// Calls the function with the tuple of its parameters.
    fn call(caller: &mut Caller<'_, T>, params: P) -> R;
}

/// The [`HostFunction`] `F`, as an [`IntoHostFunc`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Inlined<F>(PhantomData<fn() -> F>);

impl<F> Inlined<F> {
    /// The function.
    #[expect(clippy::new_without_default, reason = "a name for the only value")]
    pub fn new() -> Self {
        Inlined(PhantomData)
    }
}

/// A closure that does not take its caller.
struct Alone<F>(F);

/// A closure that takes its caller.
struct Called<F>(F);

macro_rules! closures {
    ($($($ty:ident)*;)*) => {$(
        #[allow(non_snake_case)]
        impl<T, R, F, $($ty,)*> IntoHostFunc<T, ($($ty,)*), R> for F
        where
            T: Send + 'static,
            R: HostReturn,
            F: Fn($($ty),*) -> R + Send + Sync + 'static,
            $($ty: WasmTy,)*
        {
            #[allow(private_interfaces)]
            fn into_def(self) -> Result<HostFuncDef, Error> {
                ShimClosure::<T, ($($ty,)*), R>::into_def(Alone(self))
            }
        }

        #[allow(non_snake_case)]
        impl<T, R, F, $($ty,)*> IntoHostFunc<T, (WithCaller, $($ty,)*), R> for F
        where
            T: Send + 'static,
            R: HostReturn,
            F: Fn(&mut Caller<'_, T>, $($ty),*) -> R + Send + Sync + 'static,
            $($ty: WasmTy,)*
        {
            #[allow(private_interfaces)]
            fn into_def(self) -> Result<HostFuncDef, Error> {
                ShimClosure::<T, ($($ty,)*), R>::into_def(Called(self))
            }
        }

        impl<T, R, F, $($ty,)*> IntoHostFunc<T, (Inlined<()>, $($ty,)*), R> for Inlined<F>
        where
            T: Send + 'static,
            R: HostReturn,
            F: HostFunction<T, ($($ty,)*), R>,
            $($ty: WasmTy,)*
        {
            #[allow(private_interfaces)]
            fn into_def(self) -> Result<HostFuncDef, Error> {
                ShimClosure::<T, ($($ty,)*), R>::into_def(self)
            }
        }

        impl<T, R, F, $($ty,)*> HostCall<T, ($($ty,)*), R> for Inlined<F>
        where
            F: HostFunction<T, ($($ty,)*), R>,
        {
            #[inline(always)]
            fn call(&self, invocation: Invocation<'_, T>, params: ($($ty,)*)) -> R {
                F::call(&mut Caller::new(invocation), params)
            }
        }

        #[allow(non_snake_case)]
        impl<T, R, F, $($ty,)*> HostCall<T, ($($ty,)*), R> for Alone<F>
        where
            F: Fn($($ty),*) -> R + Send + Sync + 'static,
        {
            #[inline(always)]
            fn call(&self, _: Invocation<'_, T>, ($($ty,)*): ($($ty,)*)) -> R {
                (self.0)($($ty),*)
            }
        }

        #[allow(non_snake_case)]
        impl<T, R, F, $($ty,)*> HostCall<T, ($($ty,)*), R> for Called<F>
        where
            F: Fn(&mut Caller<'_, T>, $($ty),*) -> R + Send + Sync + 'static,
        {
            #[inline(always)]
            fn call(&self, invocation: Invocation<'_, T>, ($($ty,)*): ($($ty,)*)) -> R {
                (self.0)(&mut Caller::new(invocation), $($ty),*)
            }
        }
    )*};
}

for_each_arity!(closures);
