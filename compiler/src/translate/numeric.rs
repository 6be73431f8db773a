//! Numeric operators: constants, comparisons, arithmetic and conversions of i32, i64, f32 and f64.
//!
//! CLIF means the same as WebAssembly almost everywhere: shift and rotate counts are taken modulo
//! the width, `srem` of the least integer by -1 is 0, `fmin`, `fmax` and `nearest` follow the
//! specification, and division and `fcvt_to_*int` trap where it says so. So an operator is one
//! opcode, and this file is a table.

use super::FuncTranslator;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Opcode, Type, Value};
use wasmparser::Operator;

/// Translates `op`, or returns `false` when it is not numeric.
pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    use Operator::*;
    match *op {
        I32Const { value } => {
            // CLIF keeps constants narrower than 64 bits zero-extended.
            let value = t.builder.ins().iconst(I32, i64::from(value.cast_unsigned()));
            t.push(value);
        }
        I64Const { value } => {
            let value = t.builder.ins().iconst(I64, value);
            t.push(value);
        }
        F32Const { value } => {
            let value = t.builder.ins().f32const(Ieee32::with_bits(value.bits()));
            t.push(value);
        }
        F64Const { value } => {
            let value = t.builder.ins().f64const(Ieee64::with_bits(value.bits()));
            t.push(value);
        }

        I32Eqz | I64Eqz => {
            let x = t.pop();
            let zero = t.builder.ins().icmp_imm_u(IntCC::Equal, x, 0);
            push_bool(t, zero);
        }
        I32Eq | I64Eq => icmp(t, IntCC::Equal),
        I32Ne | I64Ne => icmp(t, IntCC::NotEqual),
        I32LtS | I64LtS => icmp(t, IntCC::SignedLessThan),
        I32LtU | I64LtU => icmp(t, IntCC::UnsignedLessThan),
        I32GtS | I64GtS => icmp(t, IntCC::SignedGreaterThan),
        I32GtU | I64GtU => icmp(t, IntCC::UnsignedGreaterThan),
        I32LeS | I64LeS => icmp(t, IntCC::SignedLessThanOrEqual),
        I32LeU | I64LeU => icmp(t, IntCC::UnsignedLessThanOrEqual),
        I32GeS | I64GeS => icmp(t, IntCC::SignedGreaterThanOrEqual),
        I32GeU | I64GeU => icmp(t, IntCC::UnsignedGreaterThanOrEqual),

        F32Eq | F64Eq => fcmp(t, FloatCC::Equal),
        F32Ne | F64Ne => fcmp(t, FloatCC::NotEqual),
        F32Lt | F64Lt => fcmp(t, FloatCC::LessThan),
        F32Gt | F64Gt => fcmp(t, FloatCC::GreaterThan),
        F32Le | F64Le => fcmp(t, FloatCC::LessThanOrEqual),
        F32Ge | F64Ge => fcmp(t, FloatCC::GreaterThanOrEqual),

        I32Clz | I64Clz => unary(t, Opcode::Clz),
        I32Ctz | I64Ctz => unary(t, Opcode::Ctz),
        I32Popcnt | I64Popcnt => unary(t, Opcode::Popcnt),
        I32Add | I64Add => binary(t, Opcode::Iadd),
        I32Sub | I64Sub => binary(t, Opcode::Isub),
        I32Mul | I64Mul => binary(t, Opcode::Imul),
        I32DivS | I64DivS => binary(t, Opcode::Sdiv),
        I32DivU | I64DivU => binary(t, Opcode::Udiv),
        I32RemS | I64RemS => binary(t, Opcode::Srem),
        I32RemU | I64RemU => binary(t, Opcode::Urem),
        I32And | I64And => binary(t, Opcode::Band),
        I32Or | I64Or => binary(t, Opcode::Bor),
        I32Xor | I64Xor => binary(t, Opcode::Bxor),
        I32Shl | I64Shl => binary(t, Opcode::Ishl),
        I32ShrS | I64ShrS => binary(t, Opcode::Sshr),
        I32ShrU | I64ShrU => binary(t, Opcode::Ushr),
        I32Rotl | I64Rotl => binary(t, Opcode::Rotl),
        I32Rotr | I64Rotr => binary(t, Opcode::Rotr),

        F32Abs | F64Abs => unary(t, Opcode::Fabs),
        F32Neg | F64Neg => unary(t, Opcode::Fneg),
        F32Ceil | F64Ceil => unary(t, Opcode::Ceil),
        F32Floor | F64Floor => unary(t, Opcode::Floor),
        F32Trunc | F64Trunc => unary(t, Opcode::Trunc),
        F32Nearest | F64Nearest => unary(t, Opcode::Nearest),
        F32Sqrt | F64Sqrt => unary(t, Opcode::Sqrt),
        F32Add | F64Add => binary(t, Opcode::Fadd),
        F32Sub | F64Sub => binary(t, Opcode::Fsub),
        F32Mul | F64Mul => binary(t, Opcode::Fmul),
        F32Div | F64Div => binary(t, Opcode::Fdiv),
        F32Min | F64Min => binary(t, Opcode::Fmin),
        F32Max | F64Max => binary(t, Opcode::Fmax),
        F32Copysign | F64Copysign => binary(t, Opcode::Fcopysign),

        I32WrapI64 => convert(t, I32, Opcode::Ireduce),
        I64ExtendI32S => convert(t, I64, Opcode::Sextend),
        I64ExtendI32U => convert(t, I64, Opcode::Uextend),
        I32Extend8S => sign_extend(t, I8, I32),
        I32Extend16S => sign_extend(t, I16, I32),
        I64Extend8S => sign_extend(t, I8, I64),
        I64Extend16S => sign_extend(t, I16, I64),
        I64Extend32S => sign_extend(t, I32, I64),

        I32TruncF32S | I32TruncF64S => convert(t, I32, Opcode::FcvtToSint),
        I32TruncF32U | I32TruncF64U => convert(t, I32, Opcode::FcvtToUint),
        I64TruncF32S | I64TruncF64S => convert(t, I64, Opcode::FcvtToSint),
        I64TruncF32U | I64TruncF64U => convert(t, I64, Opcode::FcvtToUint),
        I32TruncSatF32S | I32TruncSatF64S => convert(t, I32, Opcode::FcvtToSintSat),
        I32TruncSatF32U | I32TruncSatF64U => convert(t, I32, Opcode::FcvtToUintSat),
        I64TruncSatF32S | I64TruncSatF64S => convert(t, I64, Opcode::FcvtToSintSat),
        I64TruncSatF32U | I64TruncSatF64U => convert(t, I64, Opcode::FcvtToUintSat),
        F32ConvertI32S | F32ConvertI64S => convert(t, F32, Opcode::FcvtFromSint),
        F32ConvertI32U | F32ConvertI64U => convert(t, F32, Opcode::FcvtFromUint),
        F64ConvertI32S | F64ConvertI64S => convert(t, F64, Opcode::FcvtFromSint),
        F64ConvertI32U | F64ConvertI64U => convert(t, F64, Opcode::FcvtFromUint),
        F32DemoteF64 => convert(t, F32, Opcode::Fdemote),
        F64PromoteF32 => convert(t, F64, Opcode::Fpromote),
        I32ReinterpretF32 => reinterpret(t, I32),
        I64ReinterpretF64 => reinterpret(t, I64),
        F32ReinterpretI32 => reinterpret(t, F32),
        F64ReinterpretI64 => reinterpret(t, F64),

        _ => return false,
    }
    true
}

/// One operand, and a result of its type.
fn unary(t: &mut FuncTranslator<'_, '_>, opcode: Opcode) {
    let x = t.pop();
    let ty = t.builder.func.dfg.value_type(x);
    let (inst, dfg) = t.builder.ins().Unary(opcode, ty, x);
    let result = dfg.first_result(inst);
    t.push(result);
}

/// Two operands of one type, and a result of that type.
fn binary(t: &mut FuncTranslator<'_, '_>, opcode: Opcode) {
    let (a, b) = t.pop2();
    let ty = t.builder.func.dfg.value_type(a);
    let (inst, dfg) = t.builder.ins().Binary(opcode, ty, a, b);
    let result = dfg.first_result(inst);
    t.push(result);
}

/// One operand, and a result of the type `to`.
fn convert(t: &mut FuncTranslator<'_, '_>, to: Type, opcode: Opcode) {
    let x = t.pop();
    let (inst, dfg) = t.builder.ins().Unary(opcode, to, x);
    let result = dfg.first_result(inst);
    t.push(result);
}

/// Extends the sign of an operand's low bits, as wide as `from`, to the whole of `to`.
fn sign_extend(t: &mut FuncTranslator<'_, '_>, from: Type, to: Type) {
    let x = t.pop();
    let low = t.builder.ins().ireduce(from, x);
    let result = t.builder.ins().sextend(to, low);
    t.push(result);
}

/// The bits of an operand as another type of the same width.
fn reinterpret(t: &mut FuncTranslator<'_, '_>, to: Type) {
    let x = t.pop();
    let result = t.builder.ins().bitcast(to, MemFlagsData::new(), x);
    t.push(result);
}

fn icmp(t: &mut FuncTranslator<'_, '_>, cond: IntCC) {
    let (a, b) = t.pop2();
    let result = t.builder.ins().icmp(cond, a, b);
    push_bool(t, result);
}

fn fcmp(t: &mut FuncTranslator<'_, '_>, cond: FloatCC) {
    let (a, b) = t.pop2();
    let result = t.builder.ins().fcmp(cond, a, b);
    push_bool(t, result);
}

/// Pushes the i8 truth value of CLIF as the i32 of WebAssembly.
pub(super) fn push_bool(t: &mut FuncTranslator<'_, '_>, value: Value) {
    let value = t.builder.ins().uextend(I32, value);
    t.push(value);
}

#[cfg(test)]
mod tests {
    /// Every numeric operator wasmparser knows has an arm above.
    #[test]
    fn no_operator_falls_through() {
        macro_rules! names {
            ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
                [$((stringify!($proposal), stringify!($op))),*]
            };
        }
        let source = include_str!("numeric.rs");
        for (proposal, op) in wasmparser::for_each_visit_operator!(names) {
            let typed = ["I32", "I64", "F32", "F64"].iter().any(|ty| op.starts_with(ty));
            let access = op.contains("Load") || op.contains("Store");
            let numeric = match proposal {
                "mvp" => typed && !access,
                "sign_extension" | "saturating_float_to_int" => true,
                _ => false,
            };
            assert!(!numeric || super::super::simd::has_arm(source, op), "{op} has no arm");
        }
    }
}
