//! Calls of functions by the host.

use crate::error::Error;
use crate::vm::activation::backtrace;
use crate::vm::activation::place::{OnThread, Place};
use crate::vm::activation::thread::{self, Cause};
use crate::vm::activation::typed::{WasmParams, WasmResults};
use crate::vm::entity::{FuncEntity, WasmFunc};
use crate::vm::instance::context::Context;
use crate::vm::store::{Entered, Store};
use crate::vm::sys;
use precast_abi::trap::TrapCode;
use precast_abi::types::ValType;
use std::panic::resume_unwind;
use std::ptr::NonNull;
use tracing::Span;

/// The result of a typed entry thunk.
#[repr(C)]
pub(crate) struct EntryResult {
    /// Nonzero when the call ended by a trap, or by an error or panic of a host function.
    trapped: u64,
    /// The result's bits.
    pub(crate) bits: u64,
}

type ArrayEntry = unsafe extern "C" fn(*mut u8, *mut u128, *const u8) -> u64;

/// Arguments or results of most functions: an array for so many values costs next to nothing.
const FEW: usize = 4;

/// Arguments or results of nearly all other functions: so many need no allocation.
const MORE: usize = 16;

/// Calls a function. `args` gets the types of its parameters and of its results, and writes the bits
/// of as many arguments or refuses to. `results` gets the types of its results and their bits.
///
/// The store is that of the function, and the caller has the store's handle borrowed. The store
/// comes as a pointer because host functions use it too while machine code runs.
#[inline]
pub(crate) fn call<R>(
    store: NonNull<Store>,
    func: &FuncEntity,
    args: impl FnOnce(&mut Store, (&[ValType], &[ValType]), &mut [u128]) -> Result<(), Error>,
    results: impl FnOnce(&Store, &[ValType], &[u128]) -> R,
) -> Result<R, Error> {
    // SAFETY: the caller has the namespace borrowed; this borrow ends here.
    if unsafe { store.as_ref() }.has_spans() {
        return in_span(func.code(), || call_at::<OnThread, R>(store, func, args, results));
    }
    call_at::<OnThread, R>(store, func, args, results)
}

/// As [`call`], without a span.
#[inline]
pub(in crate::vm) fn call_at<P: Place, R>(
    store: NonNull<Store>,
    func: &FuncEntity,
    args: impl FnOnce(&mut Store, (&[ValType], &[ValType]), &mut [u128]) -> Result<(), Error>,
    results: impl FnOnce(&Store, &[ValType], &[u128]) -> R,
) -> Result<R, Error> {
    // A store that has been entered is not cleared: the type lives until the results are read, also
    // when the call closes the store.
    let activation = Entered::<P>::activation(store, sys::stack_pointer());
    let mut entered = Entered::<P>::enter(&activation, store, func.context())?;
    let ty = func.ty();
    let (params, result_types) = (ty.ty.params(), ty.ty.results());
    let len = params.len().max(result_types.len());
    let (mut few, mut more, mut many);
    let values: &mut [u128] = if len <= FEW {
        few = [0; FEW];
        &mut few[..len]
    } else if len <= MORE {
        more = [0; MORE];
        &mut more[..len]
    } else {
        many = vec![0; len];
        &mut many
    };
    args(entered.store(), (params, result_types), &mut values[..params.len()])?;
    match func {
        FuncEntity::Wasm(func) => {
            assert!(!func.array_entry.is_null(), "a function that can be reached has entry thunks");
            // SAFETY: invariant **code**: the entry thunk is that of the function's type, and
            // `values` holds its arguments and has room for its results.
            let trapped = unsafe {
                let entry: ArrayEntry = std::mem::transmute(func.array_entry);
                entry(func.ctx.as_ptr(), values.as_mut_ptr(), func.code)
            };
            if trapped != 0 {
                return Err(cause(entered, func.ctx));
            }
        }
        FuncEntity::Host(func) => {
            // SAFETY: invariant **store**: the definition, the state and the store live.
            let result = unsafe { func.def().call(store, func.env, values) };
            match result {
                Err(error) if P::WAITS => return Err(host_cause(entered, error)),
                result => result?,
            }
        }
    }
    let values = &mut values[..result_types.len()];
    if entered.is_last_of_closed() {
        forget_funcs(result_types, values);
    }
    Ok(results(entered.store(), result_types, values))
}

/// Makes results null that refer to functions: these are gone when the call returns.
#[cold]
fn forget_funcs(types: &[ValType], values: &mut [u128]) {
    for (value, _) in values.iter_mut().zip(types).filter(|(_, ty)| **ty == ValType::FuncRef) {
        *value = 0;
    }
}

/// Calls a function of type `P -> R` that has a typed entry thunk. The store is as in [`call`].
#[inline]
pub(crate) fn typed<P: WasmParams, R: WasmResults>(
    store: NonNull<Store>,
    func: &WasmFunc,
    params: P,
) -> Result<R, Error> {
    // SAFETY: as in `call`.
    if unsafe { store.as_ref() }.has_spans() {
        return in_span(Some(func.code), || typed_at::<OnThread, P, R>(store, func, params));
    }
    typed_at::<OnThread, P, R>(store, func, params)
}

/// As [`typed`], without a span.
#[inline]
pub(in crate::vm) fn typed_at<L: Place, P: WasmParams, R: WasmResults>(
    store: NonNull<Store>,
    func: &WasmFunc,
    params: P,
) -> Result<R, Error> {
    let activation = Entered::<L>::activation(store, sys::stack_pointer());
    let entered = Entered::<L>::enter(&activation, store, Some(func.ctx))?;
    debug_assert!(func.ty.ty.params() == P::TYPES && func.ty.ty.results() == R::TYPES);
    // SAFETY: invariant **code**: the entry thunk is that of the function's type, which was
    // compared with `P` and `R` when the typed handle was made.
    let result = unsafe { params.invoke(func.typed_entry, func.ctx.as_ptr(), func.code) };
    if result.trapped == 0 { Ok(R::from_bits(result.bits)) } else { Err(cause(entered, func.ctx)) }
}

/// Calls in a span.
#[cold]
fn in_span<R>(code: Option<*const u8>, call: impl FnOnce() -> R) -> R {
    let _span = span(code).entered();
    call()
}

/// A span of a call with the function's names. `code` is its machine code, if it has any.
#[cold]
pub(crate) fn span(code: Option<*const u8>) -> Span {
    let frame = code.and_then(|code| backtrace::frame(code as usize, true));
    let frame = frame.as_ref();
    let module = frame.and_then(|frame| frame.module.as_deref());
    let name = frame.and_then(|frame| frame.func_name.as_deref());
    let index = frame.map(|frame| frame.func_index);
    tracing::trace_span!("call", module, name, index)
}

/// The reason why a host function that may have waited did not return.
///
/// Not inlined, as [`cause`].
#[cold]
#[inline(never)]
fn host_cause<P: Place>(mut entered: Entered<'_, P>, error: Error) -> Error {
    match error.trap() {
        Some(trap) if trap.code() == TrapCode::Interrupted => {
            entered.store().interrupted(trap.clone(), None)
        }
        _ => error,
    }
}

/// The reason why a call into the instance with the context `callee` did not return. The panic of a
/// host function continues here.
///
/// Not inlined: it reads thread-locals after the call, see [`Place`].
#[cold]
#[inline(never)]
fn cause<P: Place>(mut entered: Entered<'_, P>, callee: Context) -> Error {
    match thread::take_cause() {
        Cause::Trap => {
            let store = entered.store();
            match store.describe_trap() {
                trap if trap.code() == TrapCode::Interrupted => {
                    store.interrupted(trap, Some(callee))
                }
                trap if trap.code() == TrapCode::OutOfFuel => {
                    store.exhaust_fuel();
                    trap.into()
                }
                trap => trap.into(),
            }
        }
        Cause::Error(error) => error,
        Cause::Panic(payload) => {
            drop(entered);
            resume_unwind(payload)
        }
    }
}
