//! The pool of a thread: reservations of instances that are gone, for later instances.
//!
//! Each thread has its own, so that no lock and no other thread's cache line is on the path of an
//! instance. It is bounded by the number of reservations and by the bytes that their memories keep in the
//! machine's memory.

use super::counts::{self, Counts};
use crate::vm::instance::remains::Remains;
use crate::vm::memory::plan::MemoryPlan;
use crate::vm::memory::reservation::Reservation;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bounds of a thread's pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bounds {
    pub(crate) reservations: usize,
    pub(crate) resident_bytes: usize,
}

/// The bounds of a thread's pool, unless the embedder sets others.
pub(crate) const DEFAULT: Bounds = Bounds { reservations: 16, resident_bytes: 16 << 20 };

static RESERVATIONS: AtomicUsize = AtomicUsize::new(DEFAULT.reservations);
static RESIDENT_BYTES: AtomicUsize = AtomicUsize::new(DEFAULT.resident_bytes);

/// The bounds of the pools of all threads.
pub(crate) fn bounds() -> Bounds {
    Bounds {
        reservations: RESERVATIONS.load(Ordering::Relaxed),
        resident_bytes: RESIDENT_BYTES.load(Ordering::Relaxed),
    }
}

/// Sets the bounds of the pools of all threads. They take effect when an instance is dropped.
pub(crate) fn set_bounds(bounds: Bounds) {
    RESERVATIONS.store(bounds.reservations, Ordering::Relaxed);
    RESIDENT_BYTES.store(bounds.resident_bytes, Ordering::Relaxed);
}

/// A reservation that nobody uses.
pub(super) struct Kept {
    pub(super) reservation: Reservation,
    /// What the last instance has left there.
    pub(super) remains: Remains,
}

/// The pool of a thread.
struct Pool {
    kept: Vec<Kept>,
    /// Bytes of the kept memories that are in the machine's memory.
    resident: usize,
    /// None before the first use.
    counts: Option<Arc<Counts>>,
}

thread_local! {
    static POOL: RefCell<Pool> =
        const { RefCell::new(Pool { kept: Vec::new(), resident: 0, counts: None }) };
}

/// A kept reservation with enough room: the last of the same module, else the first. None if this thread
/// keeps none, or is about to end.
pub(super) fn take(plan: &MemoryPlan<'_>) -> Option<Kept> {
    POOL.try_with(|pool| pool.borrow_mut().take(plan)).ok().flatten()
}

/// Whether this thread may keep one more reservation. If not, that is counted. `may_keep` says whether the
/// process may.
pub(super) fn has_room(may_keep: bool) -> bool {
    let room = POOL.try_with(|pool| pool.borrow_mut().has_room(may_keep, bounds()));
    // While a thread ends, the pool may be gone.
    room.unwrap_or(false)
}

/// Keeps a reservation for which there is room, and whose memory holds its initial bytes.
pub(super) fn keep(kept: Kept) {
    let _ = POOL.try_with(|pool| pool.borrow_mut().keep(kept, bounds()));
}

/// Unmaps all that this thread keeps.
pub(crate) fn clear() {
    let _ = POOL.try_with(|pool| pool.borrow_mut().clear());
}

impl Pool {
    fn counts(&mut self) -> &Counts {
        self.counts.get_or_insert_with(counts::of_thread)
    }

    fn take(&mut self, plan: &MemoryPlan<'_>) -> Option<Kept> {
        let fits = |kept: &Kept| {
            let Kept { reservation, .. } = kept;
            reservation.fits(plan.context) && reservation.is_guarded() == plan.guarded
        };
        let same = |kept: &Kept| fits(kept) && kept.reservation.is_of(plan.module);
        let at = self.kept.iter().rposition(same).or_else(|| self.kept.iter().position(fits));
        let Some(at) = at else {
            self.counts().made();
            return None;
        };
        let kept = self.kept.swap_remove(at);
        self.resident -= kept.reservation.resident();
        self.counts().taken(kept.reservation.is_of(plan.module));
        self.say_what_is_kept();
        Some(kept)
    }

    fn has_room(&mut self, may_keep: bool, bounds: Bounds) -> bool {
        let most = if may_keep { bounds.reservations } else { 0 };
        if self.kept.len() < most {
            return true;
        }
        self.counts().is_full();
        if self.kept.len() > bounds.reservations {
            // The bound is lower than before.
            self.kept.truncate(bounds.reservations);
            self.resident = self.kept.iter().map(|kept| kept.reservation.resident()).sum();
            self.say_what_is_kept();
        }
        false
    }

    fn keep(&mut self, mut kept: Kept, bounds: Bounds) {
        let room = bounds.resident_bytes.saturating_sub(self.resident);
        if kept.reservation.resident() > room {
            self.counts().is_large();
            if kept.reservation.empty().is_err() {
                return;
            }
        }
        self.resident += kept.reservation.resident();
        self.kept.push(kept);
        self.say_what_is_kept();
    }

    fn clear(&mut self) {
        self.kept.clear();
        self.resident = 0;
        self.say_what_is_kept();
    }

    fn say_what_is_kept(&mut self) {
        let (reservations, resident) = (self.kept.len(), self.resident);
        self.counts().keeps(reservations, resident);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(counts) = self.counts.take() {
            counts::retire(&counts);
        }
    }
}
