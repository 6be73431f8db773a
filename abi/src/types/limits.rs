//! Limits: the size range of a memory or of a table.

use core::fmt;

/// The size range of a memory (in pages) or of a table (in elements).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The initial size.
    pub min: u64,
    /// The maximum size, if the module declares one.
    pub max: Option<u64>,
}

impl Limits {
    /// The sizes from `min` on, up to `max` if there is one.
    pub const fn new(min: u64, max: Option<u64>) -> Limits {
        Limits { min, max }
    }

    /// Whether a memory or table of current size `size` and maximum `max` may be imported under
    /// these limits (specification 3.2.7, "Import Subtyping").
    pub fn admits(&self, size: u64, max: Option<u64>) -> bool {
        size >= self.min && self.max.is_none_or(|want| max.is_some_and(|have| have <= want))
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.min)?;
        self.max.map_or(Ok(()), |max| write!(f, "..={max}"))
    }
}
