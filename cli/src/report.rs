//! How an error becomes text on standard error and an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use precast::{ErrorKind, UnknownImport};

/// What a shell reports for a program that aborted; a trap is that.
const ABORTED: u8 = 134;

/// Tells an error and gives the exit code that belongs to it: the program's own if it chose one,
/// 134 for a trap, 1 for anything else.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        // Whoever read our output has enough of it.
        return ExitCode::SUCCESS;
    }
    match error.chain().find_map(|cause| cause.downcast_ref::<precast::Error>()) {
        Some(cause) => match cause.kind() {
            // As the operating system has it: the low eight bits.
            ErrorKind::Exit(code) => ExitCode::from(*code as u8),
            ErrorKind::Trap(trap) => {
                say(&(one_line(error) + &trap.backtrace()));
                ExitCode::from(ABORTED)
            }
            ErrorKind::Host(cause) if cause.is::<UnknownImport>() => {
                say(&one_line(error));
                ExitCode::from(ABORTED)
            }
            _ => fail(error),
        },
        None => fail(error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    say(&one_line(error));
    ExitCode::FAILURE
}

/// Prints to standard error; nobody is left to tell if that fails.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "error: {text}");
}

/// The contexts of an error and its causes. Some errors tell their cause themselves; what was told
/// is not told again.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.ends_with(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}
