//! The unsafe functions of the embedding API, and its types that wrap those of `vm`.
//!
//! Unsafe code stands under `vm`, so these functions do too. This is the only file of `vm` that names
//! the API.

use super::code::CodeMemory;
use super::engine::Engine;
use super::shared::Shared;
use super::store::StoreHandle;
#[cfg(feature = "cache")]
use super::sys;
#[cfg(feature = "compiler")]
use crate::config::Config;
use crate::error::Error;
use crate::load::{in_file, open};
use crate::module::{self, CompiledModule};
use crate::namespace::Namespace;
use crate::runtime::Runtime;
use crate::seal;
#[cfg(feature = "cache")]
use crate::seal::SealKey;
use std::path::Path;
use std::sync::Arc;

impl Namespace {
    /// The namespace that owns a store.
    pub(crate) fn owning(handle: Box<StoreHandle>) -> Box<Namespace> {
        // SAFETY: a namespace is transparent over the handle.
        unsafe { Box::from_raw(Box::into_raw(handle) as *mut Namespace) }
    }

    /// The namespace whose store has this handle.
    #[inline]
    pub(crate) fn of_handle(handle: &mut StoreHandle) -> &mut Namespace {
        // SAFETY: a namespace is transparent over the handle.
        unsafe { &mut *(&raw mut *handle as *mut Namespace) }
    }
}

impl Runtime {
    /// The runtime of an engine.
    pub(crate) fn of_engine(engine: &Arc<Shared<Engine>>) -> &Runtime {
        // SAFETY: a runtime is transparent over the reference to its engine.
        unsafe { &*(&raw const *engine).cast() }
    }
}

impl Runtime {
    /// Maps the artifact in a file, as [`CompiledModule::serialize`] gave it, with or without a
    /// seal. [`Runtime::load_sealed`] is the safe way.
    ///
    /// ```compile_fail,E0133
    /// # use precast_runtime::Runtime;
    /// // Safe code cannot.
    /// let module = Runtime::new().load("app.precast");
    /// ```
    ///
    /// # Safety
    ///
    /// The file's bytes are an artifact that precast's compiler made, and nobody has changed it:
    /// its machine code is executed without a sandbox, and its tables say what that code may
    /// reach. The checks that loading does find damage, not malice. The file stays as it is,
    /// neither written to nor truncated, for as long as the module or anything made from it
    /// lives; replacing it by renaming another over it is fine.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`](crate::ErrorKind::File) when it cannot be read, [`ErrorKind::Format`](crate::ErrorKind::Format) and
    /// [`ErrorKind::Features`](crate::ErrorKind::Features) when it cannot be used, [`ErrorKind::Closed`](crate::ErrorKind::Closed).
    pub unsafe fn load(&self, path: impl AsRef<Path>) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let path = path.as_ref();
        let _span = tracing::debug_span!("load", path = %path.display()).entered();
        let file = open(path)?;
        let code = CodeMemory::map(file, false, seal::unchecked_len, module::producer());
        self.loaded(code.map_err(|error| in_file(path, error))?)
    }

    /// Loads an artifact from memory, as [`CompiledModule::serialize`] gave it, with or without a
    /// seal, and of any alignment: what `include_bytes!` put into a program can be loaded as it
    /// lies there. It is copied once. [`Runtime::load_sealed_bytes`] is the safe way.
    ///
    /// ```compile_fail,E0133
    /// # use precast_runtime::Runtime;
    /// // Safe code cannot.
    /// let module = Runtime::new().load_bytes(b"bytes");
    /// ```
    ///
    /// # Safety
    ///
    /// The bytes are an artifact that precast's compiler made, and nobody has changed it, as for
    /// [`Runtime::load`].
    ///
    /// # Errors
    ///
    /// As [`Runtime::load`], with [`ErrorKind::System`](crate::ErrorKind::System) in place of file errors.
    pub unsafe fn load_bytes(&self, artifact: &[u8]) -> Result<CompiledModule, Error> {
        self.load_own(artifact)
    }

    /// As [`Runtime::load_sealed`], but maps a file that only this process's user can write to.
    /// With an index the seal of a file is hashed once: as long as device, inode, size and times
    /// of the file are those that were seen then, so is what it holds. An index is a cache that
    /// was opened with [`SealKey::index_key`] as its key.
    ///
    /// # Safety
    ///
    /// If the file belongs to this process's user, and nobody else may write to it, it stays as
    /// it is for as long as the module or anything made from it lives. Any other file is copied.
    ///
    /// # Errors
    ///
    /// As [`Runtime::load_sealed`].
    #[cfg(feature = "cache")]
    pub unsafe fn load_sealed_mapped(
        &self,
        path: impl AsRef<Path>,
        key: &SealKey,
        index: Option<&precast_cache::Cache>,
    ) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let path = path.as_ref();
        let _span = tracing::debug_span!("load", path = %path.display()).entered();
        let file = open(path)?;
        let code = if sys::is_exposed(&file) {
            CodeMemory::copy_file(&file, |b| key.artifact_len(b), module::producer())
        } else {
            crate::cached::map_sealed(file, key, index)
        };
        self.loaded(code.map_err(|error| in_file(path, error))?)
    }
}

#[cfg(feature = "compiler")]
impl Config {
    /// Keeps the code of single functions in `store`, and takes it from there when a module is
    /// compiled in which they did not change. Every function is validated, and the artifact is
    /// the same as without a store. Default: none.
    ///
    /// The safe ways are [`Config::functions_in_memory`] and [`Config::functions_sealed`].
    ///
    /// ```compile_fail,E0133
    /// # use precast_runtime::{Config, MemoryStore};
    /// // Safe code cannot.
    /// let config = Config::new().functions(std::sync::Arc::new(MemoryStore::new()));
    /// ```
    ///
    /// # Safety
    ///
    /// Every bundle that [`find`](crate::FunctionStore::find) gives is one that
    /// [`keep`](crate::FunctionStore::keep) took from a compilation, and nobody has changed it,
    /// nor does while it is lent: its machine code becomes part of artifacts and is executed
    /// without a sandbox.
    pub unsafe fn functions(mut self, store: std::sync::Arc<dyn crate::FunctionStore>) -> Self {
        self.functions = Some(store);
        self
    }
}
