//! SIMD shifts, pseudo-minimum and pseudo-maximum.

use super::super::{FuncTranslator, emit2};
use super::pop2;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};

/// Shifts all lanes by an i32. CLIF takes it modulo the width of a lane, as WebAssembly does.
pub(in crate::translate) fn shift(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    let count = t.pop();
    let vector = t.pop_v128(ty);
    let result = emit2(t, ty, opcode, vector, count);
    t.push_v128(result);
}

/// `b < a ? b : a`: the minimum as C programs write it, not that of IEEE 754.
pub(in crate::translate) fn pmin(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let (a, b) = pop2(t, ty);
    let result = select_less(t, ty, [b, a], b, a);
    t.push_v128(result);
}

/// `a < b ? b : a`.
pub(in crate::translate) fn pmax(t: &mut FuncTranslator<'_, '_>, ty: Type) {
    let (a, b) = pop2(t, ty);
    let result = select_less(t, ty, [a, b], b, a);
    t.push_v128(result);
}

/// `x < y ? then : other`. In exactly this form it is one `minps` or `maxps` on x86-64.
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
