//! Reading and writing of files of the host.
//!
//! System calls with one buffer are faster than those with a table of buffers, by a tenth to a
//! third: the kernel need not copy and check a table. Most guests pass one buffer.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::{pread, preadv, pwrite, pwritev, read, readv, write, writev};

use super::HostFile;
use super::offset::Offset;
use crate::errno::Errno;
use crate::guest::{GatherWrite, ScatterRead};

/// Reads into `bufs`, in order, at the kernel's offset.
#[inline(always)]
pub(crate) fn read_next(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    Ok(match bufs {
        [one] => read(fd, &mut **one)?,
        many => readv(fd, many)?,
    })
}

/// Writes `bufs`, in order, at the kernel's offset.
#[inline(always)]
pub(crate) fn write_next(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
    Ok(match bufs {
        [one] => write(fd, one)?,
        many => writev(fd, many)?,
    })
}

impl HostFile {
    /// Reads into `bufs`, in order, at the file offset.
    #[inline(always)]
    pub(crate) fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        match self.offset.get() {
            Offset::Instance(at) => self.read_at_instance_offset(bufs, at),
            _ => read_next(self.fd.as_fd(), bufs),
        }
    }

    /// Writes `bufs`, in order, at the file offset.
    #[inline(always)]
    pub(crate) fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        match self.offset.get() {
            Offset::Instance(at) => self.write_at_instance_offset(bufs, at),
            _ => write_next(self.fd.as_fd(), bufs),
        }
    }

    /// Reads into `bufs`, in order, at `offset`.
    #[inline(always)]
    pub(crate) fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize, Errno> {
        Ok(match bufs {
            [one] => pread(&self.fd, &mut **one, offset)?,
            many => preadv(&self.fd, many, offset)?,
        })
    }

    /// Writes `bufs`, in order, at `offset`.
    #[inline(always)]
    pub(crate) fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize, Errno> {
        Ok(match bufs {
            [one] => pwrite(&self.fd, one, offset)?,
            many => pwritev(&self.fd, many, offset)?,
        })
    }
}

/// A file of the host, read or written at its file offset.
pub(crate) struct Sequential<'a>(pub(crate) &'a HostFile);

impl ScatterRead for Sequential<'_> {
    #[inline(always)]
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        self.0.read(bufs)
    }
}

impl GatherWrite for Sequential<'_> {
    #[inline(always)]
    fn write_vectored(self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        self.0.write(bufs)
    }
}

/// A file of the host, read or written at a given offset.
pub(crate) struct Positioned<'a>(pub(crate) &'a HostFile, pub(crate) u64);

impl ScatterRead for Positioned<'_> {
    #[inline(always)]
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        let n = self.0.read_at(bufs, self.1)?;
        // Buffers that overlap are filled by one call each.
        self.1 += n as u64;
        Ok(n)
    }
}

impl GatherWrite for Positioned<'_> {
    #[inline(always)]
    fn write_vectored(self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        self.0.write_at(bufs, self.1)
    }
}
