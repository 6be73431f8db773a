//! Host functions: Rust closures that machine code can call.
//!
//! Every closure type gets a shim of its own by monomorphisation: a C function with the
//! signature of [`precast_abi::entry`]'s host thunks, which calls the closure directly. A closure
//! without captures has no data, so its shim is given the module's state in place of an
//! environment and makes the closure out of nothing.

use crate::error::{Error, HostError, Stop};
use crate::host::Caller;
use crate::value::Value;
use crate::vm::activation::thread::Cause;
use crate::vm::activation::unwind;
use crate::vm::instance::context::{Context, FuncSlot, HostRecord};
use crate::vm::memory;
use crate::vm::store::Store;
use crate::vm::types::{OwnedTypes, TypeRef};
use precast_abi::vmctx;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

/// A call from the host, with values as machine code holds them.
pub(super) type HostCall = unsafe fn(
    *const HostFuncDef,
    NonNull<Store>,
    *const (),
    &[u128],
    &mut [u128],
) -> Result<(), Error>;

/// A closure as a host function.
pub(crate) struct HostFuncDef {
    /// Its one type.
    types: OwnedTypes,
    /// The shim, in the convention of a host thunk's callee.
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

/// What the shim of a closure with captures is given.
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

    /// A closure whose signature is known at run time only.
    pub(crate) fn dynamic<T, F>(types: OwnedTypes, closure: F) -> Self
    where
        T: Send + 'static,
        F: Fn(&mut Caller<'_, T>, &[Value], &mut [Value]) -> Result<(), HostError>,
        F: Send + Sync + 'static,
    {
        HostFuncDef {
            types,
            code: dynamic_shim::<T, F> as *const (),
            direct: None,
            call: dynamic_call::<T, F>,
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

    /// Calls the closure from the host.
    ///
    /// # Safety
    ///
    /// `env` is the environment the function has in `store`; the values fit its type.
    pub(super) unsafe fn call(
        &self,
        store: NonNull<Store>,
        env: *const (),
        args: &[u128],
        results: &mut [u128],
    ) -> Result<(), Error> {
        // SAFETY: by the contract.
        unsafe { (self.call)(self, store, env, args, results) }
    }

    fn closure<F: 'static>(&self) -> &F {
        self.closure.downcast_ref().expect("a shim gets its own closure")
    }
}

/// What a host function reaches of its caller and its own state.
///
/// Invariant: made for one call of a host function, with pointers of one live store that the
/// call is inside of; the [`Caller`] around it is borrowed mutably by whoever uses it.
pub(crate) struct Reach<T> {
    store: NonNull<Store>,
    /// The calling instance's context, or null.
    ctx: *mut u8,
    state: *mut T,
    /// The stack pointer at which machine code called, if it did.
    exit_sp: Option<usize>,
}

impl<T> Reach<T> {
    /// For a call through the slot.
    ///
    /// # Safety
    ///
    /// The slot is that of a live context or host record, and `state` that of the function.
    #[inline]
    unsafe fn of_slot(slot: *const FuncSlot, state: *mut T, exit_sp: usize) -> Self {
        // SAFETY: by the contract: a slot with an importer is its, one without is the first
        // field of a host record.
        unsafe {
            let ctx = (*slot).importer;
            let store = if ctx.is_null() {
                (*slot.cast::<HostRecord>()).store
            } else {
                Context::from_raw(ctx).read(vmctx::STORE)
            };
            Reach { store, ctx, state, exit_sp: Some(exit_sp) }
        }
    }

    /// For a call by the host.
    ///
    /// # Safety
    ///
    /// `state` is that of the function in the store, which the call is inside of.
    unsafe fn of_host(store: NonNull<Store>, state: *mut T) -> Self {
        Reach { store, ctx: std::ptr::null_mut(), state, exit_sp: None }
    }

    /// The namespace the call is inside of.
    #[inline]
    pub(crate) fn namespace(&mut self) -> &mut crate::Namespace {
        if let Some(sp) = self.exit_sp {
            self.store().left_guest_at(sp);
        }
        // SAFETY: invariant of the type. The outer call has the namespace borrowed until it
        // returns, and lends it to the host function it waits for. It has no bytes, so that the
        // two borrows have none in common, and no size, so that no other can be put in its place.
        unsafe { &mut *crate::vm::store::namespace_at(self.store.as_ptr()) }
    }

    /// The store's identity.
    pub(crate) fn store_id(&self) -> u64 {
        // SAFETY: invariant of the type.
        unsafe { self.store.as_ref().id() }
    }

    /// The store.
    fn store(&mut self) -> &mut Store {
        // SAFETY: invariant of the type; invariant **owner**.
        unsafe { self.store.as_mut() }
    }

    #[inline]
    pub(crate) fn state(&mut self) -> &mut T {
        // SAFETY: the state lives as long as the host instance; whoever is given this borrow
        // must let go of it before the namespace can be used to come back to the state.
        unsafe { &mut *self.state }
    }

    #[inline]
    pub(crate) fn memory_and_state(&mut self) -> (Option<&mut [u8]>, &mut T) {
        // SAFETY: the field is null or the definition of a live memory; machine code waits, and
        // this borrow excludes other uses through the namespace. Memory and state are distinct.
        unsafe {
            let memory = (!self.ctx.is_null()).then(|| {
                let def = Context::from_raw(self.ctx)
                    .read::<*mut crate::vm::instance::context::MemoryDef>(vmctx::EXPORTED_MEMORY);
                (!def.is_null()).then(|| memory::bytes_of(def))
            });
            (memory.flatten(), &mut *self.state)
        }
    }

    pub(crate) fn instance(&self) -> Option<u32> {
        if self.ctx.is_null() {
            return None;
        }
        // SAFETY: a context that is not null is that of a live instance.
        Some(unsafe { crate::vm::instance::of(Context::from_raw(self.ctx)).index })
    }
}

/// Where a host function leaves machine code from.
#[derive(Clone, Copy)]
pub(super) struct Exit {
    /// The stack pointer, or another address in the innermost frame.
    sp: usize,
    /// The frame pointer of the innermost frame of machine code.
    fp: usize,
    /// Where in that frame's function the call returns to, when no thunk is in between.
    pc: Option<usize>,
}

impl Exit {
    /// The exit of a call through a host thunk, whose frame is `fp`.
    fn of_thunk(fp: *const u8) -> Self {
        Exit { sp: fp as usize, fp: fp as usize, pc: None }
    }

    /// The exit of a call without a thunk. To be read before the host function runs, as the next
    /// call through the slot overwrites it.
    ///
    /// # Safety
    ///
    /// The slot is the one that machine code just called through, without a thunk.
    #[inline]
    unsafe fn of_slot(slot: *const FuncSlot) -> Self {
        // SAFETY: by the contract: the stack pointer was that of a function just entered, with
        // the return address on top.
        unsafe {
            let sp = (*slot).exit_sp;
            Exit { sp, fp: (*slot).exit_fp, pc: Some(*(sp as *const usize)) }
        }
    }
}

/// Stops the machine code that called a host function.
///
/// # Safety
///
/// The exit is that of the call, and the shim owns nothing any more.
#[cold]
unsafe fn stop(Exit { fp, pc, .. }: Exit, failure: Failure) -> ! {
    // SAFETY: by the contract; invariant **frames**.
    unsafe {
        match failure {
            Failure::Stop(HostError(Stop::Trap(code))) => unwind::leave_with_trap(fp, pc, code),
            Failure::Stop(HostError(Stop::Error(error))) => unwind::leave(fp, Cause::Error(error)),
            Failure::Panic(payload) => unwind::leave(fp, Cause::Panic(payload)),
        }
    }
}

/// How a host function failed.
enum Failure {
    Stop(HostError),
    Panic(Box<dyn Any + Send>),
}

/// Runs a closure, its panic caught.
#[inline]
fn run<R>(f: impl FnOnce() -> Result<R, HostError>) -> Result<R, Failure> {
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(Failure::Stop(error)),
        Err(payload) => Err(Failure::Panic(payload)),
    }
}

unsafe extern "C" fn dynamic_shim<T, F>(fp: *const u8, slot: *const FuncSlot, values: *mut u128)
where
    T: Send + 'static,
    F: Fn(&mut Caller<'_, T>, &[Value], &mut [Value]) -> Result<(), HostError>,
    F: Send + Sync + 'static,
{
    let outcome = run(|| {
        // SAFETY: machine code calls the shim with its slot, whose environment is this
        // function's, and with as many values as the type has arguments or results.
        unsafe {
            let env = (*slot).env.cast::<Env>();
            let def = &*(*env).def;
            let reach = Reach::of_slot(slot, (*env).state.cast::<T>(), fp as usize);
            let ty = &def.ty().ty;
            let len = ty.params().len().max(ty.results().len());
            let values = std::slice::from_raw_parts_mut(values, len);
            dynamic_body::<T, F>(def, reach, values)
        }
    });
    if let Err(failure) = outcome {
        // SAFETY: the closure's values are dropped.
        unsafe { stop(Exit::of_thunk(fp), failure) }
    }
}

/// Calls a dynamic closure with `values` as arguments, and leaves its results there.
fn dynamic_body<T, F>(
    def: &HostFuncDef,
    reach: Reach<T>,
    values: &mut [u128],
) -> Result<(), HostError>
where
    T: Send + 'static,
    F: Fn(&mut Caller<'_, T>, &[Value], &mut [Value]) -> Result<(), HostError>,
    F: Send + Sync + 'static,
{
    let ty = def.ty();
    let ty = &ty.ty;
    let mut caller = Caller::new(reach);
    let store = caller.reach().store();
    let args = ty.params().iter().zip(values.iter());
    let args: Vec<Value> = args.map(|(&ty, &raw)| store.lift(ty, raw)).collect();
    let mut results: Vec<Value> = ty.results().iter().map(|&ty| Value::default(ty)).collect();
    def.closure::<F>()(&mut caller, &args, &mut results)?;
    for (i, (&ty, result)) in ty.results().iter().zip(results).enumerate() {
        if result.ty() != ty {
            let found = result.ty();
            return Err(Error::mismatch(format!("a host function gave {found} for {ty}")).into());
        }
        values[i] = caller.reach().store().lower(result)?;
    }
    Ok(())
}

unsafe fn dynamic_call<T, F>(
    def: *const HostFuncDef,
    store: NonNull<Store>,
    env: *const (),
    args: &[u128],
    results: &mut [u128],
) -> Result<(), Error>
where
    T: Send + 'static,
    F: Fn(&mut Caller<'_, T>, &[Value], &mut [Value]) -> Result<(), HostError>,
    F: Send + Sync + 'static,
{
    let mut values = args.to_vec();
    values.resize(args.len().max(results.len()), 0);
    // SAFETY: by the contract of `HostFuncDef::call`, definition and environment belong together.
    unsafe {
        let state = (*env.cast::<Env>()).state.cast::<T>();
        let reach = Reach::of_host(store, state);
        dynamic_body::<T, F>(&*def, reach, &mut values)?;
    }
    results.copy_from_slice(&values[..results.len()]);
    Ok(())
}

mod instance;
pub(crate) mod typed;

pub(crate) use instance::{HostFuncs, HostInstance};
