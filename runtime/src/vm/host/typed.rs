//! Shims of closures whose signature is known at compile time.

use super::exit::{Exit, run, stop};
use super::{Env, HostFuncDef, Invocation};
use crate::error::{Error, ErrorKind, HostError};
use crate::vm::activation::typed::{WasmParams, WasmResults, WasmTy};
use crate::vm::arities::for_each_arity;
use crate::vm::instance::context::FuncSlot;
use crate::vm::store::Store;
use crate::vm::sys;
use crate::vm::types::{self, OwnedTypes};
use precast_abi::types::{FuncType, ValType};
use std::any::Any;
use std::ptr::NonNull;

/// A type that a host function may return: nothing, a value, a tuple of values, or a `Result` of
/// those whose error stops the guest.
pub trait HostReturn {
    /// The values without the `Result`.
    type Values: HostValues;

    /// The values, or the error that stops the guest.
    ///
    /// # Errors
    ///
    /// The error the host function returned.
    fn into_values(self) -> Result<Self::Values, HostError>;
}

/// The values a host function returns.
pub trait HostValues: WasmResults {
    /// The type that the shim returns in a register.
    #[doc(hidden)]
    type Direct;

    /// The value to return in a register.
    #[doc(hidden)]
    fn into_direct(self) -> Self::Direct;

    /// Writes the values as bits.
    ///
    /// # Errors
    ///
    /// When a value is a reference of another store.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn to_array(self, store: NonNull<Store>, values: &mut [u128]) -> Result<(), HostError>;
}

impl<V: HostValues, E: Into<HostError>> HostReturn for Result<V, E> {
    type Values = V;

    #[inline]
    fn into_values(self) -> Result<V, HostError> {
        self.map_err(Into::into)
    }
}

impl<V: WasmTy> HostReturn for V {
    type Values = V;

    #[inline]
    fn into_values(self) -> Result<V, HostError> {
        Ok(self)
    }
}

impl<V: WasmTy> HostValues for V {
    type Direct = V;

    #[inline]
    fn into_direct(self) -> V {
        self
    }

    #[inline]
    #[allow(private_interfaces)]
    fn to_array(self, store: NonNull<Store>, values: &mut [u128]) -> Result<(), HostError> {
        HostValues::to_array((self,), store, values)
    }
}

macro_rules! tuple_values {
    ($($($ty:ident)*;)*) => {$(
        impl<$($ty: WasmTy),*> HostReturn for ($($ty,)*) {
            type Values = Self;

            #[inline]
            fn into_values(self) -> Result<Self, HostError> {
                Ok(self)
            }
        }

        #[allow(non_snake_case, unused_variables)]
        impl<$($ty: WasmTy),*> HostValues for ($($ty,)*) {
            type Direct = first_type!($($ty)*);

            #[inline]
            fn into_direct(self) -> Self::Direct {
                let ($($ty,)*) = self;
                first_value!($($ty)*)
            }

            #[inline]
            #[allow(private_interfaces)]
            fn to_array(
                self,
                mut store: NonNull<Store>,
                values: &mut [u128],
            ) -> Result<(), HostError> {
                // SAFETY: the host function, which could reach the store, has returned.
                let store = unsafe { store.as_mut() };
                Ok(WasmParams::to_array(self, store, values)?)
            }
        }
    )*};
}

macro_rules! first_type {
    () => {
        ()
    };
    ($first:ident $($ty:ident)*) => {
        $first
    };
}

macro_rules! first_value {
    () => {
        ()
    };
    ($first:ident $($ty:ident)*) => {
        $first
    };
}

for_each_arity!(tuple_values);

/// A closure with an [`Invocation`] and the tuple `P` of its parameters. It is a trait and not a
/// closure so that `call` can be `#[inline(always)]`: three shims call it, and a compiler that
/// keeps one copy for all adds a frame between machine code and the closure.
pub(crate) trait HostCall<T, P, R>: Send + Sync + 'static {
    /// Whether a call may wait, and then return on another thread.
    const WAITS: bool = false;

    /// Calls the closure.
    fn call(&self, invocation: Invocation<'_, T>, params: P) -> R;
}

/// A closure that shims call. Implemented for each [`HostCall`] of up to 16 parameters that are
/// [`WasmTy`], and that returns a [`HostReturn`].
pub(crate) trait ShimClosure<T, P, R>: Sized {
    /// The host function.
    fn into_def(self) -> Result<HostFuncDef, Error>;
}

/// The state pointer and the closure of a shim's environment: a closure without captures is
/// given the state alone.
///
/// # Safety
///
/// `env` is the environment of the function whose closure has type `F`, and it outlives `'a`.
#[inline]
unsafe fn open<'a, T, F: 'static>(env: *const ()) -> (*mut T, &'a F) {
    if size_of::<F>() == 0 {
        // SAFETY: a type without size has no bytes to read, and an instance of it exists: the
        // definition holds one.
        (env.cast_mut().cast(), unsafe { std::ptr::NonNull::<F>::dangling().as_ref() })
    } else {
        // SAFETY: by the contract.
        unsafe {
            let env = &*env.cast::<Env>();
            let def = &*env.def;
            // The closure's type was fixed when the definition was made.
            let closure: *const (dyn Any + Send + Sync) = &*def.closure;
            (env.state.cast(), &*closure.cast::<F>())
        }
    }
}

fn intern(params: &[ValType], results: &[ValType]) -> Result<OwnedTypes, Error> {
    let ty = FuncType::new(params.iter().copied(), results.iter().copied());
    types::intern(&ty).map_err(|_| ErrorKind::Unsupported(types::collision(&ty)).into())
}

/// Whether machine code can call functions of a type without a thunk: all arguments and the
/// result are in registers.
fn can_call_directly(ty: &FuncType) -> bool {
    let floats = ty.params().iter().filter(|t| matches!(t, ValType::F32 | ValType::F64)).count();
    sys::DIRECT_CALLS
        && ty.results().len() <= 1
        && floats <= sys::DIRECT_FLOATS
        && ty.params().len() - floats <= sys::DIRECT_INTEGERS
}

/// A function with vectors or references in its type: an array holds arguments and results.
fn by_array<T: Send + 'static, R: HostReturn>(
    types: OwnedTypes,
    f: impl for<'a> Fn(Invocation<'a, T>, &[u128]) -> R + Send + Sync + 'static,
) -> HostFuncDef {
    HostFuncDef::dynamic(types, move |call: Invocation<'_, T>, _: &FuncType, values| {
        let store = call.store_pointer();
        f(call, values).into_values()?.to_array(store, values)
    })
}

macro_rules! closures {
    ($($($ty:ident)*;)*) => {$(
        #[allow(non_snake_case, unused_variables, unused_mut)]
        impl<T, R, F, $($ty,)*> ShimClosure<T, ($($ty,)*), R> for F
        where
            T: Send + 'static,
            R: HostReturn,
            F: HostCall<T, ($($ty,)*), R>,
            $($ty: WasmTy,)*
        {
            fn into_def(self) -> Result<HostFuncDef, Error> {
                /// Returns at most one value, in a register.
                unsafe extern "C" fn direct<T, R, F, $($ty,)*>(
                    fp: *const u8,
                    slot: *const FuncSlot,
                    $($ty: $ty,)*
                ) -> <R::Values as HostValues>::Direct
                where
                    T: Send + 'static,
                    R: HostReturn,
                    F: HostCall<T, ($($ty,)*), R>,
                    $($ty: WasmTy,)*
                {
                    let body = || {
                        // SAFETY: machine code calls the shim with its slot.
                        let (f, call) = unsafe {
                            let (state, f) = open::<T, F>((*slot).env);
                            (f, Invocation::of_slot(slot, state, fp as usize))
                        };
                        f.call(call, ($($ty,)*)).into_values()
                    };
                    // SAFETY: as above.
                    match unsafe { run(slot, F::WAITS, body) } {
                        Ok(values) => values.into_direct(),
                        // SAFETY: the closure's values are dropped.
                        Err(failure) => unsafe { stop(Exit::of_thunk(fp), failure) },
                    }
                }

                /// As `direct`, called without a thunk.
                unsafe extern "C" fn entered<T, R, F, $($ty,)*>(
                    slot: *const FuncSlot,
                    $($ty: $ty,)*
                ) -> <R::Values as HostValues>::Direct
                where
                    T: Send + 'static,
                    R: HostReturn,
                    F: HostCall<T, ($($ty,)*), R>,
                    $($ty: WasmTy,)*
                {
                    // SAFETY: `naked` is only called with its slot.
                    let exit = unsafe { Exit::of_slot(slot) };
                    let body = || {
                        // SAFETY: machine code calls the shim with its slot.
                        let (f, call) = unsafe {
                            let (state, f) = open::<T, F>((*slot).env);
                            (f, Invocation::of_slot(slot, state, exit.sp))
                        };
                        f.call(call, ($($ty,)*)).into_values()
                    };
                    // SAFETY: as above.
                    match unsafe { run(slot, F::WAITS, body) } {
                        Ok(values) => values.into_direct(),
                        // SAFETY: the closure's values are dropped.
                        Err(failure) => unsafe { stop(exit, failure) },
                    }
                }

                /// Called by machine code without a thunk.
                ///
                /// # Safety
                ///
                /// The context is a function slot of an instance, with this function in it.
                #[unsafe(naked)]
                unsafe extern "C" fn naked<T, R, F, $($ty,)*>(
                    slot: *const FuncSlot,
                    $($ty: $ty,)*
                ) -> <R::Values as HostValues>::Direct
                where
                    T: Send + 'static,
                    R: HostReturn,
                    F: HostCall<T, ($($ty,)*), R>,
                    $($ty: WasmTy,)*
                {
                    sys::direct_entry!(entered::<T, R, F, $($ty,)*>)
                }

                /// Writes two or more values.
                unsafe extern "C" fn indirect<T, R, F, $($ty,)*>(
                    fp: *const u8,
                    slot: *const FuncSlot,
                    results: *mut u128,
                    $($ty: $ty,)*
                )
                where
                    T: Send + 'static,
                    R: HostReturn,
                    F: HostCall<T, ($($ty,)*), R>,
                    $($ty: WasmTy,)*
                {
                    let body = || {
                        // SAFETY: machine code calls the shim with its slot.
                        let (f, call) = unsafe {
                            let (state, f) = open::<T, F>((*slot).env);
                            (f, Invocation::of_slot(slot, state, fp as usize))
                        };
                        let store = call.store_pointer();
                        let len = <R::Values as WasmResults>::TYPES.len();
                        // SAFETY: the host thunk has room for every result.
                        let results = unsafe { std::slice::from_raw_parts_mut(results, len) };
                        f.call(call, ($($ty,)*)).into_values()?.to_array(store, results)
                    };
                    // SAFETY: as above.
                    if let Err(failure) = unsafe { run(slot, F::WAITS, body) } {
                        // SAFETY: the closure's values are dropped.
                        unsafe { stop(Exit::of_thunk(fp), failure) }
                    }
                }

                /// Called from the host.
                unsafe fn call<T, R, F, $($ty,)*>(
                    _def: *const HostFuncDef,
                    store: NonNull<Store>,
                    env: *const (),
                    values: &mut [u128],
                ) -> Result<(), Error>
                where
                    T: Send + 'static,
                    R: HostReturn,
                    F: HostCall<T, ($($ty,)*), R>,
                    $($ty: WasmTy,)*
                {
                    let mut args = values.iter();
                    $(let $ty = $ty::from_bits(args.next().map_or(0, |&v| v as u64));)*
                    // SAFETY: by the contract of `HostFuncDef::call`.
                    let (f, call) = unsafe {
                        let (state, f) = open::<T, F>(env);
                        (f, Invocation::of_host(store, state))
                    };
                    Ok(f.call(call, ($($ty,)*)).into_values()?.to_array(store, values)?)
                }

                let results = <R::Values as WasmResults>::TYPES;
                let ty = intern(&[$($ty::TYPE),*], results)?;
                if ty.get(0).ty.params().iter().chain(results).any(|ty| !ty.is_number()) {
                    return Ok(by_array(ty, move |mut call: Invocation<'_, T>, args: &[u128]| {
                        let mut args = args.iter();
                        $(
                            let bits = args.next().map_or(0, |&bits| bits);
                            let $ty = <$ty as WasmTy>::from_store(call.store(), bits);
                        )*
                        self.call(call, ($($ty,)*))
                    }));
                }
                let code = if results.len() > 1 {
                    indirect::<T, R, F, $($ty,)*> as *const ()
                } else {
                    direct::<T, R, F, $($ty,)*> as *const ()
                };
                let direct = can_call_directly(&ty.get(0).ty)
                    .then_some(naked::<T, R, F, $($ty,)*> as *const u8);
                Ok(HostFuncDef::typed(ty, code, direct, call::<T, R, F, $($ty,)*>, self))
            }
        }
    )*};
}

for_each_arity!(closures);
