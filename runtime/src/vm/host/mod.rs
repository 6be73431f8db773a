//! Host functions: Rust closures that machine code can call.
//!
//! Every closure type gets a shim of its own by monomorphisation: a C function with the
//! signature of [`precast_abi::entry`]'s host thunks, which calls the closure directly. The shim of
//! a closure with captures finds it through the function's environment. A closure without captures
//! has no data, so its shim takes the module's state in place of an environment.

mod dynamic;
mod exit;
mod instance;
mod invocation;
mod states;
pub(crate) mod typed;
#[cfg(feature = "async")]
pub(crate) mod waits;

use super::store::Store;
use super::types::{OwnedTypes, TypeRef};
use crate::error::{Error, HostError};
use precast_abi::types::FuncType;
use std::any::Any;
use std::ptr::NonNull;

pub(crate) use instance::{HostFuncs, HostInstance};
pub(crate) use invocation::Invocation;
pub(crate) use states::{CheckSnapshot, States, TypedStates};

/// The function that calls a closure from the host. The values are the bits of its arguments, as many
/// as the larger of arguments and results, and then those of its results.
pub(super) type HostCall =
    unsafe fn(*const HostFuncDef, NonNull<Store>, *const (), &mut [u128]) -> Result<(), Error>;

/// A closure as a host function.
pub(crate) struct HostFuncDef {
    /// Its one type.
    types: OwnedTypes,
    /// The shim that a host thunk calls.
    code: *const (),
    /// The shim that machine code can call without a thunk, if there is one.
    direct: Option<*const u8>,
    call: HostCall,
    dynamic: bool,
    /// Whether the shim takes the state alone.
    stateful_only: bool,
    closure: Box<dyn Any + Send + Sync>,
}

// SAFETY: the closure is `Send + Sync`; the rest is addresses of functions.
unsafe impl Send for HostFuncDef {}
// SAFETY: as above.
unsafe impl Sync for HostFuncDef {}

/// The environment of a closure with captures, which its shim takes.
#[repr(C)]
struct Env {
    def: *const HostFuncDef,
    state: *mut (),
}

impl HostFuncDef {
    /// A closure whose signature is known at compile time.
    pub(crate) fn typed<F: Any + Send + Sync>(
        types: OwnedTypes,
        code: *const (),
        direct: Option<*const u8>,
        call: HostCall,
        closure: F,
    ) -> Self {
        let stateful_only = size_of::<F>() == 0;
        HostFuncDef {
            types,
            code,
            direct,
            call,
            dynamic: false,
            stateful_only,
            closure: Box::new(closure),
        }
    }

    /// A closure whose signature is known at run time only. It is called with its type and the
    /// bits of its arguments, as many as the larger of arguments and results, and leaves the bits
    /// of its results there.
    pub(crate) fn dynamic<T, F>(types: OwnedTypes, closure: F) -> Self
    where
        T: Send + 'static,
        F: for<'a> Fn(Invocation<'a, T>, &FuncType, &mut [u128]) -> Result<(), HostError>,
        F: Send + Sync + 'static,
    {
        HostFuncDef {
            types,
            code: dynamic::shim::<T, F> as *const (),
            direct: None,
            call: dynamic::call::<T, F>,
            dynamic: true,
            stateful_only: false,
            closure: Box::new(closure),
        }
    }

    pub(crate) fn ty(&self) -> TypeRef {
        self.types.get(0)
    }

    pub(super) fn is_dynamic(&self) -> bool {
        self.dynamic
    }

    pub(super) fn direct(&self) -> Option<*const u8> {
        self.direct
    }

    pub(super) fn code(&self) -> *const () {
        self.code
    }

    /// Calls the closure from the host. `values` holds the bits of its arguments, has room for its
    /// results, and holds those afterwards.
    ///
    /// # Safety
    ///
    /// `env` is the environment the function has in `store`; the values fit its type.
    pub(super) unsafe fn call(
        &self,
        store: NonNull<Store>,
        env: *const (),
        values: &mut [u128],
    ) -> Result<(), Error> {
        // SAFETY: by the contract.
        unsafe { (self.call)(self, store, env, values) }
    }

    fn closure<F: 'static>(&self) -> &F {
        self.closure.downcast_ref().expect("a shim gets its own closure")
    }
}
