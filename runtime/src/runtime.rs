//! A runtime: configuration, and all that was made with it.

use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::module::{self, CompiledModule};
use crate::namespace::Namespace;
use crate::vm::code::{CodeError, CodeMemory};
use crate::vm::store::Store;
use precast_abi::artifact::MAGIC;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Compiles modules, loads artifacts, and makes namespaces. Cheap to clone; the clones are one
/// runtime.
#[derive(Clone, Debug)]
pub struct Runtime(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    closed: AtomicBool,
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
        Runtime(Arc::new(Inner { config, closed: AtomicBool::new(false) }))
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Compiles a module from the binary format.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Compile`] when the module is invalid, [`ErrorKind::System`] when there is no
    /// memory for the code, [`ErrorKind::Closed`].
    #[cfg(feature = "compiler")]
    pub fn compile(&self, wasm: &[u8]) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let artifact = precast_compiler::compile(wasm, &crate::config::settings(self.config()))
            .map_err(crate::config::compile_error)?;
        self.load_bytes(&artifact)
    }

    /// Compiles a module for a machine that need not be this one; gives the artifact's bytes.
    ///
    /// `target` is `host`, or an architecture, `x86_64` or `aarch64`, followed by the CPU features
    /// code may use besides those every machine has that precast runs on: `aarch64+lse+fp16`. The
    /// bytes are the same wherever they are made.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] when there is no such target, [`ErrorKind::Compile`] when the module is
    /// invalid, [`ErrorKind::Closed`].
    #[cfg(feature = "compiler")]
    pub fn compile_for(&self, target: &str, wasm: &[u8]) -> Result<Vec<u8>, Error> {
        self.check_open()?;
        let target = target
            .parse()
            .map_err(|e: precast_compiler::TargetError| Error::types(e.to_string()))?;
        let settings =
            precast_compiler::Settings { target, ..crate::config::settings(self.config()) };
        precast_compiler::compile(wasm, &settings).map_err(crate::config::compile_error)
    }

    /// Maps the artifact in a file, as [`CompiledModule::serialize`] gave it.
    ///
    /// Loading an artifact means executing it: load only files that nobody untrusted can write.
    /// The file must not be changed in place while the module is in use.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] when it cannot be read, [`ErrorKind::Format`] and
    /// [`ErrorKind::Features`] when it cannot be used, [`ErrorKind::Closed`].
    pub fn load(&self, path: impl AsRef<Path>) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let path = path.as_ref();
        let in_file = |error| ErrorKind::File { path: path.to_owned(), error };
        let file = File::open(path).map_err(in_file)?;
        let code = CodeMemory::map(file, module::identity()).map_err(|error| match error {
            CodeError::Io(error) => in_file(error),
            CodeError::Format(error) => error.into(),
        })?;
        CompiledModule::new(self.clone(), code)
    }

    /// Loads an artifact from memory, as [`CompiledModule::serialize`] gave it. The same holds
    /// as for [`Runtime::load`].
    ///
    /// # Errors
    ///
    /// As [`Runtime::load`], with [`ErrorKind::System`] in place of file errors.
    pub fn load_bytes(&self, artifact: &[u8]) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let code = CodeMemory::copy(artifact, module::identity()).map_err(|error| match error {
            CodeError::Io(error) => ErrorKind::System { what: "mapping an artifact", error },
            CodeError::Format(error) => error.into(),
        })?;
        CompiledModule::new(self.clone(), code)
    }

    /// Whether bytes begin like an artifact. Eight are enough to tell.
    pub fn is_artifact(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// A new, empty namespace.
    pub fn namespace(&self) -> Box<Namespace> {
        Store::boxed(self.clone())
    }

    /// Closes the runtime and with it all that it made: modules, namespaces, their instances.
    /// Calls that are running go on until they return to the host; whatever is tried after is
    /// an [`ErrorKind::Closed`]. Memory is freed as the handles are dropped.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
    }

    /// Whether the runtime was closed.
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.is_closed() { Err(ErrorKind::Closed("runtime").into()) } else { Ok(()) }
    }

    pub(crate) fn same(&self, other: &Runtime) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
