//! `Wasi`: the state of one instance of the host module, and how it comes to be.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::args::Strings;
use crate::clocks::Clocks;
use crate::errno::Errno;
use crate::fd_table::{Descriptor, Directory, FdTable, HostFd, HostFile, Object};
use crate::open;
use crate::random::Random;
use crate::rights::Rights;
use crate::sandbox::Resolver;
use crate::sockets;
use crate::stream::{Input, InputKind, Output, OutputKind, Stream};

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
    pub(crate) resolver: Resolver,
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
}

/// A directory given to every instance.
pub(crate) struct Preopen {
    pub(crate) fd: Arc<OwnedFd>,
    /// What the guest calls it.
    pub(crate) name: Arc<[u8]>,
    pub(crate) writable: bool,
}

impl Blueprint {
    /// A new state: 0, 1, 2 are the standard streams, then come the directories, then the sockets.
    /// A guest's C library looks for directories from 3 on.
    pub(crate) fn instantiate(&self) -> Result<Wasi, Errno> {
        let mut fds = FdTable::default();
        fds.insert(stdin(&self.stdin))?;
        fds.insert(output(&self.stdout, rustix::stdio::stdout()))?;
        fds.insert(output(&self.stderr, rustix::stdio::stderr()))?;
        for preopen in &self.preopens {
            fds.insert(preopen.descriptor())?;
        }
        for socket in &self.sockets {
            fds.insert(sockets::descriptor(HostFd::Shared(socket.clone()))?)?;
        }
        Ok(Wasi {
            args: self.args.clone(),
            env: self.env.clone(),
            clocks: self.clocks,
            random: self.seed.map_or_else(Random::system, Random::seeded),
            fds,
            resolver: self.resolver,
        })
    }
}

impl Preopen {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            object: Object::Directory(Directory {
                fd: HostFd::Shared(self.fd.clone()),
                writable: self.writable,
                preopen: Some(self.name.clone()),
                listing: None,
            }),
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

/// A standard stream of this process, of any kind, used in one direction.
///
/// Without the right to set flags: they are shared with whoever else has the terminal open, and a
/// shell does not survive a terminal that no longer blocks. Without the rights to change the file
/// it may be redirected to: only writing was granted.
fn standard(fd: BorrowedFd<'static>, other_direction: Rights) -> Descriptor {
    let Ok(filetype) = open::filetype(fd) else {
        // This process was started with the descriptor closed.
        return virtual_stream(Stream::Null, other_direction);
    };
    let base = open::rights_of(filetype, fd)
        .without(other_direction)
        .without(Rights::FD_FDSTAT_SET_FLAGS)
        .without(Rights::FD_FILESTAT_SET_SIZE | Rights::FD_FILESTAT_SET_TIMES)
        .without(Rights::FD_ALLOCATE);
    let object = Object::Host(HostFile { fd: HostFd::Standard(fd), filetype, writable: true });
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
