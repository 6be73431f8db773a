//! Instances of compiled modules: their state, how they are built, and their segments.

mod build;
mod const_expr;
pub(in crate::vm) mod context;
pub(in crate::vm) mod remains;
mod reset;
mod segments;
mod snapshot;
mod state;

pub(in crate::vm) use build::build;
pub(in crate::vm) use state::{ModuleInstance, of};
