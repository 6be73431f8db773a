//! Address space for one linear memory, with room for a context below it.
//!
//! ```text
//!   | context area, RW | memory: accessible | ... no access ... 4 GiB | guard, no access |
//!                      ^ base
//! ```
//!
//! Reserving and mapping cost system calls and page faults, so a thread keeps the slots of
//! instances that are gone. A slot that last served the same module is clean already: its image
//! is mapped and its memory holds initial bytes.

use crate::vm::memory::ranges;
use crate::vm::sys;
use precast_abi::limits::{MEMORY_GUARD, MEMORY32_SPAN};
use region::Protection;
use rustix::mm::{Advice, MapFlags, ProtFlags};
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes for a context below the memory; a larger context gets a slot of its own size.
const CONTEXT_AREA: usize = 64 << 10;

/// Slots a thread keeps.
const KEPT: usize = 16;

/// Bytes of address space that all slots of the process have. Written when one is reserved or
/// unmapped, which is rare.
static RESERVED: AtomicUsize = AtomicUsize::new(0);

/// Most bytes that are written back rather than dropped. Writing a page of 4 KiB takes some 50 ns,
/// dropping it some 700 ns, most of them when it is touched again.
const MAX_DIRTY_BYTES: usize = 1 << 20;

/// Most ranges of dirty pages that are asked for.
const MAX_DIRTY_RANGES: usize = 32;

/// What a memory looks like when its instance starts.
#[derive(Clone, Copy)]
pub(crate) struct Initial<'a> {
    /// Who asks: slots are kept for the same owner. Zero is nobody.
    pub(crate) owner: u64,
    /// Bytes below the memory that must be usable.
    pub(crate) context: usize,
    /// Bytes that are accessible.
    pub(crate) len: usize,
    /// What is mapped into it.
    pub(crate) image: Option<Image<'a>>,
}

/// Initial bytes of a memory, from a file.
#[derive(Clone, Copy)]
pub(crate) struct Image<'a> {
    pub(crate) file: &'a File,
    /// Where they start in the file, page-aligned.
    pub(crate) file_offset: u64,
    /// Where they go in memory, page-aligned.
    pub(crate) memory_offset: usize,
    pub(crate) len: usize,
    /// The same bytes where the artifact is mapped.
    ///
    /// Invariant: they stay mapped until the slot is released.
    pub(crate) bytes: *const u8,
}

/// A reservation.
///
/// Invariant: `[base - context, base + accessible)` is readable and writable, and the rest of
/// the reservation is not accessible at all.
pub(crate) struct Slot {
    reservation: region::Allocation,
    base: *mut u8,
    context: usize,
    accessible: usize,
    /// The owner for which the memory holds initial bytes.
    clean_for: u64,
    initial: usize,
    /// Where the image lies in memory, and its bytes.
    image: Option<(std::ops::Range<usize>, *const u8)>,
}

thread_local! {
    static KEPT_SLOTS: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

impl Slot {
    /// A slot whose memory is as `initial` says.
    ///
    /// # Errors
    ///
    /// When the machine has no address space or memory left.
    pub(crate) fn acquire(initial: &Initial<'_>) -> io::Result<Slot> {
        // During thread exit the cache may be gone already.
        let kept = KEPT_SLOTS.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            let fits = |s: &Slot| s.context >= initial.context;
            let same = |s: &Slot| fits(s) && initial.owner != 0 && s.clean_for == initial.owner;
            let at = kept.iter().rposition(same).or_else(|| kept.iter().position(fits))?;
            Some(kept.swap_remove(at))
        });
        let mut slot = match kept.ok().flatten() {
            Some(slot) if initial.owner != 0 && slot.clean_for == initial.owner => return Ok(slot),
            Some(slot) => slot,
            None => Slot::reserve(initial.context).or_else(|_| {
                // What this thread keeps may be what is in the way.
                let _ = KEPT_SLOTS.try_with(|kept| kept.borrow_mut().clear());
                Slot::reserve(initial.context)
            })?,
        };
        slot.lay_out(initial)?;
        Ok(slot)
    }

    /// Gives the slot back, its memory cleaned for the same owner's next instance.
    pub(crate) fn release(mut self) {
        // Half of the address space is left to live instances and everything else. A machine with
        // 39 bits of it has room for 127 slots, so there threads keep fewer.
        if RESERVED.load(Ordering::Relaxed) > sys::address_space() / 2 || self.clean().is_err() {
            return;
        }
        // During thread exit the cache may be gone already: then the slot is unmapped.
        let _ = KEPT_SLOTS.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(self);
            }
        });
    }

    fn reserve(context: usize) -> io::Result<Slot> {
        let context = context.max(CONTEXT_AREA).next_multiple_of(sys::page_size());
        let size = context + (MEMORY32_SPAN + MEMORY_GUARD) as usize;
        let mut reservation = region::alloc(size, Protection::NONE).map_err(io::Error::other)?;
        let start = reservation.as_mut_ptr::<u8>();
        // SAFETY: the context area is the start of our own reservation.
        unsafe { region::protect(start, context, Protection::READ_WRITE) }
            .map_err(io::Error::other)?;
        let base = start.wrapping_add(context);
        ranges::insert(base as usize, start as usize + size);
        RESERVED.fetch_add(reservation.len(), Ordering::Relaxed);
        Ok(Slot {
            reservation,
            base,
            context,
            accessible: 0,
            clean_for: 0,
            initial: 0,
            image: None,
        })
    }

    fn lay_out(&mut self, initial: &Initial<'_>) -> io::Result<()> {
        self.clean_for = 0;
        self.image = None;
        self.revoke(0)?;
        self.grow(initial.len)?;
        self.initial = initial.len;
        if let Some(image) = initial.image.filter(|image| image.len > 0) {
            let at = self.base.wrapping_add(image.memory_offset);
            let len = image.len.next_multiple_of(sys::page_size());
            assert!(image.memory_offset + len <= initial.len, "a checked image lies in memory");
            // SAFETY: the range lies inside our accessible memory, which nobody uses yet.
            unsafe {
                rustix::mm::mmap(
                    at.cast(),
                    len,
                    ProtFlags::READ | ProtFlags::WRITE,
                    MapFlags::FIXED | MapFlags::PRIVATE,
                    image.file,
                    image.file_offset,
                )?;
            }
        }
        self.image = initial
            .image
            .map(|image| (image.memory_offset..image.memory_offset + image.len, image.bytes));
        self.clean_for = initial.owner;
        Ok(())
    }

    /// Makes memory hold initial bytes again. A few dirty pages are written back and stay; many
    /// are dropped, and come back from the image or as zeros when they are touched.
    fn clean(&mut self) -> io::Result<()> {
        self.revoke(self.initial)?;
        if self.initial == 0 {
            return Ok(());
        }
        let mut dirty = [sys::PageRange::default(); MAX_DIRTY_RANGES];
        let (start, end) = (self.base as usize, self.base as usize + self.initial);
        match sys::dirty_pages(start, end, MAX_DIRTY_BYTES / sys::page_size(), &mut dirty) {
            Some(dirty) => {
                for range in dirty {
                    self.restore(range.start as usize - start..range.end as usize - start);
                }
                Ok(())
            }
            None => {
                // SAFETY: the range is our accessible memory, which nobody uses any more.
                unsafe {
                    rustix::mm::madvise(self.base.cast(), self.initial, Advice::LinuxDontNeed)?;
                }
                Ok(())
            }
        }
    }

    /// Writes initial bytes to a range of memory.
    fn restore(&mut self, range: std::ops::Range<usize>) {
        // SAFETY: the range lies in accessible memory that nobody uses any more.
        unsafe { self.base.add(range.start).write_bytes(0, range.len()) };
        if let Some((image, bytes)) = &self.image {
            let (from, to) = (range.start.max(image.start), range.end.min(image.end));
            if from < to {
                // SAFETY: both lie in the image, whose bytes are still mapped.
                unsafe {
                    let bytes = bytes.add(from - image.start);
                    self.base.add(from).copy_from_nonoverlapping(bytes, to - from);
                }
            }
        }
    }

    /// Takes access to everything from `len` on away, and drops what was there.
    fn revoke(&mut self, len: usize) -> io::Result<()> {
        if self.accessible > len {
            // SAFETY: the range lies inside our reservation, and nobody uses it any more.
            unsafe {
                rustix::mm::mmap_anonymous(
                    self.base.wrapping_add(len).cast(),
                    self.accessible - len,
                    ProtFlags::empty(),
                    MapFlags::FIXED | MapFlags::PRIVATE | MapFlags::NORESERVE,
                )?;
            }
            self.accessible = len;
        }
        Ok(())
    }

    /// Makes the first `len` bytes accessible; new ones are zero.
    ///
    /// # Errors
    ///
    /// When the machine has no memory left.
    pub(crate) fn grow(&mut self, len: usize) -> io::Result<()> {
        if len as u64 > MEMORY32_SPAN {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if len > self.accessible {
            let at = self.base.wrapping_add(self.accessible);
            // SAFETY: the range lies inside our own reservation.
            unsafe { region::protect(at, len - self.accessible, Protection::READ_WRITE) }
                .map_err(io::Error::other)?;
            self.accessible = len;
        }
        Ok(())
    }

    /// The first byte of memory.
    pub(crate) fn base(&self) -> *mut u8 {
        self.base
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        ranges::remove(self.base as usize);
        RESERVED.fetch_sub(self.reservation.len(), Ordering::Relaxed);
    }
}

/// Whether an address lies in some memory's reservation. Callable in signal handlers.
pub(in crate::vm) fn is_guest_memory(address: usize) -> bool {
    ranges::contains(address)
}
