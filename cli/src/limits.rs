//! The limits of a program: its memory, its tables, and the time that it runs.

use bytesize::ByteSize;
use clap::Args;
use precast::{Config, Namespace, ResourceLimits};

/// Options that limit what a program uses.
#[derive(Args)]
pub(crate) struct LimitOptions {
    /// The most memory that all modules have together, as in 64MiB. A program that asks for more is
    /// told that there is none; one that needs more from the start is refused.
    #[arg(long, value_name = "SIZE")]
    max_memory: Option<ByteSize>,

    /// The most elements that all tables have together.
    #[arg(long, value_name = "ELEMENTS")]
    max_table: Option<u64>,

    /// The most operators of WebAssembly that the program may execute. Then it traps. An artifact must
    /// have been compiled with --fuel.
    #[arg(long, value_name = "OPERATORS")]
    fuel: Option<u64>,

    /// Stop the program after this time, as in 2s or 150ms. The exit code is then 124.
    #[arg(long, value_name = "TIME")]
    timeout: Option<humantime::Duration>,
}

impl LimitOptions {
    /// Adds the limits to the settings.
    pub(crate) fn configure(&self, config: Config) -> Config {
        let mut limits = ResourceLimits::new();
        if let Some(size) = self.max_memory {
            limits = limits.memory_bytes(size.as_u64());
        }
        if let Some(elements) = self.max_table {
            limits = limits.table_elements(elements);
        }
        config.limits(limits).fuel(self.fuel.is_some())
    }

    /// Runs `work`, whose calls in the namespace must end in time, with the fuel that there is.
    pub(crate) fn run<T>(
        &self,
        namespace: &mut Namespace,
        work: impl FnOnce(&mut Namespace) -> T,
    ) -> T {
        if let Some(fuel) = self.fuel {
            namespace.set_fuel(fuel);
        }
        match self.timeout {
            Some(timeout) => namespace.with_timeout(timeout.into(), work),
            None => work(namespace),
        }
    }
}
