//! Numeric operators: constants, comparisons, arithmetic and conversions of i32, i64, f32 and f64.
//!
//! CLIF has the semantics of WebAssembly almost everywhere: shift and rotate counts are taken
//! modulo the width, `srem` of the least integer by -1 is 0, `fmin`, `fmax` and `nearest` follow
//! the specification, and division and `fcvt_to_*int` trap as it requires. So nearly every operator
//! is one opcode.

use super::{FuncTranslator, emit1, emit2};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Opcode, Type, Value};

/// `i32.const`.
pub(super) fn i32_const(t: &mut FuncTranslator<'_, '_>, value: i32) {
    // CLIF keeps constants narrower than 64 bits zero-extended.
    let value = t.builder.ins().iconst(I32, i64::from(value.cast_unsigned()));
    t.push(value);
}

/// `i64.const`.
pub(super) fn i64_const(t: &mut FuncTranslator<'_, '_>, value: i64) {
    let value = t.builder.ins().iconst(I64, value);
    t.push(value);
}

/// `f32.const`.
pub(super) fn f32_const(t: &mut FuncTranslator<'_, '_>, value: wasmparser::Ieee32) {
    let value = t.builder.ins().f32const(Ieee32::with_bits(value.bits()));
    t.push(value);
}

/// `f64.const`.
pub(super) fn f64_const(t: &mut FuncTranslator<'_, '_>, value: wasmparser::Ieee64) {
    let value = t.builder.ins().f64const(Ieee64::with_bits(value.bits()));
    t.push(value);
}

/// Whether the operand is zero.
pub(super) fn eqz(t: &mut FuncTranslator<'_, '_>) {
    let x = t.pop();
    let zero = t.builder.ins().icmp_imm_u(IntCC::Equal, x, 0);
    push_bool(t, zero);
}

/// One operand, and a result of its type.
pub(super) fn unary(t: &mut FuncTranslator<'_, '_>, opcode: Opcode) {
    let x = t.pop();
    let ty = t.builder.func.dfg.value_type(x);
    let result = emit1(t, ty, opcode, x);
    t.push(result);
}

/// Two operands of one type, and a result of that type.
pub(super) fn binary(t: &mut FuncTranslator<'_, '_>, opcode: Opcode) {
    let (a, b) = t.pop2();
    let ty = t.builder.func.dfg.value_type(a);
    let result = emit2(t, ty, opcode, a, b);
    t.push(result);
}

/// One operand, and a result of the type `to`.
pub(super) fn convert(t: &mut FuncTranslator<'_, '_>, to: Type, opcode: Opcode) {
    let x = t.pop();
    let result = emit1(t, to, opcode, x);
    t.push(result);
}

/// Extends the sign of an operand's low bits, as wide as `from`, to the whole of `to`.
pub(super) fn sign_extend(t: &mut FuncTranslator<'_, '_>, from: Type, to: Type) {
    let x = t.pop();
    let low = t.builder.ins().ireduce(from, x);
    let result = t.builder.ins().sextend(to, low);
    t.push(result);
}

/// The bits of an operand as another type of the same width.
pub(super) fn reinterpret(t: &mut FuncTranslator<'_, '_>, to: Type) {
    let x = t.pop();
    let result = t.builder.ins().bitcast(to, MemFlagsData::new(), x);
    t.push(result);
}

/// Compares two integers.
pub(super) fn icmp(t: &mut FuncTranslator<'_, '_>, cond: IntCC) {
    let (a, b) = t.pop2();
    let result = t.builder.ins().icmp(cond, a, b);
    push_bool(t, result);
}

/// Compares two floats.
pub(super) fn fcmp(t: &mut FuncTranslator<'_, '_>, cond: FloatCC) {
    let (a, b) = t.pop2();
    let result = t.builder.ins().fcmp(cond, a, b);
    push_bool(t, result);
}

/// Pushes the i8 truth value of CLIF as the i32 of WebAssembly.
pub(super) fn push_bool(t: &mut FuncTranslator<'_, '_>, value: Value) {
    let value = t.builder.ins().uextend(I32, value);
    t.push(value);
}
