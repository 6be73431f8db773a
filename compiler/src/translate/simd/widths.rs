//! SIMD operators that change the width or kind of lanes: widening arithmetic and conversions.
//!
//! CLIF lacks some widening operators of WebAssembly. They become combinations of instructions that
//! both code generators match as one machine instruction.

use super::super::{FuncTranslator, emit1, emit2};
use super::{pop2, vconst};
use cranelift_codegen::ir::types::{F32X4, F64X2, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};

/// The product of two vectors' low or high halves, widened.
pub(in crate::translate) fn ext_mul(t: &mut FuncTranslator<'_, '_>, ty: Type, widen: Opcode) {
    let (a, b) = pop2(t, ty);
    let product = widened_product(t, ty, widen, a, b);
    t.push_v128(product);
}

fn widened_product(
    t: &mut FuncTranslator<'_, '_>,
    ty: Type,
    widen: Opcode,
    a: Value,
    b: Value,
) -> Value {
    let a = emit1(t, ty, widen, a);
    let b = emit1(t, ty, widen, b);
    t.builder.ins().imul(a, b)
}

/// The sums of neighbouring lanes, widened.
pub(in crate::translate) fn ext_add(
    t: &mut FuncTranslator<'_, '_>,
    ty: Type,
    widen_low: Opcode,
    widen_high: Opcode,
) {
    let x = t.pop_v128(ty);
    let low = emit1(t, ty, widen_low, x);
    let high = emit1(t, ty, widen_high, x);
    let result = t.builder.ins().iadd_pairwise(low, high);
    t.push_v128(result);
}

/// Two f64 to the two low lanes of i32, saturating twice: to 64 bits, then to 32. x86-64 has no
/// conversion of vectors to i64, and matches the pair as a whole.
pub(in crate::translate) fn trunc_zero(
    t: &mut FuncTranslator<'_, '_>,
    trunc: Opcode,
    narrow: Opcode,
) {
    let x = t.pop_v128(F64X2);
    let wide = emit1(t, I64X2, trunc, x);
    let zero = vconst(t, I64X2, &[0; 16]);
    let result = emit2(t, I64X2, narrow, wide, zero);
    t.push_v128(result);
}

/// The two low lanes of i32 to f64.
pub(in crate::translate) fn convert_low(
    t: &mut FuncTranslator<'_, '_>,
    widen: Opcode,
    from_int: Opcode,
) {
    let x = t.pop_v128(I32X4);
    let wide = emit1(t, I32X4, widen, x);
    let result = emit1(t, F64X2, from_int, wide);
    t.push_v128(result);
}

/// `i32x4.dot_i16x8_s`: the sums of neighbouring products.
pub(in crate::translate) fn dot(t: &mut FuncTranslator<'_, '_>) {
    let (a, b) = pop2(t, I16X8);
    let low = widened_product(t, I16X8, Opcode::SwidenLow, a, b);
    let high = widened_product(t, I16X8, Opcode::SwidenHigh, a, b);
    let result = t.builder.ins().iadd_pairwise(low, high);
    t.push_v128(result);
}

/// `f32x4.demote_f64x2_zero`.
pub(in crate::translate) fn demote(t: &mut FuncTranslator<'_, '_>) {
    let x = t.pop_v128(F64X2);
    let result = t.builder.ins().fvdemote(x);
    t.push_v128(result);
}

/// `f64x2.promote_low_f32x4`.
pub(in crate::translate) fn promote_low(t: &mut FuncTranslator<'_, '_>) {
    let x = t.pop_v128(F32X4);
    let result = t.builder.ins().fvpromote_low(x);
    t.push_v128(result);
}
