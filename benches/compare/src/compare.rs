//! The rounds of a row.

use crate::clock::Clock;
use crate::options::Options;
use crate::quantity::Quantity;
use crate::record::{Outcome, Pair, Row};
use crate::series::{Series, geometric_mean};
use crate::{Result, guests, table};
use std::fmt::Display;
use std::path::PathBuf;

/// Measures rows, prints them and keeps them. A row that fails is kept with the error, and the next
/// one is measured.
pub(crate) struct Compare {
    /// The options of the command line.
    options: Options,
    /// The rows so far.
    rows: Vec<Row>,
}

impl Compare {
    /// A comparison without measurements yet.
    pub(crate) fn new(options: Options) -> Self {
        Compare { options, rows: Vec::new() }
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

    /// The rows so far.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Measures the rows of one kind. An error outside of a row is a failed row of that kind.
    pub(crate) fn kind(&mut self, kind: &str, measure: impl FnOnce(&mut Self) -> Result<()>) {
        if let Err(error) = measure(self) {
            self.fail(&format!("{kind}/all further rows"), error);
        }
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
    ) -> Option<f64>
    where
        P: FnMut() -> Result<f64>,
        W: FnMut() -> Result<f64>,
    {
        if !self.wants(name) {
            return None;
        }
        let pair = prepare(self.options.clock)
            .and_then(|(precast, wasmtime)| self.alternate(precast, wasmtime));
        match pair {
            Ok([precast, wasmtime]) => {
                let pair = Pair { quantity: Quantity::Time, precast, wasmtime };
                let ratio = pair.ratio();
                self.add(name, Outcome::Measured(pair));
                Some(ratio)
            }
            Err(error) => {
                self.fail(name, error);
                None
            }
        }
    }

    /// Measures how many times as long a run takes with something as without. `prepare` returns what
    /// [`Compare::times`] wants, without it and with it. The factor is that of the fastest rounds.
    ///
    /// Returns the factors of precast and wasmtime, if the row was measured.
    pub(crate) fn factors<P, W>(
        &mut self,
        name: &str,
        prepare: impl FnOnce(Clock) -> Result<[(P, W); 2]>,
    ) -> Option<[f64; 2]>
    where
        P: FnMut() -> Result<f64>,
        W: FnMut() -> Result<f64>,
    {
        if !self.wants(name) {
            return None;
        }
        let factors = prepare(self.options.clock).and_then(|sides| {
            let [(ours, theirs), (our_slower, their_slower)] = sides;
            Ok([self.factor(ours, our_slower)?, self.factor(theirs, their_slower)?])
        });
        match factors {
            Ok(factors) => {
                self.add(name, Outcome::Measured(Pair::of(Quantity::Factor, factors)));
                Some(factors)
            }
            Err(error) => {
                self.fail(name, error);
                None
            }
        }
    }

    /// The fastest round of one function, divided by that of another.
    fn factor(
        &self,
        without: impl FnMut() -> Result<f64>,
        with: impl FnMut() -> Result<f64>,
    ) -> Result<f64> {
        let [without, with] = self.alternate(without, with)?;
        Ok(with.min() / without.min())
    }

    /// The rounds of two functions, in turn.
    fn alternate(
        &self,
        mut first: impl FnMut() -> Result<f64>,
        mut second: impl FnMut() -> Result<f64>,
    ) -> Result<[Series; 2]> {
        let mut series = [Series::default(), Series::default()];
        first()?;
        second()?;
        for _ in 0..self.options.rounds {
            series[0].push(first()?);
            series[1].push(second()?);
        }
        Ok(series)
    }

    /// Adds a row of two sizes in bytes, precast's and wasmtime's. `prepare` returns them. It is not
    /// called for a row that is not selected.
    pub(crate) fn sizes(&mut self, name: &str, prepare: impl FnOnce() -> Result<[usize; 2]>) {
        if !self.wants(name) {
            return;
        }
        match prepare() {
            Ok(sizes) => {
                let pair = Pair::of(Quantity::Size, sizes.map(|size| size as f64));
                self.add(name, Outcome::Measured(pair));
            }
            Err(error) => self.fail(name, error),
        }
    }

    /// Adds the geometric mean of ratios.
    pub(crate) fn mean(&mut self, name: &str, ratios: &[f64]) {
        if let Some(mean) = geometric_mean(ratios) {
            self.add(name, Outcome::Mean(mean));
        }
    }

    /// Adds the geometric means of both runtimes' factors.
    pub(crate) fn mean_factors(&mut self, name: &str, factors: &[[f64; 2]]) {
        let mean = |side: usize| {
            geometric_mean(&factors.iter().map(|factors| factors[side]).collect::<Vec<_>>())
        };
        if let (Some(ours), Some(theirs)) = (mean(0), mean(1)) {
            self.add(name, Outcome::Measured(Pair::of(Quantity::Factor, [ours, theirs])));
        }
    }

    /// Adds a row that failed. Its reason names files relative to the repository.
    fn fail(&mut self, name: &str, error: impl Display) {
        let reason = error.to_string().replace(guests::REPOSITORY, "");
        self.add(name, Outcome::Failed(reason));
    }

    /// Adds a row and prints it.
    pub(crate) fn add(&mut self, name: &str, outcome: Outcome) {
        let row = Row { name: name.to_owned(), outcome };
        table::print_row(&row);
        self.rows.push(row);
    }

    /// Ends the comparison. Fails if a row failed or the filter matched nothing.
    pub(crate) fn finish(self) -> Result<()> {
        let failed = |row: &&Row| matches!(row.outcome, Outcome::Failed(_));
        match (self.rows.len(), self.rows.iter().filter(failed).count()) {
            (0, _) => Err(format!("no row's name contains {:?}", self.options.filter).into()),
            (_, 0) => Ok(()),
            (rows, failed) => Err(format!("{failed} of {rows} rows failed").into()),
        }
    }
}
