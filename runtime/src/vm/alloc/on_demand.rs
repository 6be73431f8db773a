//! The on-demand allocator: reserves address space when it is needed, and reuses reservations.
//!
//! Reserving and mapping cost system calls and page faults, so a thread keeps the reservations of
//! instances that are gone. A reservation that last served the same module needs no work: its memory
//! holds initial bytes, and its context and tables are mostly right.

use super::pool::{self, Kept};
use super::{Allocator, ContextSpace};
use crate::vm::instance::remains::Remains;
use crate::vm::memory::plan::MemoryPlan;
use crate::vm::memory::reservation::{self, Reservation};
use crate::vm::sys;
use std::io;

/// Bytes of a context from which on the heap may refuse them. For fewer, zeroed memory comes faster
/// from an allocation that cannot fail.
const LARGE_CONTEXT: usize = 1 << 20;

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
        if let Some(Kept { mut reservation, remains }) = pool::take(plan) {
            if reservation.is_of(plan.module) {
                return Ok((reservation, remains));
            }
            match reservation.lay_out(plan) {
                Ok(()) => return Ok((reservation, Remains::default())),
                Err(error) if plan.guarded => return Err(sys::name_limit(error, 0)),
                // Others may have taken the addresses behind a memory without a guard.
                Err(_) => {}
            }
        }
        let new = || Reservation::new(plan.context, plan.guarded);
        let mut reservation = new().or_else(|_| {
            // The reservations that this thread keeps may take the last address space.
            pool::clear();
            let size = Reservation::size(plan.context, plan.guarded);
            new().map_err(|error| sys::name_limit(error, size))
        })?;
        let laid_out = reservation.lay_out(plan);
        let needed = if plan.guarded { 0 } else { plan.len };
        laid_out.map_err(|error| sys::name_limit(error, needed))?;
        Ok((reservation, Remains::default()))
    }

    /// The memory is reset here, for the next instance of the same module.
    fn release_memory(&self, mut reservation: Reservation, fresh: bool, remains: Remains) {
        // Half of the address space is left to live instances and everything else. A machine with
        // 39 bits of it has room for 127 reservations, so there threads keep fewer.
        let may_keep = reservation::reserved() <= sys::address_space() / 2;
        if !pool::has_room(may_keep) {
            return;
        }
        if !fresh && reservation.reset().is_err() {
            return;
        }
        pool::keep(Kept { reservation, remains });
    }
}

#[cold]
fn large_context(words: usize) -> io::Result<Box<[u128]>> {
    let mut own = Vec::new();
    own.try_reserve_exact(words).map_err(|_| io::ErrorKind::OutOfMemory)?;
    own.resize(words, 0u128);
    Ok(own.into_boxed_slice())
}
