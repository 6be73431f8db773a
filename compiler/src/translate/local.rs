//! Locals, and the operators that use the operand stack alone.

use super::FuncTranslator;
use cranelift_codegen::ir::InstBuilder;
use cranelift_frontend::Variable;

impl FuncTranslator<'_, '_> {
    pub(super) fn local_get(&mut self, local: u32) {
        self.touch(local);
        let value = self.builder.use_var(Variable::from_u32(local));
        self.push(value);
    }

    pub(super) fn local_set(&mut self, local: u32) {
        self.touch(local);
        let value = self.pop();
        self.builder.def_var(Variable::from_u32(local), value);
    }

    pub(super) fn local_tee(&mut self, local: u32) {
        self.touch(local);
        let value = self.top();
        self.builder.def_var(Variable::from_u32(local), value);
    }

    pub(super) fn drop_operand(&mut self) {
        self.pop();
    }

    pub(super) fn select(&mut self) {
        let (a, b, condition) = self.pop3();
        let value = self.builder.ins().select(condition, a, b);
        self.push(value);
    }

    /// Counts an access to a local in the function's budget.
    fn touch(&mut self, local: u32) {
        self.budget.touch(local, self.builder.func.dfg.num_blocks());
    }
}
