//! `Input` and `Output`: the standard streams that an embedder grants, and their descriptors.

use std::fmt;
use std::io::{Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};

use super::host_file::applicable_rights;
use super::stream::{SharedReader, SharedWriter};
use super::{Captured, Descriptor, HostFd, HostFile, Object, Rights, Stream, filetype};

/// The source of a guest's standard input. See [`Builder::stdin`](crate::Builder::stdin).
#[derive(Clone)]
pub struct Input(pub(crate) InputKind);

#[derive(Clone)]
pub(crate) enum InputKind {
    Inherit,
    Null,
    Bytes(Arc<[u8]>),
    Reader(SharedReader),
}

impl Input {
    /// The standard input of this process. The guest reads descriptor 0 directly.
    pub fn inherit() -> Self {
        Input(InputKind::Inherit)
    }

    /// An empty input.
    pub fn null() -> Self {
        Input(InputKind::Null)
    }

    /// These bytes. Every instance reads them from the start.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Input(InputKind::Bytes(bytes.into().into()))
    }

    /// The bytes that `reader` reads. Instances of one host module share the reader.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Input(InputKind::Reader(Arc::new(Mutex::new(reader))))
    }
}

/// The destination of a guest's standard output or error. See
/// [`Builder::stdout`](crate::Builder::stdout).
#[derive(Clone)]
pub struct Output(pub(crate) OutputKind);

#[derive(Clone)]
pub(crate) enum OutputKind {
    Inherit,
    Null,
    Writer(SharedWriter),
}

impl Output {
    /// The same stream of this process. The guest writes to descriptor 1 or 2 directly.
    pub fn inherit() -> Self {
        Output(OutputKind::Inherit)
    }

    /// Discards the data.
    pub fn null() -> Self {
        Output(OutputKind::Null)
    }

    /// Writes to `writer` and flushes it after every write. Instances of one host module share the
    /// writer.
    pub fn writer(writer: impl Write + Send + 'static) -> Self {
        Output(OutputKind::Writer(Arc::new(Mutex::new(writer))))
    }
}

impl From<&Captured> for Output {
    fn from(captured: &Captured) -> Self {
        Output(OutputKind::Writer(captured.writer()))
    }
}

impl From<Captured> for Output {
    fn from(captured: Captured) -> Self {
        Output::from(&captured)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            InputKind::Inherit => "Input::inherit",
            InputKind::Null => "Input::null",
            InputKind::Bytes(_) => "Input::bytes",
            InputKind::Reader(_) => "Input::reader",
        })
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            OutputKind::Inherit => "Output::inherit",
            OutputKind::Null => "Output::null",
            OutputKind::Writer(_) => "Output::writer",
        })
    }
}

impl Descriptor {
    /// The descriptor of standard input.
    pub(crate) fn of_input(input: &Input) -> Self {
        let stream = match &input.0 {
            InputKind::Inherit => return inherited(rustix::stdio::stdin(), Rights::FD_WRITE),
            InputKind::Null => Stream::Null,
            InputKind::Bytes(bytes) => Stream::Bytes { bytes: bytes.clone(), position: 0 },
            InputKind::Reader(reader) => Stream::Reader(reader.clone()),
        };
        of_stream(stream, Rights::FD_WRITE)
    }

    /// The descriptor of standard output or error. `host` is the stream of this process.
    pub(crate) fn of_output(output: &Output, host: BorrowedFd<'static>) -> Self {
        let stream = match &output.0 {
            OutputKind::Inherit => return inherited(host, Rights::FD_READ),
            OutputKind::Null => Stream::Null,
            OutputKind::Writer(writer) => Stream::Writer(writer.clone()),
        };
        of_stream(stream, Rights::FD_READ)
    }
}

impl Stream {
    /// The stream of a trace. It is not a descriptor, which the guest could close.
    pub(crate) fn of_trace(output: &Output) -> Self {
        match &output.0 {
            OutputKind::Inherit => Stream::Writer(Arc::new(Mutex::new(std::io::stderr()))),
            OutputKind::Null => Stream::Null,
            OutputKind::Writer(writer) => Stream::Writer(writer.clone()),
        }
    }
}

/// The descriptor of a standard stream of this process, of any file type, for one direction.
///
/// It lacks the right to set flags: they are shared with all processes that have the terminal open,
/// and a shell fails on a terminal that does not block. It lacks the rights to change the file that
/// the stream may be redirected to: only writing is granted.
fn inherited(fd: BorrowedFd<'static>, other_direction: Rights) -> Descriptor {
    let Ok(filetype) = filetype(fd) else {
        // This process was started with the descriptor closed.
        return of_stream(Stream::Null, other_direction);
    };
    let base = applicable_rights(filetype, fd)
        .without(other_direction)
        .without(Rights::FD_FDSTAT_SET_FLAGS)
        .without(Rights::FD_FILESTAT_SET_SIZE | Rights::FD_FILESTAT_SET_TIMES)
        .without(Rights::FD_ALLOCATE);
    let object = Object::HostFile(HostFile {
        fd: HostFd::Standard(fd),
        filetype,
        writable: true,
        offset: Default::default(),
    });
    Descriptor { object, opened_for: base & Rights::DATA, base, inheriting: Rights::NONE }
}

/// The descriptor of a stream of the embedder, for one direction.
fn of_stream(stream: Stream, other_direction: Rights) -> Descriptor {
    let base = Rights::STREAM.without(other_direction).without(Rights::FD_FDSTAT_SET_FLAGS);
    Descriptor {
        object: Object::Stream(stream),
        opened_for: base & Rights::DATA,
        base,
        inheriting: Rights::NONE,
    }
}
