//! Loads and stores of vectors and of single lanes.
//!
//! 32- and 64-bit lanes go to and from memory as floats, whatever they are: so they never pass
//! through a general register, from which aarch64 needs several cycles to a vector, and x86-64
//! stores lane 0 without a shuffle. No instruction involved changes a NaN.

use super::super::FuncTranslator;
use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8};
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use wasmparser::{MemArg, Operator};

pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator::*;
    match *op {
        V128Load { memarg } => {
            let vector = load(t, &memarg, I8X16);
            t.push_v128(vector);
        }
        V128Store { memarg } => {
            let vector = t.pop();
            t.store_value(&memarg, vector);
        }

        V128Load8x8S { memarg } => load_widened(t, &memarg, Opcode::Sload8x8),
        V128Load8x8U { memarg } => load_widened(t, &memarg, Opcode::Uload8x8),
        V128Load16x4S { memarg } => load_widened(t, &memarg, Opcode::Sload16x4),
        V128Load16x4U { memarg } => load_widened(t, &memarg, Opcode::Uload16x4),
        V128Load32x2S { memarg } => load_widened(t, &memarg, Opcode::Sload32x2),
        V128Load32x2U { memarg } => load_widened(t, &memarg, Opcode::Uload32x2),

        V128Load8Splat { memarg } => load_splat(t, &memarg, I8X16),
        V128Load16Splat { memarg } => load_splat(t, &memarg, I16X8),
        V128Load32Splat { memarg } => load_splat(t, &memarg, F32X4),
        V128Load64Splat { memarg } => load_splat(t, &memarg, F64X2),
        V128Load32Zero { memarg } => load_zero(t, &memarg, F32X4),
        V128Load64Zero { memarg } => load_zero(t, &memarg, F64X2),

        V128Load8Lane { memarg, lane } => load_lane(t, &memarg, I8X16, lane),
        V128Load16Lane { memarg, lane } => load_lane(t, &memarg, I16X8, lane),
        V128Load32Lane { memarg, lane } => load_lane(t, &memarg, F32X4, lane),
        V128Load64Lane { memarg, lane } => load_lane(t, &memarg, F64X2, lane),
        V128Store8Lane { memarg, lane } => store_lane(t, &memarg, I8X16, lane),
        V128Store16Lane { memarg, lane } => store_lane(t, &memarg, I16X8, lane),
        V128Store32Lane { memarg, lane } => store_lane(t, &memarg, F32X4, lane),
        V128Store64Lane { memarg, lane } => store_lane(t, &memarg, F64X2, lane),

        _ => return false,
    }
    true
}

/// Loads a value of `ty` from the index on the stack.
fn load(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type) -> Value {
    let at = t.heap_access(memarg, ty.bytes());
    t.builder.ins().load(ty, at.flags, at.addr, at.offset)
}

/// Loads eight bytes, every lane of which widens to twice its width.
fn load_widened(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, opcode: Opcode) {
    let at = t.heap_access(memarg, 8);
    let dfg = &mut t.builder.func.dfg;
    let ty = dfg.value_type(at.addr);
    let flags = dfg.mem_flags.insert(at.flags).expect("few kinds of access");
    let (inst, dfg) = t.builder.ins().Load(opcode, ty, flags, at.offset.into(), at.addr);
    let vector = dfg.first_result(inst);
    t.push_v128(vector);
}

/// Loads one lane into all lanes.
fn load_splat(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type) {
    let lane = load(t, memarg, ty.lane_type());
    let vector = t.builder.ins().splat(ty, lane);
    t.push_v128(vector);
}

/// Loads lane 0 and zeroes the others.
fn load_zero(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type) {
    let lane = load(t, memarg, ty.lane_type());
    let vector = t.builder.ins().scalar_to_vector(ty, lane);
    t.push_v128(vector);
}

/// Loads one lane of a vector.
fn load_lane(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type, lane: u8) {
    let vector = t.pop_v128(ty);
    let value = load(t, memarg, ty.lane_type());
    let vector = t.builder.ins().insertlane(vector, value, lane);
    t.push_v128(vector);
}

/// Stores one lane of a vector.
fn store_lane(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type, lane: u8) {
    let vector = t.pop_v128(ty);
    let value = t.builder.ins().extractlane(vector, lane);
    t.store_value(memarg, value);
}
