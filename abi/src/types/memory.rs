//! The type of a linear memory.

use super::Limits;

/// The type of a 32-bit linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType {
    /// Pages of 64 KiB it holds.
    pub limits: Limits,
}
