//! The operators of fixed-width SIMD.
//!
//! A vector on the operand stack is an i8x16. An operator bitcasts it to the lanes that it needs,
//! which costs nothing, since all vectors are in the same registers. So most operators are one
//! opcode and a lane type.

pub(super) mod arith;
pub(super) mod compare;
pub(super) mod lanes;
pub(super) mod memory;
pub(super) mod widths;

use super::{FuncTranslator, emit1, emit2};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};

/// One operand of type `ty`; the opcode decides the lanes of the result.
pub(super) fn unary(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    convert(t, ty, ty, opcode);
}

/// Two operands of type `ty`; the opcode decides the lanes of the result.
pub(super) fn binary(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    let (a, b) = pop2(t, ty);
    let result = emit2(t, ty, opcode, a, b);
    t.push_v128(result);
}

/// One operand of type `from`, and a result of type `to`.
pub(super) fn convert(t: &mut FuncTranslator<'_, '_>, from: Type, to: Type, opcode: Opcode) {
    let x = t.pop_v128(from);
    let result = emit1(t, to, opcode, x);
    t.push_v128(result);
}

/// Pops two vectors of `ty`, in the order they were pushed.
fn pop2(t: &mut FuncTranslator<'_, '_>, ty: Type) -> (Value, Value) {
    let b = t.pop_v128(ty);
    let a = t.pop_v128(ty);
    (a, b)
}

fn vconst(t: &mut FuncTranslator<'_, '_>, ty: Type, bytes: &[u8; 16]) -> Value {
    let bytes = t.builder.func.dfg.constants.insert(bytes.as_slice().into());
    t.builder.ins().vconst(ty, bytes)
}
