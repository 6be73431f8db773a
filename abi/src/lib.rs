//! What precast's compiler and runtime share, and the only place they meet.
//!
//! The compiler writes machine code that assumes the layouts of this crate, the runtime builds
//! memory that has them. Neither crate may know the other; a fact both need stands here, once.

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
