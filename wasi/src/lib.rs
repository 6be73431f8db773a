//! WASI preview 1 for precast: direct system calls inside a sandbox.
//!
//! [`Builder`] says what a guest is given and makes the host module `wasi_snapshot_preview1` of it,
//! a module like any other on the runtime's public API. A call of a guest is a look-up in a vector
//! and one system call on slices of the guest's own memory: no copy, no lock, no allocation.
//!
//! [`exports`] takes memory and state from the caller, and a function of [`calls`] checks pointers
//! with [`guest`] and the descriptor with [`fd`], resolves a path with [`sandbox`], or with mounts and
//! other file systems of [`fs`], and calls the host.
//!
//! Architecture invariants:
//! - No path leads out of a preopened directory, into a file system of the kernel or to what a mount
//!   hides, and nothing changes on a read-only one.
//! - No length a guest gives makes the host allocate more than a few pages.
//! - A function that is not implemented is not exported: a guest that needs it does not link.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(rustdoc::private_intra_doc_links)]

mod builder;
mod calls;
mod errno;
mod exports;
mod fd;
pub mod fs;
mod guest;
mod limits;
mod sandbox;
mod state;
mod trace;

#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use errno::Errno;
pub use exports::FunctionExporter;
pub use fd::stream::{Captured, Input, Output};
pub use fs::{FileSystem, MemoryFs};
pub use limits::Limits;
pub use state::blueprint::Wasi;

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
