//! Timing of operations that are too short to be timed alone.

use crate::Result;
use crate::clock::Clock;

/// The minimum time of a batch in seconds, so that neither reading the clock nor a timer interrupt
/// counts.
const BATCH: f64 = 0.02;

/// Runs `operation` in batches: each call of the result runs one batch and returns the seconds of
/// one operation. The first call determines the size of a batch.
pub(crate) fn in_batches(
    clock: Clock,
    mut operation: impl FnMut() -> Result<()>,
) -> impl FnMut() -> Result<f64> {
    let mut run = move |count: u32| -> Result<f64> {
        let watch = clock.start();
        for _ in 0..count {
            operation()?;
        }
        Ok(watch.seconds())
    };
    let mut count = None;
    move || {
        let batch = match count {
            Some(batch) => batch,
            None => {
                let mut batch = 1;
                while run(batch)? < BATCH {
                    batch *= 2;
                }
                *count.insert(batch)
            }
        };
        Ok(run(batch)? / f64::from(batch))
    }
}
