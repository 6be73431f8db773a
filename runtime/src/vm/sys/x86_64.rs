//! x86-64: frames, registers of a stopped thread, and leaving through a handler.

use super::Registers;
use libc::ucontext_t;
use std::arch::is_x86_feature_detected;

/// Whether machine code can call C functions without a thunk. It can, as long as all arguments are
/// in registers: the `tail` convention passes and preserves the same registers as C.
pub(in crate::vm) const DIRECT_CALLS: bool = true;
/// Most integer arguments of such a function, besides its slot.
pub(in crate::vm) const DIRECT_INTEGERS: usize = 5;
/// Most float arguments of such a function.
pub(in crate::vm) const DIRECT_FLOATS: usize = 8;

/// The body of a naked function that machine code calls with a function slot as its context. It
/// stores the stack and frame pointers in the slot, and jumps to `$inner` with all arguments in
/// place. With too little stack left it jumps to the host thunk, which traps for the same reason.
macro_rules! direct_entry {
    ($inner:path) => {
        core::arch::naked_asm!(
            "mov r11, [rdi + {importer}]",
            "mov r10, [r11 + {store}]",
            "cmp rsp, [r10 + {limit}]",
            "jb 2f",
            "mov [rdi + {sp}], rsp",
            "mov [rdi + {fp}], rbp",
            "jmp {inner}",
            "2:",
            "jmp [rdi + {thunk}]",
            importer = const precast_abi::vmctx::FuncSlot::IMPORTER,
            store = const precast_abi::vmctx::STORE,
            limit = const precast_abi::store_context::STACK_LIMIT,
            sp = const precast_abi::vmctx::FuncSlot::EXIT_SP,
            fp = const precast_abi::vmctx::FuncSlot::EXIT_FP,
            thunk = const precast_abi::vmctx::FuncSlot::THUNK,
            inner = sym $inner,
        )
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
        core::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags))
    };
    sp
}

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
pub(super) fn registers(context: &ucontext_t) -> Registers {
    let regs = &context.uc_mcontext.gregs;
    Registers {
        pc: regs[libc::REG_RIP as usize] as usize,
        sp: regs[libc::REG_RSP as usize] as usize,
        fp: regs[libc::REG_RBP as usize] as usize,
    }
}

/// Number of general registers.
pub(in crate::vm) const GENERAL_REGISTERS: usize = 16;

/// All general registers of a thread a signal stopped.
pub(super) fn general_registers(context: &ucontext_t) -> [usize; GENERAL_REGISTERS] {
    // The kernel gives r8 to r15, then the other eight.
    const _: () = assert!(libc::REG_R8 == 0 && libc::REG_RSP as usize == GENERAL_REGISTERS - 1);
    let regs = &context.uc_mcontext.gregs;
    std::array::from_fn(|i| regs[i] as usize)
}

/// Makes a stopped thread go on at `to`, once the signal handler returns.
pub(super) fn set_registers(context: &mut ucontext_t, to: Registers) {
    let regs = &mut context.uc_mcontext.gregs;
    regs[libc::REG_RIP as usize] = to.pc as i64;
    regs[libc::REG_RSP as usize] = to.sp as i64;
    regs[libc::REG_RBP as usize] = to.fp as i64;
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

/// Makes code that was just made executable safe to run on every thread. There is nothing to do:
/// instruction caches are coherent.
pub(in crate::vm) fn publish_code() {}

features! {
    // Every x86-64 CPU has it since 2006; the standard library does not detect it.
    "cmpxchg16b" => true,
    "sse3" => is_x86_feature_detected!("sse3"),
    "ssse3" => is_x86_feature_detected!("ssse3"),
    "sse4.1" => is_x86_feature_detected!("sse4.1"),
    "sse4.2" => is_x86_feature_detected!("sse4.2"),
    "popcnt" => is_x86_feature_detected!("popcnt"),
    "avx" => is_x86_feature_detected!("avx"),
    "avx2" => is_x86_feature_detected!("avx2"),
    "bmi1" => is_x86_feature_detected!("bmi1"),
    "bmi2" => is_x86_feature_detected!("bmi2"),
    "lzcnt" => is_x86_feature_detected!("lzcnt"),
    "fma" => is_x86_feature_detected!("fma"),
    "avx512bitalg" => is_x86_feature_detected!("avx512bitalg"),
    "avx512dq" => is_x86_feature_detected!("avx512dq"),
    "avx512vl" => is_x86_feature_detected!("avx512vl"),
    "avx512vbmi" => is_x86_feature_detected!("avx512vbmi"),
    "avx512f" => is_x86_feature_detected!("avx512f"),
    "avx512vnni" => is_x86_feature_detected!("avx512vnni"),
    "avxvnni" => is_x86_feature_detected!("avxvnni"),
}
