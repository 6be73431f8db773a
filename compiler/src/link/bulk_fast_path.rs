//! The fast path of `memory.copy` and `memory.fill`: the stub itself does short copies and fills of
//! memory 0, without a call of the runtime.
//!
//! Lengths are divided into classes. Each class is a fixed number of accesses of one width: half of
//! them start at the start of the run, and half end at its end, so the halves overlap for short
//! lengths:
//!
//! ```text
//! 32 to 64 bytes   |--16--|--16--|      ...
//!                        ...     |--16--|--16--|
//! ```
//!
//! A copy loads everything before it stores anything, so its runs may overlap.
//!
//! Each branch may be mispredicted, with any length. A long length would reach beyond the memory's
//! reservation. A length too short for its class would reach back before the start of the run, into
//! the context. So guarded code replaces a length that is too long by zero, and in each class
//! replaces a length that is too short by the shortest one. An index out of bounds stays within the
//! reservation.

use crate::spectre;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Type, Value, types};
use cranelift_frontend::FunctionBuilder;
use precast_abi::builtin::Builtin;
use precast_abi::vmctx;

/// Classes of lengths, longest first: the shortest length of the class, the width of its accesses,
/// and the number of accesses at each end. The accesses of the first class cover [`LONGEST`] bytes.
const CLASSES: [(i64, i32, i32); 6] =
    [(65, 16, 4), (33, 16, 2), (16, 16, 1), (8, 8, 1), (4, 4, 1), (2, 2, 1)];

/// The longest run of the fast path.
const LONGEST: i64 = 128;

const _: () = {
    let mut longest = LONGEST;
    let mut n = 0;
    while n < CLASSES.len() {
        let (shortest, width, at_each_end) = CLASSES[n];
        assert!(longest <= (2 * at_each_end * width) as i64, "bytes between the ends");
        assert!(shortest >= (at_each_end * width) as i64, "bytes outside the run");
        longest = shortest - 1;
        n += 1;
    }
    assert!(longest == 1, "one byte remains");
};

/// The operation on a run.
enum Work {
    /// Copy to the first address from the second.
    Copy(Value, Value),
    /// Fill the run at an address with a byte.
    Fill(Value, Value),
}

/// Emits the fast path of a builtin that has one. The current block afterwards is the slow path,
/// for other memories, long runs, and runs out of bounds. `guards` says whether the code has guards
/// against speculation.
pub(crate) fn emit(b: &mut FunctionBuilder<'_>, builtin: Builtin, params: &[Value], guards: bool) {
    // Indices and lengths are 32-bit numbers in 64-bit values, so no sum overflows.
    let ctx = params[0];
    let (memories, last, len) = match *params {
        [_, to_memory, from_memory, to, from, len] if builtin == Builtin::MemoryCopy => {
            (b.ins().bor(to_memory, from_memory), b.ins().umax(to, from), len)
        }
        [_, memory, to, _, len] if builtin == Builtin::MemoryFill => (memory, to, len),
        _ => return,
    };
    let slow = b.create_block();
    b.set_cold_block(slow);
    leave_if(b, memories, slow);
    let long = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, len, LONGEST);
    leave_if(b, long, slow);
    let size = b.ins().load(types::I64, MemFlagsData::trusted(), ctx, vmctx::MEMORY0_LEN);
    let end = b.ins().iadd(last, len);
    let outside = b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
    leave_if(b, outside, slow);
    let len = if guards { spectre::zero_if(b, long, len) } else { len };
    let base = b.ins().iadd_imm_s(ctx, i64::from(vmctx::MEMORY0_OFFSET));
    let work = match *params {
        [_, _, _, to, from, _] => Work::Copy(b.ins().iadd(base, to), b.ins().iadd(base, from)),
        _ => Work::Fill(b.ins().iadd(base, params[2]), b.ins().ireduce(types::I8, params[3])),
    };
    by_class(b, &work, len, guards);
    b.switch_to_block(slow);
}

/// Branches to `block` if `condition` is not zero.
fn leave_if(b: &mut FunctionBuilder<'_>, condition: Value, block: Block) {
    let next = b.create_block();
    b.ins().brif(condition, block, &[], next, &[]);
    b.switch_to_block(next);
}

/// Emits the work for a run in bounds of at most [`LONGEST`] bytes, and the return.
fn by_class(b: &mut FunctionBuilder<'_>, work: &Work, len: Value, guards: bool) {
    for (shortest, width, at_each_end) in CLASSES {
        let (class, shorter) = (b.create_block(), b.create_block());
        let here = b.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, len, shortest);
        b.ins().brif(here, class, &[], shorter, &[]);
        b.switch_to_block(class);
        let mut of_class = len;
        if guards {
            let least = b.ins().iconst(types::I64, shortest);
            of_class = spectre::guard(b, here, len, least);
        }
        run(b, work, of_class, width, at_each_end);
        b.ins().return_(&[]);
        b.switch_to_block(shorter);
    }
    let (one, none) = (b.create_block(), b.create_block());
    b.ins().brif(len, one, &[], none, &[]);
    b.switch_to_block(one);
    one_byte(b, work);
    b.ins().jump(none, &[]);
    b.switch_to_block(none);
    b.ins().return_(&[]);
}

/// Emits accesses of one width that cover a run.
fn run(b: &mut FunctionBuilder<'_>, work: &Work, len: Value, width: i32, at_each_end: i32) {
    let (flags, ty) = (MemFlagsData::new().with_notrap(), bytes(width as u32));
    let starts = || (0..at_each_end).map(move |n| n * width);
    let back = || (1..=at_each_end).map(move |n| -n * width);
    let (to, values) = match *work {
        Work::Copy(to, from) => {
            let from_end = b.ins().iadd(from, len);
            let mut values: Vec<Value> =
                starts().map(|at| b.ins().load(ty, flags, from, at)).collect();
            values.extend(back().map(|at| b.ins().load(ty, flags, from_end, at)));
            (to, values)
        }
        Work::Fill(to, byte) => {
            let value = repeat(b, byte, ty);
            (to, vec![value; 2 * at_each_end as usize])
        }
    };
    let to_end = b.ins().iadd(to, len);
    let places = starts().map(|at| (to, at)).chain(back().map(|at| (to_end, at)));
    for (value, (to, at)) in values.into_iter().zip(places) {
        b.ins().store(flags, value, to, at);
    }
}

fn one_byte(b: &mut FunctionBuilder<'_>, work: &Work) {
    let flags = MemFlagsData::new().with_notrap();
    let (to, byte) = match *work {
        Work::Copy(to, from) => (to, b.ins().load(types::I8, flags, from, 0)),
        Work::Fill(to, byte) => (to, byte),
    };
    b.ins().store(flags, byte, to, 0);
}

/// The type of an access of `width` bytes.
pub(crate) fn bytes(width: u32) -> Type {
    match width {
        1 => types::I8,
        2 => types::I16,
        4 => types::I32,
        8 => types::I64,
        _ => types::I8X16,
    }
}

/// A value of type `ty` in which every byte is `byte`.
pub(crate) fn repeat(b: &mut FunctionBuilder<'_>, byte: Value, ty: Type) -> Value {
    match ty {
        types::I8 => byte,
        types::I8X16 => b.ins().splat(ty, byte),
        ty => {
            let wide = b.ins().uextend(ty, byte);
            let ones = 0x0101_0101_0101_0101_u64 >> (64 - ty.bits());
            b.ins().imul_imm_u(wide, ones as i64)
        }
    }
}
