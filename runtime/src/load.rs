//! Loading of artifacts with a proof of their origin.
//!
//! [`Runtime::load`] and [`Runtime::load_bytes`] take no proof and are unsafe.

use crate::error::{Error, ErrorKind};
use crate::module::{self, CompiledModule};
use crate::runtime::Runtime;
use crate::seal::{self, SealKey};
use crate::vm::code::{CodeError, CodeMemory};
use std::fs::File;
use std::path::Path;

impl Runtime {
    /// Loads the artifact in a file that is sealed with `key`. The file is copied, because another
    /// process could change it after the check, and the copy is checked.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if there is no seal, if it was made with another key, or if a byte was
    /// changed; otherwise as [`Runtime::load`].
    pub fn load_sealed(
        &self,
        path: impl AsRef<Path>,
        key: &SealKey,
    ) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let path = path.as_ref();
        let _span = tracing::debug_span!("load", path = %path.display()).entered();
        let code = CodeMemory::copy_file(&open(path)?, |b| key.artifact_len(b), module::producer());
        self.loaded(code.map_err(|error| in_file(path, error))?)
    }

    /// Loads an artifact that is sealed with `key` from memory. It is copied, and the copy is
    /// checked.
    ///
    /// # Errors
    ///
    /// As [`Runtime::load_sealed`], with [`ErrorKind::System`] in place of file errors.
    pub fn load_sealed_bytes(&self, sealed: &[u8], key: &SealKey) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let _span = tracing::debug_span!("load", bytes = sealed.len()).entered();
        let code = CodeMemory::copy(sealed, true, |b| key.artifact_len(b), module::producer());
        self.loaded(code.map_err(in_memory)?)
    }

    /// Loads an artifact that this process has just compiled.
    pub(crate) fn load_own(&self, artifact: &[u8]) -> Result<CompiledModule, Error> {
        self.check_open()?;
        let _span = tracing::debug_span!("load", bytes = artifact.len()).entered();
        let code = CodeMemory::copy(artifact, false, seal::unchecked_len, module::producer());
        self.loaded(code.map_err(in_memory)?)
    }

    pub(crate) fn loaded(&self, code: Box<CodeMemory>) -> Result<CompiledModule, Error> {
        CompiledModule::new(self.clone(), code)
    }
}

pub(crate) fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| in_file(path, error.into()))
}

pub(crate) fn in_file(path: &Path, error: CodeError) -> Error {
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
