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
}

impl CodeOptions {
    /// Adds the options to the settings.
    pub(crate) fn configure(&self, config: Config) -> Config {
        config.features(self.features).spectre_guards(!self.no_spectre_guards)
    }
}
