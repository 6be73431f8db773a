//! An open file of a file system that is not the host's.

use std::io::{IoSlice, IoSliceMut};

use rustix::fs::SeekFrom;

use crate::errno::Errno;
use crate::fs::File;
use crate::fs::mounts;
use crate::guest::layout::{Fdflags, Filestat};

/// A file and what POSIX keeps with a descriptor.
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

    /// The file, to be changed. `EROFS` on a read-only mount.
    pub(crate) fn changing(&mut self) -> Result<&mut dyn File, Errno> {
        if self.writable { Ok(&mut *self.file) } else { Err(Errno::Rofs) }
    }

    pub(crate) fn stat(&self) -> Result<Filestat, Errno> {
        Ok(mounts::filestat(&self.file.stat()?, self.dev))
    }

    /// Reads from the position on.
    pub(crate) fn read(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        let n = self.file.read_at(bufs, self.offset)?;
        self.offset = self.offset.saturating_add(n as u64);
        Ok(n)
    }

    /// Writes at the position, or at the end if it was opened for appending.
    pub(crate) fn write(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let offset = self.offset;
        if self.flags.contains(Fdflags::APPEND) {
            let (n, end) = self.changing()?.append(bufs)?;
            self.offset = end;
            return Ok(n);
        }
        let n = self.changing()?.write_at(bufs, offset)?;
        self.offset = offset.saturating_add(n as u64);
        Ok(n)
    }

    /// How many bytes there are from the position on.
    pub(crate) fn available(&self) -> u64 {
        self.file.stat().map_or(0, |stat| stat.size.saturating_sub(self.offset))
    }

    /// Moves the position. `EINVAL`: before the start, or 2^63 and more.
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
