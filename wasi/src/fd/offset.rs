//! File offsets of files of the host: kept by the kernel or by the instance.
//!
//! Descriptors inherited from the host share the kernel's file offset with other processes;
//! standard output that a shell has opened is an example. A file that the guest has opened itself
//! is not shared. If it is a regular file, the instance keeps its offset from the first `fd_seek`
//! or `fd_tell` on. Then `fd_seek` and `fd_tell` need no system call, and `fd_read` and `fd_write`
//! become `pread` and `pwrite`.
//!
//! The kernel keeps the offset, or gets it back, where a number is not enough: for files opened
//! with `O_APPEND`, files without an offset, and files that do not take `pread` and `pwrite`.

use std::io::{IoSlice, IoSliceMut};

use rustix::fs::{OFlags, SeekFrom, fcntl_getfl, seek};

use super::HostFile;
use crate::errno::Errno;
use crate::guest::layout::Filetype;

/// The keeper of the offset of a file of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Offset {
    /// The kernel, always.
    #[default]
    Kernel,
    /// The kernel, until the guest calls `fd_seek` or `fd_tell`.
    KernelUntilSeek,
    /// This instance. The kernel's offset has no meaning.
    Instance(u64),
}

/// The largest offset that every file system accepts. The kernel decides about larger ones.
const ALWAYS_VALID: u64 = i32::MAX as u64;

impl Offset {
    /// The keeper for a file that the guest has opened.
    pub(crate) fn of_opened(filetype: Filetype) -> Self {
        if filetype == Filetype::RegularFile { Offset::KernelUntilSeek } else { Offset::Kernel }
    }
}

impl HostFile {
    /// Moves the offset and returns it.
    ///
    /// `EINVAL`: before the start, or larger than the file system supports. `ESPIPE`: the file has
    /// no offset.
    #[inline]
    pub(crate) fn seek(&self, position: SeekFrom) -> Result<u64, Errno> {
        if let Offset::Instance(at) = self.offset.get() {
            let to = match position {
                SeekFrom::Start(to) => Some(to),
                SeekFrom::Current(0) => return Ok(at),
                SeekFrom::Current(by) => at.checked_add_signed(by),
                _ => None,
            };
            if let Some(to) = to.filter(|to| *to <= ALWAYS_VALID) {
                self.offset.set(Offset::Instance(to));
                return Ok(to);
            }
            return self.seek_in_kernel(at, position);
        }
        if self.offset.get() == Offset::KernelUntilSeek {
            return self.seek_and_adopt(position);
        }
        Ok(seek(&self.fd, position)?)
    }

    /// Lets the kernel move the instance's offset `at`.
    #[cold]
    fn seek_in_kernel(&self, at: u64, position: SeekFrom) -> Result<u64, Errno> {
        if matches!(position, SeekFrom::Current(_)) {
            seek(&self.fd, SeekFrom::Start(at))?;
        }
        let to = seek(&self.fd, position)?;
        self.offset.set(Offset::Instance(to));
        Ok(to)
    }

    /// Lets the kernel move the offset. The instance keeps it from now on, unless the file appends.
    #[cold]
    fn seek_and_adopt(&self, position: SeekFrom) -> Result<u64, Errno> {
        let to = seek(&self.fd, position)?;
        let appends = fcntl_getfl(&self.fd)?.contains(OFlags::APPEND);
        self.offset.set(if appends { Offset::Kernel } else { Offset::Instance(to) });
        Ok(to)
    }

    /// Gives the offset back to the kernel, which keeps it until the guest asks for it again.
    pub(crate) fn return_offset(&self) -> Result<(), Errno> {
        if let Offset::Instance(at) = self.offset.get() {
            seek(&self.fd, SeekFrom::Start(at))?;
            self.offset.set(Offset::KernelUntilSeek);
        }
        Ok(())
    }

    /// Gives the offset back to the kernel for good.
    #[cold]
    fn give_up_offset(&self) -> Result<(), Errno> {
        self.return_offset()?;
        self.offset.set(Offset::Kernel);
        Ok(())
    }

    /// Reads at the instance's offset `at`.
    pub(super) fn read_at_instance_offset(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        at: u64,
    ) -> Result<usize, Errno> {
        match self.read_at(bufs, at) {
            Ok(n) => {
                self.offset.set(Offset::Instance(at + n as u64));
                Ok(n)
            }
            Err(Errno::Spipe) => {
                // Some files of `/proc` have an offset and refuse `pread`.
                self.give_up_offset()?;
                self.read(bufs)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes at the instance's offset `at`.
    pub(super) fn write_at_instance_offset(
        &self,
        bufs: &[IoSlice<'_>],
        at: u64,
    ) -> Result<usize, Errno> {
        match self.write_at(bufs, at) {
            Ok(n) => {
                self.offset.set(Offset::Instance(at + n as u64));
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
