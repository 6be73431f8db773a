//! Why a module could not be compiled.

use crate::features::is_implemented;

/// What kind of thing went wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are not a valid module.
    Invalid,
    /// The module uses what this compiler does not offer.
    Unsupported,
    /// The module exceeds a limit of this compiler.
    Limit,
    /// The compiler failed; its tests should have found this.
    Internal,
}

/// A module could not be compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CompileError {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// Where in the module's bytes it was found.
    pub offset: usize,
    /// What is wrong.
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
        // Some of its messages span lines or align columns.
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
