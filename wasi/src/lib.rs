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
//! host. Where directories of the guest lie in one another, or are not the host's, [`mounts`] finds
//! the file system, of which [`fs`] says what it is.
//!
//! Architecture invariants:
//! - No path leads out of a preopened directory, into a file system of the kernel or to what a mount
//!   hides, and nothing changes on a read-only one.
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
mod fresh;
pub mod fs;
mod guest;
mod hooks;
mod host_io;
mod limits;
mod mounts;
mod offset;
mod open;
mod paths;
mod poll;
mod preview0;
mod process;
mod random;
mod rights;
mod sandbox;
mod sockets;
mod spare;
mod state;
mod stream;
mod trace;
mod virtual_file;

#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use errno::Errno;
pub use exports::FunctionExporter;
pub use fs::{FileSystem, MemoryFs};
pub use limits::Limits;
pub use state::Wasi;
pub use stream::{Captured, Input, Output};

use precast_runtime::{Error, Namespace, Runtime};

/// The name guests import WASI preview 1 under.
pub const MODULE_NAME: &str = "wasi_snapshot_preview1";

/// The name guests import WASI preview 0 under, of 2019: see [`Builder::preview0`].
pub const MODULE_NAME_PREVIEW0: &str = "wasi_unstable";

/// A new namespace of `runtime` with WASI in it that grants nothing: see [`Builder::new`].
pub fn instantiate(runtime: &Runtime) -> Result<Box<Namespace>, Error> {
    let mut namespace = runtime.namespace();
    Builder::new().instantiate(&mut namespace)?;
    Ok(namespace)
}
