//! x86-64: frames, registers of a stopped thread, and leaving through a handler.

use super::Registers;
use libc::ucontext_t;

/// Reads the return address and the caller's frame pointer of the frame at `fp`.
///
/// ```text
///   fp + 8   return address
///   fp       caller's fp
/// ```
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
    let regs = &context.uc_mcontext.gregs;
    Registers {
        pc: regs[libc::REG_RIP as usize] as usize,
        sp: regs[libc::REG_RSP as usize] as usize,
        fp: regs[libc::REG_RBP as usize] as usize,
    }
}

/// Makes a stopped thread go on at `to`, once the signal handler returns.
pub(in crate::vm) fn set_registers(context: &mut ucontext_t, to: Registers) {
    let regs = &mut context.uc_mcontext.gregs;
    regs[libc::REG_RIP as usize] = to.pc as i64;
    regs[libc::REG_RSP as usize] = to.sp as i64;
    regs[libc::REG_RBP as usize] = to.fp as i64;
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
            "mov rsp, {sp}",
            "mov rbp, {fp}",
            "jmp {pc}",
            sp = in(reg) to.sp,
            fp = in(reg) to.fp,
            pc = in(reg) to.pc,
            options(noreturn),
        )
    }
}

/// Makes freshly written code visible to instruction fetch: nothing to do on x86-64.
pub(in crate::vm) fn sync_instructions(_code: &[u8]) {}
