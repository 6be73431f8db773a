//! The table that is printed while rows are measured.

use crate::clock::Clock;
use crate::options::Options;
use crate::record::{Outcome, Pair, Row};

/// Prints the lines above all rows.
pub(crate) fn print_header(options: &Options) {
    let what = match options.clock {
        Clock::Wall => "Time passed",
        Clock::Processor => "Processor time",
    };
    let rounds = options.rounds;
    println!("{what}: medians of {rounds} alternating rounds, the fastest in parentheses.");
    println!("Ratio: precast / wasmtime, of medians; below 1 precast needs less.\n");
    print_line("", ["precast", ""], ["wasmtime", ""], "", "ratio");
}

/// Prints a row.
pub(crate) fn print_row(row: &Row) {
    match &row.outcome {
        Outcome::Measured(pair) => print_pair(&row.name, pair),
        Outcome::Mean(ratio) => {
            print_line(&row.name, ["", ""], ["", ""], "", &format!("{ratio:.2}"));
        }
        Outcome::Failed(reason) => println!("{:<44} failed: {reason}", row.name),
    }
}

/// Prints the measurements of both runtimes.
fn print_pair(name: &str, pair: &Pair) {
    let [precast, wasmtime] = pair.medians();
    let minima = pair.minima().map(|minima| minima.map(|min| format!("({min})")));
    let [precast_min, wasmtime_min] = minima.unwrap_or_default();
    print_line(
        name,
        [&precast, &precast_min],
        [&wasmtime, &wasmtime_min],
        pair.unit().symbol,
        &format!("{:.2}", pair.ratio()),
    );
}

/// Prints one line: the median and the minimum of each runtime. Widths are fixed: each row appears
/// as soon as it is measured.
fn print_line(name: &str, precast: [&str; 2], wasmtime: [&str; 2], unit: &str, ratio: &str) {
    let ([ours, our_min], [theirs, their_min]) = (precast, wasmtime);
    println!("{name:<44}{ours:>10} {our_min:<10}{theirs:>10} {their_min:<10} {unit:<4}{ratio:>6}");
}
