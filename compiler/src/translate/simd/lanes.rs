//! SIMD constants and movement of lanes: splats, extraction, replacement, shuffles.

use super::super::{FuncTranslator, emit1};
use super::{pop2, vconst};
use cranelift_codegen::ir::types::{I8X16, I32};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};

/// Pops the value for a lane of `ty`; an i32 is reduced to a narrower lane.
fn pop_lane(t: &mut FuncTranslator<'_, '_>, ty: Type) -> Value {
    let value = t.pop();
    let lane = ty.lane_type();
    if lane.bits() < 32 { t.builder.ins().ireduce(lane, value) } else { value }
}

pub(in crate::translate) fn splat(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let value = pop_lane(t, ty);
    let vector = t.builder.ins().splat(ty, value);
    t.push_v128(vector);
}

pub(in crate::translate) fn extract(t: &mut FuncTranslator<'_, '_>, ty: Type, lane: u8) {
    let vector = t.pop_v128(ty);
    let value = t.builder.ins().extractlane(vector, lane);
    t.push(value);
}

/// Extracts a lane that is narrower than an i32, and extends it to one.
pub(in crate::translate) fn extract_narrow(
    t: &mut FuncTranslator<'_, '_>,
    ty: Type,
    lane: u8,
    extend: Opcode,
) {
    extract(t, ty, lane);
    let value = t.pop();
    let value = emit1(t, I32, extend, value);
    t.push(value);
}

pub(in crate::translate) fn replace(t: &mut FuncTranslator<'_, '_>, ty: Type, lane: u8) {
    let value = pop_lane(t, ty);
    let vector = t.pop_v128(ty);
    let vector = t.builder.ins().insertlane(vector, value, lane);
    t.push_v128(vector);
}

pub(in crate::translate) fn shuffle(t: &mut FuncTranslator<'_, '_>, lanes: [u8; 16]) {
    let (mut a, mut b) = pop2(t, I8X16);
    // A shuffle that uses one vector takes it for both operands: then x86-64 needs one `pshufb`
    // instead of two and an `or`.
    if lanes.iter().all(|&lane| lane < 16) {
        b = a;
    } else if lanes.iter().all(|&lane| lane >= 16) {
        a = b;
    }
    let lanes = t.builder.func.dfg.immediates.push(lanes.as_slice().into());
    let vector = t.builder.ins().shuffle(a, b, lanes);
    t.push_v128(vector);
}

pub(in crate::translate) fn swizzle(t: &mut FuncTranslator<'_, '_>) {
    let (vector, indices) = pop2(t, I8X16);
    let vector = t.builder.ins().swizzle(vector, indices);
    t.push_v128(vector);
}

pub(in crate::translate) fn v128_const(t: &mut FuncTranslator<'_, '_>, bytes: &[u8; 16]) {
    let vector = vconst(t, I8X16, bytes);
    t.push_v128(vector);
}
