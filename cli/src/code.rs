//! Options of all commands that compile: which modules are accepted, and how code is made.

use clap::Args;
use precast::{Config, Features};

/// Options of code.
#[derive(Args)]
pub(crate) struct CodeOptions {
    /// The proposals of WebAssembly that modules may use: names of proposals or of versions, with
    /// commas between them; a minus sign before a name takes away, as in `wasm2,-simd`.
    #[arg(long, value_name = "LIST", default_value_t, allow_hyphen_values = true)]
    features: Features,

    /// Make code without guards against Spectre: a little faster, for modules that are trusted not
    /// to spy on the process that runs them. Artifacts have what they were compiled with.
    #[arg(long)]
    no_spectre_guards: bool,
}

impl CodeOptions {
    /// Adds the choices to the settings.
    pub(crate) fn configure(&self, config: Config) -> Config {
        config.features(self.features).spectre_guards(!self.no_spectre_guards)
    }
}
