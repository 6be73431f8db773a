//! Linear memories: their address space, their length and their bytes.

mod image;
pub(in crate::vm) mod parts;
pub(in crate::vm) mod plan;
pub(in crate::vm) mod ranges;
pub(in crate::vm) mod reservation;
mod reset;

pub(in crate::vm) use image::Image;
pub(crate) use reservation::reserved;

use crate::vm::alloc::{Allocator, allocator};
use crate::vm::instance::context::MemoryDef;
use crate::vm::instance::remains::Remains;
use crate::vm::sys;
use plan::MemoryPlan;
use precast_abi::limits::{MEMORY32_MAX_PAGES, WASM_PAGE};
use precast_abi::types::{Limits, MemoryType};
use reservation::Reservation;
use std::io;
use std::ops::Range;
use std::ptr;

/// A linear memory and its address space.
///
/// Invariant: `def` holds the reservation's base and the accessible length, and lives as long as
/// this.
pub(crate) struct MemoryData {
    def: *mut MemoryDef,
    reservation: Option<Reservation>,
    allocator: &'static dyn Allocator,
    max: Option<u64>,
    /// The target of `def` when it lies in no context.
    _own_def: Option<Box<MemoryDef>>,
}

impl MemoryData {
    /// A memory whose definition is a field of its instance's context.
    ///
    /// # Safety
    ///
    /// `def` is that field, and lives as long as the memory.
    pub(in crate::vm) unsafe fn in_context(
        def: *mut MemoryDef,
        allocator: &'static dyn Allocator,
        reservation: Reservation,
        len: u64,
        max: Option<u64>,
    ) -> Self {
        // SAFETY: by the contract.
        unsafe { def.write(MemoryDef { base: reservation.base(), len }) };
        MemoryData { def, reservation: Some(reservation), allocator, max, _own_def: None }
    }

    /// A memory of zeros that belongs to no module.
    pub(crate) fn new(limits: Limits) -> io::Result<Self> {
        if limits.min > MEMORY32_MAX_PAGES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "more than 65536 pages"));
        }
        let len = limits.min * WASM_PAGE;
        let allocator = allocator();
        let (reservation, _) = allocator
            .allocate_memory(&MemoryPlan::zeros(len as usize, !sys::refuses_reservations()))?;
        let mut own = Box::new(MemoryDef { base: reservation.base(), len });
        let def = ptr::from_mut(&mut *own);
        let (reservation, max) = (Some(reservation), limits.max);
        Ok(MemoryData { def, reservation, allocator, max, _own_def: Some(own) })
    }

    /// Whether a guard follows it, on which code that does not check bounds relies.
    pub(in crate::vm) fn is_guarded(&self) -> bool {
        self.reservation.as_ref().is_some_and(Reservation::is_guarded)
    }

    /// The definition that machine code reads.
    pub(crate) fn def(&self) -> *mut MemoryDef {
        self.def
    }

    /// Its size in pages.
    pub(crate) fn pages(&self) -> u64 {
        // SAFETY: invariant of the type; nothing writes it but `grow`, which needs `&mut`.
        unsafe { (*self.def).len / WASM_PAGE }
    }

    /// Its type, with its size now as the minimum.
    pub(crate) fn memory_type(&self) -> MemoryType {
        MemoryType::new(Limits::new(self.pages(), self.max))
    }

    /// Whether its type lets it grow by so many pages.
    pub(in crate::vm) fn can_grow(&self, delta: u64) -> bool {
        let most = self.max.unwrap_or(MEMORY32_MAX_PAGES).min(MEMORY32_MAX_PAGES);
        self.pages().checked_add(delta).is_some_and(|new| new <= most)
    }

    /// Grows it and gives its old size in pages; none when it cannot grow.
    pub(in crate::vm) fn grow(&mut self, delta: u64) -> Option<u64> {
        if !self.can_grow(delta) {
            return None;
        }
        let old = self.pages();
        let len = (old + delta) * WASM_PAGE;
        self.reservation.as_mut()?.grow(len as usize).ok()?;
        // SAFETY: invariant of the type.
        unsafe { (*self.def).len = len };
        Some(old)
    }

    /// Makes it hold its initial bytes again, as many as at first.
    ///
    /// # Errors
    ///
    /// When the kernel refuses. Then its bytes are unknown.
    pub(in crate::vm) fn reset(&mut self) -> io::Result<()> {
        let Some(reservation) = &mut self.reservation else { return Ok(()) };
        let len = reservation.shrink()?;
        // SAFETY: invariant of the type.
        unsafe { (*self.def).len = len as u64 };
        reservation.reset()
    }

    /// Frees its pages, for an instance that was removed. Code that can still be reached finds a
    /// memory as it was first, which cannot grow: accesses below the minimum have no check and no
    /// trap, so they must stay possible.
    pub(in crate::vm) fn release(&mut self) {
        let Some(reservation) = &mut self.reservation else { return };
        let Ok(len) = reservation.shrink() else { return };
        // SAFETY: invariant of the type.
        unsafe { (*self.def).len = len as u64 };
        self.max = Some(len as u64 / WASM_PAGE);
        // If the kernel keeps the pages, they are freed with the namespace.
        let _ = reservation.drop_pages(len);
    }

    /// Its address space, when nobody uses the memory any more.
    pub(in crate::vm) fn take_reservation(&mut self) -> Option<Reservation> {
        self.reservation.take()
    }

    /// The parts of it with other bytes than zeros, in order.
    pub(in crate::vm) fn parts_with_bytes(&self) -> Vec<Range<usize>> {
        let untouched = |range| self.reservation.as_ref().is_some_and(|all| all.is_zero(range));
        parts::with_bytes(self.bytes(), untouched)
    }

    /// Bytes of it that are in the machine's memory; none if the system does not tell.
    pub(in crate::vm) fn resident_bytes(&self) -> Option<u64> {
        // SAFETY: invariant of the type.
        let (base, len) = unsafe { ((*self.def).base, (*self.def).len) };
        sys::resident(base, len as usize)
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: invariant of the type: base and length are accessible memory. Only users of the
        // store write it, and the borrow of the store excludes other users.
        unsafe { std::slice::from_raw_parts((*self.def).base, (*self.def).len as usize) }
    }

    /// Its bytes, to write.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`.
        unsafe { std::slice::from_raw_parts_mut((*self.def).base, (*self.def).len as usize) }
    }
}

impl Drop for MemoryData {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            self.allocator.release_memory(reservation, false, Remains::default());
        }
    }
}

/// The bytes of the memory with this definition.
///
/// # Safety
///
/// `def` is the definition of a live memory, and nothing else accesses its bytes during `'a`.
pub(in crate::vm) unsafe fn bytes_of<'a>(def: *const MemoryDef) -> &'a mut [u8] {
    // SAFETY: by the contract.
    unsafe { std::slice::from_raw_parts_mut((*def).base, (*def).len as usize) }
}

/// Whether an address lies in some memory's reservation. Callable in signal handlers.
pub(in crate::vm) fn contains(address: usize) -> bool {
    ranges::contains(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_grows_up_to_its_maximum() {
        let mut memory = MemoryData::new(Limits::new(1, Some(3))).unwrap();
        memory.bytes_mut()[65535] = 7;
        assert_eq!(memory.grow(0), Some(1));
        assert_eq!(memory.grow(2), Some(1));
        assert_eq!(memory.grow(1), None);
        assert_eq!(memory.grow(u64::MAX), None);
        assert_eq!(memory.memory_type(), MemoryType::new(Limits::new(3, Some(3))));
        let bytes = memory.bytes();
        assert_eq!((bytes.len(), bytes[65535]), (3 << 16, 7));
        assert!(bytes[65536..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_memory_has_65536_pages_at_most() {
        let error = MemoryData::new(Limits::new(65537, None)).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        for max in [None, Some(u64::MAX)] {
            let mut memory = MemoryData::new(Limits::new(1, max)).unwrap();
            assert_eq!(memory.grow(65536), None);
            assert_eq!(memory.pages(), 1);
        }
        let empty = MemoryData::new(Limits::new(0, Some(0))).unwrap();
        assert!(empty.bytes().is_empty());
    }

    #[test]
    fn a_released_memory_is_as_it_was_first_and_does_not_grow() {
        let mut memory = MemoryData::new(Limits::new(1, None)).unwrap();
        memory.grow(2).unwrap();
        memory.bytes_mut().fill(7);
        let base = memory.bytes().as_ptr() as usize;
        memory.release();
        assert_eq!(memory.memory_type(), MemoryType::new(Limits::new(1, Some(1))));
        assert_eq!(memory.bytes().as_ptr() as usize, base);
        assert!(memory.bytes().iter().all(|&byte| byte == 0));
        assert_eq!(memory.grow(1), None);
        // Once more has no effect.
        memory.bytes_mut()[5] = 5;
        memory.release();
        assert_eq!((memory.pages(), memory.bytes()[5]), (1, 0));
    }

    #[test]
    fn addresses_of_a_memory_are_known_while_it_lives() {
        let memory = MemoryData::new(Limits::new(1, None)).unwrap();
        let base = memory.bytes().as_ptr() as usize;
        // Accesses of machine code reach as far as the end of the guard.
        let span =
            (precast_abi::limits::MEMORY32_SPAN + precast_abi::limits::MEMORY_GUARD) as usize;
        assert!(contains(base) && contains(base + span - 1));
        assert!(!contains(base - 1), "the context is none of the memory");
    }
}
