//! The budget of descriptors: how many of the process's descriptors its guests may use.
//!
//! A guest that opens files uses descriptors of the process. The process may have as many as its
//! soft `RLIMIT_NOFILE` allows, often 1,024. Guests with the default limit share half of them: each
//! may take as many as are left of that half. One guest gets a quarter of all, two guests get a
//! sixth each, and a guest that starts late still finds some. A guest that has few descriptors may
//! take a few more from the next quarter. The last quarter is reserved for the host.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::process::{Resource, getrlimit};

use crate::errno::Errno;

/// A guest may have this many descriptors as long as any are left for guests.
const FEW: u32 = 16;

/// The largest default limit of a guest, however many descriptors the process may have.
const MOST: u64 = 16 * 1024;

/// The most descriptors reserved at once. A guest that opens and closes files rarely touches the
/// shared counter.
const CHUNK: u64 = 16;

/// The number of descriptors that all guests of the process have reserved.
static RESERVED: AtomicU64 = AtomicU64::new(0);

/// The number of descriptors the process may have.
fn of_process() -> u64 {
    // Without a limit, the kernel's default of `nr_open` applies.
    getrlimit(Resource::Nofile).current.unwrap_or(1 << 20)
}

/// The default limit of a guest: a quarter of the process's descriptors.
pub(crate) fn default_limit() -> u32 {
    // At most `MOST`.
    (of_process() / 4).clamp(u64::from(FEW), MOST) as u32
}

/// The descriptors that one guest has reserved. Dropping it releases them.
#[derive(Debug, Default)]
pub(crate) struct FdReservation {
    reserved: u32,
    /// Whether the guest leaves descriptors to other guests. False if the embedder has set a limit.
    shares: bool,
}

impl FdReservation {
    pub(crate) fn new(shares: bool) -> Self {
        FdReservation { reserved: 0, shares }
    }

    /// Reserves between 1 and `wanted` descriptors and returns the number. `EMFILE`: the budget is
    /// used up.
    pub(crate) fn reserve(&mut self, wanted: usize) -> Result<usize, Errno> {
        let all = of_process();
        let chunk = (all / 128).clamp(1, CHUNK).min(wanted as u64);
        let reserve = |reserved: u64| {
            let allowed = self.may_reserve(chunk, reserved, all);
            allowed.then(|| reserved + chunk)
        };
        RESERVED.fetch_update(Relaxed, Relaxed, reserve).map_err(|_| Errno::Mfile)?;
        // At most `CHUNK`.
        self.reserved += chunk as u32;
        Ok(chunk as usize)
    }

    /// Whether this guest may reserve `more` descriptors if all guests together have reserved
    /// `reserved` of the process's `all`.
    fn may_reserve(&self, more: u64, reserved: u64, all: u64) -> bool {
        if !self.shares {
            return true;
        }
        let own = u64::from(self.reserved);
        let left = (all / 2).saturating_sub(reserved);
        own + more <= left || (own < u64::from(FEW) && reserved + more <= all / 4 * 3)
    }

    /// Releases `n` descriptors.
    pub(crate) fn release(&mut self, n: usize) {
        let n = u32::try_from(n).unwrap_or(u32::MAX).min(self.reserved);
        self.reserved -= n;
        RESERVED.fetch_sub(u64::from(n), Relaxed);
    }
}

impl Drop for FdReservation {
    fn drop(&mut self) {
        self.release(self.reserved as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number each of `guests` guests gets if one after the other reserves all it can.
    fn greedy(all: u64, guests: usize) -> Vec<u64> {
        let mut reserved = 0;
        (0..guests)
            .map(|_| {
                let mut guest = FdReservation::new(true);
                while guest.may_reserve(1, reserved, all) {
                    guest.reserved += 1;
                    reserved += 1;
                }
                let own = u64::from(guest.reserved);
                std::mem::forget(guest);
                own
            })
            .collect()
    }

    /// The number each of `guests` guests gets if they reserve one descriptor each in turn.
    fn in_turn(all: u64, guests: usize) -> Vec<u64> {
        let mut guests: Vec<_> = (0..guests).map(|_| FdReservation::new(true)).collect();
        let mut reserved = 0;
        loop {
            let before = reserved;
            for guest in &mut guests {
                if guest.may_reserve(1, reserved, all) {
                    guest.reserved += 1;
                    reserved += 1;
                }
            }
            if reserved == before {
                let own = guests.iter().map(|guest| u64::from(guest.reserved)).collect();
                guests.into_iter().for_each(std::mem::forget);
                return own;
            }
        }
    }

    #[test]
    fn no_number_of_guests_starves_the_host() {
        for all in [16, 64, 256, 1024, 20_000, 1 << 20] {
            for guests in [1, 2, 3, 10, 100] {
                assert!(greedy(all, guests).iter().sum::<u64>() <= all / 4 * 3, "{all} {guests}");
                assert!(in_turn(all, guests).iter().sum::<u64>() <= all / 4 * 3, "{all} {guests}");
            }
        }
        assert_eq!(greedy(1024, 1), [256]);
        assert_eq!(greedy(1024, 6), [256, 128, 64, 32, 16, 16]);
        assert_eq!(in_turn(1024, 3), [128; 3]);
        assert_eq!(in_turn(1024, 40), [16; 40]);
    }

    #[test]
    fn a_limit_that_was_set_is_not_shared() {
        let guest = FdReservation::new(false);
        assert!(guest.may_reserve(1, 1 << 40, 1024));
    }
}
