//! `Stream`: a standard stream that is not a descriptor of the host.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::errno::Errno;

/// A reader that several instances may share.
pub(super) type SharedReader = Arc<Mutex<dyn Read + Send>>;

/// A writer that several instances may share.
///
/// The lock belongs to the embedder's object, not to the state of WASI. Descriptors of the host
/// need no lock.
pub(super) type SharedWriter = Arc<Mutex<dyn Write + Send>>;

/// An open stream of the embedder.
pub(crate) enum Stream {
    /// An empty input, and an output that discards the data.
    Null,
    /// Reads `bytes` from `position` on.
    Bytes { bytes: Arc<[u8]>, position: usize },
    /// Reads from the embedder's reader.
    Reader(SharedReader),
    /// Writes to the embedder's writer.
    Writer(SharedWriter),
}

impl Stream {
    /// Reads into `bufs`, in order.
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

    /// Writes `bufs`, in order.
    pub(crate) fn write(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        match self {
            Stream::Null => Ok(bufs.iter().map(|buf| buf.len()).sum()),
            Stream::Writer(writer) => Ok(write_and_flush(&mut *lock(writer), bufs)?),
            Stream::Bytes { .. } | Stream::Reader(_) => Err(Errno::Badf),
        }
    }

    /// The number of bytes known to be readable without blocking.
    pub(crate) fn available(&self) -> u64 {
        match self {
            Stream::Bytes { bytes, position } => (bytes.len() - position) as u64,
            _ => 0,
        }
    }
}

/// Writes all buffers; `Write::write_vectored` may write only the first. After an error the number
/// of bytes written so far is returned. The next write returns the error.
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
    // The embedder sees at once what the guest has written.
    writer.flush()?;
    Ok(total)
}

/// Takes a poisoned lock: after a panic of the embedder's object, this crate's state is intact.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
