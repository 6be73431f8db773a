//! Reporting of an error: text on standard error, and an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use precast::{ErrorKind, TrapCode, UnknownImport};

/// The exit code after a trap. Shells report it for programs that aborted.
const ABORTED: u8 = 134;
/// The exit code after a deadline, as that of `timeout(1)`.
const TIMED_OUT: u8 = 124;

/// Reports an error and returns its exit code: that of the program if it exited, 124 if it was stopped
/// at its deadline, 134 for a trap, 1 otherwise.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        // The reader of the output has closed it and needs no more.
        return ExitCode::SUCCESS;
    }
    match error.chain().find_map(|cause| cause.downcast_ref::<precast::Error>()) {
        Some(cause) => match cause.kind() {
            // The low eight bits, as for the host's programs.
            ErrorKind::Exit(code) => ExitCode::from(*code as u8),
            ErrorKind::Trap(trap) => {
                say(&(one_line(error) + &trap.backtrace()));
                match trap.code() {
                    TrapCode::DeadlineExceeded => ExitCode::from(TIMED_OUT),
                    _ => ExitCode::from(ABORTED),
                }
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

/// Prints to standard error. An error of standard error cannot be reported.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "error: {text}");
}

/// The contexts of an error and its causes, in one line. Some errors include their cause; it is not
/// repeated.
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
