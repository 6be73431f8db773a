//! The means by which a host stops a guest that runs too long.

use crate::Result;
use crate::command::PrecastStart;
use std::time::Duration;
use wasmtime_wasi::p1::WasiP1Ctx;

/// A bound of a run. No guest reaches it.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// The guest runs as long as it likes, as by default.
    None,
    /// Time: precast's deadlines, wasmtime's epochs.
    Time,
    /// Fuel in both.
    Fuel,
}

/// More time than any guest takes.
const HOUR: Duration = Duration::from_secs(3600);
/// More epochs than pass: nothing advances them.
const EPOCHS: u64 = 1_000_000;

impl Bound {
    /// A runtime of precast that makes bounded code.
    pub(crate) fn runtime(self) -> precast::Runtime {
        let config = precast::Config::new();
        precast::Runtime::with_config(match self {
            Bound::None | Bound::Time => config,
            Bound::Fuel => config.fuel(true),
        })
    }

    /// An engine of wasmtime that makes bounded code.
    pub(crate) fn engine(self) -> Result<wasmtime::Engine> {
        let mut config = wasmtime::Config::new();
        match self {
            Bound::None => {}
            Bound::Time => drop(config.epoch_interruption(true)),
            Bound::Fuel => drop(config.consume_fuel(true)),
        }
        Ok(wasmtime::Engine::new(&config)?)
    }

    /// Calls a start function of precast.
    pub(crate) fn call(
        self,
        start: &PrecastStart,
        namespace: &mut precast::Namespace,
    ) -> std::result::Result<(), precast::Error> {
        match self {
            Bound::None => start.call(namespace, ()),
            Bound::Time => namespace.with_timeout(HOUR, |namespace| start.call(namespace, ())),
            Bound::Fuel => {
                namespace.set_fuel(u64::MAX);
                start.call(namespace, ())
            }
        }
    }

    /// Bounds the calls in a store of wasmtime.
    pub(crate) fn set(self, store: &mut wasmtime::Store<WasiP1Ctx>) -> Result<()> {
        match self {
            Bound::None => {}
            Bound::Time => store.set_epoch_deadline(EPOCHS),
            Bound::Fuel => store.set_fuel(u64::MAX)?,
        }
        Ok(())
    }
}
