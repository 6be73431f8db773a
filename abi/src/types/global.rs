//! The type of a global.

use super::ValType;

/// The type of a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    /// The type of its value.
    pub value: ValType,
    /// Whether its value can change.
    pub mutable: bool,
}
