//! Options of all commands that compile: accepted features, and guards in code.

use clap::Args;
use precast::{Config, Features};

/// Options of the compiler.
#[derive(Args)]
pub(crate) struct CodeOptions {
    /// The features of WebAssembly that modules may use: names of proposals or versions, separated
    /// by commas. A minus sign removes a feature, as in `wasm2,-simd`.
    #[arg(long, value_name = "LIST", default_value_t, allow_hyphen_values = true)]
    features: Features,

    /// Compile without guards against Spectre. Code is slightly faster, but a hostile module may
    /// read memory of the process. For artifacts, only the option of `compile` matters.
    #[arg(long)]
    no_spectre_guards: bool,

    /// Compile code that compares each address with the length of the memory, and needs no address space
    /// beyond it. Code is slower. This is the default where the process may have less than 65 GiB of
    /// address space (`ulimit -v`).
    #[arg(long)]
    explicit_bounds: bool,
}

impl CodeOptions {
    /// Adds the options to the settings.
    pub(crate) fn configure(&self, config: Config) -> Config {
        let config = config.features(self.features).spectre_guards(!self.no_spectre_guards);
        if self.explicit_bounds { config.explicit_bounds(true) } else { config }
    }
}
