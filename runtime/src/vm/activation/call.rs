//! Calls of functions by the host.

use crate::error::Error;
use crate::vm::activation::thread::{self, Cause};
use crate::vm::activation::typed::{WasmParams, WasmResults};
use crate::vm::entity::{FuncEntity, WasmFunc};
use crate::vm::store::{Entered, Store};
use crate::vm::sys;
use std::panic::resume_unwind;
use std::ptr::NonNull;

/// The result of a typed entry thunk.
#[repr(C)]
pub(crate) struct EntryResult {
    /// Nonzero when the call ended by a trap, or by an error or panic of a host function.
    trapped: u64,
    /// The result's bits.
    pub(crate) bits: u64,
}

type ArrayEntry = unsafe extern "C" fn(*mut u8, *mut u128, *const u8) -> u64;

/// Calls a function. `args` are the bits of its arguments, with the number and the types that it
/// takes; `results` has the length of its results.
///
/// The store is that of the function, and the caller has the store's handle borrowed. The store
/// comes as a pointer because host functions use it too while machine code runs.
pub(crate) fn call(
    store: NonNull<Store>,
    func: FuncEntity,
    args: &[u128],
    results: &mut [u128],
) -> Result<(), Error> {
    match func {
        FuncEntity::Wasm(func) => {
            let mut values = [0u128; 16];
            let len = args.len().max(results.len());
            if let Some(values) = values.get_mut(..len) {
                values[..args.len()].copy_from_slice(args);
                call_array(store, &func, values)?;
                results.copy_from_slice(&values[..results.len()]);
            } else {
                let mut values = args.to_vec();
                values.resize(len, 0);
                call_array(store, &func, &mut values)?;
                results.copy_from_slice(&values[..results.len()]);
            }
            Ok(())
        }
        FuncEntity::Host(func) => {
            let _entered = Entered::enter(store, sys::stack_pointer())?;
            // SAFETY: invariant **store**: the definition, the state and the store live.
            unsafe { func.def().call(store, func.env, args, results) }
        }
    }
}

fn call_array(store: NonNull<Store>, func: &WasmFunc, values: &mut [u128]) -> Result<(), Error> {
    let entered = Entered::enter(store, sys::stack_pointer())?;
    assert!(!func.array_entry.is_null(), "a function that can be reached has entry thunks");
    // SAFETY: invariant **code**: the entry thunk is that of the function's type, and `values`
    // holds its arguments and has room for its results.
    let trapped = unsafe {
        let entry: ArrayEntry = std::mem::transmute(func.array_entry);
        entry(func.ctx.as_ptr(), values.as_mut_ptr(), func.code)
    };
    if trapped == 0 { Ok(()) } else { Err(cause(entered)) }
}

/// Calls a function of type `P -> R` that has a typed entry thunk. The store is as in [`call`].
#[inline]
pub(crate) fn typed<P: WasmParams, R: WasmResults>(
    store: NonNull<Store>,
    func: &WasmFunc,
    params: P,
) -> Result<R, Error> {
    let entered = Entered::enter(store, sys::stack_pointer())?;
    debug_assert!(func.ty.ty.params() == P::TYPES && func.ty.ty.results() == R::TYPES);
    // SAFETY: invariant **code**: the entry thunk is that of the function's type, which was
    // compared with `P` and `R` when the typed handle was made.
    let result = unsafe { params.invoke(func.typed_entry, func.ctx.as_ptr(), func.code) };
    if result.trapped == 0 { Ok(R::from_bits(result.bits)) } else { Err(cause(entered)) }
}

/// The reason why a call did not return. The panic of a host function continues here.
#[cold]
fn cause(mut entered: Entered) -> Error {
    match thread::take_cause() {
        Cause::Trap => entered.store().describe_trap().into(),
        Cause::Error(error) => error,
        Cause::Panic(payload) => {
            drop(entered);
            resume_unwind(payload)
        }
    }
}
