//! Linking: adds the stubs, dispatch tables and thunks that compiled functions need, and makes the
//! text and read-only data.

pub(crate) mod artifact_module;
pub(crate) mod bulk_fast_path;
pub(crate) mod compiled;
mod emitter;
pub(crate) mod stubs;
pub(crate) mod symbols;
pub mod thunk;

use crate::error::CompileError;
use crate::parse::module::Module;
use crate::plan::Plan;
use crate::target;
use artifact_module::{ArtifactModule, Linked};
use compiled::CompiledFunction;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_module::{Module as _, ModuleResult};
use emitter::Emitter;
use precast_abi::artifact::Kind;
use precast_abi::builtin::Builtin;
use precast_abi::entry::has_typed_entry;
use precast_abi::index::{FuncIndex, TypeIndex};
use std::collections::BTreeSet;
use thunk::HostContext;

/// Links a module.
pub(crate) fn link(
    plan: &Plan<'_>,
    isa: OwnedTargetIsa,
    functions: Vec<CompiledFunction<'_>>,
) -> Result<Linked, CompileError> {
    let mut module = ArtifactModule::new(isa, plan.ids.count());
    define(&mut module, plan, functions)
        .map_err(|error| CompileError::internal(format!("{error:?}")))?;
    module.link()
}

/// Defines everything that has code, with the numbers of [`crate::plan::func_ids::FuncIds`].
fn define<'f>(
    module: &mut ArtifactModule<'f>,
    plan: &Plan<'_>,
    functions: Vec<CompiledFunction<'f>>,
) -> ModuleResult<()> {
    let mut emitter = Emitter::new();
    for (n, function) in functions.into_iter().enumerate() {
        module.define(plan.ids.defined(n as u32), function)?;
    }
    dispatch_tables(module, plan)?;
    stubs(module, &mut emitter, plan)?;
    host_thunks(module, &mut emitter, plan)?;
    entry_thunks(module, &mut emitter, plan)
}

/// Defines the dispatch tables that calls use.
fn dispatch_tables(module: &mut ArtifactModule<'_>, plan: &Plan<'_>) -> ModuleResult<()> {
    for table in plan.constant_tables.values() {
        for (id, of_type) in table.objects() {
            if module.refers_to_data(id) {
                module.define_data(id, &table.data(plan, of_type))?;
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
    // Mispredicted, the fast paths reach beyond memory 0, into its guard.
    let fast = plan.module.owns_memory0() && !plan.explicit_bounds;
    for &builtin in Builtin::ALL {
        if module.refers_to_func(ids.builtin(builtin)) {
            emitter.builtin(module, ids.builtin(builtin), builtin, fast)?;
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
            let code = target::forwarder(module.isa(), ty, plan.regions.func_import(n));
            module.define_function_bytes(ids.forwarder(n), 1, &code, &[])?;
        }
    }
    Ok(())
}

/// Defines the host thunks of the types of imported functions: the host may define any of them.
fn host_thunks(
    module: &mut ArtifactModule<'_>,
    emitter: &mut Emitter,
    plan: &Plan<'_>,
) -> ModuleResult<()> {
    let imports = (0..plan.module.func_imports).map(FuncIndex);
    let types: BTreeSet<_> = imports.map(|func| plan.module.canonical_type(func)).collect();
    for ty in types {
        let func_type = &plan.module.types[ty.index()];
        thunk::emit_host_typed(
            emitter,
            module,
            plan.ids.host_thunk(ty),
            func_type,
            HostContext::FuncSlot,
        )?;
    }
    Ok(())
}

/// Defines the entry thunks of the types of functions that the host can call.
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

/// The canonical types of functions that the host can call: exported functions, the start function,
/// and functions that have a reference record.
fn entry_types(module: &Module<'_>, func_refs: &[FuncIndex]) -> BTreeSet<TypeIndex> {
    let exported = module.exports_of(Kind::Func).map(|export| FuncIndex(export.index));
    let funcs = exported.chain(module.start).chain(func_refs.iter().copied());
    funcs.map(|func| module.canonical_type(func)).collect()
}
