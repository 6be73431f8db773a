//! The type of a table.

use super::{Limits, ValType};

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableType {
    /// The type of its elements, a reference type.
    pub element: ValType,
    /// Its size, in elements.
    pub limits: Limits,
}
