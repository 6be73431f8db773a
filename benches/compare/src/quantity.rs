//! Quantities that rows measure, and the units in which they are written.

/// The quantity that a row measures.
#[derive(Clone, Copy)]
pub(crate) enum Quantity {
    /// Seconds.
    Time,
    /// Bytes.
    Size,
}

/// A unit of a quantity.
#[derive(Clone, Copy)]
pub(crate) struct Unit {
    /// Its symbol.
    pub(crate) symbol: &'static str,
    /// Its value in seconds or bytes.
    worth: f64,
}

impl Quantity {
    /// The units, from the smallest on.
    fn units(self) -> &'static [Unit] {
        const fn unit(symbol: &'static str, worth: f64) -> Unit {
            Unit { symbol, worth }
        }
        const TIMES: &[Unit] =
            &[unit("ns", 1e-9), unit("µs", 1e-6), unit("ms", 1e-3), unit("s", 1.0)];
        const SIZES: &[Unit] = &[unit("B", 1.0), unit("KiB", 1024.0), unit("MiB", 1024.0 * 1024.0)];
        match self {
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
        format!("{:.2}", value / self.worth)
    }
}
