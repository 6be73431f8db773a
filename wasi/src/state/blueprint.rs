//! `Blueprint`: the initial state of the instances of a host module.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::{Callbacks, Clocks, OwnFiles, Random, Strings, Wasi};
use crate::errno::Errno;
use crate::fd::{
    Descriptor, FdTable, HostDirectory, HostFd, Input, Object, Output, Rights, Stream,
    VirtualDirectory,
};
use crate::fs::mounts::{self, Mount, Mounts, Source};
use crate::fs::{FileSystem, MemoryFs};
use crate::limits::Limits;
use crate::sandbox::{Hidden, Resolver};
use precast_runtime::Shared;

/// The initial state of every instance of a host module. Instantiation opens no files: instances
/// share those that the embedder has granted. Threads that instantiate at once share no count of
/// references.
pub(crate) struct Blueprint {
    pub(crate) args: Arc<Shared<Strings>>,
    pub(crate) env: Arc<Shared<Strings>>,
    pub(crate) clocks: Clocks,
    /// The seed of the random numbers; `None` for the system's generator.
    pub(crate) seed: Option<u64>,
    pub(crate) stdin: Input,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) preopens: Vec<Preopen>,
    pub(crate) sockets: Vec<Arc<Shared<OwnedFd>>>,
    pub(crate) resolver: Resolver,
    pub(crate) callbacks: Callbacks,
    pub(crate) trace: Option<Output>,
    pub(crate) limits: Limits,
}

/// A directory that every instance gets.
#[derive(Debug)]
pub(crate) struct Preopen {
    /// The file system; `None` for a new file system in memory for each instance.
    pub(crate) source: Option<Source>,
    /// The name that the guest sees.
    pub(crate) name: Arc<Shared<[u8]>>,
    /// The location in the guest's tree, see [`mounts`].
    pub(crate) at: String,
    pub(crate) writable: bool,
    /// The files that are hidden in a directory of the host.
    pub(crate) hidden: Option<Arc<Hidden>>,
}

impl Blueprint {
    /// A new state. Descriptors 0, 1 and 2 are the standard streams; then come the directories and
    /// the sockets. A guest's C library looks for directories from 3 on.
    pub(crate) fn instantiate(&self) -> Result<Wasi, Errno> {
        let mut fds = self.empty_table();
        fds.insert_granted(Descriptor::of_input(&self.stdin))?;
        fds.insert_granted(Descriptor::of_output(&self.stdout, rustix::stdio::stdout()))?;
        fds.insert_granted(Descriptor::of_output(&self.stderr, rustix::stdio::stderr()))?;
        let mut own_files = Vec::new();
        let mounts = self.mounts(&mut own_files);
        for preopen in &self.preopens {
            fds.insert_granted(preopen.descriptor(&mounts))?;
        }
        for socket in &self.sockets {
            fds.insert_granted(Descriptor::of_socket(HostFd::Granted(socket.for_thread()))?)?;
        }
        Ok(Wasi {
            args: self.args.for_thread(),
            env: self.env.for_thread(),
            clocks: self.clocks,
            random: self.seed.map_or(Random::System, Random::seeded),
            fds,
            mounts,
            resolver: self.resolver,
            callbacks: self.callbacks.clone(),
            trace: self.trace.as_ref().map(Stream::of_trace),
            own_files,
        })
    }

    /// A table without descriptors.
    fn empty_table(&self) -> FdTable {
        let (limit, shares) = (self.limits.descriptors, self.limits.has_default_descriptors());
        // The default limit does not include the descriptors that the embedder grants.
        let granted = 3 + self.preopens.len() + self.sockets.len();
        let granted = if shares { u32::try_from(granted).unwrap_or(u32::MAX) } else { 0 };
        FdTable::new(limit.saturating_add(granted), shares)
    }

    /// The mount table. It is empty if all preopened directories are directories of the host and
    /// none is beneath another. Adds new file systems in memory to `own_files`.
    fn mounts(&self, own_files: &mut Vec<OwnFiles>) -> Mounts {
        let mut mounts = Mounts::new(self.resolver);
        let is_alone = |one: &Preopen| {
            let mut rests =
                self.preopens.iter().filter_map(|other| mounts::beneath(&other.at, &one.at));
            matches!(one.source, Some(Source::Host(_))) && rests.all(str::is_empty)
        };
        if self.preopens.iter().all(is_alone) {
            return mounts;
        }
        for Preopen { source, name, at, writable, hidden } in &self.preopens {
            let source = source.clone().unwrap_or_else(|| {
                let files = self.memory_fs();
                own_files.push(OwnFiles { name: name.clone(), files: files.clone() });
                Source::Virtual(Arc::new(files))
            });
            mounts.add(Mount::new(at.clone(), source, *writable).hiding(hidden.clone()));
        }
        let gaps: Arc<dyn FileSystem> = Arc::new(self.memory_fs());
        mounts.fill_gaps(&gaps);
        mounts.hide();
        mounts
    }

    /// An empty file system with timestamps from the guest's clock.
    fn memory_fs(&self) -> MemoryFs {
        match self.clocks {
            Clocks::Host => MemoryFs::with_limits(&self.limits),
            Clocks::Virtual { start, .. } => {
                MemoryFs::with_clock(&self.limits, Arc::new(move || start))
            }
        }
    }
}

impl Preopen {
    /// The descriptor of the directory.
    fn descriptor(&self, mounts: &Mounts) -> Descriptor {
        let preopen = Some(self.name.for_thread());
        let object = match &self.source {
            Some(Source::Host(fd)) if !mounts.has_mount_beneath(&self.at) => {
                let fd = HostFd::Granted(fd.for_thread());
                let hidden = self.hidden.clone();
                let writable = self.writable;
                Object::HostDirectory(HostDirectory {
                    fd,
                    writable,
                    preopen,
                    listing: None,
                    hidden,
                })
            }
            _ => Object::VirtualDirectory(VirtualDirectory { location: self.at.clone(), preopen }),
        };
        Descriptor {
            object,
            opened_for: Rights::NONE,
            base: Rights::DIRECTORY,
            inheriting: Rights::ALL,
        }
    }
}
