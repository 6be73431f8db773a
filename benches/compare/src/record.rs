//! Records of rows: the name of each, and its measurements or the reason why it has none.

use crate::quantity::{Quantity, Unit};
use crate::series::Series;

/// A row.
pub(crate) struct Row {
    /// Its name: the kind of row, a slash, and the thing measured.
    pub(crate) name: String,
    /// Its result.
    pub(crate) outcome: Outcome,
}

/// The result of a row.
pub(crate) enum Outcome {
    /// Measurements of both runtimes.
    Measured(Pair),
    /// The geometric mean of the ratios of other rows.
    Mean(f64),
    /// The error that a runtime or the row's preparation gave.
    Failed(String),
}

/// The measurements of both runtimes.
pub(crate) struct Pair {
    /// The quantity measured.
    pub(crate) quantity: Quantity,
    /// Measurements of precast.
    pub(crate) precast: Series,
    /// Measurements of wasmtime.
    pub(crate) wasmtime: Series,
}

impl Pair {
    /// A quantity of precast and of wasmtime that has one value.
    pub(crate) fn of(quantity: Quantity, values: [f64; 2]) -> Pair {
        let [precast, wasmtime] = values.map(Series::from);
        Pair { quantity, precast, wasmtime }
    }

    /// precast's median divided by wasmtime's; below 1 precast needs less.
    pub(crate) fn ratio(&self) -> f64 {
        self.precast.median() / self.wasmtime.median()
    }

    /// The unit for both medians.
    pub(crate) fn unit(&self) -> Unit {
        self.quantity.unit(self.precast.median().min(self.wasmtime.median()))
    }

    /// The medians of precast and wasmtime as numbers of the unit.
    pub(crate) fn medians(&self) -> [String; 2] {
        [&self.precast, &self.wasmtime].map(|series| self.unit().number(series.median()))
    }

    /// The least values of precast and wasmtime as numbers of the unit; none of quantities that have
    /// one value.
    pub(crate) fn minima(&self) -> Option<[String; 2]> {
        match self.quantity {
            Quantity::Time => {
                let unit = self.unit();
                Some([&self.precast, &self.wasmtime].map(|series| unit.number(series.min())))
            }
            Quantity::Size | Quantity::Factor => None,
        }
    }
}
