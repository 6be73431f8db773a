//! Errors of the compiler: why a module cannot be compiled.

use crate::features::is_implemented;

/// The kind of an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are not a valid module.
    Invalid,
    /// The module uses a feature that this compiler does not implement.
    Unsupported,
    /// The module exceeds a limit of this compiler.
    Limit,
    /// The compiler failed, because of a bug in it.
    Internal,
}

/// The reason why a module cannot be compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CompileError {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// Offset in the module's bytes at which it was found.
    pub offset: usize,
    /// Description of the error.
    pub message: String,
}

impl CompileError {
    pub(crate) fn new(kind: ErrorKind, offset: usize, message: impl Into<String>) -> Self {
        CompileError { kind, offset, message: message.into() }
    }

    pub(crate) fn internal(message: impl ToString) -> Self {
        Self::new(ErrorKind::Internal, 0, message.to_string())
    }
}

impl From<wasmparser::Error> for CompileError {
    fn from(error: wasmparser::Error) -> Self {
        let offset = usize::try_from(error.offset()).unwrap_or(usize::MAX);
        // Some messages of the validator span lines or align columns.
        let words: Vec<&str> = error.message().split_whitespace().collect();
        let message = words.join(" ");
        match error.missing_wasm_feature() {
            Some(feature) if !is_implemented(feature) => {
                let message = format!("{message}: precast does not implement it");
                Self::new(ErrorKind::Unsupported, offset, message)
            }
            _ => Self::new(ErrorKind::Invalid, offset, message),
        }
    }
}

impl std::fmt::Display for CompileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let CompileError { kind, offset, message } = self;
        match kind {
            ErrorKind::Invalid => write!(f, "invalid module at offset {offset:#x}: {message}"),
            ErrorKind::Unsupported => {
                write!(f, "unsupported module at offset {offset:#x}: {message}")
            }
            ErrorKind::Limit => write!(f, "module too large at offset {offset:#x}: {message}"),
            ErrorKind::Internal => write!(f, "compiler error: {message}"),
        }
    }
}

impl std::error::Error for CompileError {}
