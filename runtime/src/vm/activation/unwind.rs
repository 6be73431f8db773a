//! Walking frames of machine code, and leaving them.
//!
//! Machine code keeps frame pointers, so that a frame chain leads from anywhere in it to the
//! entry thunk that was called from Rust. The entry thunk's call is recognised by its return
//! address, and where to go on from it is data of the artifact: nothing is stored on the way in.

use crate::vm::activation::thread::{self, Cause, RAW_FRAMES, RawTrap};
use crate::vm::code::registry;
use crate::vm::sys::{self, GENERAL_REGISTERS, Registers};
use precast_abi::trap::TrapCode;

/// Walks from the frame at `fp` to the entry thunk, calling `visit` with each return address
/// into machine code; gives where to go on in the thunk.
///
/// # Safety
///
/// Invariant **frames** holds from `fp` up to an entry thunk, or the first frame returns into
/// code that is not ours.
unsafe fn walk(mut fp: usize, mut visit: impl FnMut(usize)) -> Option<Registers> {
    loop {
        // SAFETY: `fp` is the first frame or was read from a frame that returns into our code.
        let (ret, caller_fp) = unsafe { sys::frame(fp) };
        // Not our code: `None`. Our code, no handler: `Some(None)`.
        let target = registry::lookup(ret, |code, offset| {
            code.handler(offset).map(|handler| Registers {
                pc: ret - offset as usize + handler.handler as usize,
                sp: caller_fp - handler.frame as usize,
                fp: caller_fp,
            })
        })?;
        if target.is_some() {
            return target;
        }
        visit(ret);
        fp = caller_fp;
    }
}

/// Records a trap whose innermost program counter is `pc` in the frame at `fp`, and gives where the
/// thread must go on. Callable in signal handlers.
///
/// # Safety
///
/// As [`walk`].
pub(super) unsafe fn trap(mut trap: RawTrap, pc: Option<usize>, fp: usize) -> Option<Registers> {
    let mut push = |pc| {
        if trap.len < RAW_FRAMES {
            trap.frames[trap.len] = pc;
            trap.len += 1;
        }
    };
    pc.into_iter().for_each(&mut push);
    // SAFETY: by the contract.
    let target = unsafe { walk(fp, push) }?;
    thread::set_raw_trap(&trap);
    Some(target)
}

/// Leaves WebAssembly from a host function. `fp` is the innermost frame of machine code: the host
/// thunk's, or without a thunk the caller's.
///
/// # Safety
///
/// Invariant **frames** holds from `fp` to the entry thunk, and the frames of the host function
/// below own nothing any more.
pub(in crate::vm) unsafe fn leave(fp: usize, cause: Cause) -> ! {
    thread::set_cause(cause);
    // SAFETY: by the contract.
    match unsafe { walk(fp, |_| ()) } {
        // SAFETY: by the contract, and `walk` gave a live entry thunk's handler.
        Some(target) => unsafe { sys::resume(target) },
        // A host thunk is only ever reached through an entry thunk.
        None => std::process::abort(),
    }
}

/// Leaves WebAssembly from a host function with a trap. `pc` is where in the frame's function
/// the call returns to, when no thunk is in between.
///
/// # Safety
///
/// As [`leave`].
pub(in crate::vm) unsafe fn leave_with_trap(fp: usize, pc: Option<usize>, code: TrapCode) -> ! {
    // SAFETY: by the contract.
    match unsafe { trap(RawTrap::new(code, [0; GENERAL_REGISTERS]), pc, fp) } {
        // SAFETY: by the contract, and `trap` gave a live entry thunk's handler.
        Some(target) => unsafe { sys::resume(target) },
        None => std::process::abort(),
    }
}
