//! Clocks: `clock_time_get`, `clock_res_get`.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

use crate::errno::Errno;
use crate::guest::Memory;
use crate::guest::layout;
use crate::state::blueprint::Wasi;

/// The clocks a guest may ask, numbered as in the specification.
const CLOCKS: [ClockId; 4] =
    [ClockId::Realtime, ClockId::Monotonic, ClockId::ProcessCPUTime, ClockId::ThreadCPUTime];

/// Where an instance's time comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clocks {
    /// The host, through the vDSO: no system call.
    Host,
    /// A clock that only the guest itself moves, so that every run is the same.
    Virtual {
        /// Where the realtime clock starts, in nanoseconds since 1970. The others start at 0.
        start: u64,
        /// Nanoseconds that have passed.
        elapsed: u64,
        /// Nanoseconds that pass with every reading; 0 for a clock that stands still until the
        /// guest sleeps.
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

    /// As [`Clocks::now`], and the guest has looked at the clock: a stepping one goes on.
    fn read(&mut self, id: u32) -> Result<u64, Errno> {
        let now = self.now(id)?;
        if let Clocks::Virtual { elapsed, step, .. } = self {
            *elapsed = elapsed.saturating_add(*step);
        }
        Ok(now)
    }

    /// The resolution of the clock numbered `id`, in nanoseconds. `EINVAL`: no such clock.
    fn resolution(&self, id: u32) -> Result<u64, Errno> {
        let clock = *CLOCKS.get(id as usize).ok_or(Errno::Inval)?;
        Ok(match self {
            Clocks::Host => timestamp(clock_getres(clock)),
            Clocks::Virtual { step, .. } => (*step).max(1),
        })
    }

    /// Lets `nanoseconds` pass on a virtual clock; the host's passes by itself.
    pub(crate) fn pass(&mut self, nanoseconds: u64) {
        if let Clocks::Virtual { elapsed, .. } = self {
            *elapsed = elapsed.saturating_add(nanoseconds);
        }
    }
}

fn timestamp(time: Timespec) -> u64 {
    layout::nanoseconds(time.tv_sec, time.tv_nsec as u64)
}

/// Tells a clock's resolution.
///
/// ```text
/// writes  resolution: u64
/// ```
/// - `EINVAL`: no such clock.
/// - `EFAULT`: a bad pointer.
///
/// [`clock_res_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#clock_res_get),
/// [clock_getres(2)](https://man7.org/linux/man-pages/man2/clock_getres.2.html)
pub(crate) fn clock_res_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    id: u32,
    resolution: u32,
) -> Result<(), Errno> {
    memory.write_u64(resolution, wasi.clocks.resolution(id)?)
}

/// Tells a clock's time. The precision asked for does not matter: the best there is costs no more.
///
/// ```text
/// writes  time: u64
/// ```
/// - `EINVAL`: no such clock.
/// - `EFAULT`: a bad pointer.
///
/// [`clock_time_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#clock_time_get),
/// [clock_gettime(2)](https://man7.org/linux/man-pages/man2/clock_gettime.2.html)
pub(crate) fn clock_time_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    id: u32,
    _precision: u64,
    time: u32,
) -> Result<(), Errno> {
    memory.check(time, 8)?;
    memory.write_u64(time, wasi.clocks.read(id)?)
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
