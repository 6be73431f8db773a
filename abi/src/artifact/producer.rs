//! The producer of artifacts: the compiler, the target and the tunables that must match for code to
//! be loadable.

use super::header::{Producer, VERSION};
use crate::builtin::Builtin;
use crate::{limits, store_context, types, vmctx};
use std::fmt::Write;

/// The name and version of the compiler and of its code generator.
pub const COMPILER: &str = concat!("precast ", env!("CARGO_PKG_VERSION"), " cranelift 0.135.8");

/// The name of this machine as a target: `x86_64-linux`.
pub fn host_target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

impl Producer {
    /// The producer that this compiler writes into artifacts for a target.
    pub fn for_target(target: &str) -> Producer {
        Producer { compiler: padded(COMPILER), target: padded(target), tunables: tunables() }
    }
}

fn padded(text: &str) -> [u8; 64] {
    let mut bytes = [0; 64];
    let len = text.len().min(bytes.len());
    bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
    bytes
}

/// A hash of every layout, limit and encoding that code depends on.
fn tunables() -> u64 {
    let layout = [
        vmctx::MEMORY0_OFFSET,
        vmctx::MEMORY0,
        vmctx::STORE,
        vmctx::BUILTINS,
        vmctx::INSTANCE,
        vmctx::EXPORTED_MEMORY,
        vmctx::TRAP_OPERAND,
        vmctx::MemoryDef::BASE,
        vmctx::MemoryDef::LEN,
        vmctx::TableDef::BASE,
        vmctx::TableDef::LEN,
        vmctx::FuncRef::CODE,
        vmctx::FuncRef::CTX,
        vmctx::FuncRef::TYPE,
        vmctx::FuncRef::REF,
        vmctx::FuncSlot::CODE,
        vmctx::FuncSlot::CTX,
        vmctx::FuncSlot::FUNC,
        vmctx::FuncSlot::ENV,
        vmctx::FuncSlot::IMPORTER,
        vmctx::FuncSlot::SIZE as i32,
        vmctx::MemorySlot::DEF,
        vmctx::MemorySlot::BASE,
        vmctx::HostRecord::STORE,
        store_context::STACK_LIMIT,
        store_context::FUEL_USED,
    ];
    let limits = [
        limits::WASM_PAGE,
        limits::MEMORY32_SPAN,
        limits::MEMORY_GUARD,
        limits::UNCHECKED_STACK,
        limits::TABLE_MAX_ELEMENTS,
        store_context::MOST_FUEL,
    ];
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{VERSION} {layout:?} {limits:?} {:?}", Builtin::ALL);
    let _ = write!(text, " {:?}", types::DIGEST_CONTEXT);
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}
