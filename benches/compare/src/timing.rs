//! Timing what is too short to be timed alone.

use crate::Result;
use std::time::{Duration, Instant};

/// How long a batch takes at least, so that neither the clock nor a timer interrupt counts.
const BATCH: Duration = Duration::from_millis(20);

/// Runs `operation` in batches: each call of the result runs one and gives the seconds one
/// operation took. The first call finds out how many make a batch.
pub(crate) fn in_batches(mut operation: impl FnMut() -> Result<()>) -> impl FnMut() -> Result<f64> {
    let mut count = 0u32;
    let mut run = move |count: u32| -> Result<Duration> {
        let start = Instant::now();
        for _ in 0..count {
            operation()?;
        }
        Ok(start.elapsed())
    };
    move || {
        let mut elapsed = run(count.max(1))?;
        if count == 0 {
            count = 1;
            while elapsed < BATCH {
                count *= 2;
                elapsed = run(count)?;
            }
        }
        Ok(elapsed.as_secs_f64() / f64::from(count))
    }
}
