//! Where in a file a descriptor is, and who knows it.
//!
//! The host keeps an offset for every open file. Whom a guest shares the file with, it shares the
//! offset with: standard output that a shell has opened, say. But what a guest has opened by itself
//! nobody else has, and for a regular file an offset is but a number: from the first `fd_seek` or
//! `fd_tell` on, this instance keeps it. Then seeking and telling need no system call, and reading
//! and writing are `pread` and `pwrite`.
//!
//! Where the number is not enough the host keeps it, or gets it back: files that are appended to,
//! what has no offset, and what is read and written only in order.

use std::io::{IoSlice, IoSliceMut};

use rustix::fs::{OFlags, SeekFrom, fcntl_getfl, seek};

use crate::errno::Errno;
use crate::fd::table::HostFile;
use crate::guest::layout::Filetype;

/// Who keeps the offset of a file of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Offset {
    /// The host, always.
    #[default]
    Host,
    /// The host, until the guest asks for it.
    HostYet,
    /// This instance. The host's own is anywhere.
    Own(u64),
}

/// Every file system takes offsets up to here. What one says to larger ones is for the host to know.
const NEAR: u64 = i32::MAX as u64;

impl Offset {
    /// Of a file the guest has opened by itself.
    pub(crate) fn of_opened(filetype: Filetype) -> Self {
        if filetype == Filetype::RegularFile { Offset::HostYet } else { Offset::Host }
    }
}

impl HostFile {
    /// Moves the offset and answers it.
    ///
    /// `EINVAL`: before the start, or beyond what the file system can do. `ESPIPE`: has none.
    #[inline]
    pub(crate) fn seek(&self, position: SeekFrom) -> Result<u64, Errno> {
        if let Offset::Own(at) = self.offset.get() {
            let to = match position {
                SeekFrom::Start(to) => Some(to),
                SeekFrom::Current(0) => return Ok(at),
                SeekFrom::Current(by) => at.checked_add_signed(by),
                _ => None,
            };
            if let Some(to) = to.filter(|to| *to <= NEAR) {
                self.offset.set(Offset::Own(to));
                return Ok(to);
            }
            return self.seek_from(at, position);
        }
        if self.offset.get() == Offset::HostYet {
            return self.seek_yet(position);
        }
        Ok(seek(&self.fd, position)?)
    }

    /// Lets the host move the offset that is at `at`.
    #[cold]
    fn seek_from(&self, at: u64, position: SeekFrom) -> Result<u64, Errno> {
        if matches!(position, SeekFrom::Current(_)) {
            seek(&self.fd, SeekFrom::Start(at))?;
        }
        let to = seek(&self.fd, position)?;
        self.offset.set(Offset::Own(to));
        Ok(to)
    }

    /// Lets the host move the offset, and keeps it from now on if a number is all it is.
    #[cold]
    fn seek_yet(&self, position: SeekFrom) -> Result<u64, Errno> {
        let to = seek(&self.fd, position)?;
        let appends = fcntl_getfl(&self.fd)?.contains(OFlags::APPEND);
        self.offset.set(if appends { Offset::Host } else { Offset::Own(to) });
        Ok(to)
    }

    /// Lets the host know the offset, which it keeps until the guest asks again.
    pub(crate) fn return_offset(&self) -> Result<(), Errno> {
        if let Offset::Own(at) = self.offset.get() {
            seek(&self.fd, SeekFrom::Start(at))?;
            self.offset.set(Offset::HostYet);
        }
        Ok(())
    }

    /// As [`HostFile::return_offset`], for ever.
    #[cold]
    fn give_up_offset(&self) -> Result<(), Errno> {
        self.return_offset()?;
        self.offset.set(Offset::Host);
        Ok(())
    }

    /// Reads at the instance's own offset `at`.
    pub(crate) fn read_own(&self, bufs: &mut [IoSliceMut<'_>], at: u64) -> Result<usize, Errno> {
        match self.read_at(bufs, at) {
            Ok(n) => {
                self.offset.set(Offset::Own(at + n as u64));
                Ok(n)
            }
            Err(Errno::Spipe) => {
                // Some files of `/proc` have an offset, but do not take one.
                self.give_up_offset()?;
                self.read(bufs)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes at the instance's own offset `at`.
    pub(crate) fn write_own(&self, bufs: &[IoSlice<'_>], at: u64) -> Result<usize, Errno> {
        match self.write_at(bufs, at) {
            Ok(n) => {
                self.offset.set(Offset::Own(at + n as u64));
                Ok(n)
            }
            Err(Errno::Spipe) => {
                self.give_up_offset()?;
                self.write(bufs)
            }
            Err(error) => Err(error),
        }
    }
}
