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
                let mut resident = 0;
                for range in dirty {
                    resident += (range.end - range.start) as usize;
                    self.write_back(range.start as usize - start..range.end as usize - start);
                }
                self.set_resident(resident);
                Ok(())
            }
            None => self.empty(),
        }
    }

    /// Whether a range of the memory is known to hold only zeros: nobody has written to the range, and no
    /// part of the image lies in it.
    pub(in crate::vm) fn is_zero(&self, range: Range<usize>) -> bool {
        let image = self.initial_bytes().image.as_ref();
        if image.is_some_and(|(image, _)| image.start < range.end && range.start < image.end) {
            return false;
        }
        let at = |offset| self.base() as usize + offset;
        let mut dirty = [sys::PageRange::default(); 1];
        sys::dirty_pages(at(range.start), at(range.end), 0, &mut dirty).is_some()
    }

    /// Gives the pages of a memory that holds its initial bytes back to the system.
    ///
    /// # Errors
    ///
    /// When the kernel refuses. The memory holds its initial bytes all the same.
    pub(in crate::vm) fn empty(&mut self) -> io::Result<()> {
        self.drop_pages(self.initial_bytes().len)?;
        self.set_resident(0);
        Ok(())
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

    /// Makes the first `len` bytes hold their initial values. Of them only a copied image has pages of
    /// its own.
    ///
    /// # Errors
    ///
    /// When the kernel refuses. The bytes stay accessible.
    pub(super) fn drop_pages(&mut self, len: usize) -> io::Result<()> {
        match len {
            0 => Ok(()),
            len => {
                // SAFETY: the range is our accessible memory, and stays accessible.
                unsafe { sys::drop_pages(self.base(), len)? };
                self.copy_image();
                Ok(())
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::memory::Image;
    use crate::vm::memory::plan::MemoryPlan;
    use std::fs::File;
    use std::io::Write;

    /// A few MiB: more than what is written back.
    const LEN: usize = 4 * MAX_WRITTEN_BACK;

    /// Bytes of images: of one that is mapped, and of one that is copied. The last page has fewer.
    const IMAGES: [usize; 2] = [3 * 65536 + 100, 4096 + 100];

    /// Where the image lies in the memory.
    const AT: usize = 65536;

    /// A file with the image, and the image.
    fn image(len: usize) -> (File, Vec<u8>) {
        let mut file = sys::anonymous_file().unwrap();
        let bytes: Vec<u8> = (0..len).map(|n| (n % 251) as u8 + 1).collect();
        file.write_all(&bytes).unwrap();
        (file, bytes)
    }

    fn plan<'a>(file: &'a File, bytes: &'a [u8], module: u64) -> MemoryPlan<'a> {
        let (memory_offset, len, bytes) = (AT, bytes.len(), bytes.as_ptr());
        let image = Image { file, file_offset: 0, memory_offset, len, bytes };
        MemoryPlan { module, context: 0, len: LEN, guarded: true, image: Some(image) }
    }

    fn memory(reservation: &mut Reservation) -> &mut [u8] {
        // SAFETY: the tests lay out so many bytes, and the reservation is borrowed.
        unsafe { std::slice::from_raw_parts_mut(reservation.base(), LEN) }
    }

    fn assert_initial(reservation: &mut Reservation, image: &[u8], what: &str) {
        let (before, rest) = memory(reservation).split_at(AT);
        let (middle, after) = rest.split_at(image.len());
        assert!(before.iter().all(|&byte| byte == 0), "{what}");
        assert!(middle == image, "{what}");
        assert!(after.iter().all(|&byte| byte == 0), "{what}");
    }

    #[test]
    fn whatever_was_written_the_initial_bytes_come_back() {
        for (len, guarded) in IMAGES.into_iter().flat_map(|len| [(len, true), (len, false)]) {
            let (file, bytes) = image(len);
            let mut reservation = Reservation::new(0, guarded).unwrap();
            reservation.lay_out(&plan(&file, &bytes, 7)).unwrap();
            assert_initial(&mut reservation, &bytes, "laid out");
            let page = sys::page_size();
            for at in [0, AT - 1, AT, AT + len - 1, AT + len, LEN - 1] {
                memory(&mut reservation)[at] ^= 0xff;
                reservation.reset().unwrap();
                assert_initial(&mut reservation, &bytes, &format!("{len}: one byte at {at}"));
            }
            // More ranges than are asked for, and more bytes than are written back.
            for (count, step) in [(MAX_DIRTY_RANGES + 1, 2 * page), (LEN / page, page)] {
                (0..count).for_each(|n| memory(&mut reservation)[n * step] ^= 0xff);
                reservation.reset().unwrap();
                assert_initial(&mut reservation, &bytes, &format!("{len}: {count} pages"));
            }
            // All pages of their own go.
            memory(&mut reservation).fill(9);
            reservation.drop_pages(LEN).unwrap();
            assert_initial(&mut reservation, &bytes, &format!("{len}: dropped"));
        }
    }

    #[test]
    fn a_memory_that_grew_is_as_long_as_it_was_first() {
        let (file, bytes) = image(IMAGES[0]);
        for (shrink, guarded) in [(false, true), (true, true), (false, false), (true, false)] {
            let mut reservation = Reservation::new(0, guarded).unwrap();
            reservation.lay_out(&plan(&file, &bytes, 7)).unwrap();
            reservation.grow(LEN + 65536).unwrap();
            // SAFETY: the byte is accessible.
            unsafe { reservation.base().add(LEN).write(1) };
            match shrink {
                true => assert_eq!(reservation.shrink().unwrap(), LEN),
                false => reservation.reset().unwrap(),
            }
            reservation.grow(LEN + 65536).unwrap();
            // SAFETY: as above.
            assert_eq!(unsafe { reservation.base().add(LEN).read() }, 0);
        }
    }

    #[test]
    fn a_reservation_has_the_plan_that_it_got_last() {
        for (len, guarded) in IMAGES.into_iter().flat_map(|len| [(len, true), (len, false)]) {
            let (file, bytes) = image(len);
            let mut reservation = Reservation::new(1, guarded).unwrap();
            assert!(reservation.fits(64 << 10) && !reservation.fits((64 << 10) + 1));
            assert!(!reservation.is_of(0) && !reservation.is_of(7));
            reservation.lay_out(&plan(&file, &bytes, 7)).unwrap();
            assert!(reservation.is_of(7) && !reservation.is_of(8) && !reservation.is_of(0));
            memory(&mut reservation).fill(9);
            reservation.lay_out(&MemoryPlan::zeros(LEN, true)).unwrap();
            assert!(!reservation.is_of(7) && !reservation.is_of(0));
            assert!(memory(&mut reservation).iter().all(|&byte| byte == 0));
            memory(&mut reservation).fill(9);
            reservation.reset().unwrap();
            assert!(memory(&mut reservation).iter().all(|&byte| byte == 0), "no image is left");
            // An empty memory has nothing to reset.
            reservation.lay_out(&MemoryPlan::zeros(0, true)).unwrap();
            reservation.reset().unwrap();
            assert!(reservation.grow((4 << 30) + 1).is_err(), "more than 4 GiB");
        }
    }

    /// Zeros in an image take no memory.
    #[test]
    fn pages_of_an_image_without_bytes_are_not_touched() {
        let (file, mut bytes) = image(16 * sys::page_size().min(4096));
        bytes[1..].fill(0);
        let mut reservation = Reservation::new(0, true).unwrap();
        reservation.lay_out(&plan(&file, &bytes, 7)).unwrap();
        let start = reservation.base() as usize;
        let mut ranges = [sys::PageRange::default(); 4];
        // Kernels before 6.7 do not say.
        if let Some(dirty) = sys::dirty_pages(start, start + LEN, 1 << 20, &mut ranges) {
            let touched = start + AT;
            assert_eq!(dirty.len(), 1);
            assert_eq!(dirty[0].start as usize, touched);
            assert_eq!(dirty[0].end as usize, touched + sys::page_size());
        }
    }

    #[test]
    fn a_large_context_fits_below_the_memory() {
        let mut reservation = Reservation::new(200_000, true).unwrap();
        assert!(reservation.fits(200_000));
        // SAFETY: the context's bytes are accessible.
        let context =
            unsafe { std::slice::from_raw_parts_mut(reservation.base().sub(200_000), 200_000) };
        context.fill(3);
        reservation.lay_out(&MemoryPlan::zeros(LEN, true)).unwrap();
        assert_eq!(memory(&mut reservation)[0], 0);
    }
}
