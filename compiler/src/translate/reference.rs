//! References to functions and to values of the host.

use super::FuncTranslator;
use super::numeric::push_bool;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, types};
use precast_abi::index::FuncIndex;

impl FuncTranslator<'_, '_> {
    pub(super) fn ref_null(&mut self) {
        let null = self.builder.ins().iconst(types::I64, 0);
        self.push(null);
    }

    pub(super) fn ref_func(&mut self, func: FuncIndex) {
        let offset = i64::from(self.plan.func_ref_offset(func));
        let address = self.builder.ins().iadd_imm_s(self.ctx, offset);
        self.push(address);
    }

    pub(super) fn ref_is_null(&mut self) {
        let value = self.pop();
        let null = self.builder.ins().icmp_imm_s(IntCC::Equal, value, 0);
        push_bool(self, null);
    }
}
