//! AArch64: frames, registers of a stopped thread, and leaving through a handler.

use super::Registers;
use libc::ucontext_t;
use std::arch::is_aarch64_feature_detected;

/// Whether machine code can call C functions without a thunk. It cannot: the `tail` convention
/// preserves other registers than C.
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

/// The stack pointer of the calling function. It is read from the register, as a sanitizer may
/// keep variables on another stack.
#[inline(always)]
pub(in crate::vm) fn stack_pointer() -> usize {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe {
        core::arch::asm!("mov {}, sp", out(reg) sp, options(nomem, nostack, preserves_flags))
    };
    sp
}

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
pub(super) fn registers(context: &ucontext_t) -> Registers {
    let regs = &context.uc_mcontext;
    Registers { pc: regs.pc as usize, sp: regs.sp as usize, fp: regs.regs[29] as usize }
}

/// Number of general registers.
pub(in crate::vm) const GENERAL_REGISTERS: usize = 31;

/// All general registers of a thread a signal stopped.
pub(super) fn general_registers(context: &ucontext_t) -> [usize; GENERAL_REGISTERS] {
    context.uc_mcontext.regs.map(|register| register as usize)
}

/// Makes a stopped thread go on at `to`, once the signal handler returns.
pub(super) fn set_registers(context: &mut ucontext_t, to: Registers) {
    let regs = &mut context.uc_mcontext;
    regs.pc = to.pc as u64;
    regs.sp = to.sp as u64;
    regs.regs[29] = to.fp as u64;
}

/// Leaves all frames below `to` and goes on there.
///
/// Not inlined: at a call that does not return, AddressSanitizer forgets the frames that are left.
///
/// # Safety
///
/// `to` is the handler of a live entry thunk frame, and no frame in between owns anything.
#[inline(never)]
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

/// Makes code that was just made executable safe to run on every thread.
///
/// The kernel cleans and invalidates the caches for a page of a file when it maps it executable,
/// and nobody writes through our mapping. But other processors may have fetched older instructions
/// from the same addresses. They drop those at their next context synchronisation event, which this
/// function requests.
pub(in crate::vm) fn publish_code() {
    use rustix::thread::{MembarrierCommand, membarrier};
    let sync = || membarrier(MembarrierCommand::PrivateExpeditedSyncCore);
    let done = sync().or_else(|_| {
        // A process must register before its first barrier.
        membarrier(MembarrierCommand::RegisterPrivateExpeditedSyncCore)?;
        sync()
    });
    if let Err(error) = done.or_else(|_| membarrier(MembarrierCommand::Global)) {
        // With an old kernel or in a sandbox, processors synchronise at their next interrupt.
        tracing::debug!(%error, "no barrier for other processors' instructions");
    }
}

features! {
    "lse" => is_aarch64_feature_detected!("lse"),
    // The kernel has separate names for address and generic authentication; code uses the former.
    "pauth" => is_aarch64_feature_detected!("paca"),
    "fp16" => is_aarch64_feature_detected!("fp16"),
    "dotprod" => is_aarch64_feature_detected!("dotprod"),
    "i8mm" => is_aarch64_feature_detected!("i8mm"),
}
