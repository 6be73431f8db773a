//! The emitter of stubs and thunks, which are not translated from WebAssembly, into any [`Module`].

use crate::types::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Signature, Value, types};
use cranelift_codegen::{CompiledCode, Context};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::{FuncId, Module, ModuleResult};
use precast_abi::store_context::STACK_LIMIT;
use precast_abi::trap::TrapCode;

/// Compiles functions one after the other, with the same buffers.
pub struct Emitter {
    context: Context,
    builder: FunctionBuilderContext,
}

impl Emitter {
    /// An emitter with empty buffers.
    pub fn new() -> Self {
        Emitter { context: Context::new(), builder: FunctionBuilderContext::new() }
    }

    /// The code of the last function.
    pub fn compiled(&self) -> Option<&CompiledCode> {
        self.context.compiled_code()
    }

    /// Defines a function. `body` builds its body: it is passed the parameters, and must end the
    /// last block.
    pub(crate) fn define<M: Module>(
        &mut self,
        module: &mut M,
        id: FuncId,
        signature: Signature,
        body: impl FnOnce(&mut FunctionBuilder<'_>, &[Value]),
    ) -> ModuleResult<()> {
        self.context.clear();
        self.context.func.signature = signature;
        let mut builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder);
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let params = builder.block_params(entry).to_vec();
        body(&mut builder, &params);
        builder.seal_all_blocks();
        builder.finalize(module.target_config());
        module.define_function(id, &mut self.context)
    }
}

/// An empty signature of the C convention.
pub(crate) fn c_signature<M: Module>(module: &M) -> Signature {
    module.make_signature()
}

/// Traps when the stack pointer is below the stack limit. The address of the store context is at
/// `store` from `base`.
pub(crate) fn check_stack(b: &mut FunctionBuilder<'_>, base: Value, store: i32) {
    let flags = MemFlagsData::trusted();
    let store = b.ins().load(types::I64, flags.with_readonly(), base, store);
    let limit = b.ins().load(types::I64, flags, store, STACK_LIMIT);
    let sp = b.ins().get_stack_pointer(types::I64);
    let low = b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
    b.ins().trapnz(low, trap_code(TrapCode::StackOverflow));
}

impl Default for Emitter {
    fn default() -> Self {
        Self::new()
    }
}
