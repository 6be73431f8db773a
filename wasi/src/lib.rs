//! WASI preview 1 for precast: direct system calls inside a sandbox.
//!
//! [`Builder`] collects the resources that a guest is granted and builds the host module
//! `wasi_snapshot_preview1`, a module like any other on the runtime's public API. A call of a guest
//! is a look-up in the descriptor table and one system call on slices of the guest's own memory,
//! without a copy, a lock or an allocation.
//!
//! Layers, from the top; none imports from one above it:
//!
//! - [`builder`], [`exports`], [`trace`]: building the host module, and tracing its calls.
//! - `waiting`: functions that wait without a thread (feature `async`).
//! - [`calls`]: the functions of WASI, one file for each group.
//! - [`state`]: the state of an instance.
//! - [`fd`]: the descriptor table, and the objects behind descriptors.
//! - [`fs`]: file systems that are not the host's, and mounts.
//! - [`sandbox`]: path resolution in directories of the host.
//! - [`guest`], [`limits`], [`errno`]: guest memory and its records, limits, error codes.
//!
//! Architecture invariants:
//! - No path leads out of a preopened directory, to a pseudo file system or to a file that a mount
//!   hides, and nothing changes on a read-only mount.
//! - No length that a guest passes makes the host allocate more than a few pages.
//! - A function that is not implemented is not exported: a guest that imports it does not link.
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
#[cfg(feature = "async")]
mod waiting;

#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use errno::Errno;
pub use exports::FunctionExporter;
pub use fd::{Captured, Input, Output};
pub use fs::{FileSystem, MemoryFs};
pub use limits::Limits;
pub use state::Wasi;
#[cfg(feature = "tokio")]
pub use waiting::Tokio;
#[cfg(feature = "async")]
pub use waiting::{Event, EventSource};

use precast_runtime::{Error, Namespace, Runtime};

/// The name of the module from which guests import WASI preview 1.
pub const MODULE_NAME: &str = "wasi_snapshot_preview1";

/// The name of the module from which guests import WASI preview 0, of 2019: see
/// [`Builder::preview0`].
pub const MODULE_NAME_PREVIEW0: &str = "wasi_unstable";

/// A new namespace of `runtime` with an instance of WASI that grants nothing: see [`Builder::new`].
pub fn instantiate(runtime: &Runtime) -> Result<Box<Namespace>, Error> {
    let mut namespace = runtime.namespace();
    Builder::new().instantiate(&mut namespace)?;
    Ok(namespace)
}
