//! Turning faults of machine code into traps.

use crate::vm::activation::thread;
use crate::vm::activation::unwind;
use crate::vm::code::registry::{self, Fault};
use crate::vm::memory::reservation;
use crate::vm::sys;
use precast_abi::trap::TrapCode;

/// Installs the process's fault handlers, once.
pub(in crate::vm) fn install() {
    sys::install_handlers(on_fault);
}

/// Decides whether a fault is a trap: by the instruction, which must be one of ours that can
/// trap, and by the address, which must be one that our code can be led to. Everything else is
/// somebody's bug and stays a crash.
fn on_fault(signal: libc::c_int, address: usize, context: &mut libc::ucontext_t) -> bool {
    let at = sys::registers(context);
    let fault = match signal {
        libc::SIGSEGV | libc::SIGBUS => Fault::Memory(address),
        libc::SIGFPE => Fault::Arithmetic,
        _ => Fault::Instruction,
    };
    let code = registry::lookup(at.pc, |code, offset| {
        let code = code.trap(offset, fault);
        match fault {
            Fault::Memory(address) if reservation::is_guest_memory(address) => code,
            // A prologue has no entry in the trap table, but any stack access may overflow.
            Fault::Memory(address) => {
                thread::is_stack_overflow(address).then_some(TrapCode::StackOverflow)
            }
            _ => code,
        }
    });
    let Some(Some(code)) = code else { return false };
    // SAFETY: the fault is in machine code that keeps frame pointers. In a prologue `fp` may
    // still be the caller's, which leaves out one frame of the backtrace and no more.
    match unsafe { unwind::trap(code, Some(at.pc), at.fp) } {
        Some(target) => {
            sys::set_registers(context, target);
            true
        }
        None => false,
    }
}
