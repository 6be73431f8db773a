//! File systems: the interface that an embedder implements, one in memory, and mounts.

mod file_system;
mod memory;
pub(crate) mod mounts;

pub use file_system::*;
pub use memory::MemoryFs;
