//! Scatter and gather: the `iovec`s of a guest become slices of its memory, on which the system
//! call works. No data is copied.
//!
//! Up to [`INLINE`] buffers need no allocation. Rust forbids two `&mut` to the same bytes, so one
//! system call can read only into disjoint buffers. Overlapping buffers are read with one call
//! each, in order, which gives the kernel's result.

use std::hint::cold_path;
use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;

use super::Memory;
use super::layout::IOVEC_SIZE;
use crate::errno::Errno;

/// The number of buffers for which the stack has space.
const INLINE: usize = 16;

/// The most buffers of a call; more are `EINVAL`, as with the host's `IOV_MAX`.
const MAX: u32 = 1024;

/// Reads into buffers, in order, and returns the number of bytes. It is a trait and not a closure
/// so that an implementation can be `#[inline(always)]`: then no function returns between the
/// system call and the guest.
pub(crate) trait ScatterRead {
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno>;
}

/// Writes the bytes of buffers, in order, and returns their number. See [`ScatterRead`].
pub(crate) trait GatherWrite {
    fn write_vectored(self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno>;
}

/// A closure as a [`ScatterRead`] or a [`GatherWrite`].
struct Closure<F>(F);

impl<F: FnMut(&mut [IoSliceMut<'_>]) -> Result<usize, Errno>> ScatterRead for Closure<F> {
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize, Errno> {
        (self.0)(bufs)
    }
}

impl<F: FnOnce(&[IoSlice<'_>]) -> Result<usize, Errno>> GatherWrite for Closure<F> {
    fn write_vectored(self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        (self.0)(bufs)
    }
}

impl Memory<'_> {
    /// [`Memory::gather_with`] a closure.
    pub(crate) fn gather(
        &self,
        iovs: u32,
        count: u32,
        write: impl FnOnce(&[IoSlice<'_>]) -> Result<usize, Errno>,
    ) -> Result<u32, Errno> {
        self.gather_with(iovs, count, Closure(write))
    }

    /// [`Memory::scatter_with`] a closure.
    pub(crate) fn scatter(
        &mut self,
        iovs: u32,
        count: u32,
        read: impl FnMut(&mut [IoSliceMut<'_>]) -> Result<usize, Errno>,
    ) -> Result<u32, Errno> {
        self.scatter_with(iovs, count, Closure(read))
    }

    /// Passes the `count` buffers of the table at `iovs` to `write` and returns the number of bytes
    /// written.
    ///
    /// `EINVAL`: too many buffers, or more bytes than a `size` can count. `EFAULT`: a bad pointer.
    #[inline(always)]
    pub(crate) fn gather_with(
        &self,
        iovs: u32,
        count: u32,
        write: impl GatherWrite,
    ) -> Result<u32, Errno> {
        let table = self.iovec_table(iovs, count)?;
        if count == 1 {
            let (ptr, len) = self.iovec(&table, 0);
            return written(write.write_vectored(&[IoSlice::new(self.buffer(ptr, len)?)])?);
        }
        if count == 2 {
            // C libraries pass their own buffer, which may be empty, and the program's data.
            let ((first, first_len), (ptr, len)) = (self.iovec(&table, 0), self.iovec(&table, 1));
            let second = IoSlice::new(self.buffer(ptr, len)?);
            let buffers = [IoSlice::new(self.buffer(first, first_len)?), second];
            return written(write.write_vectored(if first_len == 0 {
                &buffers[1..]
            } else {
                &buffers
            })?);
        }
        self.gather_many(&table, count as usize, write)
    }

    /// Out of line: most guests pass one buffer, and setting up sixteen costs as much as the rest.
    #[inline(never)]
    fn gather_many(
        &self,
        table: &Range<usize>,
        count: usize,
        write: impl GatherWrite,
    ) -> Result<u32, Errno> {
        // Fewer buffers take less time to set up.
        let empty = IoSlice::new(&[]);
        match count {
            0..=4 => self.gather_into(&mut [empty; 4][..count], table, write),
            5..=INLINE => self.gather_into(&mut [empty; INLINE][..count], table, write),
            _ => self.gather_into(&mut vec![empty; count], table, write),
        }
    }

    /// Sets `slices` to the buffers of the table and writes them.
    fn gather_into<'m>(
        &'m self,
        slices: &mut [IoSlice<'m>],
        table: &Range<usize>,
        write: impl GatherWrite,
    ) -> Result<u32, Errno> {
        for (i, slice) in slices.iter_mut().enumerate() {
            let (ptr, len) = self.iovec(table, i);
            *slice = IoSlice::new(self.buffer(ptr, len)?);
        }
        written(write.write_vectored(slices)?)
    }

    /// Passes the `count` buffers of the table at `iovs` to `read` and returns the number of bytes
    /// read.
    ///
    /// `EINVAL`: too many buffers, or more bytes than a `size` can count. `EFAULT`: a bad pointer.
    #[inline(always)]
    pub(crate) fn scatter_with(
        &mut self,
        iovs: u32,
        count: u32,
        mut read: impl ScatterRead,
    ) -> Result<u32, Errno> {
        let table = self.iovec_table(iovs, count)?;
        if count == 1 {
            let (ptr, len) = self.iovec(&table, 0);
            let range = self.buffer_range(ptr, len)?;
            return written(read.read_vectored(&mut [IoSliceMut::new(&mut self.whole()[range])])?);
        }
        self.scatter_many(&table, count as usize, read)
    }

    /// Out of line, like [`Memory::gather_many`].
    #[inline(never)]
    fn scatter_many(
        &mut self,
        table: &Range<usize>,
        count: usize,
        mut read: impl ScatterRead,
    ) -> Result<u32, Errno> {
        // Fewer buffers have fewer pairs to compare.
        let done = match count {
            0..=4 => self.scatter_inline::<4>(table, count, &mut read)?,
            5..=16 => self.scatter_inline::<INLINE>(table, count, &mut read)?,
            _ => None,
        };
        match done {
            Some(n) => written(n),
            None => self.scatter_any(table, count, read),
        }
    }

    /// Reads into at most `N` buffers without an allocation. `None`: they overlap.
    fn scatter_inline<const N: usize>(
        &mut self,
        table: &Range<usize>,
        count: usize,
        read: &mut impl ScatterRead,
    ) -> Result<Option<usize>, Errno> {
        // The empty range does not overlap any range, not even itself.
        let mut ranges = [const { 0..0 }; N];
        for (i, range) in ranges[..count].iter_mut().enumerate() {
            let (ptr, len) = self.iovec(table, i);
            *range = self.buffer_range(ptr, len)?;
        }
        let Ok(slices) = self.whole().get_disjoint_mut(ranges) else {
            return Ok(None);
        };
        let mut slices = slices.map(IoSliceMut::new);
        read.read_vectored(&mut slices[..count]).map(Some)
    }

    /// Reads into many buffers, or into buffers that overlap.
    fn scatter_any(
        &mut self,
        table: &Range<usize>,
        count: usize,
        mut read: impl ScatterRead,
    ) -> Result<u32, Errno> {
        // The table is read before the first byte is written: a buffer may overlap it.
        let ranges: Vec<_> = (0..count)
            .map(|i| {
                let (ptr, len) = self.iovec(table, i);
                self.buffer_range(ptr, len)
            })
            .collect::<Result<_, _>>()?;
        if let Some(mut slices) = disjoint(self.whole(), &ranges) {
            return written(read.read_vectored(&mut slices)?);
        }
        let mut total = 0;
        for range in ranges.into_iter().filter(|range| !range.is_empty()) {
            let len = range.len();
            match read.read_vectored(&mut [IoSliceMut::new(&mut self.whole()[range])]) {
                Ok(n) => {
                    total += n;
                    if n < len {
                        break;
                    }
                }
                // Bytes read before the error must be reported.
                Err(_) if total > 0 => break,
                Err(error) => return Err(error),
            }
        }
        written(total)
    }

    /// The range of the table. The total length of its buffers fits into a `size`.
    #[inline(always)]
    fn iovec_table(&self, iovs: u32, count: u32) -> Result<Range<usize>, Errno> {
        if count > MAX {
            cold_path();
            return Err(Errno::Inval);
        }
        let table = self.range(iovs, count * IOVEC_SIZE)?;
        if count <= 1 {
            return Ok(table);
        }
        let total: u64 = (0..count as usize).map(|i| u64::from(self.iovec(&table, i).1)).sum();
        if total > u64::from(u32::MAX) { Err(Errno::Inval) } else { Ok(table) }
    }

    /// The range of a buffer. The pointer of an empty buffer is ignored, as on the host.
    #[inline(always)]
    fn buffer_range(&self, ptr: u32, len: u32) -> Result<Range<usize>, Errno> {
        if len == 0 { Ok(0..0) } else { self.range(ptr, len) }
    }

    /// A buffer for [`GatherWrite`].
    #[inline(always)]
    fn buffer(&self, ptr: u32, len: u32) -> Result<&[u8], Errno> {
        if len == 0 { Ok(&[]) } else { self.bytes(ptr, len) }
    }
}

/// Splits `bytes` into the pieces at `ranges`, in the order of `ranges`; `None` if two overlap.
fn disjoint<'m>(bytes: &'m mut [u8], ranges: &[Range<usize>]) -> Option<Vec<IoSliceMut<'m>>> {
    let mut order: Vec<usize> = (0..ranges.len()).filter(|&i| !ranges[i].is_empty()).collect();
    order.sort_unstable_by_key(|&i| ranges[i].start);

    let mut slices: Vec<_> = ranges.iter().map(|_| IoSliceMut::new(&mut [])).collect();
    let (mut rest, mut offset) = (bytes, 0);
    for i in order {
        let skip = ranges[i].start.checked_sub(offset)?;
        let (piece, tail) = rest.split_at_mut(skip).1.split_at_mut(ranges[i].len());
        slices[i] = IoSliceMut::new(piece);
        (rest, offset) = (tail, ranges[i].end);
    }
    Some(slices)
}

/// A byte count for the guest. The total length of the buffers fits (see `iovec_table`).
#[inline(always)]
fn written(n: usize) -> Result<u32, Errno> {
    if let Ok(n) = u32::try_from(n) {
        return Ok(n);
    }
    cold_path();
    Err(Errno::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of `len` bytes with a table of (pointer, length) pairs at 0.
    fn with_table(len: usize, table: &[(u32, u32)]) -> Vec<u8> {
        let mut bytes = vec![0; len];
        for (i, (ptr, buf_len)) in table.iter().enumerate() {
            bytes[i * 8..i * 8 + 4].copy_from_slice(&ptr.to_le_bytes());
            bytes[i * 8 + 4..i * 8 + 8].copy_from_slice(&buf_len.to_le_bytes());
        }
        bytes
    }

    /// Reads `source` into the buffers of `table`. Returns the result, the number of calls and the
    /// memory.
    fn scatter(
        len: usize,
        table: &[(u32, u32)],
        mut source: &[u8],
    ) -> (Result<u32, Errno>, usize, Vec<u8>) {
        let mut bytes = with_table(len, table);
        let mut calls = 0;
        let n = Memory::new(Some(&mut bytes)).scatter(0, table.len() as u32, |bufs| {
            calls += 1;
            Ok(std::io::Read::read_vectored(&mut source, bufs)?)
        });
        (n, calls, bytes)
    }

    #[test]
    fn buffers_in_any_order_take_one_call() {
        let (n, calls, bytes) = scatter(64, &[(50, 3), (0, 0), (40, 2)], b"abcde");
        assert_eq!((n, calls), (Ok(5), 1));
        assert_eq!((&bytes[50..53], &bytes[40..42]), (&b"abc"[..], &b"de"[..]));
    }

    #[test]
    fn overlapping_buffers_are_filled_in_order() {
        let (n, _, bytes) = scatter(64, &[(40, 4), (42, 4)], b"abcdefgh");
        assert_eq!(n, Ok(8));
        assert_eq!(&bytes[40..46], b"abefgh");
    }

    #[test]
    fn a_buffer_may_overlap_the_table() {
        let (n, _, bytes) = scatter(64, &[(0, 16), (8, 2)], &[1; 18]);
        assert_eq!(n, Ok(18));
        assert_eq!(&bytes[..17], &[[1; 16].as_slice(), &[0]].concat()[..]);
    }

    #[test]
    fn a_hundred_buffers() {
        let source: Vec<u8> = (0..100).collect();
        let table: Vec<_> = (0..100).map(|i| (1000 + 99 - i, 1)).collect();
        let (n, calls, bytes) = scatter(2000, &table, &source);
        assert_eq!((n, calls), (Ok(100), 1));
        assert_eq!((bytes[1000], bytes[1099]), (99, 0));

        let table: Vec<_> = (0..100).map(|i| (1000 + i, 2)).collect();
        let (n, calls, bytes) = scatter(2000, &table, &source);
        assert_eq!((n, calls), (Ok(100), 51), "the last call reads the end of the source");
        assert_eq!(&bytes[1000..1004], &[0, 2, 4, 6]);
    }

    #[test]
    fn invalid_tables_are_refused() {
        assert_eq!(scatter(64, &[(60, 5)], b"x").0, Err(Errno::Fault));
        assert_eq!(scatter(64, &[(40, 1), (60, 5)], b"x").0, Err(Errno::Fault));
        assert_eq!(scatter(64, &[(8, u32::MAX), (8, 1)], b"x").0, Err(Errno::Inval));
        assert_eq!(
            scatter(64, &[(u32::MAX, 0)], b"x").0,
            Ok(0),
            "the pointer of an empty buffer is ignored"
        );
        let mut bytes = [0; 16];
        let memory = Memory::new(Some(&mut bytes));
        assert_eq!(memory.gather(0, 3, |_| Ok(0)), Err(Errno::Fault));
        assert_eq!(memory.gather(0, 1025, |_| Ok(0)), Err(Errno::Inval));
    }

    #[test]
    fn buffers_to_write_may_overlap() {
        let mut bytes = with_table(64, &[(40, 4), (42, 4)]);
        bytes[40..46].copy_from_slice(b"abcdef");
        let mut out = Vec::new();
        let n = Memory::new(Some(&mut bytes))
            .gather(0, 2, |bufs| Ok(std::io::Write::write_vectored(&mut out, bufs)?));
        assert_eq!((n, &out[..]), (Ok(8), &b"abcdcdef"[..]));
    }
}
