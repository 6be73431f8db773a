//! Reset: a memory that an instance has used holds its initial bytes again.

use super::reservation::Reservation;
use crate::vm::sys;
use std::io;
use std::ops::Range;

/// Most dirty bytes that are written back rather than dropped. Writing a page of 4 KiB takes some
/// 50 ns. Dropping it takes some 700 ns, most of them when it is touched again.
const MAX_WRITTEN_BACK: usize = 1 << 20;

/// Most ranges of dirty pages that are asked for.
const MAX_DIRTY_RANGES: usize = 32;

impl Reservation {
    /// Makes the memory hold its initial bytes again. A few dirty pages are written back and stay;
    /// many are dropped, and the next access finds the image's bytes or zeros.
    ///
    /// # Errors
    ///
    /// When the kernel refuses. Then the memory does not hold its initial bytes.
    pub(in crate::vm) fn reset(&mut self) -> io::Result<()> {
        let len = self.initial_bytes().len;
        self.revoke(len)?;
        if len == 0 {
            return Ok(());
        }
        let mut dirty = [sys::PageRange::default(); MAX_DIRTY_RANGES];
        let (start, end) = (self.base() as usize, self.base() as usize + len);
        match sys::dirty_pages(start, end, MAX_WRITTEN_BACK / sys::page_size(), &mut dirty) {
            Some(dirty) => {
                for range in dirty {
                    self.write_back(range.start as usize - start..range.end as usize - start);
                }
                Ok(())
            }
            // SAFETY: the range is our accessible memory, which nobody uses any more.
            None => unsafe { sys::drop_pages(self.base(), len) },
        }
    }

    /// Makes the memory as long as it was first, and gives that length.
    ///
    /// # Errors
    ///
    /// When the kernel refuses. Then the memory is as it was.
    pub(super) fn shrink(&mut self) -> io::Result<usize> {
        let len = self.initial_bytes().len;
        self.revoke(len)?;
        Ok(len)
    }

    /// Makes the first `len` bytes hold their initial values, none of them in pages of its own.
    ///
    /// # Errors
    ///
    /// When the kernel refuses. The bytes stay accessible.
    pub(super) fn drop_pages(&mut self, len: usize) -> io::Result<()> {
        match len {
            0 => Ok(()),
            // SAFETY: the range is our accessible memory, and stays accessible.
            len => unsafe { sys::drop_pages(self.base(), len) },
        }
    }

    /// Writes initial bytes to a range of the memory.
    fn write_back(&mut self, range: Range<usize>) {
        let base = self.base();
        // SAFETY: the range lies in accessible memory that nobody uses any more.
        unsafe { base.add(range.start).write_bytes(0, range.len()) };
        if let Some((image, bytes)) = &self.initial_bytes().image {
            let (from, to) = (range.start.max(image.start), range.end.min(image.end));
            if from < to {
                // SAFETY: both lie in the image, whose bytes are still mapped.
                unsafe {
                    let bytes = bytes.add(from - image.start);
                    base.add(from).copy_from_nonoverlapping(bytes, to - from);
                }
            }
        }
    }
}
