//! A reservation: address space for one linear memory, with room for a context below it.
//!
//! ```text
//!   | context area, RW | memory: accessible, RW | ... no access ... 4 GiB | guard, no access |
//!                      ^ base
//!   `--------- one mapping of the kernel -------´`------------ one mapping ----------------´
//! ```
//!
//! The kernel limits the number of mappings, so there are only these two. A large image is mapped into
//! the memory and adds one or two.
//!
//! Code that compares addresses with the length needs no guard. Its memories take what they use alone:
//!
//! ```text
//!   | context area, RW | memory: accessible, RW | ... not ours, but far from the next reservation ...
//!                      ^ base
//! ```

use super::image::InitialBytes;
use super::ranges;
use crate::vm::sys;
use precast_abi::limits::{MEMORY_GUARD, MEMORY32_SPAN};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes for a context below the memory. A larger context gets a reservation of its own size.
const CONTEXT_AREA: usize = 64 << 10;

/// Bytes of a memory's address space: what an index reaches, and the guard behind it.
const SPAN: usize = (MEMORY32_SPAN + MEMORY_GUARD) as usize;

/// Bytes of address space that all reservations of the process have. Written when one is made or
/// unmapped, which is rare.
static RESERVED: AtomicUsize = AtomicUsize::new(0);

/// A reservation of address space.
///
/// Invariant: `[base - context, base + accessible)` is readable and writable. If the memory has a guard,
/// the rest of its span is ours and not accessible at all.
pub(in crate::vm) struct Reservation(Box<Fields>);

/// The fields of a reservation. They stay where they are when it moves to a pool and back, twice for each
/// instance: copying them takes some 100 ns.
struct Fields {
    base: *mut u8,
    /// Bytes of the context area.
    context: usize,
    accessible: usize,
    /// Position of the memory among the ranges of the process; none without a guard, as no code faults
    /// in such a memory.
    range: Option<ranges::Position>,
    /// Module whose initial bytes the memory holds or was laid out with; 0 if none.
    module: u64,
    initial: InitialBytes,
    /// Bytes of the memory that stay in the machine's memory while it is not used: pages that were written
    /// once and hold initial bytes again.
    resident: usize,
}

impl Reservation {
    /// Reserves address space for a memory, with a guard or without, and a context of so many bytes.
    ///
    /// # Errors
    ///
    /// When the machine has no address space or memory left.
    pub(in crate::vm) fn new(context: usize, guarded: bool) -> io::Result<Reservation> {
        let size = Reservation::size(context, guarded);
        let (start, context) = match guarded {
            true => (sys::reserve(size)?, size - SPAN),
            false => (sys::reserve_apart(size)?, size),
        };
        // SAFETY: the context area is the start of our own reservation.
        if let Err(error) = unsafe { sys::make_accessible(start, context) } {
            // SAFETY: the range is the whole reservation, which nobody uses.
            unsafe { sys::unmap(start, size) };
            return Err(error);
        }
        let base = start.wrapping_add(context);
        let range = guarded.then(|| ranges::insert(base as usize, base as usize + SPAN));
        RESERVED.fetch_add(size, Ordering::Relaxed);
        let initial = InitialBytes::default();
        let fields =
            Fields { base, context, accessible: 0, range, module: 0, initial, resident: 0 };
        Ok(Reservation(Box::new(fields)))
    }

    /// Bytes of address space of a new reservation with a context of so many bytes.
    pub(in crate::vm) fn size(context: usize, guarded: bool) -> usize {
        let context = context.max(CONTEXT_AREA).next_multiple_of(sys::page_size());
        if guarded { context + SPAN } else { context }
    }

    /// Whether a guard follows the memory.
    pub(in crate::vm) fn is_guarded(&self) -> bool {
        self.0.range.is_some()
    }

    /// The first byte of the memory, and the end of the context.
    pub(in crate::vm) fn base(&self) -> *mut u8 {
        self.0.base
    }

    /// Bytes that its memory keeps in the machine's memory while it is not used.
    pub(in crate::vm) fn resident(&self) -> usize {
        self.0.resident
    }

    pub(super) fn set_resident(&mut self, bytes: usize) {
        self.0.resident = bytes;
    }

    /// Whether a context of so many bytes fits below the memory.
    pub(in crate::vm) fn fits(&self, context: usize) -> bool {
        self.0.context >= context
    }

    /// Whether the memory was laid out for this module, which is not 0.
    pub(in crate::vm) fn is_of(&self, module: u64) -> bool {
        module != 0 && self.0.module == module
    }

    pub(super) fn initial_bytes(&self) -> &InitialBytes {
        &self.0.initial
    }

    pub(super) fn set_initial_bytes(&mut self, module: u64, initial: InitialBytes) {
        self.0.module = module;
        self.0.initial = initial;
    }

    pub(super) fn forget_initial_bytes(&mut self) {
        self.set_initial_bytes(0, InitialBytes::default());
    }

    /// Makes the first `len` bytes accessible; new ones are zero.
    ///
    /// # Errors
    ///
    /// When `len` exceeds 4 GiB, or the machine has no memory left.
    pub(in crate::vm) fn grow(&mut self, len: usize) -> io::Result<()> {
        if len as u64 > MEMORY32_SPAN {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if len > self.0.accessible {
            let (at, more) = (self.0.base.wrapping_add(self.0.accessible), len - self.0.accessible);
            if self.is_guarded() {
                // SAFETY: the range lies inside our own reservation.
                unsafe { sys::make_accessible(at, more)? };
            } else {
                sys::map_zeros_at(at, more)?;
                RESERVED.fetch_add(more, Ordering::Relaxed);
            }
            self.0.accessible = len;
        }
        Ok(())
    }

    /// Takes away the access to everything from `len` on, and drops its bytes.
    pub(super) fn revoke(&mut self, len: usize) -> io::Result<()> {
        if self.0.accessible > len {
            let (at, less) = (self.0.base.wrapping_add(len), self.0.accessible - len);
            if self.is_guarded() {
                // SAFETY: the range lies inside our reservation, and nobody uses it any more.
                unsafe { sys::make_inaccessible(at, less)? };
            } else {
                // SAFETY: the range is the end of our mapping, and nobody uses it any more.
                unsafe { sys::unmap_end(at, less)? };
                RESERVED.fetch_sub(less, Ordering::Relaxed);
            }
            self.0.accessible = len;
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let size = match self.0.range {
            Some(range) => {
                ranges::remove(range, self.0.base as usize);
                self.0.context + SPAN
            }
            None => self.0.context + self.0.accessible,
        };
        RESERVED.fetch_sub(size, Ordering::Relaxed);
        // SAFETY: the range is the whole reservation, which nobody uses any more.
        unsafe { sys::unmap(self.0.base.wrapping_sub(self.0.context), size) };
    }
}

/// Bytes of address space that all reservations of the process have.
pub(crate) fn reserved() -> usize {
    RESERVED.load(Ordering::Relaxed)
}
