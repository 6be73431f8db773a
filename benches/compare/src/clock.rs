//! What time is measured.

use rustix::time::{ClockId, clock_gettime};

/// A source of time.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// What a user waits for.
    Wall,
    /// What all threads of this process work. Steadier where other processes have the processors
    /// too; work in parallel costs what it would in sequence.
    Processor,
}

impl Clock {
    /// Begins to measure.
    pub(crate) fn start(self) -> Stopwatch {
        Stopwatch { clock: self, start: self.now() }
    }

    /// Seconds since some moment.
    fn now(self) -> f64 {
        let now = clock_gettime(match self {
            Clock::Wall => ClockId::Monotonic,
            Clock::Processor => ClockId::ProcessCPUTime,
        });
        // Exact to the nanosecond for as long as a machine is up.
        now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
    }
}

/// A measurement that has begun.
pub(crate) struct Stopwatch {
    /// What it measures.
    clock: Clock,
    /// When it began.
    start: f64,
}

impl Stopwatch {
    /// The time since it began, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.clock.now() - self.start
    }
}
