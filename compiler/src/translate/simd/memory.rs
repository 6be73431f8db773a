//! SIMD loads and stores of parts of vectors.
//!
//! Lanes of 32 and 64 bits are loaded and stored as floats, so they never pass through a general
//! register: aarch64 needs several cycles from there to a vector, and x86-64 stores lane 0 of a
//! float vector without a shuffle. None of the instructions changes a NaN.

use super::super::FuncTranslator;
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use wasmparser::MemArg;

/// Loads a value of `ty` from the index on the stack.
fn load(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type) -> Value {
    let at = t.heap_access(memarg, ty.bytes());
    t.builder.ins().load(ty, at.flags, at.addr, at.offset)
}

/// Loads eight bytes and widens every lane to twice its width.
pub(in crate::translate) fn load_widened(
    t: &mut FuncTranslator<'_, '_>,
    memarg: &MemArg,
    opcode: Opcode,
) {
    let at = t.heap_access(memarg, 8);
    let dfg = &mut t.builder.func.dfg;
    let ty = dfg.value_type(at.addr);
    let flags = dfg.mem_flags.insert(at.flags).expect("few kinds of access");
    let (inst, dfg) = t.builder.ins().Load(opcode, ty, flags, at.offset.into(), at.addr);
    let vector = dfg.first_result(inst);
    t.push_v128(vector);
}

/// Loads one lane into all lanes.
pub(in crate::translate) fn load_splat(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type) {
    let lane = load(t, memarg, ty.lane_type());
    let vector = t.builder.ins().splat(ty, lane);
    t.push_v128(vector);
}

/// Loads lane 0 and zeroes the others.
pub(in crate::translate) fn load_zero(t: &mut FuncTranslator<'_, '_>, memarg: &MemArg, ty: Type) {
    let lane = load(t, memarg, ty.lane_type());
    let vector = t.builder.ins().scalar_to_vector(ty, lane);
    t.push_v128(vector);
}

/// Loads one lane of a vector.
pub(in crate::translate) fn load_lane(
    t: &mut FuncTranslator<'_, '_>,
    memarg: &MemArg,
    ty: Type,
    lane: u8,
) {
    let vector = t.pop_v128(ty);
    let value = load(t, memarg, ty.lane_type());
    let vector = t.builder.ins().insertlane(vector, value, lane);
    t.push_v128(vector);
}

/// Stores one lane of a vector.
pub(in crate::translate) fn store_lane(
    t: &mut FuncTranslator<'_, '_>,
    memarg: &MemArg,
    ty: Type,
    lane: u8,
) {
    let vector = t.pop_v128(ty);
    let value = t.builder.ins().extractlane(vector, lane);
    t.store_value(memarg, value);
}
