//! The interface between precast's compiler and its runtime: layouts, types, limits and the
//! artifact format.
//!
//! The compiler writes machine code that assumes the layouts of this crate, the runtime builds
//! memory that has them. Neither crate depends on the other; a fact that both need is here, once.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod artifact;
pub mod builtin;
pub mod entry;
pub mod index;
pub mod limits;
pub mod store_context;
pub mod trap;
pub mod types;
pub mod vmctx;
