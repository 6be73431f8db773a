//! From compiled functions to linked text: adds the stubs, dispatch tables and thunks that the
//! functions need, and links.

use crate::artifact_module::{ArtifactModule, Linked};
use crate::code::CompiledFunction;
use crate::emitter::Emitter;
use crate::error::CompileError;
use crate::ids::TRAP_STUBS;
use crate::module::Module;
use crate::plan::Plan;
use crate::stubs::{builtin_signature, trap_signature};
use crate::thunk::{self, Host};
use crate::types::tail_signature;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_module::{Module as _, ModuleResult};
use precast_abi::artifact::Kind;
use precast_abi::builtin::Builtin;
use precast_abi::entry::has_typed_entry;
use precast_abi::index::{FuncIndex, TypeIndex};
use std::collections::BTreeSet;

/// Links the module.
pub(crate) fn link(
    plan: &Plan<'_>,
    isa: OwnedTargetIsa,
    functions: Vec<CompiledFunction<'_>>,
) -> Result<Linked, CompileError> {
    let mut module = ArtifactModule::new(isa);
    let mut emitter = Emitter::new();
    declare(&mut module, plan)
        .and_then(|()| {
            for (n, function) in functions.into_iter().enumerate() {
                module.define(plan.ids.defined(n as u32), function)?;
            }
            dispatch_tables(&mut module, plan)?;
            stubs(&mut module, &mut emitter, plan)?;
            host_thunks(&mut module, &mut emitter, plan)?;
            entry_thunks(&mut module, &mut emitter, plan)
        })
        .map_err(|error| CompileError::internal(format!("{error:?}")))?;
    module.link()
}

/// Declares everything that may have code, in the order of [`crate::ids::Ids`].
fn declare(module: &mut ArtifactModule<'_>, plan: &Plan<'_>) -> ModuleResult<()> {
    let wasm = plan.module;
    let (imports, defined) = wasm.funcs.split_at(wasm.func_imports as usize);
    let signatures: Vec<_> = wasm.types.iter().map(tail_signature).collect();
    for ty in defined {
        module.declare_anonymous_function(&signatures[ty.index()])?;
    }
    for &builtin in Builtin::ALL {
        module.declare_anonymous_function(&builtin_signature(builtin))?;
    }
    for _ in 0..TRAP_STUBS {
        module.declare_anonymous_function(&trap_signature())?;
    }
    for ty in imports.iter().chain(imports) {
        module.declare_anonymous_function(&signatures[ty.index()])?;
    }
    for ty in &wasm.types {
        module.declare_anonymous_function(&thunk::typed_entry_signature(module, ty))?;
    }
    for _ in &wasm.types {
        module.declare_anonymous_function(&thunk::array_entry_signature(module))?;
    }
    debug_assert_eq!(module.declarations().get_functions().count(), plan.ids.count() as usize);
    for _ in plan.static_tables.values().flat_map(|table| table.objects()) {
        module.declare_anonymous_data(false, false)?;
    }
    Ok(())
}

/// Defines the dispatch tables that calls use.
fn dispatch_tables(module: &mut ArtifactModule<'_>, plan: &Plan<'_>) -> ModuleResult<()> {
    for table in plan.static_tables.values() {
        for (id, dense) in table.objects() {
            if module.refers_to_data(id) {
                module.define_data(id, &table.data(plan, dense))?;
            }
        }
    }
    Ok(())
}

/// Defines the stubs that code and dispatch tables refer to.
fn stubs(
    module: &mut ArtifactModule<'_>,
    emitter: &mut Emitter,
    plan: &Plan<'_>,
) -> ModuleResult<()> {
    let ids = &plan.ids;
    let memory0 = plan.module.owns_memory0();
    for &builtin in Builtin::ALL {
        if module.refers_to_func(ids.builtin(builtin)) {
            emitter.builtin(module, ids.builtin(builtin), builtin, memory0)?;
        }
    }
    if module.refers_to_func(ids.null_stub()) {
        emitter.null_stub(module, ids.null_stub())?;
    }
    if module.refers_to_func(ids.mismatch_stub()) {
        emitter.mismatch_stub(module, ids.mismatch_stub())?;
    }
    if module.refers_to_func(ids.undefined_stub()) {
        emitter.undefined_stub(module, ids.undefined_stub())?;
    }
    for n in 0..plan.module.func_imports {
        if module.refers_to_func(ids.forwarder(n)) {
            let ty = plan.module.func_type(FuncIndex(n));
            let slot = plan.regions.func_import(n);
            emitter.forwarder(module, ids.forwarder(n), ty, slot)?;
        }
    }
    Ok(())
}

/// Defines a host thunk for every imported function: the host may provide any of them.
fn host_thunks(
    module: &mut ArtifactModule<'_>,
    emitter: &mut Emitter,
    plan: &Plan<'_>,
) -> ModuleResult<()> {
    for n in 0..plan.module.func_imports {
        let ty = plan.module.func_type(FuncIndex(n));
        let host = Host::Slot(plan.regions.func_import(n));
        thunk::emit_host_typed(emitter, module, plan.ids.host_thunk(n), ty, host)?;
    }
    Ok(())
}

/// Defines the entry thunks of the types that functions called from outside have.
fn entry_thunks(
    module: &mut ArtifactModule<'_>,
    emitter: &mut Emitter,
    plan: &Plan<'_>,
) -> ModuleResult<()> {
    for ty in entry_types(plan.module, &plan.func_refs) {
        let func_type = &plan.module.types[ty.index()];
        if has_typed_entry(func_type) {
            thunk::emit_entry_typed(emitter, module, plan.ids.typed_entry(ty), func_type)?;
        }
        thunk::emit_entry_array(emitter, module, plan.ids.array_entry(ty), func_type)?;
    }
    Ok(())
}

/// The canonical types of functions that can be called from outside: exported ones, the start
/// function, and those that can be referred to.
fn entry_types(module: &Module<'_>, func_refs: &[FuncIndex]) -> BTreeSet<TypeIndex> {
    let exported = module.exports_of(Kind::Func).map(|export| FuncIndex(export.index));
    let funcs = exported.chain(module.start).chain(func_refs.iter().copied());
    funcs.map(|func| module.canonical_type(func)).collect()
}
