//! Symbols: names and places of the functions, stubs and thunks of an artifact, for listings of its code.

use super::artifact_module::Linked;
use crate::plan::Plan;
use cranelift_module::FuncId;
use precast_abi::artifact::NONE;
use precast_abi::builtin::Builtin;
use precast_abi::index::{FuncIndex, TypeIndex};

/// A function, stub or thunk in the text of an artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Symbol {
    /// The name of the function in the module, or a description: `function[3]`,
    /// `stub: MemoryGrow`.
    pub name: String,
    /// Text offset of the first byte.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

/// The symbols of a linked module, in the order of the text.
pub(crate) fn symbols(plan: &Plan<'_>, linked: &Linked) -> Vec<Symbol> {
    let places = names(plan).into_iter().filter_map(|(id, name)| {
        let (start, len) = linked.places[id.as_u32() as usize];
        (start != NONE).then_some(Symbol { name, start, len })
    });
    let mut symbols: Vec<_> = places.collect();
    symbols.sort_by_key(|symbol| symbol.start);
    symbols
}

/// The number and name of every function, stub and thunk that may have code.
fn names(plan: &Plan<'_>) -> Vec<(FuncId, String)> {
    let (module, ids) = (plan.module, &plan.ids);
    let mut names = Vec::new();
    for index in module.func_imports..module.funcs.len() as u32 {
        let own = module.names.funcs.get(&index).map(|&name| name.to_owned());
        let name = own.unwrap_or_else(|| format!("function[{index}]"));
        names.push((ids.code(module, FuncIndex(index)), name));
    }
    for &builtin in Builtin::ALL {
        names.push((ids.builtin(builtin), format!("stub: {builtin:?}")));
    }
    names.push((ids.null_stub(), "stub: null element".into()));
    names.push((ids.mismatch_stub(), "stub: type mismatch".into()));
    names.push((ids.undefined_stub(), "stub: undefined element".into()));
    for n in 0..module.func_imports {
        names.push((ids.forwarder(n), format!("stub: forwarder to import {n}")));
    }
    for ty in (0..module.types.len() as u32).map(TypeIndex) {
        names.push((ids.host_thunk(ty), format!("host thunk of type {}", ty.0)));
        names.push((ids.typed_entry(ty), format!("typed entry thunk of type {}", ty.0)));
        names.push((ids.array_entry(ty), format!("array entry thunk of type {}", ty.0)));
    }
    names
}
