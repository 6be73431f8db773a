//! The rows of the table, a file for each kind.

pub(crate) mod bounded;
pub(crate) mod cache;
pub(crate) mod call;
pub(crate) mod compile;
pub(crate) mod compute;
pub(crate) mod instantiate;
pub(crate) mod load;
pub(crate) mod program;
pub(crate) mod start;
pub(crate) mod wasi;
