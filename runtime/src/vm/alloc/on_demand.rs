//! The on-demand allocator: reserves address space when it is needed, and reuses reservations.
//!
//! Reserving and mapping cost system calls and page faults, so a thread keeps the reservations of
//! instances that are gone. A reservation that last served the same module needs no work: its memory
//! holds initial bytes, and its context and tables are mostly right.

use super::{Allocator, ContextSpace};
use crate::vm::instance::remains::Remains;
use crate::vm::memory::plan::MemoryPlan;
use crate::vm::memory::reservation::{self, Reservation};
use crate::vm::sys;
use std::cell::RefCell;
use std::io;

/// Reservations that a thread keeps.
const KEPT: usize = 16;

/// Bytes of a context from which on the heap may refuse them. For fewer, zeroed memory comes faster
/// from an allocation that cannot fail.
const LARGE_CONTEXT: usize = 1 << 20;

thread_local! {
    static KEPT_RESERVATIONS: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// A reservation that nobody uses.
struct Kept {
    reservation: Reservation,
    /// What the last instance has left there.
    remains: Remains,
}

/// The on-demand allocator.
pub(super) struct OnDemand;

impl Allocator for OnDemand {
    fn allocate_context(&self, size: usize) -> io::Result<ContextSpace> {
        let words = size.div_ceil(16);
        Ok(ContextSpace(match size > LARGE_CONTEXT {
            true => large_context(words)?,
            false => vec![0u128; words].into_boxed_slice(),
        }))
    }

    fn allocate_memory(&self, plan: &MemoryPlan<'_>) -> io::Result<(Reservation, Remains)> {
        let mut reservation = match take_kept(plan) {
            Some(Kept { reservation, remains }) if reservation.is_of(plan.module) => {
                return Ok((reservation, remains));
            }
            Some(kept) => kept.reservation,
            None => Reservation::new(plan.context).or_else(|_| {
                // The reservations that this thread keeps may take the last address space.
                let _ = KEPT_RESERVATIONS.try_with(|kept| kept.borrow_mut().clear());
                let size = Reservation::size(plan.context);
                Reservation::new(plan.context).map_err(|error| sys::name_limit(error, size))
            })?,
        };
        reservation.lay_out(plan).map_err(|error| sys::name_limit(error, 0))?;
        Ok((reservation, Remains::default()))
    }

    /// The memory is reset here, for the next instance of the same module.
    fn release_memory(&self, mut reservation: Reservation, fresh: bool, remains: Remains) {
        // Half of the address space is left to live instances and everything else. A machine with
        // 39 bits of it has room for 127 reservations, so there threads keep fewer.
        if reservation::reserved() > sys::address_space() / 2 {
            return;
        }
        if !fresh && reservation.reset().is_err() {
            return;
        }
        // While a thread exits, the kept ones may be gone: then this one is unmapped.
        let _ = KEPT_RESERVATIONS.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(Kept { reservation, remains });
            }
        });
    }
}

/// A kept reservation with enough room: the last of the same module, else the first.
fn take_kept(plan: &MemoryPlan<'_>) -> Option<Kept> {
    // While a thread exits, the kept ones may be gone.
    let kept = KEPT_RESERVATIONS.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        let fits = |kept: &Kept| kept.reservation.fits(plan.context);
        let same = |kept: &Kept| fits(kept) && kept.reservation.is_of(plan.module);
        let at = kept.iter().rposition(same).or_else(|| kept.iter().position(fits))?;
        Some(kept.swap_remove(at))
    });
    kept.ok().flatten()
}

#[cold]
fn large_context(words: usize) -> io::Result<Box<[u128]>> {
    let mut own = Vec::new();
    own.try_reserve_exact(words).map_err(|_| io::ErrorKind::OutOfMemory)?;
    own.resize(words, 0u128);
    Ok(own.into_boxed_slice())
}
