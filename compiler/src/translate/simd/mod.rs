//! The operators of fixed-width SIMD.
//!
//! A vector on the operand stack is an i8x16; an operator looks at it in the lanes it needs, which
//! costs nothing, since all vectors live in the same registers. So most operators are one opcode
//! and a lane type, and these files are tables.

mod arith;
mod compare;
mod lanes;
mod memory;
mod widths;

use super::FuncTranslator;
use cranelift_codegen::ir::{InstBuilder, Opcode, Type, Value};
use wasmparser::Operator;

/// Translates `op`, or returns `false` when it is not of fixed-width SIMD.
pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    memory::translate(t, op)
        || arith::translate(t, op)
        || lanes::translate(t, op)
        || compare::translate(t, op)
        || widths::translate(t, op)
}

/// One vector of `ty`, and a result in the lanes the opcode makes of it.
fn unary(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    convert(t, ty, ty, opcode);
}

/// Two vectors of `ty`, and a result in the lanes the opcode makes of them.
fn binary(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode) {
    let (a, b) = pop2(t, ty);
    let result = emit2(t, ty, opcode, a, b);
    t.push_v128(result);
}

/// One vector of `from`; the opcode is controlled by its result type `to`.
fn convert(t: &mut FuncTranslator<'_, '_>, from: Type, to: Type, opcode: Opcode) {
    let x = t.pop_v128(from);
    let result = emit1(t, to, opcode, x);
    t.push_v128(result);
}

/// Pops two vectors of `ty`, in the order they were pushed.
fn pop2(t: &mut FuncTranslator<'_, '_>, ty: Type) -> (Value, Value) {
    let b = t.pop_v128(ty);
    let a = t.pop_v128(ty);
    (a, b)
}

fn emit1(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode, x: Value) -> Value {
    let (inst, dfg) = t.builder.ins().Unary(opcode, ty, x);
    dfg.first_result(inst)
}

fn emit2(t: &mut FuncTranslator<'_, '_>, ty: Type, opcode: Opcode, a: Value, b: Value) -> Value {
    let (inst, dfg) = t.builder.ins().Binary(opcode, ty, a, b);
    dfg.first_result(inst)
}

fn vconst(t: &mut FuncTranslator<'_, '_>, ty: Type, bytes: &[u8; 16]) -> Value {
    let bytes = t.builder.func.dfg.constants.insert(bytes.as_slice().into());
    t.builder.ins().vconst(ty, bytes)
}

/// Whether `source` has a match arm for the operator `op`.
#[cfg(test)]
pub(super) fn has_arm(source: &str, op: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let arms = source.split("#[cfg(test)]").next().unwrap_or(source);
    arms.match_indices(op).any(|(at, _)| {
        let after = &arms[at + op.len()..];
        let rest = after.trim_start();
        !arms[..at].ends_with(is_name)
            && !after.starts_with(is_name)
            && ["=>", "|", "{"].iter().any(|token| rest.starts_with(token))
    })
}

#[cfg(test)]
mod tests {
    /// Every operator of the proposal wasmparser knows has an arm in one of the files.
    #[test]
    fn no_operator_falls_through() {
        macro_rules! names {
            ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
                [$((stringify!($proposal), stringify!($op))),*]
            };
        }
        let sources = concat!(
            include_str!("arith.rs"),
            include_str!("compare.rs"),
            include_str!("lanes.rs"),
            include_str!("memory.rs"),
            include_str!("widths.rs"),
        );
        let ops = wasmparser::for_each_visit_simd_operator!(names);
        let ops = ops.iter().filter(|(proposal, _)| *proposal == "simd");
        assert_eq!(ops.clone().count(), 236);
        for (_, op) in ops {
            assert!(super::has_arm(sources, op), "{op} has no arm");
        }
    }
}
