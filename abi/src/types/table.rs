//! The type of a table.

use super::{Limits, RefType};

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct TableType {
    /// The type of its elements.
    pub element: RefType,
    /// Its size, in elements.
    pub limits: Limits,
}

impl TableType {
    /// The type of tables of `element` whose size is within `limits`.
    pub const fn new(element: RefType, limits: Limits) -> TableType {
        TableType { element, limits }
    }
}
