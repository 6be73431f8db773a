//! The type of a linear memory.

use super::Limits;

/// The type of a 32-bit linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct MemoryType {
    /// Its size, in pages of 64 KiB.
    pub limits: Limits,
}

impl MemoryType {
    /// The type of memories whose size is within `limits`, in pages of 64 KiB.
    pub const fn new(limits: Limits) -> MemoryType {
        MemoryType { limits }
    }
}
