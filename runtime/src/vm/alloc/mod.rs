//! Allocation of the address space of memories and contexts.

pub(crate) mod counts;
mod on_demand;
pub(crate) mod pool;

use crate::vm::instance::remains::Remains;
use crate::vm::memory::plan::MemoryPlan;
use crate::vm::memory::reservation::Reservation;
use std::io;

/// An allocator of the address space of memories and contexts.
///
/// It lives as long as the process, because each memory keeps a reference to its allocator.
pub(in crate::vm) trait Allocator: Sync {
    /// The bytes of a context that lies below no memory, all zero.
    ///
    /// # Errors
    ///
    /// When there is no memory left.
    fn allocate_context(&self, size: usize) -> io::Result<ContextSpace>;

    /// A reservation whose memory is laid out as the plan says, and what an instance has left there.
    ///
    /// # Errors
    ///
    /// When there is no address space or memory left.
    fn allocate_memory(&self, plan: &MemoryPlan<'_>) -> io::Result<(Reservation, Remains)>;

    /// Takes back a reservation that nobody uses any more, with what the instance has left there.
    /// `fresh` says that the memory holds its initial bytes.
    fn release_memory(&self, reservation: Reservation, fresh: bool, remains: Remains);
}

/// The bytes of a context that lies below no memory. They are freed when this is dropped.
pub(in crate::vm) struct ContextSpace(Box<[u128]>);

impl ContextSpace {
    /// The end of the bytes, which is the context's address.
    pub(in crate::vm) fn end(&mut self) -> *mut u8 {
        self.0.as_mut_ptr_range().end.cast()
    }
}

/// The allocator of instances and host modules.
pub(in crate::vm) fn allocator() -> &'static dyn Allocator {
    &on_demand::OnDemand
}
