//! Unwinding: walking the frames of machine code, and leaving them.
//!
//! Machine code keeps frame pointers, so that a chain of frames leads from each of its functions to
//! the entry thunk that Rust called. The call in the entry thunk is recognised by its return address,
//! and the artifact holds the address of its handler: an entry thunk stores nothing for a trap.

use crate::vm::activation::thread::{self, Cause, RAW_FRAMES, RawTrap};
use crate::vm::code::registry;
use crate::vm::sys::{self, GENERAL_REGISTERS, Registers};
use precast_abi::trap::TrapCode;
use std::ops::Range;

/// Walks from the frame at `fp` to the entry thunk, and calls `visit` with each return address into
/// machine code. Gives the thunk's handler with the registers that it expects; none if a frame that
/// it needs is not within `frames`.
///
/// # Safety
///
/// Invariant **frames** holds from `fp` up to an entry thunk, or the first frame returns into
/// other code than machine code. With bounds it is enough that they lie in the thread's stack.
unsafe fn walk(
    mut fp: usize,
    frames: &Range<usize>,
    mut visit: impl FnMut(usize),
) -> Option<Registers> {
    let is_frame = |fp: usize| {
        let end = frames.end.checked_sub(2 * size_of::<usize>());
        fp >= frames.start && fp.is_multiple_of(align_of::<usize>()) && Some(fp) <= end
    };
    loop {
        if !is_frame(fp) {
            return None;
        }
        // SAFETY: `fp` is the first frame or was read from a frame that returns into machine code.
        let (ret, caller_fp) = unsafe { sys::frame(fp) };
        // Other code: `None`. Machine code without a handler: `Some(None)`.
        let target = registry::lookup(ret, |code, offset| {
            code.handler(offset).map(|handler| Registers {
                pc: ret - offset as usize + handler.handler as usize,
                sp: caller_fp - handler.frame as usize,
                fp: caller_fp,
            })
        })?;
        if target.is_some() {
            return target.filter(|_| is_frame(caller_fp));
        }
        visit(ret);
        // Frames lie one above the other.
        if caller_fp <= fp {
            return None;
        }
        fp = caller_fp;
    }
}

/// All frames: where a trap happens, the frames are those of machine code.
const ANYWHERE: Range<usize> = 0..usize::MAX;

/// Records a trap at the program counter `pc`, if there is one, in the frame at `fp`. Gives the
/// handler at which the thread must go on. Callable in signal handlers.
///
/// # Safety
///
/// As [`walk`] without bounds.
pub(super) unsafe fn trap(trap: RawTrap, pc: Option<usize>, fp: usize) -> Option<Registers> {
    // SAFETY: by the contract.
    unsafe { record(trap, pc, fp, ANYWHERE) }
}

/// As [`trap`], at any instruction of machine code. `frames` are the addresses of the stack between
/// the stack pointer and that of the function that called machine code. None at the few instructions of an entry thunk, or of a
/// function that it calls, at which the thunk's frame cannot be found: there the frame pointer is
/// still or again that of the host or of an outer activation.
///
/// # Safety
///
/// The addresses lie in the stack of this thread.
pub(super) unsafe fn trap_within(
    trap: RawTrap,
    pc: usize,
    fp: usize,
    frames: Range<usize>,
) -> Option<Registers> {
    // SAFETY: by the contract.
    unsafe { record(trap, Some(pc), fp, frames) }
}

/// Records a trap, and gives the handler at which the thread must go on.
///
/// # Safety
///
/// As [`walk`].
unsafe fn record(
    mut trap: RawTrap,
    pc: Option<usize>,
    fp: usize,
    frames: Range<usize>,
) -> Option<Registers> {
    let mut push = |pc| {
        if trap.len < RAW_FRAMES {
            trap.frames[trap.len] = pc;
            trap.len += 1;
        }
    };
    pc.into_iter().for_each(&mut push);
    // SAFETY: by the contract.
    let target = unsafe { walk(fp, &frames, push) }?;
    thread::set_raw_trap(&trap);
    Some(target)
}

/// Leaves WebAssembly from a host function. `fp` is the innermost frame of machine code: the host
/// thunk's, or without a thunk the caller's.
///
/// # Safety
///
/// Invariant **frames** holds from `fp` to the entry thunk, and the frames of the host function
/// own nothing any more.
pub(in crate::vm) unsafe fn leave(fp: usize, cause: Cause) -> ! {
    thread::set_cause(cause);
    // SAFETY: by the contract.
    match unsafe { walk(fp, &ANYWHERE, |_| ()) } {
        // SAFETY: by the contract, and `walk` gave a live entry thunk's handler.
        Some(target) => unsafe { sys::resume(target) },
        // Only an entry thunk leads to a host thunk.
        None => std::process::abort(),
    }
}

/// Leaves WebAssembly from a host function with a trap. `pc` is the return address of the call in
/// the frame's function, when no thunk is in between.
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
