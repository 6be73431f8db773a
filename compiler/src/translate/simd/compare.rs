//! SIMD comparisons and the use of their masks: selection, tests, bit masks.

use super::super::numeric::push_bool;
use super::super::{FuncTranslator, emit1};
use super::pop2;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{I8X16, I32};
use cranelift_codegen::ir::{InstBuilder, InstructionData, Opcode, Type, Value};

pub(in crate::translate) fn icmp(t: &mut FuncTranslator<'_, '_>, ty: Type, cond: IntCC) {
    let (a, b) = pop2(t, ty);
    let mask = t.builder.ins().icmp(cond, a, b);
    t.push_v128(mask);
}

pub(in crate::translate) fn fcmp(t: &mut FuncTranslator<'_, '_>, ty: Type, cond: FloatCC) {
    let (a, b) = pop2(t, ty);
    let mask = t.builder.ins().fcmp(cond, a, b);
    t.push_v128(mask);
}

/// Selects in the lanes that the mask was compared in. The lanes do not change the result, but if
/// the code generator sees the comparison, it blends or takes a minimum or maximum instead of
/// masking both sides.
pub(in crate::translate) fn bitselect(t: &mut FuncTranslator<'_, '_>) {
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
pub(in crate::translate) fn truth(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    let vector = t.pop_v128(ty);
    let result = emit1(t, ty, opcode, vector);
    push_bool(t, result);
}

/// The sign bits of the lanes, as an i32.
pub(in crate::translate) fn bitmask(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let vector = t.pop_v128(ty);
    let bits = t.builder.ins().vhigh_bits(I32, vector);
    t.push(bits);
}

pub(in crate::translate) fn and_not(t: &mut FuncTranslator<'_, '_>) {
    let (a, b) = pop2(t, I8X16);
    let result = t.builder.ins().band_not(a, b);
    t.push_v128(result);
}
