//! The price of guests that can be stopped: compute guests with a bound and without.

use crate::Result;
use crate::bound::Bound;
use crate::command::Command;
use crate::compare::Compare;
use crate::guests;
use crate::rows::compute::sides;

/// Measures the rows: how many times as long a guest takes with a deadline, and with fuel.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    for (kind, bound) in [("deadline", Bound::Time), ("fuel", Bound::Fuel)] {
        let mut factors = Vec::new();
        for path in guests::modules_in("bench")? {
            let row = format!("{kind}/{}", guests::stem(&path));
            let command = Command::new(&path);
            factors.extend(compare.factors(&row, |clock| {
                Ok([sides(clock, &command, Bound::None)?, sides(clock, &command, bound)?])
            }));
        }
        compare.mean_factors(&format!("{kind}, geometric mean"), &factors);
    }
    Ok(())
}
