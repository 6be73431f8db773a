//! How many of the process's descriptors guests may have, each and all together.
//!
//! A guest that opens files takes descriptors from the process, which has as many as its soft
//! `RLIMIT_NOFILE` says, often 1,024. Guests with the default limit share half of them: each may
//! have as many as are left of that half. So one guest gets a quarter of all, two get a sixth each,
//! and a guest that comes late finds some left. A guest that has few gets a few more from the next
//! quarter. The last quarter is the host's.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rustix::process::{Resource, getrlimit};

use crate::errno::Errno;

/// So many descriptors a guest may have as long as there are any for guests at all.
const FEW: u32 = 16;

/// The most a guest gets by default, however many the process has.
const MOST: u64 = 16 * 1024;

/// Taken at once, at most: a guest that opens and closes does not touch what is shared.
const CHUNK: u64 = 16;

/// How many descriptors all guests of the process have taken.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// How many descriptors the process may have.
fn of_process() -> u64 {
    // Where there is no limit, the kernel's default of `nr_open` is one.
    getrlimit(Resource::Nofile).current.unwrap_or(1 << 20)
}

/// How many descriptors a guest may have if nobody says: a quarter of the process's.
pub(crate) fn default_limit() -> u32 {
    // At most `MOST`.
    (of_process() / 4).clamp(u64::from(FEW), MOST) as u32
}

/// What a guest has taken of the process's descriptors. Given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Share {
    taken: u32,
    /// Whether it must leave some to others, or holds a limit that the embedder has set.
    shares: bool,
}

impl Share {
    pub(crate) fn new(shares: bool) -> Self {
        Share { taken: 0, shares }
    }

    /// Takes one descriptor or some, at most `wanted`, and answers how many. `EMFILE`: the others
    /// need them.
    pub(crate) fn take(&mut self, wanted: usize) -> Result<usize, Errno> {
        let all = of_process();
        let chunk = (all / 128).clamp(1, CHUNK).min(wanted as u64);
        let take = |taken: u64| {
            let more = self.may_have(taken, all, chunk);
            more.then(|| taken + chunk)
        };
        TAKEN.fetch_update(Relaxed, Relaxed, take).map_err(|_| Errno::Mfile)?;
        // At most `CHUNK`.
        self.taken += chunk as u32;
        Ok(chunk as usize)
    }

    /// Whether this guest may have `more`, where all guests have `taken` of a process's `all`.
    fn may_have(&self, taken: u64, all: u64, more: u64) -> bool {
        if !self.shares {
            return true;
        }
        let has = u64::from(self.taken);
        let left = (all / 2).saturating_sub(taken);
        has + more <= left || (has < u64::from(FEW) && taken + more <= all / 4 * 3)
    }

    /// Gives `n` back.
    pub(crate) fn give_back(&mut self, n: usize) {
        let n = u32::try_from(n).unwrap_or(u32::MAX).min(self.taken);
        self.taken -= n;
        TAKEN.fetch_sub(u64::from(n), Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.taken as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of `guests` guests can take of `all`, one after the other, each all it can get.
    fn greedy(all: u64, guests: usize) -> Vec<u64> {
        let mut taken = 0;
        (0..guests)
            .map(|_| {
                let mut share = Share::new(true);
                while share.may_have(taken, all, 1) {
                    share.taken += 1;
                    taken += 1;
                }
                let has = u64::from(share.taken);
                std::mem::forget(share);
                has
            })
            .collect()
    }

    /// What each of `guests` guests can take of `all` if they take turns.
    fn in_turn(all: u64, guests: usize) -> Vec<u64> {
        let mut shares: Vec<_> = (0..guests).map(|_| Share::new(true)).collect();
        let mut taken = 0;
        loop {
            let before = taken;
            for share in &mut shares {
                if share.may_have(taken, all, 1) {
                    share.taken += 1;
                    taken += 1;
                }
            }
            if taken == before {
                let has = shares.iter().map(|share| u64::from(share.taken)).collect();
                shares.into_iter().for_each(std::mem::forget);
                return has;
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
        let share = Share::new(false);
        assert!(share.may_have(1 << 40, 1024, 1));
    }
}
