//! References.

use super::FuncTranslator;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, types};
use precast_abi::index::FuncIndex;
use wasmparser::Operator;

/// Translates an operator of this group.
pub(super) fn translate(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) -> bool {
    let value = match *op {
        Operator::RefNull { .. } => t.builder.ins().iconst(types::I64, 0),
        Operator::RefFunc { function_index } => {
            let nth = t.plan.func_ref(FuncIndex(function_index));
            let nth = nth.expect("the scan sees what the translation sees");
            let offset = t.plan.regions.func_ref(nth);
            t.builder.ins().iadd_imm_s(t.ctx, i64::from(offset))
        }
        Operator::RefIsNull => {
            let value = t.pop();
            let null = t.builder.ins().icmp_imm_s(IntCC::Equal, value, 0);
            t.builder.ins().uextend(types::I32, null)
        }
        _ => return false,
    };
    t.push(value);
    true
}
