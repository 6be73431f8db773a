//! The state of an instance, and how it is created.

pub(crate) mod blueprint;
pub(crate) mod callbacks;
pub(crate) mod clocks;
pub(crate) mod random;
