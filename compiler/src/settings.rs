//! What a compilation can be asked for.

use crate::features::Features;
use crate::target::Target;
use std::sync::Arc;
use target_lexicon::Triple;

/// All that decides the bytes of an artifact besides the module and the compiler's
/// [`BUILD`](crate::BUILD), as text: settings of one fingerprint give one artifact for a module.
/// `cpu` tells what this machine's CPU can do, and counts where code is made for this machine.
pub fn fingerprint(settings: &Settings, cpu: &str) -> String {
    // Whoever adds a field says here whether it changes code.
    let Settings { optimize, verify: _, threads: _, features, progress: _, target, spectre_guards } =
        settings;
    let target = match target {
        Target::Host => format!("{} {cpu}", Triple::host()),
        Target::Named { triple, enable } => format!("{triple} {}", enable.join(",")),
    };
    format!("{target} optimize={optimize} features={features} spectre_guards={spectre_guards}")
}

/// Called with the functions done and the functions there are, from any thread.
pub type Progress = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// How to compile.
#[derive(Clone)]
pub struct Settings {
    /// Whether to optimise.
    pub optimize: bool,
    /// Whether the code generator checks its own intermediate code: slow, for tests.
    pub verify: bool,
    /// Threads to compile with; zero for as many as there are.
    pub threads: usize,
    /// What the module may use.
    pub features: Features,
    /// Whether what follows a bounds check of code depends on the check as data too, so that a
    /// processor that predicts the check wrongly reads nothing outside the sandbox meanwhile.
    pub spectre_guards: bool,
    /// Told of every function done.
    pub progress: Option<Progress>,
    /// The machine to compile for.
    pub target: Target,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            optimize: true,
            verify: false,
            threads: 0,
            features: Features::default(),
            spectre_guards: true,
            progress: None,
            target: Target::Host,
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("optimize", &self.optimize)
            .field("verify", &self.verify)
            .field("threads", &self.threads)
            .field("features", &self.features)
            .field("spectre_guards", &self.spectre_guards)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
