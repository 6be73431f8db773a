//! Compute guests: the quality of the machine code.

use crate::Result;
use crate::bound::Bound;
use crate::clock::Clock;
use crate::command::{Command, Run};
use crate::compare::Compare;
use crate::guests;

/// Measures the rows and prints the geometric mean of their ratios.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    let mut ratios = Vec::new();
    for path in guests::modules_in("bench")? {
        let row = format!("compute/{}", guests::stem(&path));
        ratios.extend(compare.times(&row, |clock| sides(clock, &Command::new(&path), Bound::None)));
    }
    compare.mean("compute, geometric mean", &ratios);
    Ok(())
}

/// A command in both runtimes, compiled, for [`Compare::times`]. Every run must write the same
/// output as the first one.
pub(crate) fn sides(
    clock: Clock,
    command: &Command,
    bound: Bound,
) -> Result<(impl FnMut() -> Result<f64> + use<>, impl FnMut() -> Result<f64> + use<>)> {
    let ours = command.for_precast(&bound.runtime())?;
    let theirs = command.for_wasmtime(&bound.engine()?)?;
    let expected = ours.run(clock, bound)?.stdout;
    if expected.is_empty() {
        return Err("the guest wrote nothing".into());
    }
    let also_expected = expected.clone();
    Ok((
        move || checked(ours.run(clock, bound)?, &expected, "precast"),
        move || checked(theirs.run(clock, bound)?, &also_expected, "wasmtime"),
    ))
}

/// The time of a run with the right output.
fn checked(run: Run, expected: &[u8], runtime: &str) -> Result<f64> {
    if run.stdout == expected {
        return Ok(run.seconds);
    }
    let [found, expected] = [&run.stdout, expected].map(String::from_utf8_lossy);
    Err(format!("{runtime} wrote {found:?}, not {expected:?}").into())
}
