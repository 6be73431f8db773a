//! Repeated measurements, and their statistics.

/// Repeated measurements of one quantity.
#[derive(Clone, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// Adds a measurement.
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
        self.0.sort_by(f64::total_cmp);
    }

    /// The median: the cost of a run under the current load.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len().is_multiple_of(2) {
            (self.0[middle - 1] + self.0[middle]) / 2.0
        } else {
            self.0[middle]
        }
    }

    /// The minimum: the cost of an undisturbed run.
    pub(crate) fn min(&self) -> f64 {
        self.0[0]
    }
}

impl From<f64> for Series {
    fn from(value: f64) -> Self {
        Series(vec![value])
    }
}

/// The geometric mean of ratios. None if there are no ratios.
pub(crate) fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (sum / ratios.len() as f64).exp())
}
