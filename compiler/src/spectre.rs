//! Guards against speculation: what a check has found bad is not used even while the processor
//! still guesses that the check will pass.
//!
//! A branch on a check stops WebAssembly, but a processor runs ahead of a branch it has predicted
//! wrongly, and what it loads there leaves traces in its caches. So what follows a check does not
//! use the checked value as it is, but the result of a conditional move on the same condition: it
//! depends on the condition as data, and data is not predicted. RATIONALE.md says what is guarded
//! and what is not.

use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::FunctionBuilder;

/// Whether code of this instruction set's settings is guarded. The code generator has a setting
/// for it, which also decides what follows the clamp of a `br_table` on aarch64.
pub(crate) fn guarded(isa: &dyn TargetIsa) -> bool {
    isa.flags().enable_table_access_spectre_mitigation()
}

/// `value`, or `safe` where `bad` is not zero, without a branch.
pub(crate) fn guard(b: &mut FunctionBuilder<'_>, bad: Value, safe: Value, value: Value) -> Value {
    b.ins().select_spectre_guard(bad, safe, value)
}

/// A 64-bit address or length, or zero where `bad` is not zero. Nothing is mapped at address zero.
pub(crate) fn zero_if(b: &mut FunctionBuilder<'_>, bad: Value, value: Value) -> Value {
    let zero = b.ins().iconst(types::I64, 0);
    guard(b, bad, zero, value)
}

#[cfg(test)]
mod tests;
