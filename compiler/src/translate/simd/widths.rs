//! Operators whose lanes change width or kind: widening and narrowing, widening arithmetic,
//! conversions.
//!
//! The widening operators of WebAssembly that CLIF lacks are spelled as the combinations of its own
//! that both code generators match as one instruction.

use super::super::FuncTranslator;
use super::{binary, convert, emit1, emit2, pop2, unary, vconst};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use wasmparser::Operator;

pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator::*;
    match *op {
        I8x16NarrowI16x8S => binary(t, I16X8, Opcode::Snarrow),
        I8x16NarrowI16x8U => binary(t, I16X8, Opcode::Unarrow),
        I16x8NarrowI32x4S => binary(t, I32X4, Opcode::Snarrow),
        I16x8NarrowI32x4U => binary(t, I32X4, Opcode::Unarrow),

        I16x8ExtendLowI8x16S => unary(t, I8X16, Opcode::SwidenLow),
        I16x8ExtendHighI8x16S => unary(t, I8X16, Opcode::SwidenHigh),
        I16x8ExtendLowI8x16U => unary(t, I8X16, Opcode::UwidenLow),
        I16x8ExtendHighI8x16U => unary(t, I8X16, Opcode::UwidenHigh),
        I32x4ExtendLowI16x8S => unary(t, I16X8, Opcode::SwidenLow),
        I32x4ExtendHighI16x8S => unary(t, I16X8, Opcode::SwidenHigh),
        I32x4ExtendLowI16x8U => unary(t, I16X8, Opcode::UwidenLow),
        I32x4ExtendHighI16x8U => unary(t, I16X8, Opcode::UwidenHigh),
        I64x2ExtendLowI32x4S => unary(t, I32X4, Opcode::SwidenLow),
        I64x2ExtendHighI32x4S => unary(t, I32X4, Opcode::SwidenHigh),
        I64x2ExtendLowI32x4U => unary(t, I32X4, Opcode::UwidenLow),
        I64x2ExtendHighI32x4U => unary(t, I32X4, Opcode::UwidenHigh),

        I16x8ExtMulLowI8x16S => ext_mul(t, I8X16, Opcode::SwidenLow),
        I16x8ExtMulHighI8x16S => ext_mul(t, I8X16, Opcode::SwidenHigh),
        I16x8ExtMulLowI8x16U => ext_mul(t, I8X16, Opcode::UwidenLow),
        I16x8ExtMulHighI8x16U => ext_mul(t, I8X16, Opcode::UwidenHigh),
        I32x4ExtMulLowI16x8S => ext_mul(t, I16X8, Opcode::SwidenLow),
        I32x4ExtMulHighI16x8S => ext_mul(t, I16X8, Opcode::SwidenHigh),
        I32x4ExtMulLowI16x8U => ext_mul(t, I16X8, Opcode::UwidenLow),
        I32x4ExtMulHighI16x8U => ext_mul(t, I16X8, Opcode::UwidenHigh),
        I64x2ExtMulLowI32x4S => ext_mul(t, I32X4, Opcode::SwidenLow),
        I64x2ExtMulHighI32x4S => ext_mul(t, I32X4, Opcode::SwidenHigh),
        I64x2ExtMulLowI32x4U => ext_mul(t, I32X4, Opcode::UwidenLow),
        I64x2ExtMulHighI32x4U => ext_mul(t, I32X4, Opcode::UwidenHigh),

        I16x8ExtAddPairwiseI8x16S => ext_add(t, I8X16, Opcode::SwidenLow, Opcode::SwidenHigh),
        I16x8ExtAddPairwiseI8x16U => ext_add(t, I8X16, Opcode::UwidenLow, Opcode::UwidenHigh),
        I32x4ExtAddPairwiseI16x8S => ext_add(t, I16X8, Opcode::SwidenLow, Opcode::SwidenHigh),
        I32x4ExtAddPairwiseI16x8U => ext_add(t, I16X8, Opcode::UwidenLow, Opcode::UwidenHigh),
        I32x4DotI16x8S => {
            let (a, b) = pop2(t, I16X8);
            let low = widened_product(t, I16X8, Opcode::SwidenLow, a, b);
            let high = widened_product(t, I16X8, Opcode::SwidenHigh, a, b);
            let result = t.builder.ins().iadd_pairwise(low, high);
            t.push_v128(result);
        }

        I32x4TruncSatF32x4S => convert(t, F32X4, I32X4, Opcode::FcvtToSintSat),
        I32x4TruncSatF32x4U => convert(t, F32X4, I32X4, Opcode::FcvtToUintSat),
        I32x4TruncSatF64x2SZero => trunc_zero(t, Opcode::FcvtToSintSat, Opcode::Snarrow),
        I32x4TruncSatF64x2UZero => trunc_zero(t, Opcode::FcvtToUintSat, Opcode::Uunarrow),
        F32x4ConvertI32x4S => convert(t, I32X4, F32X4, Opcode::FcvtFromSint),
        F32x4ConvertI32x4U => convert(t, I32X4, F32X4, Opcode::FcvtFromUint),
        F64x2ConvertLowI32x4S => convert_low(t, Opcode::SwidenLow, Opcode::FcvtFromSint),
        F64x2ConvertLowI32x4U => convert_low(t, Opcode::UwidenLow, Opcode::FcvtFromUint),
        F32x4DemoteF64x2Zero => {
            let x = t.pop_v128(F64X2);
            let result = t.builder.ins().fvdemote(x);
            t.push_v128(result);
        }
        F64x2PromoteLowF32x4 => {
            let x = t.pop_v128(F32X4);
            let result = t.builder.ins().fvpromote_low(x);
            t.push_v128(result);
        }

        _ => return false,
    }
    true
}

/// The product of two vectors' low or high halves, widened.
fn ext_mul(t: &mut FuncTranslator<'_, '_>, ty: Type, widen: Opcode) {
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
fn ext_add(t: &mut FuncTranslator<'_, '_>, ty: Type, widen_low: Opcode, widen_high: Opcode) {
    let x = t.pop_v128(ty);
    let low = emit1(t, ty, widen_low, x);
    let high = emit1(t, ty, widen_high, x);
    let result = t.builder.ins().iadd_pairwise(low, high);
    t.push_v128(result);
}

/// Two f64 to the two low lanes of i32, saturating twice: to 64 bits, then to 32. x86-64 has no
/// conversion of vectors to i64, and matches the pair as a whole.
fn trunc_zero(t: &mut FuncTranslator<'_, '_>, trunc: Opcode, narrow: Opcode) {
    let x = t.pop_v128(F64X2);
    let wide = emit1(t, I64X2, trunc, x);
    let zero = vconst(t, I64X2, &[0; 16]);
    let result = emit2(t, I64X2, narrow, wide, zero);
    t.push_v128(result);
}

/// The two low lanes of i32 to f64.
fn convert_low(t: &mut FuncTranslator<'_, '_>, widen: Opcode, from_int: Opcode) {
    let x = t.pop_v128(I32X4);
    let wide = emit1(t, I32X4, widen, x);
    let result = emit1(t, F64X2, from_int, wide);
    t.push_v128(result);
}
