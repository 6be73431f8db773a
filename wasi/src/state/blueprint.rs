//! `Wasi`: the state of one instance of the host module, and how it comes to be.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

use crate::calls::args::Strings;
use crate::calls::path_open;
use crate::calls::sock;
use crate::errno::Errno;
use crate::fd::rights::Rights;
use crate::fd::stream::{Input, InputKind, Output, OutputKind, Stream};
use crate::fd::table::{Descriptor, Directory, FdTable, HostFd, HostFile, Object};
use crate::fs::mounts::{self, Mount, Mounts, Source, Tree};
use crate::fs::{FileSystem, MemoryFs};
use crate::limits::Limits;
use crate::sandbox::{Hidden, Resolver};
use crate::state::callbacks::Hooks;
use crate::state::clocks::Clocks;
use crate::state::random::Random;

/// The WASI state of an instance: its arguments, descriptors, clocks, random numbers.
///
/// It is the state type of the host module, so that every instantiation has its own. An embedder
/// who adds functions to the module sees it as the type of the caller and nothing more.
pub struct Wasi {
    pub(crate) args: Arc<Strings>,
    pub(crate) env: Arc<Strings>,
    pub(crate) clocks: Clocks,
    pub(crate) random: Random,
    pub(crate) fds: FdTable,
    pub(crate) mounts: Mounts,
    pub(crate) resolver: Resolver,
    pub(crate) hooks: Hooks,
    /// Where a traced guest's calls are written.
    pub(crate) trace: Option<Stream>,
}

/// Lets functions of WASI be exported into a host module whose state contains a [`Wasi`] or is one:
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

/// What every instance of one host module starts from. Making a state of it opens nothing: what
/// the embedder gave is shared.
pub(crate) struct Blueprint {
    pub(crate) args: Arc<Strings>,
    pub(crate) env: Arc<Strings>,
    pub(crate) clocks: Clocks,
    /// `None`: the system's generator.
    pub(crate) seed: Option<u64>,
    pub(crate) stdin: Input,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) preopens: Vec<Preopen>,
    pub(crate) sockets: Vec<Arc<OwnedFd>>,
    pub(crate) resolver: Resolver,
    pub(crate) hooks: Hooks,
    pub(crate) trace: Option<Output>,
    pub(crate) limits: Limits,
}

/// A directory given to every instance.
#[derive(Debug)]
pub(crate) struct Preopen {
    /// None: a new file system in memory for each instance.
    pub(crate) source: Option<Source>,
    /// What the guest calls it.
    pub(crate) name: Arc<[u8]>,
    /// Where it lies in the guest's tree, see [`crate::fs::mounts`].
    pub(crate) at: String,
    pub(crate) writable: bool,
    /// What must not be reached in a directory of the host.
    pub(crate) hidden: Option<Arc<Hidden>>,
}

impl Blueprint {
    /// A new state: 0, 1, 2 are the standard streams, then come the directories, then the sockets.
    /// A guest's C library looks for directories from 3 on.
    pub(crate) fn instantiate(&self) -> Result<Wasi, Errno> {
        let mut fds = self.no_descriptors();
        fds.give(stdin(&self.stdin))?;
        fds.give(output(&self.stdout, rustix::stdio::stdout()))?;
        fds.give(output(&self.stderr, rustix::stdio::stderr()))?;
        let mounts = self.mounts();
        for preopen in &self.preopens {
            fds.give(preopen.descriptor(&mounts))?;
        }
        for socket in &self.sockets {
            fds.give(sock::descriptor(HostFd::Shared(socket.clone()))?)?;
        }
        Ok(Wasi {
            args: self.args.clone(),
            env: self.env.clone(),
            clocks: self.clocks,
            random: self.seed.map_or_else(Random::system, Random::seeded),
            fds,
            mounts,
            resolver: self.resolver,
            hooks: self.hooks.clone(),
            trace: self.trace.as_ref().map(trace),
        })
    }

    /// A table without descriptors yet.
    fn no_descriptors(&self) -> FdTable {
        let (limit, shares) = (self.limits.descriptors, self.limits.has_default_descriptors());
        // By default what the embedder gives comes on top.
        let given = 3 + self.preopens.len() + self.sockets.len();
        let given = if shares { u32::try_from(given).unwrap_or(u32::MAX) } else { 0 };
        FdTable::new(limit.saturating_add(given), shares)
    }

    /// The guest's tree. Directories of the host that do not lie in each other need none.
    fn mounts(&self) -> Mounts {
        let mut mounts = Mounts::default();
        let alone = |one: &Preopen| {
            let mut rests =
                self.preopens.iter().filter_map(|other| mounts::beneath(&other.at, &one.at));
            matches!(one.source, Some(Source::Host(_))) && rests.all(str::is_empty)
        };
        if self.preopens.iter().all(alone) {
            return mounts;
        }
        for Preopen { source, at, writable, hidden, .. } in &self.preopens {
            let source = source.clone().unwrap_or_else(|| Source::Virtual(self.memory_fs()));
            mounts.add(Mount::new(at.clone(), source, *writable).hiding(hidden.clone()));
        }
        mounts.fill_gaps(self.resolver, &self.memory_fs());
        mounts.hide(self.resolver);
        mounts
    }

    /// An empty file system, whose files are as old as the guest's clock says.
    fn memory_fs(&self) -> Arc<dyn FileSystem> {
        Arc::new(match self.clocks {
            Clocks::Host => MemoryFs::with_limits(&self.limits),
            Clocks::Virtual { start, .. } => {
                MemoryFs::with_clock(&self.limits, Arc::new(move || start))
            }
        })
    }
}

impl Preopen {
    fn descriptor(&self, mounts: &Mounts) -> Descriptor {
        let preopen = Some(self.name.clone());
        let object = match &self.source {
            Some(Source::Host(fd)) if !mounts.has_beneath(&self.at) => {
                let fd = HostFd::Shared(fd.clone());
                let hidden = self.hidden.clone();
                let writable = self.writable;
                Object::Directory(Directory { fd, writable, preopen, listing: None, hidden })
            }
            _ => Object::Tree(Tree { location: self.at.clone(), preopen }),
        };
        Descriptor {
            object,
            opened_for: Rights::NONE,
            base: Rights::DIRECTORY,
            inheriting: Rights::ALL,
        }
    }
}

fn stdin(input: &Input) -> Descriptor {
    let stream = match &input.0 {
        InputKind::Inherit => return standard(rustix::stdio::stdin(), Rights::FD_WRITE),
        InputKind::Null => Stream::Null,
        InputKind::Bytes(bytes) => Stream::Bytes { bytes: bytes.clone(), position: 0 },
        InputKind::Reader(reader) => Stream::Reader(reader.clone()),
    };
    virtual_stream(stream, Rights::FD_WRITE)
}

fn output(output: &Output, inherited: BorrowedFd<'static>) -> Descriptor {
    let stream = match &output.0 {
        OutputKind::Inherit => return standard(inherited, Rights::FD_READ),
        OutputKind::Null => Stream::Null,
        OutputKind::Writer(writer) => Stream::Writer(writer.clone()),
    };
    virtual_stream(stream, Rights::FD_READ)
}

/// Where a trace goes. Never to a descriptor of the guest's, which it may close.
fn trace(output: &Output) -> Stream {
    match &output.0 {
        OutputKind::Inherit => Stream::Writer(Arc::new(Mutex::new(std::io::stderr()))),
        OutputKind::Null => Stream::Null,
        OutputKind::Writer(writer) => Stream::Writer(writer.clone()),
    }
}

/// A standard stream of this process, of any kind, used in one direction.
///
/// Without the right to set flags: they are shared with whoever else has the terminal open, and a
/// shell does not survive a terminal that no longer blocks. Without the rights to change the file
/// it may be redirected to: only writing was granted.
fn standard(fd: BorrowedFd<'static>, other_direction: Rights) -> Descriptor {
    let Ok(filetype) = path_open::filetype(fd) else {
        // This process was started with the descriptor closed.
        return virtual_stream(Stream::Null, other_direction);
    };
    let base = path_open::rights_of(filetype, fd)
        .without(other_direction)
        .without(Rights::FD_FDSTAT_SET_FLAGS)
        .without(Rights::FD_FILESTAT_SET_SIZE | Rights::FD_FILESTAT_SET_TIMES)
        .without(Rights::FD_ALLOCATE);
    let object = Object::Host(HostFile {
        fd: HostFd::Standard(fd),
        filetype,
        writable: true,
        offset: Default::default(),
    });
    Descriptor { object, opened_for: base & Rights::DATA, base, inheriting: Rights::NONE }
}

fn virtual_stream(stream: Stream, other_direction: Rights) -> Descriptor {
    let base = Rights::STREAM.without(other_direction).without(Rights::FD_FDSTAT_SET_FLAGS);
    Descriptor {
        object: Object::Stream(stream),
        opened_for: base & Rights::DATA,
        base,
        inheriting: Rights::NONE,
    }
}
