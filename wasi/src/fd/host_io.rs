//! Reading and writing descriptors of the host.
//!
//! The system calls that take one buffer are faster than those that take many, by a tenth to a
//! third: the kernel need not copy and check a table. Most guests give one.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::{pread, preadv, pwrite, pwritev, read, readv, write, writev};

use crate::errno::Errno;
use crate::fd::offset::Offset;
use crate::fd::table::HostFile;
use crate::guest::{GatherWrite, ScatterRead};

/// Fills `bufs` from the first on, from where the host's offset is.
#[inline(always)]
pub(crate) fn read_next(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
    Ok(match bufs {
        [one] => read(fd, &mut **one)?,
        many => readv(fd, many)?,
    })
}

/// Writes `bufs` from the first on, to where the host's offset is.
#[inline(always)]
pub(crate) fn write_next(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
    Ok(match bufs {
        [one] => write(fd, one)?,
        many => writev(fd, many)?,
    })
}

impl HostFile {
    /// Fills `bufs` from the first on.
    #[inline(always)]
    pub(crate) fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        match self.offset.get() {
            Offset::Own(at) => self.read_own(bufs, at),
            _ => read_next(self.fd.as_fd(), bufs),
        }
    }

    /// Writes `bufs` from the first on.
    #[inline(always)]
    pub(crate) fn write(&self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        match self.offset.get() {
            Offset::Own(at) => self.write_own(bufs, at),
            _ => write_next(self.fd.as_fd(), bufs),
        }
    }

    /// As [`HostFile::read`], at an offset.
    #[inline(always)]
    pub(crate) fn read_at(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize, Errno> {
        Ok(match bufs {
            [one] => pread(&self.fd, &mut **one, offset)?,
            many => preadv(&self.fd, many, offset)?,
        })
    }

    /// As [`HostFile::write`], at an offset.
    #[inline(always)]
    pub(crate) fn write_at(&self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize, Errno> {
        Ok(match bufs {
            [one] => pwrite(&self.fd, one, offset)?,
            many => pwritev(&self.fd, many, offset)?,
        })
    }
}

/// A file of the host, to be read or written where its offset is.
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

/// A file of the host, to be read or written at an offset.
pub(crate) struct Positioned<'a>(pub(crate) &'a HostFile, pub(crate) u64);

impl ScatterRead for Positioned<'_> {
    #[inline(always)]
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        let n = self.0.read_at(bufs, self.1)?;
        // Buffers that overlap come one after the other.
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
