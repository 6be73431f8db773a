//! Constants and the movement of lanes: splats, extraction, replacement, shuffles.

use super::super::FuncTranslator;
use super::{emit1, pop2, vconst};
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use wasmparser::Operator;

pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator::*;
    match *op {
        V128Const { value } => {
            let vector = vconst(t, I8X16, value.bytes());
            t.push_v128(vector);
        }

        I8x16Splat => splat(t, I8X16),
        I16x8Splat => splat(t, I16X8),
        I32x4Splat => splat(t, I32X4),
        I64x2Splat => splat(t, I64X2),
        F32x4Splat => splat(t, F32X4),
        F64x2Splat => splat(t, F64X2),

        I8x16ExtractLaneS { lane } => extract_narrow(t, I8X16, lane, Opcode::Sextend),
        I8x16ExtractLaneU { lane } => extract_narrow(t, I8X16, lane, Opcode::Uextend),
        I16x8ExtractLaneS { lane } => extract_narrow(t, I16X8, lane, Opcode::Sextend),
        I16x8ExtractLaneU { lane } => extract_narrow(t, I16X8, lane, Opcode::Uextend),
        I32x4ExtractLane { lane } => extract(t, I32X4, lane),
        I64x2ExtractLane { lane } => extract(t, I64X2, lane),
        F32x4ExtractLane { lane } => extract(t, F32X4, lane),
        F64x2ExtractLane { lane } => extract(t, F64X2, lane),

        I8x16ReplaceLane { lane } => replace(t, I8X16, lane),
        I16x8ReplaceLane { lane } => replace(t, I16X8, lane),
        I32x4ReplaceLane { lane } => replace(t, I32X4, lane),
        I64x2ReplaceLane { lane } => replace(t, I64X2, lane),
        F32x4ReplaceLane { lane } => replace(t, F32X4, lane),
        F64x2ReplaceLane { lane } => replace(t, F64X2, lane),

        I8x16Shuffle { lanes } => shuffle(t, lanes),
        I8x16Swizzle => {
            let (vector, indices) = pop2(t, I8X16);
            let vector = t.builder.ins().swizzle(vector, indices);
            t.push_v128(vector);
        }

        _ => return false,
    }
    true
}

/// Pops what goes into a lane of `ty`: an i32 is cut to a lane narrower than itself.
fn pop_lane(t: &mut FuncTranslator<'_, '_>, ty: Type) -> Value {
    let value = t.pop();
    let lane = ty.lane_type();
    if lane.bits() < 32 { t.builder.ins().ireduce(lane, value) } else { value }
}

fn splat(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let value = pop_lane(t, ty);
    let vector = t.builder.ins().splat(ty, value);
    t.push_v128(vector);
}

fn extract(t: &mut FuncTranslator<'_, '_>, ty: Type, lane: u8) {
    let vector = t.pop_v128(ty);
    let value = t.builder.ins().extractlane(vector, lane);
    t.push(value);
}

/// A lane narrower than the i32 it extends to.
fn extract_narrow(t: &mut FuncTranslator<'_, '_>, ty: Type, lane: u8, extend: Opcode) {
    extract(t, ty, lane);
    let value = t.pop();
    let value = emit1(t, I32, extend, value);
    t.push(value);
}

fn replace(t: &mut FuncTranslator<'_, '_>, ty: Type, lane: u8) {
    let value = pop_lane(t, ty);
    let vector = t.pop_v128(ty);
    let vector = t.builder.ins().insertlane(vector, value, lane);
    t.push_v128(vector);
}

fn shuffle(t: &mut FuncTranslator<'_, '_>, lanes: [u8; 16]) {
    let (mut a, mut b) = pop2(t, I8X16);
    // A shuffle of one vector names it twice, whatever the module passed for the other: x86-64
    // then needs one `pshufb` in place of two and an `or`.
    if lanes.iter().all(|&lane| lane < 16) {
        b = a;
    } else if lanes.iter().all(|&lane| lane >= 16) {
        a = b;
    }
    let lanes = t.builder.func.dfg.immediates.push(lanes.as_slice().into());
    let vector = t.builder.ins().shuffle(a, b, lanes);
    t.push_v128(vector);
}
