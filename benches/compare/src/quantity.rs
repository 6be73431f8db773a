//! Quantities that rows measure, and the units in which they are written.

/// The quantity that a row measures.
#[derive(Clone, Copy)]
pub(crate) enum Quantity {
    /// Seconds.
    Time,
    /// Bytes.
    Size,
    /// A time divided by another.
    Factor,
}

/// A unit of a quantity.
#[derive(Clone, Copy)]
pub(crate) struct Unit {
    /// Its symbol.
    pub(crate) symbol: &'static str,
    /// Its value in seconds or bytes, or 1.
    worth: f64,
    /// The digits behind the point.
    digits: usize,
}

impl Quantity {
    /// The units, from the smallest on.
    fn units(self) -> &'static [Unit] {
        const fn unit(symbol: &'static str, worth: f64) -> Unit {
            Unit { symbol, worth, digits: 2 }
        }
        const TIMES: &[Unit] =
            &[unit("ns", 1e-9), unit("µs", 1e-6), unit("ms", 1e-3), unit("s", 1.0)];
        const SIZES: &[Unit] = &[unit("B", 1.0), unit("KiB", 1024.0), unit("MiB", 1024.0 * 1024.0)];
        const FACTORS: &[Unit] = &[Unit { symbol: "×", worth: 1.0, digits: 3 }];
        match self {
            Quantity::Factor => FACTORS,
            Quantity::Time => TIMES,
            Quantity::Size => SIZES,
        }
    }

    /// The unit for a row: the largest for which `smallest` is at least one. A row has one unit, so
    /// that its numbers can be compared by eye.
    pub(crate) fn unit(self, smallest: f64) -> Unit {
        let units = self.units();
        *units.iter().rev().find(|unit| smallest >= unit.worth).unwrap_or(&units[0])
    }
}

impl Unit {
    /// A value as a number of this unit.
    pub(crate) fn number(self, value: f64) -> String {
        format!("{:.*}", self.digits, value / self.worth)
    }
}
