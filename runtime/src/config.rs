//! Settings of a runtime.

use std::sync::Arc;

/// Which WebAssembly a runtime accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Features {
    /// WebAssembly 1.0.
    Wasm1,
    /// WebAssembly 2.0 with SIMD, and extended constant expressions.
    #[default]
    Wasm2,
}

/// Told how many of how many functions are compiled.
pub(crate) type Progress = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// Settings of a [`crate::Runtime`]. The defaults suit production.
#[derive(Clone)]
pub struct Config {
    pub(crate) threads: usize,
    pub(crate) optimize: bool,
    pub(crate) verify: bool,
    pub(crate) features: Features,
    pub(crate) max_stack: usize,
    pub(crate) host_stack: usize,
    pub(crate) spectre_guards: bool,
    pub(crate) progress: Option<Progress>,
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<precast_cache::Cache>,
    #[cfg(feature = "compiler")]
    pub(crate) functions: Option<Arc<dyn precast_compiler::FunctionStore>>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            threads: 0,
            optimize: true,
            verify: cfg!(debug_assertions),
            features: Features::default(),
            max_stack: 1 << 20,
            host_stack: 256 << 10,
            spectre_guards: true,
            progress: None,
            #[cfg(feature = "cache")]
            cache: None,
            #[cfg(feature = "compiler")]
            functions: None,
        }
    }
}

impl Config {
    /// The default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Threads that compile; zero, the default, means one per processor.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Whether to optimise code. Default: yes.
    pub fn optimize(mut self, yes: bool) -> Self {
        self.optimize = yes;
        self
    }

    /// Whether to verify the code generator's input. Default: in debug builds.
    pub fn verify(mut self, yes: bool) -> Self {
        self.verify = yes;
        self
    }

    /// Which WebAssembly is accepted.
    pub fn features(mut self, features: Features) -> Self {
        self.features = features;
        self
    }

    /// Most bytes of stack that guests use in one call of the host, nested calls of guests through
    /// host functions together; frames of host functions do not count. What exceeds it is a trap,
    /// [`TrapCode::StackOverflow`](crate::TrapCode::StackOverflow). It is exact up to 64 KiB: that
    /// much a guest may use beyond it in functions that cannot call each other in a circle.
    /// Default: 1 MiB.
    ///
    /// A thread must have this much stack and [`Config::host_stack`] for its guests to get all of
    /// it; on a smaller one they trap earlier.
    pub fn max_stack(mut self, bytes: usize) -> Self {
        self.max_stack = bytes;
        self
    }

    /// Bytes of stack that a host function has when a guest calls it, however deep the guest is:
    /// a call with less left is a trap, [`TrapCode::StackOverflow`](crate::TrapCode::StackOverflow).
    /// Default: 256 KiB.
    pub fn host_stack(mut self, bytes: usize) -> Self {
        self.host_stack = bytes;
        self
    }

    /// Whether code this runtime compiles is guarded against Spectre variant 1: a processor that
    /// predicts a bounds check wrongly then reads nothing outside the memory or table meanwhile,
    /// and calls nothing that the call may not call. Default: yes.
    ///
    /// Without guards a hostile guest that can measure time may read memory of this process that
    /// it has no access to. Guards do not stop other leaks of processors; guests that must learn
    /// nothing from each other at all belong into different processes.
    pub fn spectre_guards(mut self, yes: bool) -> Self {
        self.spectre_guards = yes;
        self
    }

    /// Calls `report` with the functions compiled so far and their number, from any of the
    /// threads that compile.
    pub fn progress(mut self, report: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(report));
        self
    }

    /// Keeps what is compiled in this cache, and maps it from there the next time. Default: none.
    #[cfg(feature = "cache")]
    pub fn cache(mut self, cache: precast_cache::Cache) -> Self {
        self.cache = Some(cache);
        self
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("threads", &self.threads)
            .field("optimize", &self.optimize)
            .field("verify", &self.verify)
            .field("features", &self.features)
            .field("max_stack", &self.max_stack)
            .field("host_stack", &self.host_stack)
            .field("spectre_guards", &self.spectre_guards)
            .finish_non_exhaustive()
    }
}

/// The compiler's settings for these, and a machine.
#[cfg(feature = "compiler")]
pub(crate) fn settings(
    config: &Config,
    target: precast_compiler::Target,
) -> precast_compiler::Settings {
    precast_compiler::Settings {
        target,
        optimize: config.optimize,
        verify: config.verify,
        threads: config.threads,
        features: match config.features {
            Features::Wasm1 => precast_compiler::Features::Wasm1,
            Features::Wasm2 => precast_compiler::Features::Wasm2,
        },
        spectre_guards: config.spectre_guards,
        progress: config.progress.clone(),
    }
}

/// The compiler's error as ours.
#[cfg(feature = "compiler")]
pub(crate) fn compile_error(error: precast_compiler::CompileError) -> crate::Error {
    crate::CompileError { offset: error.offset, message: error.message }.into()
}
