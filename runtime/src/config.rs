//! Settings of a runtime.

#[cfg(feature = "compiler")]
use std::sync::Arc;

#[cfg(feature = "compiler")]
use precast_compiler::{Features, Settings, Target};

/// Settings of a [`crate::Runtime`]. The defaults suit production.
#[derive(Clone)]
pub struct Config {
    pub(crate) max_stack: usize,
    pub(crate) host_stack: usize,
    #[cfg(feature = "compiler")]
    pub(crate) compiler: Settings,
    #[cfg(feature = "compiler")]
    pub(crate) functions: Option<Arc<dyn precast_compiler::FunctionStore>>,
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<precast_cache::Cache>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_stack: 1 << 20,
            host_stack: 256 << 10,
            #[cfg(feature = "compiler")]
            compiler: Settings { verify: cfg!(debug_assertions), ..Settings::default() },
            #[cfg(feature = "compiler")]
            functions: None,
            #[cfg(feature = "cache")]
            cache: None,
        }
    }
}

impl Config {
    /// The default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Threads that compile; zero, the default, means one per processor.
    #[cfg(feature = "compiler")]
    pub fn threads(mut self, threads: usize) -> Self {
        self.compiler.threads = threads;
        self
    }

    /// Whether to optimise code. Default: yes.
    #[cfg(feature = "compiler")]
    pub fn optimize(mut self, yes: bool) -> Self {
        self.compiler.optimize = yes;
        self
    }

    /// Whether to verify the code generator's input. Default: in debug builds.
    #[cfg(feature = "compiler")]
    pub fn verify(mut self, yes: bool) -> Self {
        self.compiler.verify = yes;
        self
    }

    /// The proposals of WebAssembly that modules may use. Default: all that this version
    /// implements, [`Features::IMPLEMENTED`].
    #[cfg(feature = "compiler")]
    pub fn features(mut self, features: Features) -> Self {
        self.compiler.features = features;
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
    #[cfg(feature = "compiler")]
    pub fn spectre_guards(mut self, yes: bool) -> Self {
        self.compiler.spectre_guards = yes;
        self
    }

    /// Calls `report` with the functions compiled so far and their number, from any of the
    /// threads that compile.
    #[cfg(feature = "compiler")]
    pub fn progress(mut self, report: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.compiler.progress = Some(Arc::new(report));
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
        let mut f = f.debug_struct("Config");
        f.field("max_stack", &self.max_stack).field("host_stack", &self.host_stack);
        #[cfg(feature = "compiler")]
        f.field("compiler", &self.compiler);
        f.finish_non_exhaustive()
    }
}

#[cfg(feature = "compiler")]
impl Config {
    /// The compiler's settings, for code for a machine.
    pub(crate) fn settings(&self, target: Target) -> Settings {
        Settings { target, ..self.compiler.clone() }
    }
}
