//! `VirtualFile`: an open file of a virtual file system.

use std::io::{IoSlice, IoSliceMut};

use rustix::fs::SeekFrom;

use crate::errno::Errno;
use crate::fs::File;
use crate::fs::mounts;
use crate::guest::layout::{Fdflags, Filestat};

/// A file with its flags and its file offset.
pub(crate) struct VirtualFile {
    pub(crate) file: Box<dyn File>,
    pub(crate) flags: Fdflags,
    /// False on a read-only mount.
    writable: bool,
    /// The device number of the file system.
    dev: u64,
    offset: u64,
}

impl VirtualFile {
    pub(crate) fn new(file: Box<dyn File>, writable: bool, dev: u64, flags: Fdflags) -> Self {
        VirtualFile { file, flags, writable, dev, offset: 0 }
    }

    /// The file, for a change. `EROFS` on a read-only mount.
    pub(crate) fn for_change(&mut self) -> Result<&mut dyn File, Errno> {
        if self.writable { Ok(&mut *self.file) } else { Err(Errno::Rofs) }
    }

    /// The metadata.
    pub(crate) fn stat(&self) -> Result<Filestat, Errno> {
        Ok(mounts::filestat(&self.file.stat()?, self.dev))
    }

    /// Reads into `bufs`, in order, at the file offset.
    pub(crate) fn read(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        let n = self.file.read_at(bufs, self.offset)?;
        self.offset = self.offset.saturating_add(n as u64);
        Ok(n)
    }

    /// Writes `bufs`, in order, at the file offset, or at the end with the flag `APPEND`.
    pub(crate) fn write(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let offset = self.offset;
        if self.flags.contains(Fdflags::APPEND) {
            let (n, end) = self.for_change()?.append(bufs)?;
            self.offset = end;
            return Ok(n);
        }
        let n = self.for_change()?.write_at(bufs, offset)?;
        self.offset = offset.saturating_add(n as u64);
        Ok(n)
    }

    /// The number of bytes from the file offset to the end.
    pub(crate) fn available(&self) -> u64 {
        self.file.stat().map_or(0, |stat| stat.size.saturating_sub(self.offset))
    }

    /// Moves the file offset. `EINVAL`: before the start, or 2^63 or more.
    pub(crate) fn seek(&mut self, to: SeekFrom) -> Result<u64, Errno> {
        let size = match to {
            SeekFrom::End(_) => self.file.stat()?.size,
            _ => 0,
        };
        let offset = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(by) => self.offset.checked_add_signed(by),
            SeekFrom::End(by) => size.checked_add_signed(by),
            _ => None,
        };
        self.offset = offset.filter(|offset| i64::try_from(*offset).is_ok()).ok_or(Errno::Inval)?;
        Ok(self.offset)
    }
}
