//! The sources of time.

use rustix::time::{ClockId, clock_gettime};

/// A source of time.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// Wall time, for which a user waits.
    Wall,
    /// Processor time of all threads of this process. It is steadier if other processes use the
    /// processors too. Parallel work counts as if it ran in sequence.
    Processor,
}

impl Clock {
    /// Begins a measurement.
    pub(crate) fn start(self) -> Stopwatch {
        Stopwatch { clock: self, start: self.now() }
    }

    /// Seconds since a fixed moment.
    fn now(self) -> f64 {
        let now = clock_gettime(match self {
            Clock::Wall => ClockId::Monotonic,
            Clock::Processor => ClockId::ProcessCPUTime,
        });
        // Exact to the nanosecond for the uptime of any machine.
        now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
    }
}

/// A measurement in progress.
pub(crate) struct Stopwatch {
    /// Its source of time.
    clock: Clock,
    /// The time at its start.
    start: f64,
}

impl Stopwatch {
    /// The time since it began, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.clock.now() - self.start
    }
}
