//! The only unsafe code of the workspace: memory that is code, memory that machine code writes,
//! and crossing between machine code and Rust.
//!
//! Invariants the rest of the module relies on, named in the `SAFETY` comments:
//!
//! - **code**: a [`code::CodeMemory`] is registered while it lives, never written after it is
//!   made executable, and outlives every instance, function reference and frame of its code.
//! - **context**: a context has the layout its module's artifact says, from instantiation until
//!   its store is dropped; its address never changes.
//! - **owner**: a store has one owner, whose provenance is exposed. All other pointers to the store
//!   take that provenance. While machine code or a host function runs, Rust code holds no reference
//!   to anything that these may reach.
//! - **store**: everything an instance refers to belongs to the same store, which lives until
//!   the outermost call into it has returned. One thread at a time is inside it.
//! - **types**: a [`types::TypeRef`] is followed only while a module or host module that owns its
//!   type lives. A store keeps the owners of the types of all functions that it can reach.
//! - **frames**: between an entry thunk and the machine code or host thunk that leaves it, all
//!   frames keep frame pointers and own nothing.
//! - **fiber**: while a fiber waits, all values in the frames on its stack can be sent to another
//!   thread, and no address of a thread-local is used after the wait that was computed before.

pub(crate) mod activation;
pub(crate) mod alloc;
pub(crate) mod arities;
mod builtins;
pub(crate) mod code;
pub(crate) mod engine;
pub(crate) mod entity;
#[cfg(feature = "async")]
pub(crate) mod fiber;
pub(crate) mod host;
mod instance;
#[cfg(all(test, loom))]
mod loom_models;
pub(crate) mod memory;
pub(crate) mod shared;
mod speculation;
pub(crate) mod store;
mod sync;
pub(crate) mod sys;
pub(crate) mod table;
pub(crate) mod types;
pub(crate) mod unsafe_api;
pub(crate) mod wiped_on_fork;
