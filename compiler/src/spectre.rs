//! Guards against speculation: a value that fails a check is not used, even while the processor
//! predicts that the check passes.
//!
//! A branch on a check stops WebAssembly, but a processor continues past a mispredicted branch, and
//! its loads there leave traces in the caches. So code after a check does not use the checked value
//! itself, but the result of a conditional move on the same condition. The result depends on the
//! condition as data, and data is not predicted. RATIONALE.md lists the guards.

use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilder;

/// Whether code has guards. The setting is one of the code generator, which also uses it for the
/// index of a `br_table` on aarch64.
pub(crate) fn guarded(isa: &dyn TargetIsa) -> bool {
    isa.flags().enable_table_access_spectre_mitigation()
}

/// `value`, or `safe` if `bad` is not zero, without a branch.
pub(crate) fn guard(b: &mut FunctionBuilder<'_>, bad: Value, safe: Value, value: Value) -> Value {
    b.ins().select_spectre_guard(bad, safe, value)
}

/// A 64-bit address or length, or zero if `bad` is not zero. Nothing is mapped at address zero.
pub(crate) fn zero_if(b: &mut FunctionBuilder<'_>, bad: Value, value: Value) -> Value {
    let zero = b.ins().iconst(types::I64, 0);
    guard(b, bad, zero, value)
}

#[cfg(test)]
mod tests;
