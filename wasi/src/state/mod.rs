//! `Wasi`: the WASI state of an instance.

mod blueprint;
mod callbacks;
mod clocks;
mod generator;
mod random;
mod strings;

use std::sync::Arc;

use crate::fd::{FdTable, Stream};
use crate::fs::MemoryFs;
use crate::fs::mounts::Mounts;
use crate::sandbox::Resolver;
use precast_runtime::Shared;

pub(crate) use blueprint::{Blueprint, Preopen};
pub(crate) use callbacks::Callbacks;
pub(crate) use clocks::Clocks;
pub(crate) use random::Random;
pub(crate) use strings::Strings;

/// The WASI state of an instance: arguments, environment, clocks, random numbers, descriptors.
///
/// It is the state type of the host module: every instantiation has its own. To an embedder that
/// adds functions to the module it is an opaque type.
pub struct Wasi {
    pub(crate) args: Arc<Shared<Strings>>,
    pub(crate) env: Arc<Shared<Strings>>,
    pub(crate) clocks: Clocks,
    pub(crate) random: Random,
    pub(crate) fds: FdTable,
    pub(crate) mounts: Mounts,
    pub(crate) resolver: Resolver,
    pub(crate) callbacks: Callbacks,
    /// The destination of the trace, if the guest is traced.
    pub(crate) trace: Option<Stream>,
    /// The directories in memory that belong to this state alone.
    pub(crate) own_files: Vec<OwnFiles>,
}

/// A directory in memory that belongs to one state.
pub(crate) struct OwnFiles {
    /// The name that the guest sees.
    pub(crate) name: Arc<Shared<[u8]>>,
    pub(crate) files: MemoryFs,
}

impl Wasi {
    /// Whether a new state has all that a guest may remember of this one; else says what it lacks.
    pub(crate) fn check_snapshot(&mut self) -> Result<(), String> {
        self.fds.check_granted()?;
        match self.own_files.iter().find(|own| !own.files.is_empty()) {
            Some(own) => {
                let name = String::from_utf8_lossy(&own.name);
                Err(format!("the directory \"{name}\" in memory has files"))
            }
            None => Ok(()),
        }
    }
}

/// Functions of WASI can be exported into a host module whose state is a [`Wasi`] or contains one:
/// see [`FunctionExporter`](crate::FunctionExporter).
impl AsMut<Wasi> for Wasi {
    #[inline]
    fn as_mut(&mut self) -> &mut Wasi {
        self
    }
}

impl std::fmt::Debug for Wasi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wasi").finish_non_exhaustive()
    }
}
