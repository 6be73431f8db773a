//! The rounds of a row.

use crate::clock::Clock;
use crate::options::Options;
use crate::series::{Series, geometric_mean};
use crate::table::{self, Quantity};
use crate::{Result, guests};
use std::path::PathBuf;

/// Measures rows and prints them.
pub(crate) struct Compare {
    /// The options of the command line.
    options: Options,
    /// The rows printed so far.
    rows: usize,
}

impl Compare {
    /// A comparison without measurements yet.
    pub(crate) fn new(options: Options) -> Self {
        Compare { options, rows: 0 }
    }

    /// The options of the command line.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// WebAssembly files to compile and load, with their names: one for each order of magnitude,
    /// then those of the command line.
    pub(crate) fn modules(&self) -> Vec<(String, PathBuf)> {
        [
            "hello.wasm",
            "demo.wasm",
            "programs/minisql/minisql.wasm",
            "programs/logstat/logstat.wasm",
        ]
        .map(guests::path)
        .into_iter()
        .chain(self.options.modules.iter().cloned())
        .map(|path| (guests::stem(&path), path))
        .collect()
    }

    /// Whether a row is selected. Its preparation may be costly.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.options.filter)
    }

    /// Measures a row. `prepare` returns two functions, one for each runtime, that do the same work
    /// once and return the seconds it took by that clock. It is not called for a row that is not
    /// selected. The first call of each function is a warm-up.
    ///
    /// Returns the ratio of the medians, if the row was measured.
    pub(crate) fn times<P, W>(
        &mut self,
        name: &str,
        prepare: impl FnOnce(Clock) -> Result<(P, W)>,
    ) -> Result<Option<f64>>
    where
        P: FnMut() -> Result<f64>,
        W: FnMut() -> Result<f64>,
    {
        if !self.wants(name) {
            return Ok(None);
        }
        let failed = |error| format!("{name}: {error}");
        let (mut precast, mut wasmtime) = prepare(self.options.clock).map_err(failed)?;
        let (mut ours, mut theirs) = (Series::default(), Series::default());
        precast().map_err(failed)?;
        wasmtime().map_err(failed)?;
        for _ in 0..self.options.rounds {
            ours.push(precast().map_err(failed)?);
            theirs.push(wasmtime().map_err(failed)?);
        }
        table::print_row(name, Quantity::Time, &ours, &theirs);
        self.rows += 1;
        Ok(Some(ours.median() / theirs.median()))
    }

    /// Prints a row of two sizes in bytes.
    pub(crate) fn sizes(&mut self, name: &str, precast: usize, wasmtime: usize) {
        if self.wants(name) {
            let [ours, theirs] = [precast, wasmtime].map(|size| Series::from(size as f64));
            table::print_row(name, Quantity::Size, &ours, &theirs);
            self.rows += 1;
        }
    }

    /// Prints the geometric mean of ratios.
    pub(crate) fn mean(&self, name: &str, ratios: &[f64]) {
        if let Some(mean) = geometric_mean(ratios) {
            table::print_ratio(name, mean);
        }
    }

    /// Ends the table. Fails if the filter matched nothing.
    pub(crate) fn finish(self) -> Result<()> {
        match self.rows {
            0 => Err(format!("no row's name contains {:?}", self.options.filter).into()),
            _ => Ok(()),
        }
    }
}
