//! What every command that compiles lets its user choose about code.

use clap::Args;
use precast::Config;

/// How a command makes code.
#[derive(Args)]
pub(crate) struct CodeOptions {
    /// Make code without guards against Spectre: a little faster, for modules that are trusted not
    /// to spy on the process that runs them. Artifacts have what they were compiled with.
    #[arg(long)]
    no_spectre_guards: bool,
}

impl CodeOptions {
    /// Adds the choices to the settings.
    pub(crate) fn configure(&self, config: Config) -> Config {
        config.spectre_guards(!self.no_spectre_guards)
    }
}
