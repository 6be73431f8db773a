//! Shims of closures whose signature is known at run time only.

use super::exit::{Exit, run, stop};
use super::{Env, HostFuncDef, Invocation};
use crate::error::{Error, HostError};
use crate::vm::instance::context::FuncSlot;
use crate::vm::store::Store;
use precast_abi::types::FuncType;
use std::ptr::NonNull;

/// Called by a host thunk that passes an array.
pub(super) unsafe extern "C" fn shim<T, F>(fp: *const u8, slot: *const FuncSlot, values: *mut u128)
where
    T: Send + 'static,
    F: for<'a> Fn(Invocation<'a, T>, &FuncType, &mut [u128]) -> Result<(), HostError>,
    F: Send + Sync + 'static,
{
    let body = || {
        // SAFETY: machine code calls the shim with its slot, whose environment is this
        // function's, and with as many values as the type has arguments or results.
        unsafe {
            let env = (*slot).env.cast::<Env>();
            let def = &*(*env).def;
            let call = Invocation::of_slot(slot, (*env).state.cast::<T>(), fp as usize);
            let ty = &def.ty().ty;
            let len = ty.params().len().max(ty.results().len());
            let values = std::slice::from_raw_parts_mut(values, len);
            def.closure::<F>()(call, ty, values)
        }
    };
    // SAFETY: machine code calls the shim with its slot.
    let outcome = unsafe { run(slot, false, body) };
    if let Err(failure) = outcome {
        // SAFETY: the closure's values are dropped.
        unsafe { stop(Exit::of_thunk(fp), failure) }
    }
}

/// Called from the host.
pub(super) unsafe fn call<T, F>(
    def: *const HostFuncDef,
    store: NonNull<Store>,
    env: *const (),
    values: &mut [u128],
) -> Result<(), Error>
where
    T: Send + 'static,
    F: for<'a> Fn(Invocation<'a, T>, &FuncType, &mut [u128]) -> Result<(), HostError>,
    F: Send + Sync + 'static,
{
    // SAFETY: by the contract of `HostFuncDef::call`, definition and environment belong together.
    unsafe {
        let state = (*env.cast::<Env>()).state.cast::<T>();
        let def = &*def;
        Ok(def.closure::<F>()(Invocation::of_host(store, state), &def.ty().ty, values)?)
    }
}
