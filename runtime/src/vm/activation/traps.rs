//! Faults of machine code become traps.

use super::thread::{self, RawTrap};
use super::{interrupt, unwind};
use crate::vm::code::registry;
use crate::vm::memory;
use crate::vm::sys::{self, Fault, StoppedThread};
use precast_abi::trap::TrapCode;

/// Installs the process's fault handlers, once.
pub(super) fn install() {
    sys::install_handlers(on_fault);
}

/// Makes a fault a trap if the instruction is one of an artifact's that can trap and the address is
/// one that machine code can be led to. Any other fault is a bug of the process and stays a crash.
fn on_fault(fault: Fault, stopped: &mut StoppedThread<'_>) -> bool {
    let at = stopped.registers();
    let code = registry::lookup(at.pc, |code, offset| {
        let code = code.trap(offset, fault);
        match fault {
            Fault::Memory(address) if memory::contains(address) => code,
            // A prologue has no entry in the trap table, but any stack access may overflow.
            Fault::Memory(address) => {
                thread::is_stack_overflow(address).then_some(TrapCode::StackOverflow)
            }
            _ => code,
        }
    });
    let Some(Some(mut code)) = code else { return false };
    if code == TrapCode::StackOverflow && interrupt::has_made_it_fail() {
        code = TrapCode::Interrupted;
    }
    let trap = RawTrap::new(code, stopped.general_registers());
    // SAFETY: invariant **frames**: the fault is in machine code. In a prologue `fp` may still be
    // the caller's; then the backtrace lacks one frame.
    match unsafe { unwind::trap(trap, Some(at.pc), at.fp) } {
        Some(target) => {
            stopped.go_on_at(target);
            true
        }
        None => false,
    }
}
