//! A reservation: address space for one linear memory, with room for a context below it.
//!
//! ```text
//!   | context area, RW | memory: accessible | ... no access ... 4 GiB | guard, no access |
//!                      ^ base
//! ```

use super::image::InitialBytes;
use super::ranges;
use crate::vm::sys;
use precast_abi::limits::{MEMORY_GUARD, MEMORY32_SPAN};
use region::Protection;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes for a context below the memory. A larger context gets a reservation of its own size.
const CONTEXT_AREA: usize = 64 << 10;

/// Bytes of address space that all reservations of the process have. Written when one is made or
/// unmapped, which is rare.
static RESERVED: AtomicUsize = AtomicUsize::new(0);

/// A reservation of address space.
///
/// Invariant: `[base - context, base + accessible)` is readable and writable, and the rest is not
/// accessible at all.
pub(in crate::vm) struct Reservation {
    address_space: region::Allocation,
    base: *mut u8,
    context: usize,
    accessible: usize,
    /// Module whose initial bytes the memory holds or was laid out with; 0 if none.
    module: u64,
    initial: InitialBytes,
}

impl Reservation {
    /// Reserves address space for a memory and a context of so many bytes.
    ///
    /// # Errors
    ///
    /// When the machine has no address space or memory left.
    pub(in crate::vm) fn new(context: usize) -> io::Result<Reservation> {
        let context = context.max(CONTEXT_AREA).next_multiple_of(sys::page_size());
        let size = context + (MEMORY32_SPAN + MEMORY_GUARD) as usize;
        let mut address_space = region::alloc(size, Protection::NONE).map_err(io::Error::other)?;
        let start = address_space.as_mut_ptr::<u8>();
        // SAFETY: the context area is the start of our own reservation.
        unsafe { region::protect(start, context, Protection::READ_WRITE) }
            .map_err(io::Error::other)?;
        let base = start.wrapping_add(context);
        ranges::insert(base as usize, start as usize + size);
        RESERVED.fetch_add(address_space.len(), Ordering::Relaxed);
        let initial = InitialBytes::default();
        Ok(Reservation { address_space, base, context, accessible: 0, module: 0, initial })
    }

    /// The first byte of the memory, and the end of the context.
    pub(in crate::vm) fn base(&self) -> *mut u8 {
        self.base
    }

    /// Whether a context of so many bytes fits below the memory.
    pub(in crate::vm) fn fits(&self, context: usize) -> bool {
        self.context >= context
    }

    /// Whether the memory was laid out for this module, which is not 0.
    pub(in crate::vm) fn is_of(&self, module: u64) -> bool {
        module != 0 && self.module == module
    }

    pub(super) fn initial_bytes(&self) -> &InitialBytes {
        &self.initial
    }

    pub(super) fn set_initial_bytes(&mut self, module: u64, initial: InitialBytes) {
        self.module = module;
        self.initial = initial;
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
        if len > self.accessible {
            let at = self.base.wrapping_add(self.accessible);
            // SAFETY: the range lies inside our own reservation.
            unsafe { region::protect(at, len - self.accessible, Protection::READ_WRITE) }
                .map_err(io::Error::other)?;
            self.accessible = len;
        }
        Ok(())
    }

    /// Takes away the access to everything from `len` on, and drops its bytes.
    pub(super) fn revoke(&mut self, len: usize) -> io::Result<()> {
        if self.accessible > len {
            // SAFETY: the range lies inside our reservation, and nobody uses it any more.
            unsafe {
                sys::make_inaccessible(self.base.wrapping_add(len), self.accessible - len)?;
            }
            self.accessible = len;
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        ranges::remove(self.base as usize);
        RESERVED.fetch_sub(self.address_space.len(), Ordering::Relaxed);
    }
}

/// Bytes of address space that all reservations of the process have.
pub(in crate::vm) fn reserved() -> usize {
    RESERVED.load(Ordering::Relaxed)
}
