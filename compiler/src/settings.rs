//! What a compilation can be asked for.

use crate::error::CompileError;
use crate::target::{self, Target};
use std::sync::Arc;
use wasmparser::WasmFeatures;

/// Which version of WebAssembly a module may use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Features {
    /// WebAssembly 1.0.
    Wasm1,
    /// WebAssembly 2.0 and extended constant expressions.
    #[default]
    Wasm2,
}

impl Features {
    pub(crate) fn for_validator(self) -> WasmFeatures {
        match self {
            Features::Wasm1 => WasmFeatures::WASM1,
            Features::Wasm2 => WasmFeatures::WASM2.union(WasmFeatures::EXTENDED_CONST),
        }
    }
}

/// All that decides the bytes of an artifact besides the module's and the compiler's [`crate::BUILD`], as
/// text: two settings of one fingerprint give the same artifact for the same module.
///
/// # Errors
///
/// When there is no code generator for the target.
pub fn fingerprint(settings: &Settings) -> Result<String, CompileError> {
    // Whoever adds a field says here whether it changes code.
    let Settings { optimize, verify: _, threads: _, features, progress: _, target: _ } = settings;
    let isa = target::isa(settings)?;
    let flags: Vec<String> = isa.isa_flags().iter().map(|flag| flag.to_string()).collect();
    let (triple, flags) = (isa.triple(), flags.join(" "));
    Ok(format!("{triple} {flags} optimize={optimize} features={features:?}"))
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
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
