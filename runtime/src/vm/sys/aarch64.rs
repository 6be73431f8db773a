//! AArch64: frames, registers of a stopped thread, and leaving through a handler.

use super::Registers;
use libc::ucontext_t;

/// Whether machine code can call C functions without a thunk: not here, where the `tail`
/// convention preserves other registers than C.
pub(in crate::vm) const DIRECT_CALLS: bool = false;
/// Most integer arguments of such a function, besides its slot.
pub(in crate::vm) const DIRECT_INTEGERS: usize = 0;
/// Most float arguments of such a function.
pub(in crate::vm) const DIRECT_FLOATS: usize = 0;

/// The body of a naked function that is never called.
macro_rules! direct_entry {
    ($inner:path) => {
        core::arch::naked_asm!("brk #0 // {inner}", inner = sym $inner)
    };
}
pub(in crate::vm) use direct_entry;

/// Reads the return address and the caller's frame pointer of the frame at `fp`: the pair
/// `x29, x30` that a prologue stores.
///
/// # Safety
///
/// `fp` is the frame pointer of a live frame of machine code that preserves frame pointers.
pub(in crate::vm) unsafe fn frame(fp: usize) -> (usize, usize) {
    let fp = fp as *const usize;
    // SAFETY: by the contract both words belong to the frame.
    unsafe { (fp.add(1).read(), fp.read()) }
}

/// The registers of a thread a signal stopped.
pub(in crate::vm) fn registers(context: &ucontext_t) -> Registers {
    let regs = &context.uc_mcontext;
    Registers { pc: regs.pc as usize, sp: regs.sp as usize, fp: regs.regs[29] as usize }
}

/// Makes a stopped thread go on at `to`, once the signal handler returns.
pub(in crate::vm) fn set_registers(context: &mut ucontext_t, to: Registers) {
    let regs = &mut context.uc_mcontext;
    regs.pc = to.pc as u64;
    regs.sp = to.sp as u64;
    regs.regs[29] = to.fp as u64;
}

/// Leaves all frames below `to` and goes on there.
///
/// # Safety
///
/// `to` is the handler of a live entry thunk frame, and no frame in between owns anything.
pub(in crate::vm) unsafe fn resume(to: Registers) -> ! {
    // SAFETY: the handler expects no register but these two; by the contract its frame is live.
    unsafe {
        core::arch::asm!(
            "mov sp, {sp}",
            "mov x29, {fp}",
            "br {pc}",
            sp = in(reg) to.sp,
            fp = in(reg) to.fp,
            pc = in(reg) to.pc,
            options(noreturn),
        )
    }
}

/// Makes freshly written code visible to instruction fetch.
pub(in crate::vm) fn sync_instructions(code: &[u8]) {
    const LINE: usize = 4;
    let (start, end) = (code.as_ptr() as usize & !(LINE - 1), code.as_ptr() as usize + code.len());
    for at in (start..end).step_by(64) {
        // SAFETY: cache maintenance on mapped addresses has no effect on memory's contents.
        unsafe { core::arch::asm!("dc cvau, {0}", "ic ivau, {0}", in(reg) at) }
    }
    // SAFETY: barriers.
    unsafe { core::arch::asm!("dsb ish", "isb") }
}
