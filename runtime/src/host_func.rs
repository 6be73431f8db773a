//! Closures that can be host functions whose signature is known at compile time.

use crate::error::Error;
use crate::host::Caller;
use crate::vm::activation::typed::WasmTy;
use crate::vm::arities::for_each_arity;
use crate::vm::host::typed::{HostReturn, ShimClosure};
use crate::vm::host::{HostFuncDef, Invocation};

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
                let shimmed = move |_: Invocation<'_, T>, $($ty: $ty),*| self($($ty),*);
                ShimClosure::<T, ($($ty,)*), R>::into_def(shimmed)
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
                let shimmed = move |call: Invocation<'_, T>, $($ty: $ty),*| {
                    self(&mut Caller::new(call), $($ty),*)
                };
                ShimClosure::<T, ($($ty,)*), R>::into_def(shimmed)
            }
        }
    )*};
}

for_each_arity!(closures);
