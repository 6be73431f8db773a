//! The errors of the API.

use crate::trap::Trap;
use precast_abi::artifact::FormatError;
use precast_abi::trap::TrapCode;
use precast_abi::types::ExternType;
#[cfg(feature = "compiler")]
use precast_compiler::CompileError;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The reason why an operation failed. The size is one pointer; [`Error::kind`] has the details.
pub struct Error(Box<ErrorKind>);

/// The kinds of [`Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The module is invalid, uses a feature that is not enabled, or exceeds a limit.
    #[cfg(feature = "compiler")]
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The artifact cannot be used.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// No seal proves that a holder of the key made the artifact.
    #[error("the artifact is not trusted: {0}")]
    Seal(#[from] SealError),
    /// The artifact uses CPU features that this machine lacks.
    #[error("the artifact needs CPU features that this machine lacks: {0}")]
    Features(String),
    /// A file could not be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// A system call failed.
    #[error("{what}: {error}")]
    System {
        /// The operation that failed.
        what: &'static str,
        /// The error of the system.
        error: io::Error,
    },
    /// An instance cannot be captured.
    #[error("the instance cannot be captured: {0}")]
    Snapshot(#[from] SnapshotError),
    /// An import cannot be satisfied.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// WebAssembly code stopped.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// The guest exited with this code.
    #[error("the guest ended with exit code {0}")]
    Exit(i32),
    /// A host function failed.
    #[error("{0}")]
    Host(Box<dyn StdError + Send + Sync>),
    /// The `runtime`, `namespace` or `module` is closed.
    #[error("the {0} is closed")]
    Closed(&'static str),
    /// The instance was interrupted in a call, or is linked to one that was, or its reset failed.
    #[error("the instance was interrupted, or its reset failed: it cannot be used before a reset")]
    Interrupted,
    /// A host function that returns a future was called by a call that cannot wait for it.
    #[cfg(feature = "async")]
    #[error("an async host function was called by a call that cannot wait: use `call_async`")]
    NeedsAsync,
    /// A value, function or definition does not have the required type.
    #[error("{0}")]
    TypeMismatch(String),
    /// Nothing has this name or index.
    #[error("{0}")]
    NotFound(String),
    /// A handle, reference or module belongs to another namespace or runtime.
    #[error("{0}")]
    Foreign(&'static str),
    /// An immutable global cannot be set.
    #[error("an immutable global cannot be set")]
    Immutable,
    /// A memory or table cannot grow to the requested size, or a signature has too many values.
    #[error("{0}")]
    Limit(String),
    /// A definition, name or argument is invalid.
    #[error("{0}")]
    Invalid(String),
    /// This build or this process does not support the operation.
    #[error("{0}")]
    Unsupported(String),
}

/// The reason why a seal is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// No seal follows the bytes.
    #[error("it has no seal")]
    Missing,
    /// The seal was made with another key, or the bytes or the seal were changed.
    #[error("its seal was made with another key, or it was changed after it was sealed")]
    Mismatch,
}

/// The reason why an instance cannot be captured by [`Instance::snapshot`](crate::Instance::snapshot).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Something that the instance imports has a state, which belongs to another instance.
    #[error("it imports the {what} \"{module}\" \"{name}\", which belongs to another instance")]
    Import {
        /// `memory`, `table` or `mutable global`.
        what: &'static str,
        /// The module from which the import comes.
        module: String,
        /// The name of the import in that module.
        name: String,
    },
    /// A global or an element refers to a value of the host.
    #[error("{0} refers to a value of the host")]
    HostReference(String),
    /// A global or an element refers to a function that the artifact has no reference for.
    #[error(
        "{0} refers to a function of the host or of another instance, or to one that the module \
         does not refer to itself"
    )]
    Function(String),
    /// The instance has used its host module for something that a new instance would not have.
    #[error("{0}")]
    HostState(String),
    /// It is an instance of a host module.
    #[error("it belongs to a host module")]
    HostModule,
    /// The tables have more elements than an artifact can hold.
    #[error("its tables have too many elements")]
    TooLarge,
}

/// The reason why an import cannot be satisfied.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("import \"{module}\" \"{name}\": {reason}")]
pub struct LinkError {
    /// The module from which the import comes.
    pub module: String,
    /// The name of the import in that module.
    pub name: String,
    /// The reason, with the types concerned.
    pub reason: String,
}

impl LinkError {
    /// The error of an import of `name` from `module` that is not found (`found` is `None`), or
    /// that has another type. `is_named` is true if there is a module of this name.
    #[cold]
    pub(crate) fn unsatisfied(
        (module, name, ty): (String, String, ExternType),
        found: Option<&ExternType>,
        is_named: bool,
    ) -> Self {
        let reason = match found {
            Some(found) => format!("incompatible import type: {ty} wanted, {found} found"),
            None if is_named => format!("unknown import: {ty} wanted"),
            None => format!("unknown import: no module has this name, {ty} wanted"),
        };
        LinkError { module, name, reason }
    }
}

impl Error {
    /// The kind of the error.
    pub fn kind(&self) -> &ErrorKind {
        &self.0
    }

    /// The kind of the error, by value.
    pub fn into_kind(self) -> ErrorKind {
        *self.0
    }

    /// The trap, if WebAssembly code trapped.
    pub fn trap(&self) -> Option<&Trap> {
        match self.kind() {
            ErrorKind::Trap(trap) => Some(trap),
            _ => None,
        }
    }

    /// The exit code, if the guest exited.
    pub fn exit_code(&self) -> Option<i32> {
        match self.kind() {
            ErrorKind::Exit(code) => Some(*code),
            _ => None,
        }
    }

    /// The error of access to an entity whose namespace is closed.
    #[cold]
    pub(crate) fn closed_namespace() -> Self {
        ErrorKind::Closed("namespace").into()
    }

    #[cold]
    pub(crate) fn mismatch(message: impl Into<String>) -> Self {
        ErrorKind::TypeMismatch(message.into()).into()
    }
}

impl<K: Into<ErrorKind>> From<K> for Error {
    fn from(kind: K) -> Self {
        Error(Box::new(kind.into()))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.kind() {
            ErrorKind::Host(error) => Some(&**error),
            ErrorKind::File { error, .. } | ErrorKind::System { error, .. } => Some(error),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<Error>() == size_of::<usize>());

/// The error that a host function returns to stop its caller.
#[derive(Debug)]
pub struct HostError(pub(crate) Stop);

/// The way in which a host function stops its caller.
#[derive(Debug)]
pub(crate) enum Stop {
    /// With an error, which becomes the error of the outer call.
    Error(Error),
    /// With a trap, as if an instruction had trapped.
    Trap(TrapCode),
}

impl HostError {
    /// Stops the guest; the outer call fails with [`ErrorKind::Host`].
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        HostError(Stop::Error(ErrorKind::Host(error.into()).into()))
    }

    /// Makes the guest exit with a code; the outer call fails with [`ErrorKind::Exit`].
    pub fn exit(code: i32) -> Self {
        HostError(Stop::Error(ErrorKind::Exit(code).into()))
    }

    /// Traps the guest; the outer call fails with [`ErrorKind::Trap`].
    pub fn trap(code: TrapCode) -> Self {
        HostError(Stop::Trap(code))
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Stop::Error(error) => error.fmt(f),
            Stop::Trap(code) => code.fmt(f),
        }
    }
}

impl StdError for HostError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            Stop::Error(error) => error.source(),
            Stop::Trap(_) => None,
        }
    }
}

impl From<Error> for HostError {
    fn from(error: Error) -> Self {
        HostError(Stop::Error(error))
    }
}

impl From<io::Error> for HostError {
    fn from(error: io::Error) -> Self {
        HostError::new(error)
    }
}

impl From<HostError> for ErrorKind {
    fn from(error: HostError) -> Self {
        match error.0 {
            Stop::Error(error) => error.into_kind(),
            Stop::Trap(code) => ErrorKind::Trap(Trap::new(code, None, Vec::new())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precast_abi::types::{FuncType, GlobalType, ValType};

    fn unsatisfied(found: Option<&ExternType>, is_named: bool) -> String {
        let wanted = ExternType::Func(FuncType::new([ValType::I32], []));
        let wanted = ("env".to_owned(), "f".to_owned(), wanted);
        LinkError::unsatisfied(wanted, found, is_named).to_string()
    }

    #[test]
    fn an_import_that_is_not_satisfied_is_named_with_the_types() {
        let import = "import \"env\" \"f\": ";
        let wanted = "func (i32) -> () wanted";
        let none = format!("{import}unknown import: no module has this name, {wanted}");
        assert_eq!(unsatisfied(None, false), none);
        assert_eq!(unsatisfied(None, true), format!("{import}unknown import: {wanted}"));
        let global = ExternType::Global(GlobalType::new(ValType::I64, true));
        let other = format!("{import}incompatible import type: {wanted}, global (mut i64) found");
        assert_eq!(unsatisfied(Some(&global), true), other);
    }

    #[test]
    fn an_error_shows_what_failed_and_has_its_cause() {
        let error = io::Error::new(io::ErrorKind::NotFound, "it is gone");
        let error = Error::from(ErrorKind::File { path: "a/b.wasm".into(), error });
        assert_eq!(error.to_string(), "a/b.wasm: it is gone");
        assert_eq!(error.source().unwrap().to_string(), "it is gone");
        let error =
            Error::from(ErrorKind::System { what: "mapping", error: io::Error::other("x") });
        assert_eq!(error.to_string(), "mapping: x");
        assert!(error.source().is_some());
        for (kind, text) in [
            (ErrorKind::Closed("namespace"), "the namespace is closed"),
            (ErrorKind::Exit(-1), "the guest ended with exit code -1"),
            (ErrorKind::Features("avx2".to_owned()), "lacks: avx2"),
            (SealError::Missing.into(), "the artifact is not trusted: it has no seal"),
        ] {
            let error = Error::from(kind);
            assert!(error.to_string().ends_with(text), "{error}");
            assert!(error.source().is_none(), "{error}");
        }
    }

    #[test]
    fn an_error_of_a_host_function_becomes_that_of_the_call() {
        let exit = Error::from(HostError::exit(5));
        assert_eq!((exit.exit_code(), exit.trap().is_none()), (Some(5), true));
        let trap = Error::from(HostError::trap(TrapCode::IntegerOverflow));
        assert_eq!(trap.trap().map(Trap::code), Some(TrapCode::IntegerOverflow));
        assert_eq!(trap.exit_code(), None);
        // The cause of an error that passes through a host function stays its cause.
        let cause = io::Error::other("inner");
        let error = HostError::from(Error::from(HostError::from(cause)));
        assert_eq!(error.source().unwrap().to_string(), "inner");
        let error = Error::from(error);
        assert!(matches!(error.kind(), ErrorKind::Host(_)), "{error:?}");
        assert!(error.source().unwrap().is::<io::Error>());
    }
}
