//! The type of a linear memory.

use super::Limits;

/// The type of a 32-bit linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType {
    /// Its size, in pages of 64 KiB.
    pub limits: Limits,
}
