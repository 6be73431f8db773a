//! Arithmetic and shifts that keep the width of their lanes.

use super::super::FuncTranslator;
use super::{binary, emit2, pop2, unary};
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use wasmparser::Operator;

pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator::*;
    match *op {
        I8x16Abs => unary(t, I8X16, Opcode::Iabs),
        I8x16Neg => unary(t, I8X16, Opcode::Ineg),
        I8x16Popcnt => unary(t, I8X16, Opcode::Popcnt),
        I8x16Shl => shift(t, I8X16, Opcode::Ishl),
        I8x16ShrS => shift(t, I8X16, Opcode::Sshr),
        I8x16ShrU => shift(t, I8X16, Opcode::Ushr),
        I8x16Add => binary(t, I8X16, Opcode::Iadd),
        I8x16AddSatS => binary(t, I8X16, Opcode::SaddSat),
        I8x16AddSatU => binary(t, I8X16, Opcode::UaddSat),
        I8x16Sub => binary(t, I8X16, Opcode::Isub),
        I8x16SubSatS => binary(t, I8X16, Opcode::SsubSat),
        I8x16SubSatU => binary(t, I8X16, Opcode::UsubSat),
        I8x16MinS => binary(t, I8X16, Opcode::Smin),
        I8x16MinU => binary(t, I8X16, Opcode::Umin),
        I8x16MaxS => binary(t, I8X16, Opcode::Smax),
        I8x16MaxU => binary(t, I8X16, Opcode::Umax),
        I8x16AvgrU => binary(t, I8X16, Opcode::AvgRound),

        I16x8Abs => unary(t, I16X8, Opcode::Iabs),
        I16x8Neg => unary(t, I16X8, Opcode::Ineg),
        I16x8Shl => shift(t, I16X8, Opcode::Ishl),
        I16x8ShrS => shift(t, I16X8, Opcode::Sshr),
        I16x8ShrU => shift(t, I16X8, Opcode::Ushr),
        I16x8Add => binary(t, I16X8, Opcode::Iadd),
        I16x8AddSatS => binary(t, I16X8, Opcode::SaddSat),
        I16x8AddSatU => binary(t, I16X8, Opcode::UaddSat),
        I16x8Sub => binary(t, I16X8, Opcode::Isub),
        I16x8SubSatS => binary(t, I16X8, Opcode::SsubSat),
        I16x8SubSatU => binary(t, I16X8, Opcode::UsubSat),
        I16x8Mul => binary(t, I16X8, Opcode::Imul),
        I16x8MinS => binary(t, I16X8, Opcode::Smin),
        I16x8MinU => binary(t, I16X8, Opcode::Umin),
        I16x8MaxS => binary(t, I16X8, Opcode::Smax),
        I16x8MaxU => binary(t, I16X8, Opcode::Umax),
        I16x8AvgrU => binary(t, I16X8, Opcode::AvgRound),
        I16x8Q15MulrSatS => binary(t, I16X8, Opcode::SqmulRoundSat),

        I32x4Abs => unary(t, I32X4, Opcode::Iabs),
        I32x4Neg => unary(t, I32X4, Opcode::Ineg),
        I32x4Shl => shift(t, I32X4, Opcode::Ishl),
        I32x4ShrS => shift(t, I32X4, Opcode::Sshr),
        I32x4ShrU => shift(t, I32X4, Opcode::Ushr),
        I32x4Add => binary(t, I32X4, Opcode::Iadd),
        I32x4Sub => binary(t, I32X4, Opcode::Isub),
        I32x4Mul => binary(t, I32X4, Opcode::Imul),
        I32x4MinS => binary(t, I32X4, Opcode::Smin),
        I32x4MinU => binary(t, I32X4, Opcode::Umin),
        I32x4MaxS => binary(t, I32X4, Opcode::Smax),
        I32x4MaxU => binary(t, I32X4, Opcode::Umax),

        I64x2Abs => unary(t, I64X2, Opcode::Iabs),
        I64x2Neg => unary(t, I64X2, Opcode::Ineg),
        I64x2Shl => shift(t, I64X2, Opcode::Ishl),
        I64x2ShrS => shift(t, I64X2, Opcode::Sshr),
        I64x2ShrU => shift(t, I64X2, Opcode::Ushr),
        I64x2Add => binary(t, I64X2, Opcode::Iadd),
        I64x2Sub => binary(t, I64X2, Opcode::Isub),
        I64x2Mul => binary(t, I64X2, Opcode::Imul),

        F32x4Abs => unary(t, F32X4, Opcode::Fabs),
        F32x4Neg => unary(t, F32X4, Opcode::Fneg),
        F32x4Sqrt => unary(t, F32X4, Opcode::Sqrt),
        F32x4Ceil => unary(t, F32X4, Opcode::Ceil),
        F32x4Floor => unary(t, F32X4, Opcode::Floor),
        F32x4Trunc => unary(t, F32X4, Opcode::Trunc),
        F32x4Nearest => unary(t, F32X4, Opcode::Nearest),
        F32x4Add => binary(t, F32X4, Opcode::Fadd),
        F32x4Sub => binary(t, F32X4, Opcode::Fsub),
        F32x4Mul => binary(t, F32X4, Opcode::Fmul),
        F32x4Div => binary(t, F32X4, Opcode::Fdiv),
        F32x4Min => binary(t, F32X4, Opcode::Fmin),
        F32x4Max => binary(t, F32X4, Opcode::Fmax),
        F32x4PMin => pmin(t, F32X4),
        F32x4PMax => pmax(t, F32X4),

        F64x2Abs => unary(t, F64X2, Opcode::Fabs),
        F64x2Neg => unary(t, F64X2, Opcode::Fneg),
        F64x2Sqrt => unary(t, F64X2, Opcode::Sqrt),
        F64x2Ceil => unary(t, F64X2, Opcode::Ceil),
        F64x2Floor => unary(t, F64X2, Opcode::Floor),
        F64x2Trunc => unary(t, F64X2, Opcode::Trunc),
        F64x2Nearest => unary(t, F64X2, Opcode::Nearest),
        F64x2Add => binary(t, F64X2, Opcode::Fadd),
        F64x2Sub => binary(t, F64X2, Opcode::Fsub),
        F64x2Mul => binary(t, F64X2, Opcode::Fmul),
        F64x2Div => binary(t, F64X2, Opcode::Fdiv),
        F64x2Min => binary(t, F64X2, Opcode::Fmin),
        F64x2Max => binary(t, F64X2, Opcode::Fmax),
        F64x2PMin => pmin(t, F64X2),
        F64x2PMax => pmax(t, F64X2),

        _ => return false,
    }
    true
}

/// Shifts all lanes by an i32, of which CLIF, like WebAssembly, takes the low bits that count.
fn shift(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    let count = t.pop();
    let vector = t.pop_v128(ty);
    let result = emit2(t, ty, opcode, vector, count);
    t.push_v128(result);
}

/// `b < a ? b : a`: not the minimum of IEEE 754, but what C programs write.
fn pmin(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let (a, b) = pop2(t, ty);
    let result = select_less(t, ty, [b, a], b, a);
    t.push_v128(result);
}

/// `a < b ? b : a`.
fn pmax(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let (a, b) = pop2(t, ty);
    let result = select_less(t, ty, [a, b], b, a);
    t.push_v128(result);
}

/// `x < y ? then : other`. In exactly this form x86-64 has it in one `minps` or `maxps`.
fn select_less(
    t: &mut FuncTranslator<'_, '_>,
    ty: Type,
    [x, y]: [Value; 2],
    then: Value,
    other: Value,
) -> Value {
    let less = t.builder.ins().fcmp(FloatCC::LessThan, x, y);
    let mask = t.bitcast_v128(ty, less);
    t.builder.ins().bitselect(mask, then, other)
}
