//! Stubs: small functions that code calls for builtins, and to which dispatch tables lead for
//! traps. Forwarders to imports are assembled by hand; see [`crate::target::forwarder`].

use crate::link::bulk_fast_path;
use crate::link::emitter::{Emitter, c_signature};
use crate::spectre;
use crate::types::{tail_signature, trap_code, word_type};
use cranelift_codegen::ir::{AbiParam, InstBuilder, MemFlagsData, Signature, types};
use cranelift_codegen::isa::CallConv;
use cranelift_module::{FuncId, Module, ModuleResult};
use precast_abi::builtin::Builtin;
use precast_abi::trap::TrapCode;
use precast_abi::types::FuncType;
use precast_abi::vmctx;

/// The signature of the stub of a builtin, as callers see it.
pub(crate) fn builtin_signature(builtin: Builtin) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::new(types::I64));
    signature.params.extend(builtin.params().iter().map(|&word| AbiParam::new(word_type(word))));
    signature.returns.extend(builtin.result().map(|word| AbiParam::new(word_type(word))));
    signature
}

/// The signature of a stub that traps. Calls of every type reach it, and it never returns.
pub(crate) fn trap_signature() -> Signature {
    tail_signature(&FuncType::default())
}

impl Emitter {
    /// Defines the stub of a builtin, which calls the runtime and traps if that fails. The trap is
    /// in the stub, so that the backtrace has the frame of the caller. `fast` says whether
    /// memory 0 is at the context, with a guard, so that the stub may do short runs in it.
    pub(crate) fn builtin<M: Module>(
        &mut self,
        module: &mut M,
        id: FuncId,
        builtin: Builtin,
        fast: bool,
    ) -> ModuleResult<()> {
        let mut callee = c_signature(module);
        let words = builtin.params().iter().map(|&word| AbiParam::new(word_type(word)));
        callee.params.push(AbiParam::new(types::I64));
        callee.params.extend(words);
        match (builtin.result(), builtin.trap()) {
            (Some(word), _) => callee.returns.push(AbiParam::new(word_type(word))),
            (None, Some(_)) => callee.returns.push(AbiParam::new(types::I32)),
            (None, None) => {}
        }
        let guards = spectre::guarded(module.isa());
        self.define(module, id, builtin_signature(builtin), |b, params| {
            let ctx = params[0];
            if fast {
                bulk_fast_path::emit(b, builtin, params, guards);
            }
            crate::link::emitter::check_stack(b, ctx, vmctx::STORE);
            let flags = MemFlagsData::trusted().with_readonly();
            let array = b.ins().load(types::I64, flags, ctx, vmctx::BUILTINS);
            let code = b.ins().load(types::I64, flags, array, 8 * builtin as i32);
            let signature = b.import_signature(callee);
            let call = b.ins().call_indirect(signature, code, params);
            let results = b.inst_results(call).to_vec();
            match builtin.trap() {
                Some(trap) => {
                    b.ins().trapnz(results[0], trap_code(trap));
                    b.ins().return_(&[]);
                }
                None => {
                    b.ins().return_(&results);
                }
            }
        })
    }

    /// Defines the stub for null elements of constant tables.
    pub(crate) fn null_stub<M: Module>(&mut self, module: &mut M, id: FuncId) -> ModuleResult<()> {
        // Calls of every type reach this stub, so it cannot use its parameters: the register of the
        // context depends on the results of the type.
        self.define(module, id, trap_signature(), |b, _| {
            b.ins().trap(trap_code(TrapCode::UninitializedElement));
        })
    }

    /// Defines the stub for elements of constant tables whose type is not that of the call.
    pub(crate) fn mismatch_stub<M: Module>(
        &mut self,
        module: &mut M,
        id: FuncId,
    ) -> ModuleResult<()> {
        self.define(module, id, trap_signature(), |b, _| {
            b.ins().trap(trap_code(TrapCode::IndirectCallTypeMismatch));
        })
    }

    /// Defines the stub for indices beyond the end of a constant table.
    pub(crate) fn undefined_stub<M: Module>(
        &mut self,
        module: &mut M,
        id: FuncId,
    ) -> ModuleResult<()> {
        self.define(module, id, trap_signature(), |b, _| {
            b.ins().trap(trap_code(TrapCode::UndefinedElement));
        })
    }
}
