//! Memory images: initial bytes of a memory, mapped from the artifact's file.

use super::plan::MemoryPlan;
use super::reservation::Reservation;
use crate::vm::sys;
use std::fs::File;
use std::io;
use std::ops::Range;

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
        self.grow(plan.len)?;
        if let Some(image) = plan.image.filter(|image| image.len > 0) {
            let at = self.base().wrapping_add(image.memory_offset);
            let len = image.len.next_multiple_of(sys::page_size());
            assert!(image.memory_offset + len <= plan.len, "a checked image lies in memory");
            // SAFETY: the range lies inside our accessible memory, which nobody uses yet.
            unsafe { sys::map_file(at, len, image.file, image.file_offset)? };
        }
        let image = plan
            .image
            .map(|image| (image.memory_offset..image.memory_offset + image.len, image.bytes));
        self.set_initial_bytes(plan.module, InitialBytes { len: plan.len, image });
        Ok(())
    }
}
