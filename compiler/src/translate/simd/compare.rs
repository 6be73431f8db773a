//! Comparisons, and what is done with their masks: bitwise operators, tests, bit masks.

use super::super::FuncTranslator;
use super::super::numeric::push_bool;
use super::{binary, emit1, pop2, unary};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Type, Value};
use wasmparser::Operator;

pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator::*;
    match *op {
        I8x16Eq => icmp(t, I8X16, IntCC::Equal),
        I8x16Ne => icmp(t, I8X16, IntCC::NotEqual),
        I8x16LtS => icmp(t, I8X16, IntCC::SignedLessThan),
        I8x16LtU => icmp(t, I8X16, IntCC::UnsignedLessThan),
        I8x16GtS => icmp(t, I8X16, IntCC::SignedGreaterThan),
        I8x16GtU => icmp(t, I8X16, IntCC::UnsignedGreaterThan),
        I8x16LeS => icmp(t, I8X16, IntCC::SignedLessThanOrEqual),
        I8x16LeU => icmp(t, I8X16, IntCC::UnsignedLessThanOrEqual),
        I8x16GeS => icmp(t, I8X16, IntCC::SignedGreaterThanOrEqual),
        I8x16GeU => icmp(t, I8X16, IntCC::UnsignedGreaterThanOrEqual),

        I16x8Eq => icmp(t, I16X8, IntCC::Equal),
        I16x8Ne => icmp(t, I16X8, IntCC::NotEqual),
        I16x8LtS => icmp(t, I16X8, IntCC::SignedLessThan),
        I16x8LtU => icmp(t, I16X8, IntCC::UnsignedLessThan),
        I16x8GtS => icmp(t, I16X8, IntCC::SignedGreaterThan),
        I16x8GtU => icmp(t, I16X8, IntCC::UnsignedGreaterThan),
        I16x8LeS => icmp(t, I16X8, IntCC::SignedLessThanOrEqual),
        I16x8LeU => icmp(t, I16X8, IntCC::UnsignedLessThanOrEqual),
        I16x8GeS => icmp(t, I16X8, IntCC::SignedGreaterThanOrEqual),
        I16x8GeU => icmp(t, I16X8, IntCC::UnsignedGreaterThanOrEqual),

        I32x4Eq => icmp(t, I32X4, IntCC::Equal),
        I32x4Ne => icmp(t, I32X4, IntCC::NotEqual),
        I32x4LtS => icmp(t, I32X4, IntCC::SignedLessThan),
        I32x4LtU => icmp(t, I32X4, IntCC::UnsignedLessThan),
        I32x4GtS => icmp(t, I32X4, IntCC::SignedGreaterThan),
        I32x4GtU => icmp(t, I32X4, IntCC::UnsignedGreaterThan),
        I32x4LeS => icmp(t, I32X4, IntCC::SignedLessThanOrEqual),
        I32x4LeU => icmp(t, I32X4, IntCC::UnsignedLessThanOrEqual),
        I32x4GeS => icmp(t, I32X4, IntCC::SignedGreaterThanOrEqual),
        I32x4GeU => icmp(t, I32X4, IntCC::UnsignedGreaterThanOrEqual),

        I64x2Eq => icmp(t, I64X2, IntCC::Equal),
        I64x2Ne => icmp(t, I64X2, IntCC::NotEqual),
        I64x2LtS => icmp(t, I64X2, IntCC::SignedLessThan),
        I64x2GtS => icmp(t, I64X2, IntCC::SignedGreaterThan),
        I64x2LeS => icmp(t, I64X2, IntCC::SignedLessThanOrEqual),
        I64x2GeS => icmp(t, I64X2, IntCC::SignedGreaterThanOrEqual),

        F32x4Eq => fcmp(t, F32X4, FloatCC::Equal),
        F32x4Ne => fcmp(t, F32X4, FloatCC::NotEqual),
        F32x4Lt => fcmp(t, F32X4, FloatCC::LessThan),
        F32x4Gt => fcmp(t, F32X4, FloatCC::GreaterThan),
        F32x4Le => fcmp(t, F32X4, FloatCC::LessThanOrEqual),
        F32x4Ge => fcmp(t, F32X4, FloatCC::GreaterThanOrEqual),

        F64x2Eq => fcmp(t, F64X2, FloatCC::Equal),
        F64x2Ne => fcmp(t, F64X2, FloatCC::NotEqual),
        F64x2Lt => fcmp(t, F64X2, FloatCC::LessThan),
        F64x2Gt => fcmp(t, F64X2, FloatCC::GreaterThan),
        F64x2Le => fcmp(t, F64X2, FloatCC::LessThanOrEqual),
        F64x2Ge => fcmp(t, F64X2, FloatCC::GreaterThanOrEqual),

        V128Not => unary(t, I8X16, Opcode::Bnot),
        V128And => binary(t, I8X16, Opcode::Band),
        V128Or => binary(t, I8X16, Opcode::Bor),
        V128Xor => binary(t, I8X16, Opcode::Bxor),
        V128AndNot => {
            let (a, b) = pop2(t, I8X16);
            let result = t.builder.ins().band_not(a, b);
            t.push_v128(result);
        }
        V128Bitselect => bitselect(t),

        V128AnyTrue => truth(t, I8X16, Opcode::VanyTrue),
        I8x16AllTrue => truth(t, I8X16, Opcode::VallTrue),
        I16x8AllTrue => truth(t, I16X8, Opcode::VallTrue),
        I32x4AllTrue => truth(t, I32X4, Opcode::VallTrue),
        I64x2AllTrue => truth(t, I64X2, Opcode::VallTrue),

        I8x16Bitmask => bitmask(t, I8X16),
        I16x8Bitmask => bitmask(t, I16X8),
        I32x4Bitmask => bitmask(t, I32X4),
        I64x2Bitmask => bitmask(t, I64X2),

        _ => return false,
    }
    true
}

fn icmp(t: &mut FuncTranslator<'_, '_>, ty: Type, cond: IntCC) {
    let (a, b) = pop2(t, ty);
    let mask = t.builder.ins().icmp(cond, a, b);
    t.push_v128(mask);
}

fn fcmp(t: &mut FuncTranslator<'_, '_>, ty: Type, cond: FloatCC) {
    let (a, b) = pop2(t, ty);
    let mask = t.builder.ins().fcmp(cond, a, b);
    t.push_v128(mask);
}

/// Selects in the lanes the mask was compared in. Which lanes do not matter to the result, but
/// where the comparison is in sight of the code generator, it blends or takes a minimum or maximum
/// instead of masking both sides.
fn bitselect(t: &mut FuncTranslator<'_, '_>) {
    let (a, b, mask) = t.pop3();
    let (ty, mask) = comparison(t, mask).unwrap_or((I8X16, mask));
    let [mask, a, b] = [mask, a, b].map(|value| t.bitcast_v128(ty, value));
    let result = t.builder.ins().bitselect(mask, a, b);
    t.push_v128(result);
}

/// The comparison that made `mask`, which may have been bitcast since, and the lanes it compared.
fn comparison(t: &FuncTranslator<'_, '_>, mask: Value) -> Option<(Type, Value)> {
    let dfg = &t.builder.func.dfg;
    let def = |value| dfg.value_def(value).inst().map(|inst| dfg.insts[inst]);
    let mask = match def(mask)? {
        InstructionData::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. } => arg,
        _ => mask,
    };
    match def(mask)? {
        InstructionData::IntCompare { args, .. } | InstructionData::FloatCompare { args, .. } => {
            Some((dfg.value_type(args[0]), mask))
        }
        _ => None,
    }
}

/// A truth value of a whole vector.
fn truth(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    let vector = t.pop_v128(ty);
    let result = emit1(t, ty, opcode, vector);
    push_bool(t, result);
}

/// The sign bits of the lanes, as an i32.
fn bitmask(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let vector = t.pop_v128(ty);
    let bits = t.builder.ins().vhigh_bits(I32, vector);
    t.push(bits);
}
