//! `Captured`: an output that keeps the bytes written by guests.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::stream::{SharedWriter, lock};

/// A buffer for the output of guests, of limited size.
///
/// ```
/// # use precast_wasi as wasi;
/// let stdout = wasi::Captured::new();
/// let builder = wasi::Builder::new().stdout(&stdout);
/// // ... run something ...
/// assert_eq!(stdout.contents(), b"");
/// ```
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<CaptureBuffer>>);

/// The buffer behind a [`Captured`].
struct CaptureBuffer {
    bytes: Vec<u8>,
    limit: usize,
}

impl Default for CaptureBuffer {
    fn default() -> Self {
        CaptureBuffer { bytes: Vec::new(), limit: 256 << 20 }
    }
}

impl Write for CaptureBuffer {
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
    /// An empty buffer for at most 256 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer for at most `limit` bytes. A guest that writes more gets `ENOSPC`.
    pub fn with_limit(limit: usize) -> Self {
        Captured(Arc::new(Mutex::new(CaptureBuffer { bytes: Vec::new(), limit })))
    }

    /// The buffer as a writer.
    pub(super) fn writer(&self) -> SharedWriter {
        self.0.clone()
    }

    /// The bytes written so far.
    pub fn contents(&self) -> Vec<u8> {
        lock(&self.0).bytes.clone()
    }

    /// The bytes written so far. The buffer is empty afterwards.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.0).bytes)
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Captured({:?})", String::from_utf8_lossy(&lock(&self.0).bytes))
    }
}
