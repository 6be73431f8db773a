//! The type of a global.

use super::ValType;

/// The type of a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct GlobalType {
    /// The type of its value.
    pub value: ValType,
    /// Whether its value can change.
    pub mutable: bool,
}

impl GlobalType {
    /// The type of globals of `value` that can be set if they are `mutable`.
    pub const fn new(value: ValType, mutable: bool) -> GlobalType {
        GlobalType { value, mutable }
    }
}
