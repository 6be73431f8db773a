//! Clocks: `clock_time_get`, `clock_res_get`.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

use crate::errno::Errno;
use crate::layout;
use crate::memory::Memory;
use crate::state::Wasi;

/// The clocks a guest may ask, numbered as in the specification.
const CLOCKS: [ClockId; 4] =
    [ClockId::Realtime, ClockId::Monotonic, ClockId::ProcessCPUTime, ClockId::ThreadCPUTime];

/// Where an instance's time comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clocks {
    /// The host, through the vDSO: no system call.
    Host,
    /// A clock that stands still but for the guest's own sleeping, so that every run is the same.
    Fixed {
        /// Nanoseconds since 1970.
        realtime: u64,
        /// Nanoseconds the guest has slept. Also what the other clocks show.
        slept: u64,
    },
}

impl Clocks {
    /// The time of the clock numbered `id`, in nanoseconds. `EINVAL`: no such clock.
    pub(crate) fn now(&self, id: u32) -> Result<u64, Errno> {
        let clock = *CLOCKS.get(id as usize).ok_or(Errno::Inval)?;
        Ok(match self {
            Clocks::Host => timestamp(clock_gettime(clock)),
            Clocks::Fixed { realtime, slept } if clock == ClockId::Realtime => {
                realtime.saturating_add(*slept)
            }
            Clocks::Fixed { slept, .. } => *slept,
        })
    }

    /// The resolution of the clock numbered `id`, in nanoseconds. `EINVAL`: no such clock.
    fn resolution(&self, id: u32) -> Result<u64, Errno> {
        let clock = *CLOCKS.get(id as usize).ok_or(Errno::Inval)?;
        Ok(match self {
            Clocks::Host => timestamp(clock_getres(clock)),
            Clocks::Fixed { .. } => 1,
        })
    }

    /// Lets `nanoseconds` pass on a fixed clock and says so; the host's passes by itself.
    pub(crate) fn pass(&mut self, nanoseconds: u64) -> bool {
        match self {
            Clocks::Host => false,
            Clocks::Fixed { slept, .. } => {
                *slept = slept.saturating_add(nanoseconds);
                true
            }
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
    memory.write_u64(time, wasi.clocks.now(id)?)
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
        let mut clocks = Clocks::Fixed { realtime: 1_000, slept: 0 };
        assert_eq!((clocks.now(0), clocks.now(1)), (Ok(1_000), Ok(0)));
        assert!(clocks.pass(5));
        assert_eq!((clocks.now(0), clocks.now(1)), (Ok(1_005), Ok(5)));
    }
}
