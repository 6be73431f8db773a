//! WASI preview 1 for precast: direct system calls inside a sandbox.
//!
//! [`Builder`] says what a guest is given and makes the host module `wasi_snapshot_preview1` of it,
//! a module like any other on the runtime's public API. A call of a guest is a look-up in a vector
//! and one system call on slices of the guest's own memory: no copy, no lock, no allocation.
//!
//! The way of a call: [`exports`] takes memory and state from the caller, a function in the file of
//! its concern ([`file_io`], [`fd_meta`], [`dirs`], [`open`], [`paths`], [`poll`], [`sockets`],
//! [`clocks`], [`random`], [`args`], [`process`]) checks pointers with [`memory`] and [`iovec`],
//! the descriptor and its rights with [`fd_table`], resolves a path with [`sandbox`], and asks the
//! host.
//!
//! Architecture invariants:
//! - No path leads out of a preopened directory, and nothing changes on a read-only one.
//! - No length a guest gives makes the host allocate more than a few pages.
//! - A function that is not implemented is not exported: a guest that needs it does not link.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(rustdoc::private_intra_doc_links)]

mod args;
mod builder;
mod clocks;
mod dirs;
mod errno;
mod exports;
mod fd_meta;
mod fd_table;
mod file_io;
mod iovec;
mod layout;
mod memory;
mod open;
mod path;
mod paths;
mod poll;
mod process;
mod random;
mod rights;
mod sandbox;
mod sockets;
mod state;
mod stream;

#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use errno::Errno;
pub use exports::FunctionExporter;
pub use state::Wasi;
pub use stream::{Captured, Input, Output};

use precast_runtime::{Error, Namespace, Runtime};

/// The name guests import WASI preview 1 under.
pub const MODULE_NAME: &str = "wasi_snapshot_preview1";

/// A new namespace of `runtime` with WASI in it that grants nothing: see [`Builder::new`].
pub fn instantiate(runtime: &Runtime) -> Result<Box<Namespace>, Error> {
    let mut namespace = runtime.namespace();
    Builder::new().instantiate(&mut namespace)?;
    Ok(namespace)
}
