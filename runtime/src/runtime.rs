//! `Runtime`: the configuration, and the owner of everything that is made with it.

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::limits::ResourceLimits;
#[cfg(feature = "compiler")]
use crate::module::CompiledModule;
use crate::namespace::Namespace;
use crate::vm::engine::Engine;
use crate::vm::shared::Shared;
use crate::vm::store::StoreHandle;
use precast_abi::artifact::MAGIC;
#[cfg(feature = "compiler")]
use precast_compiler::Target;
#[cfg(feature = "compiler")]
use std::path::Path;
use std::sync::Arc;

/// Compiles modules, loads artifacts, and creates namespaces. Cheap to clone; clones are handles on
/// the same runtime.
#[derive(Clone)]
#[repr(transparent)]
pub struct Runtime(Arc<Shared<Engine>>);

/// The settings that its engine keeps for a runtime.
struct Settings {
    config: Config,
    #[cfg(feature = "cache")]
    fingerprint: std::sync::OnceLock<precast_cache::Fingerprint>,
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime {
    /// A runtime with default settings.
    pub fn new() -> Self {
        Self::with_config(Config::default())
    }

    /// A runtime with these settings.
    pub fn with_config(config: Config) -> Self {
        let (max_stack, host_stack) = (config.max_stack, config.host_stack);
        let settings = Settings {
            config,
            #[cfg(feature = "cache")]
            fingerprint: Default::default(),
        };
        Runtime(Shared::new(Arc::new(Engine::new(max_stack, host_stack, settings))))
    }

    fn settings(&self) -> &Settings {
        self.0.settings()
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.settings().config
    }

    /// Compiles a module from the binary format.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Compile`] if the module is invalid; [`ErrorKind::System`] if the system has too
    /// little memory for the code; [`ErrorKind::Closed`].
    #[cfg(feature = "compiler")]
    pub fn compile(&self, wasm: &[u8]) -> Result<CompiledModule, Error> {
        self.check_open()?;
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.config().cache {
            return crate::cached::compile(self, cache, wasm);
        }
        self.load_own(&self.precompile(wasm)?)
    }

    /// Compiles a module from the binary format to the bytes of an artifact. The cache does not
    /// keep it.
    ///
    /// # Errors
    ///
    /// As [`Runtime::compile`].
    #[cfg(feature = "compiler")]
    pub fn precompile(&self, wasm: &[u8]) -> Result<Vec<u8>, Error> {
        self.precompile_for(wasm, Target::Host)
    }

    /// As [`Runtime::precompile`], for any target. The bytes do not depend on the machine that
    /// compiles.
    ///
    /// # Errors
    ///
    /// As [`Runtime::compile`].
    #[cfg(feature = "compiler")]
    pub fn precompile_for(&self, wasm: &[u8], target: Target) -> Result<Vec<u8>, Error> {
        self.check_open()?;
        let _span = tracing::debug_span!("compile", bytes = wasm.len()).entered();
        let settings = self.config().settings(target);
        let store = self.config().functions.clone();
        #[cfg(feature = "cache")]
        let store = store.or_else(|| crate::cached::functions(self));
        let done = precast_compiler::compile_with(wasm, &settings, store.as_deref());
        done.map(|done| done.artifact).map_err(Error::from)
    }

    /// Compiles the module in a file, which is in the binary format. If the cache knows the file
    /// and has its module, the file is opened but not read: a file whose device, inode, size and
    /// times are unchanged has unchanged contents. The cache knows a file only if this is certain:
    /// no process had it open or mapped for writing when it was read, and its file system changes
    /// the times of a file at every change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] if the file cannot be read; otherwise as [`Runtime::compile`].
    #[cfg(feature = "compiler")]
    pub fn compile_file(&self, path: impl AsRef<Path>) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let path = path.as_ref();
        let in_file = |error| ErrorKind::File { path: path.to_owned(), error };
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.config().cache {
            return crate::cached::compile_file(self, cache, path);
        }
        self.compile(&std::fs::read(path).map_err(in_file)?)
    }

    /// The module of a file, if the runtime has a cache that knows the file and has its module.
    #[cfg(feature = "cache")]
    pub fn cached_file(&self, path: impl AsRef<Path>) -> Option<CompiledModule> {
        self.check_open().ok()?;
        crate::cached::known(self, self.config().cache.as_ref()?, path.as_ref())
    }

    /// Compiles a module that comes from a file: the contents of the file, or the result of
    /// assembling them. The cache then knows the file for [`Runtime::cached_file`].
    ///
    /// # Errors
    ///
    /// As [`Runtime::compile`].
    #[cfg(feature = "cache")]
    pub fn compile_source(
        &self,
        source: &crate::Source,
        wasm: &[u8],
    ) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let Some(cache) = &self.config().cache else { return self.compile(wasm) };
        crate::cached::compile_source(self, cache, source, wasm, None)
    }

    /// The fingerprint of everything that decides code besides the module: the build of the
    /// compiler, the target and the settings.
    #[cfg(feature = "cache")]
    pub fn fingerprint(&self) -> precast_cache::Fingerprint {
        *self.settings().fingerprint.get_or_init(|| crate::cached::fingerprint(self.config()))
    }

    /// Whether bytes begin like an artifact. The first eight are enough.
    pub fn is_artifact(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// Creates an empty namespace.
    pub fn namespace(&self) -> Box<Namespace> {
        let mut handle = StoreHandle::new(self.0.for_thread());
        let limits = self.config().limits;
        if limits != ResourceLimits::new() {
            handle.store_mut().set_limits(limits.0);
        }
        Namespace::owning(handle)
    }

    /// Closes the runtime and everything that was made with it: modules, namespaces and their
    /// instances. Calls that are running stop, on every thread, as if
    /// [`InterruptHandle::interrupt`](crate::InterruptHandle::interrupt) had stopped them. They and
    /// later operations fail with [`ErrorKind::Closed`]. Memory is freed when the handles are
    /// dropped.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether the runtime is closed.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.is_closed() { Err(ErrorKind::Closed("runtime").into()) } else { Ok(()) }
    }

    pub(crate) fn same(&self, other: &Runtime) -> bool {
        self.0.same(&other.0)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime")
            .field("config", self.config())
            .field("closed", &self.is_closed())
            .finish()
    }
}
