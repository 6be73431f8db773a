//! Memory images: initial bytes of a memory. A small image is copied from the artifact, a large one is
//! mapped from its file.

use super::plan::MemoryPlan;
use super::reservation::Reservation;
use crate::vm::sys;
use std::fs::File;
use std::io;
use std::ops::Range;

/// Longest image that is copied. A mapped image splits the mapping of its memory into two or three, and
/// the kernel limits their number.
const MAX_COPIED: usize = 64 << 10;

/// Most pieces of a copied image that hold other bytes than zeros. They are resident from the start, and
/// each reset writes them again.
const MAX_PIECES: usize = 2;

/// Bytes of a piece: a page of most machines.
const PIECE: usize = 4096;

/// Initial bytes of a memory, from a file.
#[derive(Clone, Copy)]
pub(in crate::vm) struct Image<'a> {
    pub(in crate::vm) file: &'a File,
    /// Offset of the bytes in the file, page-aligned.
    pub(in crate::vm) file_offset: u64,
    /// Offset of the bytes in the memory, page-aligned.
    pub(in crate::vm) memory_offset: usize,
    pub(in crate::vm) len: usize,
    /// The same bytes in the mapping of the artifact.
    ///
    /// Invariant: they stay mapped until the reservation is released.
    pub(in crate::vm) bytes: *const u8,
}

/// The initial bytes that a reservation's memory was laid out with.
#[derive(Default)]
pub(super) struct InitialBytes {
    /// Length of the memory.
    pub(super) len: usize,
    /// Offsets of the image in the memory, and its bytes. All other bytes are zero.
    pub(super) image: Option<(Range<usize>, *const u8)>,
    /// Whether the image is copied into the memory, and not mapped.
    copied: bool,
}

impl Image<'_> {
    /// Whether it is cheaper to copy than to map.
    fn is_small(&self) -> bool {
        if self.len > MAX_COPIED {
            return false;
        }
        // SAFETY: the bytes are mapped, and nobody writes them.
        let bytes = unsafe { std::slice::from_raw_parts(self.bytes, self.len) };
        let pieces = bytes.chunks(PIECE).filter(|piece| piece.iter().any(|&byte| byte != 0));
        pieces.count() <= MAX_PIECES
    }
}

impl Reservation {
    /// Lays the memory out as the plan says, whatever it held before.
    ///
    /// # Errors
    ///
    /// When the machine has no memory left.
    pub(in crate::vm) fn lay_out(&mut self, plan: &MemoryPlan<'_>) -> io::Result<()> {
        self.forget_initial_bytes();
        self.revoke(0)?;
        self.set_resident(0);
        self.grow(plan.len)?;
        let image = plan.image.filter(|image| image.len > 0);
        if let Some(image) = image {
            let len = image.len.next_multiple_of(sys::page_size());
            assert!(image.memory_offset + len <= plan.len, "a checked image lies in memory");
        }
        let range = |image: Image<'_>| image.memory_offset..image.memory_offset + image.len;
        let copied = image.is_some_and(|image| image.is_small());
        let initial = InitialBytes {
            len: plan.len,
            image: image.map(|image| (range(image), image.bytes)),
            copied,
        };
        if let Some(image) = image.filter(|_| !copied) {
            let at = self.base().wrapping_add(image.memory_offset);
            let len = image.len.next_multiple_of(sys::page_size());
            // SAFETY: the range lies inside our accessible memory, which nobody uses yet.
            unsafe { sys::map_file(at, len, image.file, image.file_offset)? };
        }
        self.set_initial_bytes(plan.module, initial);
        self.copy_image();
        Ok(())
    }

    /// Copies the image, unless it is mapped, to a memory of zeros. Pages without other bytes than
    /// zeros are not touched.
    pub(super) fn copy_image(&mut self) {
        let Some((range, bytes)) = self.initial_bytes().image.clone() else { return };
        if !self.initial_bytes().copied {
            return;
        }
        // SAFETY: the image's bytes are still mapped, and nobody writes them.
        let image = unsafe { std::slice::from_raw_parts(bytes, range.len()) };
        for (n, page) in image.chunks(sys::page_size()).enumerate() {
            if page.iter().any(|&byte| byte != 0) {
                let at = self.base().wrapping_add(range.start + n * sys::page_size());
                // SAFETY: the range lies inside our accessible memory, which nobody uses now.
                unsafe { at.copy_from_nonoverlapping(page.as_ptr(), page.len()) };
            }
        }
    }
}
