//! Constant expressions: the initial values of globals and the offsets of segments.

use super::state::ModuleInstance;
use precast_abi::artifact::{ConstExpr, ConstOp, ConstOpcode, Section};

impl ModuleInstance {
    /// The value of a constant expression. Validation has checked it. A damaged one that still passes
    /// the artifact's checks computes a wrong value, and does no other harm.
    pub(super) fn evaluate(&self, expr: ConstExpr) -> u128 {
        let ops: &[ConstOp] = self.module.records(Section::ConstOps);
        if let [op] = &ops[expr.first as usize..(expr.first + expr.count) as usize]
            && op.op == ConstOpcode::Const as u64
        {
            return bits(op);
        }
        let mut stack: Vec<u128> = Vec::new();
        for op in &ops[expr.first as usize..(expr.first + expr.count) as usize] {
            let opcode = u32::try_from(op.op).ok().and_then(ConstOpcode::from_raw);
            let value = match opcode.expect("a checked artifact") {
                ConstOpcode::Const => bits(op),
                ConstOpcode::GlobalGet => self.global(op.lo as u32).get(),
                ConstOpcode::RefFunc => self.func_ref(op.lo as u32).into(),
                arithmetic => {
                    let b = stack.pop().unwrap_or_default() as u64;
                    let a = stack.pop().unwrap_or_default() as u64;
                    compute(arithmetic, a, b).into()
                }
            };
            stack.push(value);
        }
        stack.pop().unwrap_or_default()
    }
}

/// The operand of a constant.
fn bits(op: &ConstOp) -> u128 {
    u128::from(op.lo) | u128::from(op.hi) << 64
}

fn compute(op: ConstOpcode, a: u64, b: u64) -> u64 {
    let low = |v: u64| u64::from(v as u32);
    match op {
        ConstOpcode::I32Add => low(a.wrapping_add(b)),
        ConstOpcode::I32Sub => low(a.wrapping_sub(b)),
        ConstOpcode::I32Mul => low(a.wrapping_mul(b)),
        ConstOpcode::I64Add => a.wrapping_add(b),
        ConstOpcode::I64Sub => a.wrapping_sub(b),
        ConstOpcode::I64Mul => a.wrapping_mul(b),
        ConstOpcode::Const | ConstOpcode::GlobalGet | ConstOpcode::RefFunc => 0,
    }
}
