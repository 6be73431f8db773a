//! The ways by which bytes become code: those that prove where the bytes come from are safe, and
//! those that take the caller's word are not.

use super::code::{CodeError, CodeMemory};
#[cfg(feature = "cache")]
use super::sys;
#[cfg(feature = "compiler")]
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::module::{self, CompiledModule};
use crate::runtime::Runtime;
use crate::seal::SealKey;
use std::fs::File;
use std::path::Path;

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
    /// [`ErrorKind::File`] when it cannot be read, [`ErrorKind::Format`] and
    /// [`ErrorKind::Features`] when it cannot be used, [`ErrorKind::Closed`].
    pub unsafe fn load(&self, path: impl AsRef<Path>) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let path = path.as_ref();
        let file = open(path)?;
        let code = CodeMemory::map(file, module::identity());
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
    /// As [`Runtime::load`], with [`ErrorKind::System`] in place of file errors.
    pub unsafe fn load_bytes(&self, artifact: &[u8]) -> Result<CompiledModule, Error> {
        self.load_own(artifact)
    }

    /// Loads the artifact in a file that has a seal by `key`. The file is copied, the copy is
    /// checked, and nobody else can change that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] when there is no seal, or it is not one by `key`, or a byte was
    /// changed since; and as [`Runtime::load`].
    pub fn load_sealed(
        &self,
        path: impl AsRef<Path>,
        key: &SealKey,
    ) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let path = path.as_ref();
        let code = CodeMemory::copy_sealed_file(&open(path)?, key, module::identity());
        self.loaded(code.map_err(|error| in_file(path, error))?)
    }

    /// Loads an artifact with a seal by `key` from memory; it is copied, and the copy is checked.
    ///
    /// # Errors
    ///
    /// As [`Runtime::load_sealed`], with [`ErrorKind::System`] in place of file errors.
    pub fn load_sealed_bytes(&self, sealed: &[u8], key: &SealKey) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let code = CodeMemory::copy_sealed(sealed, key, module::identity());
        self.loaded(code.map_err(in_memory)?)
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
        let file = open(path)?;
        let code = if sys::is_exposed(&file) {
            CodeMemory::copy_sealed_file(&file, key, module::identity())
        } else {
            crate::cached::map_sealed(file, key, index)
        };
        self.loaded(code.map_err(|error| in_file(path, error))?)
    }

    /// Loads what this process has just compiled.
    pub(crate) fn load_own(&self, artifact: &[u8]) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let code = CodeMemory::copy(artifact, module::identity());
        self.loaded(code.map_err(in_memory)?)
    }

    fn loaded(&self, code: Box<CodeMemory>) -> Result<CompiledModule, Error> {
        CompiledModule::new(self.clone(), code)
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

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| in_file(path, error.into()))
}

fn in_file(path: &Path, error: CodeError) -> Error {
    match error {
        CodeError::Io(error) => ErrorKind::File { path: path.to_owned(), error }.into(),
        CodeError::Format(error) => error.into(),
        CodeError::Seal(error) => error.into(),
    }
}

fn in_memory(error: CodeError) -> Error {
    match error {
        CodeError::Io(error) => ErrorKind::System { what: "mapping an artifact", error }.into(),
        CodeError::Format(error) => error.into(),
        CodeError::Seal(error) => error.into(),
    }
}
