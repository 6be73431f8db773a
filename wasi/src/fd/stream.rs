//! What standard input, output and error can be, besides the host's own.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::errno::Errno;

/// A writer that several instances may share.
///
/// The lock belongs to the embedder's object, not to WASI's state: descriptors of the host are
/// used without one.
type SharedWriter = Arc<Mutex<dyn Write + Send>>;

/// Where a guest's standard input comes from. See [`Builder::stdin`](crate::Builder::stdin).
#[derive(Clone)]
pub struct Input(pub(crate) InputKind);

#[derive(Clone)]
pub(crate) enum InputKind {
    Inherit,
    Null,
    Bytes(Arc<[u8]>),
    Reader(Arc<Mutex<dyn Read + Send>>),
}

impl Input {
    /// The standard input of this process. Reads go straight to descriptor 0.
    pub fn inherit() -> Self {
        Input(InputKind::Inherit)
    }

    /// Empty.
    pub fn null() -> Self {
        Input(InputKind::Null)
    }

    /// These bytes, from the start for every instance.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Input(InputKind::Bytes(bytes.into().into()))
    }

    /// What `reader` reads. Instances of one host module share it.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Input(InputKind::Reader(Arc::new(Mutex::new(reader))))
    }
}

/// Where a guest's standard output or error goes. See [`Builder::stdout`](crate::Builder::stdout).
#[derive(Clone)]
pub struct Output(pub(crate) OutputKind);

#[derive(Clone)]
pub(crate) enum OutputKind {
    Inherit,
    Null,
    Writer(SharedWriter),
}

impl Output {
    /// The same stream of this process. Writes go straight to descriptor 1 or 2.
    pub fn inherit() -> Self {
        Output(OutputKind::Inherit)
    }

    /// Nowhere.
    pub fn null() -> Self {
        Output(OutputKind::Null)
    }

    /// To `writer`, which is flushed after every write. Instances of one host module share it.
    pub fn writer(writer: impl Write + Send + 'static) -> Self {
        Output(OutputKind::Writer(Arc::new(Mutex::new(writer))))
    }
}

impl From<&Captured> for Output {
    fn from(captured: &Captured) -> Self {
        Output(OutputKind::Writer(captured.0.clone()))
    }
}

impl From<Captured> for Output {
    fn from(captured: Captured) -> Self {
        Output::from(&captured)
    }
}

/// A buffer that keeps what guests write, up to a limit.
///
/// ```
/// # use precast_wasi as wasi;
/// let stdout = wasi::Captured::new();
/// let builder = wasi::Builder::new().stdout(&stdout);
/// // ... run something ...
/// assert_eq!(stdout.contents(), b"");
/// ```
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Kept>>);

/// What a [`Captured`] keeps.
struct Kept {
    bytes: Vec<u8>,
    limit: usize,
}

impl Default for Kept {
    fn default() -> Self {
        Kept { bytes: Vec::new(), limit: 256 << 20 }
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.limit.saturating_sub(self.bytes.len()));
        if n == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.write(&bytes[..n])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    /// An empty buffer, for at most 256 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer, for at most `limit` bytes: a guest that writes more is told `ENOSPC`.
    pub fn with_limit(limit: usize) -> Self {
        Captured(Arc::new(Mutex::new(Kept { bytes: Vec::new(), limit })))
    }

    /// What was written so far.
    pub fn contents(&self) -> Vec<u8> {
        lock(&self.0).bytes.clone()
    }

    /// What was written so far, leaving the buffer empty.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.0).bytes)
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Captured({:?})", String::from_utf8_lossy(&lock(&self.0).bytes))
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

/// An open stream that is no descriptor of the host.
pub(crate) enum Stream {
    /// Reads nothing, swallows what is written.
    Null,
    /// Reads `bytes` from `position` on.
    Bytes { bytes: Arc<[u8]>, position: usize },
    /// Reads what the embedder's reader reads.
    Reader(Arc<Mutex<dyn Read + Send>>),
    /// Writes to the embedder's writer.
    Writer(SharedWriter),
}

impl Stream {
    /// Fills `bufs` from the first on.
    pub(crate) fn read(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        match self {
            Stream::Null => Ok(0),
            Stream::Bytes { bytes, position } => {
                let n = (&bytes[*position..]).read_vectored(bufs)?;
                *position += n;
                Ok(n)
            }
            Stream::Reader(reader) => Ok(lock(reader).read_vectored(bufs)?),
            Stream::Writer(_) => Err(Errno::Badf),
        }
    }

    /// Writes `bufs` from the first on.
    pub(crate) fn write(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        match self {
            Stream::Null => Ok(bufs.iter().map(|buf| buf.len()).sum()),
            Stream::Writer(writer) => Ok(write_and_flush(&mut *lock(writer), bufs)?),
            Stream::Bytes { .. } | Stream::Reader(_) => Err(Errno::Badf),
        }
    }

    /// How many bytes can be read without waiting, as far as that is known.
    pub(crate) fn available(&self) -> u64 {
        match self {
            Stream::Bytes { bytes, position } => (bytes.len() - position) as u64,
            _ => 0,
        }
    }
}

/// Writes all buffers, of which `Write::write_vectored` would take the first. What was written
/// before an error is reported first; the error comes again.
fn write_and_flush(writer: &mut dyn Write, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut total = 0;
    for buf in bufs {
        let mut rest = &buf[..];
        while !rest.is_empty() {
            match writer.write(rest) {
                Ok(0) => return Ok(total),
                Ok(n) => {
                    total += n;
                    rest = &rest[n..];
                }
                Err(_) if total > 0 => return Ok(total),
                Err(error) => return Err(error),
            }
        }
    }
    // What an embedder watches should show what the guest wrote, not what a buffer let through.
    writer.flush()?;
    Ok(total)
}

/// A panic of an embedder's writer poisons nothing that WASI relies on.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
