//! The pools of address space for instances: what they keep, and their bounds.

use crate::vm::alloc::counts::sums;
use crate::vm::alloc::pool::{self, Bounds};
use crate::vm::memory::reserved;

/// The pools of address space. When an instance is dropped, its thread keeps the address space of its
/// memories for later instances, which is what makes these fast. Each thread has a pool; the settings are
/// those of the process.
#[derive(Clone, Copy, Debug)]
pub struct Pool;

/// The bounds of the pool of each thread. What is beyond them is given back to the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PoolLimits {
    /// The number of memories whose address space is kept, 4 GiB each. Default: 16.
    pub memories: usize,
    /// The bytes of these memories that stay in the machine's memory. Default: 16 MiB.
    pub resident_bytes: usize,
}

/// What the pools of all threads have done, and what they keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct PoolStats {
    /// The memories whose address space is kept.
    pub kept: u64,
    /// The bytes of kept memories that are in the machine's memory.
    pub resident_bytes: u64,
    /// The bytes of address space that all memories have, kept or in use.
    pub reserved_bytes: u64,
    /// The number of times that address space was reserved, because none was kept.
    pub made: u64,
    /// The number of times that kept address space was used again.
    pub reused: u64,
    /// The number of these times when the same module had used it before, so that it was ready.
    pub reused_as_they_were: u64,
    /// The number of times that address space was given back because the pool had
    /// [`PoolLimits::memories`]. If this grows with each instance, the limit is too low.
    pub unmapped_when_full: u64,
    /// The number of times that the pages of a memory were given back because the pool had
    /// [`PoolLimits::resident_bytes`]. If this grows with each instance, the limit is too low.
    pub emptied_when_full: u64,
}

impl PoolLimits {
    /// The default limits.
    pub fn new() -> PoolLimits {
        let Bounds { reservations: memories, resident_bytes } = pool::DEFAULT;
        PoolLimits { memories, resident_bytes }
    }

    /// Sets the number of memories.
    pub fn memories(mut self, memories: usize) -> PoolLimits {
        self.memories = memories;
        self
    }

    /// Sets the bytes in the machine's memory.
    pub fn resident_bytes(mut self, bytes: usize) -> PoolLimits {
        self.resident_bytes = bytes;
        self
    }
}

impl Default for PoolLimits {
    fn default() -> Self {
        PoolLimits::new()
    }
}

impl Pool {
    /// What the pools have done, and what they keep. Threads that are running count on meanwhile.
    ///
    /// ```
    /// use precast_runtime::{Pool, PoolLimits};
    ///
    /// Pool::set_limits(PoolLimits::new().memories(100));
    /// let stats = Pool::stats();
    /// assert_eq!(stats.unmapped_when_full, 0);
    /// ```
    pub fn stats() -> PoolStats {
        let sums = sums();
        PoolStats {
            kept: sums.kept,
            resident_bytes: sums.resident_bytes,
            reserved_bytes: reserved() as u64,
            made: sums.made,
            reused: sums.reused,
            reused_as_they_were: sums.reused_as_they_were,
            unmapped_when_full: sums.unmapped_when_full,
            emptied_when_full: sums.emptied_when_full,
        }
    }

    /// The limits of each thread's pool.
    pub fn limits() -> PoolLimits {
        let Bounds { reservations: memories, resident_bytes } = pool::bounds();
        PoolLimits { memories, resident_bytes }
    }

    /// Sets the limits of each thread's pool, in the whole process. A thread heeds them when it drops an
    /// instance.
    pub fn set_limits(limits: PoolLimits) {
        let PoolLimits { memories: reservations, resident_bytes } = limits;
        pool::set_bounds(Bounds { reservations, resident_bytes });
    }

    /// Gives back all that the pool of this thread keeps.
    pub fn clear() {
        pool::clear();
    }
}
