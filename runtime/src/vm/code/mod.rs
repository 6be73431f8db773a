//! Machine code in memory: artifacts that are mapped, thunks made at run time, and the index of both.

mod code_memory;
mod fixed;
#[cfg(feature = "compiler")]
pub(in crate::vm) mod jit;
mod module;
pub(in crate::vm) mod registry;

pub(crate) use code_memory::{CodeError, CodeMemory};
pub(crate) use module::Module;
