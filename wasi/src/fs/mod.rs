//! File systems: the interface that an embedder implements, a file system in memory, and the mounts
//! that join file systems to one tree.

mod file_system;
mod memory;
pub(crate) mod mounts;

pub use file_system::{Entry, File, FileKind, FileStat, FileSystem, OpenOptions, Times};
pub use memory::MemoryFs;
