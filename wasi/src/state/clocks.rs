//! `Clocks`: the time source of an instance.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

use crate::errno::Errno;
use crate::guest::layout;

/// The clocks of a guest, numbered as in the specification.
const CLOCKS: [ClockId; 4] =
    [ClockId::Realtime, ClockId::Monotonic, ClockId::ProcessCPUTime, ClockId::ThreadCPUTime];

/// The time source of an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clocks {
    /// The host, through the vDSO: no system call.
    Host,
    /// A clock that only calls of the guest advance, so that every run is the same.
    Virtual {
        /// The start of the realtime clock, in nanoseconds since 1970. The other clocks start at 0.
        start: u64,
        /// Nanoseconds that have passed.
        elapsed: u64,
        /// Nanoseconds that pass with every read; 0 if time passes only while the guest sleeps.
        step: u64,
    },
}

impl Clocks {
    /// The time of the clock numbered `id`, in nanoseconds. `EINVAL`: no such clock.
    pub(crate) fn now(&self, id: u32) -> Result<u64, Errno> {
        let clock = *CLOCKS.get(id as usize).ok_or(Errno::Inval)?;
        Ok(match self {
            Clocks::Host => timestamp(clock_gettime(clock)),
            Clocks::Virtual { start, elapsed, .. } if clock == ClockId::Realtime => {
                start.saturating_add(*elapsed)
            }
            Clocks::Virtual { elapsed, .. } => *elapsed,
        })
    }

    /// [`Clocks::now`] for a read by the guest, which advances a stepping clock.
    pub(crate) fn read(&mut self, id: u32) -> Result<u64, Errno> {
        let now = self.now(id)?;
        if let Clocks::Virtual { elapsed, step, .. } = self {
            *elapsed = elapsed.saturating_add(*step);
        }
        Ok(now)
    }

    /// The resolution of the clock numbered `id`, in nanoseconds. `EINVAL`: no such clock.
    pub(crate) fn resolution(&self, id: u32) -> Result<u64, Errno> {
        let clock = *CLOCKS.get(id as usize).ok_or(Errno::Inval)?;
        Ok(match self {
            Clocks::Host => timestamp(clock_getres(clock)),
            Clocks::Virtual { step, .. } => (*step).max(1),
        })
    }

    /// Advances a virtual clock by `nanoseconds`. The host's clock advances by itself.
    pub(crate) fn pass(&mut self, nanoseconds: u64) {
        if let Clocks::Virtual { elapsed, .. } = self {
            *elapsed = elapsed.saturating_add(nanoseconds);
        }
    }
}

fn timestamp(time: Timespec) -> u64 {
    layout::nanoseconds(time.tv_sec, time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_has_four_clocks() {
        for id in 0..4 {
            assert_ne!(Clocks::Host.resolution(id), Ok(0));
            assert!(Clocks::Host.now(id).is_ok());
        }
        assert_eq!(Clocks::Host.now(4), Err(Errno::Inval));
        assert_eq!(Clocks::Host.resolution(u32::MAX), Err(Errno::Inval));
    }

    #[test]
    fn a_fixed_clock_moves_when_the_guest_sleeps() {
        let mut clocks = Clocks::Virtual { start: 1_000, elapsed: 0, step: 0 };
        assert_eq!((clocks.read(0), clocks.read(1)), (Ok(1_000), Ok(0)));
        clocks.pass(5);
        assert_eq!((clocks.read(0), clocks.read(1)), (Ok(1_005), Ok(5)));
    }

    #[test]
    fn a_stepping_clock_moves_when_it_is_read() {
        let mut clocks = Clocks::Virtual { start: 1_000, elapsed: 0, step: 10 };
        assert_eq!(
            (clocks.read(0), clocks.read(1), clocks.read(0)),
            (Ok(1_000), Ok(10), Ok(1_020))
        );
        assert_eq!((clocks.now(0), clocks.now(0)), (Ok(1_030), Ok(1_030)));
        assert_eq!(clocks.read(4), Err(Errno::Inval));
        assert_eq!(clocks.resolution(0), Ok(10));
    }
}
