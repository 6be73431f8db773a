//! Settings of a runtime.

use crate::limits::ResourceLimits;
#[cfg(feature = "compiler")]
use std::sync::Arc;

#[cfg(feature = "compiler")]
use crate::vm::sys::refuses_reservations;
#[cfg(feature = "compiler")]
use precast_compiler::{Features, Settings, Target};

/// Settings of a [`crate::Runtime`]. The defaults suit production.
#[derive(Clone)]
pub struct Config {
    pub(crate) max_stack: usize,
    pub(crate) host_stack: usize,
    pub(crate) limits: ResourceLimits,
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
            limits: ResourceLimits::new(),
            #[cfg(feature = "compiler")]
            compiler: Settings {
                verify: cfg!(debug_assertions),
                explicit_bounds: refuses_reservations(),
                ..Settings::default()
            },
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

    /// The number of threads that compile. 0, the default, means one per processor.
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

    /// Whether to verify the input of the code generator. Default: only in debug builds.
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

    /// The maximum size in bytes of the stack that guests use in one call by the host, including
    /// nested calls of guests through host functions. Frames of host functions do not count. A
    /// guest that exceeds it traps with
    /// [`TrapCode::StackOverflow`](crate::TrapCode::StackOverflow). A guest may use up to 64 KiB
    /// more in functions that are not part of a cycle of calls. Default: 1 MiB.
    ///
    /// The stack of the thread must have room for this size and [`Config::host_stack`]; on a
    /// smaller stack, guests trap earlier. An async call has a stack of this size and
    /// [`Config::host_stack`], but with at most 64 MiB for guests.
    pub fn max_stack(mut self, bytes: usize) -> Self {
        self.max_stack = bytes;
        self
    }

    /// The minimum size in bytes of the stack that is left when a guest calls a host function. A
    /// call with less traps with [`TrapCode::StackOverflow`](crate::TrapCode::StackOverflow).
    /// Default: 256 KiB.
    pub fn host_stack(mut self, bytes: usize) -> Self {
        self.host_stack = bytes;
        self
    }

    /// The limits of each new namespace. Default: none but those of the stack.
    pub fn limits(mut self, limits: ResourceLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether compiled code is guarded against Spectre variant 1. A processor that mispredicts a
    /// check then reads nothing outside the memory or table speculatively, and calls no function of
    /// another type. Default: yes.
    ///
    /// Without guards, a hostile guest that can measure time may read any memory of this process.
    /// Guards do not stop other side channels of processors: guests that must not learn anything
    /// from each other need separate processes.
    #[cfg(feature = "compiler")]
    pub fn spectre_guards(mut self, yes: bool) -> Self {
        self.compiler.spectre_guards = yes;
        self
    }

    /// Whether compiled code counts the operators that it executes, so that
    /// [`Namespace::set_fuel`](crate::Namespace::set_fuel) limits them. Default: no.
    #[cfg(feature = "compiler")]
    pub fn fuel(mut self, yes: bool) -> Self {
        self.compiler.fuel = yes;
        self
    }

    /// Whether compiled code compares each address with the length of the memory. Otherwise each memory has
    /// 4 GiB of address space with a guard behind it, and faults take the place of comparisons, which is
    /// faster. Default: only if the process has no address space for 16 such memories (`ulimit -v`).
    ///
    /// A module that is compiled without comparisons cannot import a memory of one with them.
    #[cfg(feature = "compiler")]
    pub fn explicit_bounds(mut self, yes: bool) -> Self {
        self.compiler.explicit_bounds = yes;
        self
    }

    /// Calls `report` with the number of functions compiled so far and the total, on any of the
    /// threads that compile.
    #[cfg(feature = "compiler")]
    pub fn progress(mut self, report: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.compiler.progress = Some(Arc::new(report));
        self
    }

    /// The cache that keeps compiled modules, from which they are mapped the next time. Default:
    /// none.
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
        f.field("limits", &self.limits);
        #[cfg(feature = "compiler")]
        f.field("compiler", &self.compiler);
        f.finish_non_exhaustive()
    }
}

#[cfg(feature = "compiler")]
impl Config {
    /// The compiler's settings for a target.
    pub(crate) fn settings(&self, target: Target) -> Settings {
        Settings { target, ..self.compiler.clone() }
    }
}
