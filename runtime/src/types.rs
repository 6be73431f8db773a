//! All function types of the process, each once.
//!
//! Machine code compares types by a 64-bit hash. Here every type gets a place of its own, and
//! two types of one hash are refused, so that equal hashes mean equal types.

use precast_abi::types::FuncType;
use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

/// A function type with its hash. Two are the same type exactly if they are the same address.
#[derive(Debug)]
pub(crate) struct Interned {
    pub(crate) ty: FuncType,
    pub(crate) identity: u64,
}

/// The one place of a type.
pub(crate) type TypeRef = &'static Interned;

/// Two different types have the same hash.
#[derive(Debug)]
pub(crate) struct Collision;

fn all() -> &'static RwLock<HashMap<u64, TypeRef>> {
    static ALL: OnceLock<RwLock<HashMap<u64, TypeRef>>> = OnceLock::new();
    ALL.get_or_init(Default::default)
}

/// The place of a type. Types are never forgotten: there are few, and they are small.
pub(crate) fn intern(ty: &FuncType) -> Result<TypeRef, Collision> {
    let identity = ty.identity();
    if let Some(known) = by_identity(identity) {
        return if known.ty == *ty { Ok(known) } else { Err(Collision) };
    }
    let mut all = all().write().unwrap_or_else(|e| e.into_inner());
    let known = *all
        .entry(identity)
        .or_insert_with(|| Box::leak(Box::new(Interned { ty: ty.clone(), identity })));
    if known.ty == *ty { Ok(known) } else { Err(Collision) }
}

/// The type with this hash, if a loaded module or a host function has it.
pub(crate) fn by_identity(identity: u64) -> Option<TypeRef> {
    all().read().unwrap_or_else(|e| e.into_inner()).get(&identity).copied()
}
