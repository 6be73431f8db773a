//! The outcome of an action, compared with the expected failure.

use precast::{Error, ErrorKind, Value};

/// The result of an `invoke`, a `get` or an instantiation.
pub(super) type Outcome = Result<Vec<Value>, Error>;

/// The action must have trapped, with a message that begins with `expected`.
pub(super) fn must_trap(outcome: Outcome, expected: &str) -> Result<(), String> {
    let error = match outcome {
        Ok(values) => return Err(format!("expected trap \"{expected}\", got {values:?}")),
        Err(error) => error,
    };
    let Some(trap) = error.trap() else {
        return Err(format!("expected trap \"{expected}\", got error: {error}"));
    };
    let message = trap.message();
    if message.starts_with(expected) {
        Ok(())
    } else {
        Err(format!("expected trap \"{expected}\", got trap \"{message}\""))
    }
}

/// The module must have been refused by the compiler.
pub(super) fn must_not_compile<T>(outcome: Result<T, Error>) -> Result<(), String> {
    match outcome {
        Ok(_) => Err("expected a refusal, but the module compiles".to_owned()),
        Err(error) if matches!(error.kind(), ErrorKind::Compile(_)) => Ok(()),
        Err(error) => Err(format!("expected a refusal by the compiler, got error: {error}")),
    }
}

/// The module must have been refused when its imports were looked up.
pub(super) fn must_not_link<T>(outcome: Result<T, Error>) -> Result<(), String> {
    match outcome {
        Ok(_) => Err("expected a refusal, but the module links".to_owned()),
        Err(error) if matches!(error.kind(), ErrorKind::Link(_)) => Ok(()),
        Err(error) => Err(format!("expected a refusal by the linker, got error: {error}")),
    }
}
