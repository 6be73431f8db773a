//! The layout of the table.

use crate::clock::Clock;
use crate::options::Options;
use crate::series::Series;

/// The unit of a row's numbers.
#[derive(Clone, Copy)]
pub(crate) enum Quantity {
    /// Seconds.
    Time,
    /// Bytes.
    Size,
}

impl Quantity {
    /// The names of units and their values, from the smallest on.
    fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Quantity::Time => &[("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)],
            Quantity::Size => &[("B", 1.0), ("KiB", 1024.0), ("MiB", 1024.0 * 1024.0)],
        }
    }

    /// The unit for a row: the largest for which `smallest` is at least one. A row has one unit, so
    /// that its numbers can be compared by eye.
    fn unit(self, smallest: f64) -> (&'static str, f64) {
        let units = self.units();
        *units.iter().rev().find(|(_, worth)| smallest >= *worth).unwrap_or(&units[0])
    }
}

/// Prints the header of the table.
pub(crate) fn print_header(options: &Options) {
    let what = match options.clock {
        Clock::Wall => "Time passed",
        Clock::Processor => "Processor time",
    };
    let rounds = options.rounds;
    println!("{what}: medians of {rounds} alternating rounds, the fastest in parentheses.");
    println!("Ratio: precast / wasmtime, of medians; below 1 precast needs less.\n");
    print_line("", "precast", "", "wasmtime", "", "", "ratio");
}

/// Prints a row.
pub(crate) fn print_row(name: &str, quantity: Quantity, precast: &Series, wasmtime: &Series) {
    let (unit, worth) = quantity.unit(precast.median().min(wasmtime.median()));
    let median = |series: &Series| format!("{:.2}", series.median() / worth);
    let min = |series: &Series| match quantity {
        Quantity::Time => format!("({:.2})", series.min() / worth),
        Quantity::Size => String::new(),
    };
    print_line(
        name,
        &median(precast),
        &min(precast),
        &median(wasmtime),
        &min(wasmtime),
        unit,
        &format!("{:.2}", precast.median() / wasmtime.median()),
    );
}

/// Prints a row with a ratio only.
pub(crate) fn print_ratio(name: &str, ratio: f64) {
    print_line(name, "", "", "", "", "", &format!("{ratio:.2}"));
}

/// Prints one line. Widths are fixed, because each row appears as soon as it is measured.
fn print_line(
    name: &str,
    precast: &str,
    precast_min: &str,
    wasmtime: &str,
    wasmtime_min: &str,
    unit: &str,
    ratio: &str,
) {
    println!(
        "{name:<44}{precast:>10} {precast_min:<10}{wasmtime:>10} {wasmtime_min:<10} {unit:<4}{ratio:>6}"
    );
}
