//! The settings of a compilation.

use crate::features::Features;
use crate::target::Target;
use std::sync::Arc;
use target_lexicon::Triple;

/// The settings that decide the bytes of an artifact, as text: together with the module and the
/// compiler's [`BUILD`](crate::BUILD) they determine it. `cpu` lists the features of this machine's
/// CPU, which matter if this machine is the target.
pub fn fingerprint(settings: &Settings, cpu: &str) -> String {
    // A new field must be listed here, so its author decides whether it changes code.
    let Settings {
        optimize,
        verify: _,
        threads: _,
        features,
        progress: _,
        target,
        spectre_guards,
        fuel,
        explicit_bounds,
    } = settings;
    let target = match target {
        Target::Host => format!("{} {cpu}", Triple::host()),
        Target::Named { triple, enable } => format!("{triple} {}", enable.join(",")),
    };
    format!(
        "{target} optimize={optimize} features={features} spectre_guards={spectre_guards} fuel={fuel} \
         explicit_bounds={explicit_bounds}"
    )
}

/// Called with the number of functions compiled so far and the total, from any thread.
pub type Progress = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// Settings of a compilation.
#[derive(Clone)]
pub struct Settings {
    /// Whether to optimise.
    pub optimize: bool,
    /// Whether the code generator verifies its intermediate code, and the compiler the records of the
    /// artifact; slow, for tests.
    pub verify: bool,
    /// Number of threads; zero for the default of the thread pool.
    pub threads: usize,
    /// The proposals that the module may use.
    pub features: Features,
    /// Whether code has guards against speculation, so that a processor that mispredicts a bounds
    /// check reads nothing outside the sandbox.
    pub spectre_guards: bool,
    /// Whether code counts the operators that it executes, and traps when its fuel is used.
    pub fuel: bool,
    /// Whether code compares every address with the length of the memory, and relies on no guard behind
    /// the memory.
    pub explicit_bounds: bool,
    /// Called after every function.
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
            fuel: false,
            explicit_bounds: false,
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
            .field("fuel", &self.fuel)
            .field("explicit_bounds", &self.explicit_bounds)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
