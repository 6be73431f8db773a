//! Leaving machine code from a host function that fails or panics.

use crate::error::{HostError, Stop};
use crate::vm::activation::thread::{self, Cause};
use crate::vm::activation::unwind;
use crate::vm::host::Invocation;
use crate::vm::instance::context::FuncSlot;
use precast_abi::trap::TrapCode;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The frame of machine code that called a host function, which is left when the function fails.
#[derive(Clone, Copy)]
pub(super) struct Exit {
    /// The stack pointer, or another address in the innermost frame.
    pub(super) sp: usize,
    /// The frame pointer of the innermost frame of machine code.
    fp: usize,
    /// The return address of the call in that frame's function, when no thunk is in between.
    pc: Option<usize>,
}

impl Exit {
    /// The exit of a call through a host thunk, whose frame is `fp`.
    pub(super) fn of_thunk(fp: *const u8) -> Self {
        Exit { sp: fp as usize, fp: fp as usize, pc: None }
    }

    /// The exit of a call without a thunk. It must be read before the host function runs: the
    /// next call through the slot overwrites it.
    ///
    /// # Safety
    ///
    /// The slot is the one that machine code just called through, without a thunk.
    #[inline]
    pub(super) unsafe fn of_slot(slot: *const FuncSlot) -> Self {
        // Machine code has just written both fields, each by a store of its own. A load of both at
        // once, to which the compiler joins two plain loads, would have to wait until the stores have
        // reached the cache: 3.4 ns.
        // SAFETY: by the contract: the stack pointer was that of a function just entered, with
        // the return address on top.
        unsafe {
            let sp = (&raw const (*slot).exit_sp).read_volatile();
            let fp = (&raw const (*slot).exit_fp).read_volatile();
            Exit { sp, fp, pc: Some(*(sp as *const usize)) }
        }
    }
}

/// Stops the machine code that called a host function.
///
/// # Safety
///
/// The exit is that of the call, and the shim owns nothing any more.
//
// Not inlined: it uses thread-locals, and the call may have begun on another thread.
#[cold]
#[inline(never)]
pub(super) unsafe fn stop(Exit { fp, pc, .. }: Exit, failure: Failure) -> ! {
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
pub(super) enum Failure {
    Stop(HostError),
    Panic(Box<dyn Any + Send>),
}

/// Runs a closure, its panic caught, for machine code that called through a slot. If the caller has to
/// stop when the closure returns, that is a failure. `waits` says that the closure may return on another
/// thread.
///
/// # Safety
///
/// The slot is the one that machine code called through.
#[inline]
pub(super) unsafe fn run<R>(
    slot: *const FuncSlot,
    waits: bool,
    f: impl FnOnce() -> Result<R, HostError>,
) -> Result<R, Failure> {
    match catch_unwind(AssertUnwindSafe(f)) {
        // SAFETY: by the contract.
        Ok(Ok(_)) if is_interrupted(waits) && unsafe { stops_on_return(slot) } => {
            Err(Failure::Stop(HostError::trap(TrapCode::Interrupted)))
        }
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(Failure::Stop(error)),
        Err(payload) => Err(Failure::Panic(payload)),
    }
}

/// Whether the thread must ask.
#[inline(always)]
fn is_interrupted(waits: bool) -> bool {
    #[cfg(feature = "async")]
    if waits {
        return thread::is_interrupted_anew();
    }
    debug_assert!(!waits, "nothing waits without the feature");
    thread::is_interrupted()
}

/// Whether the caller of a host function has to stop now that the function returns.
///
/// # Safety
///
/// The slot is the one that machine code called through.
#[cold]
#[inline(never)]
unsafe fn stops_on_return(slot: *const FuncSlot) -> bool {
    // SAFETY: by the contract; a function that does not use its state may have any.
    let mut call = unsafe { Invocation::<()>::of_slot(slot, std::ptr::null_mut(), 0) };
    let caller = call.caller();
    call.store().stops_on_return(caller)
}
