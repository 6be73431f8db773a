//! The `precast` binary as a command, run by an emulator where the tests themselves are.

use std::ffi::OsStr;
use std::process::Command;

/// Names the program that runs binaries built for another machine.
const RUNNER: &str = "PRECAST_TEST_RUNNER";

/// The binary under test.
pub(crate) fn precast() -> Command {
    program(env!("CARGO_BIN_EXE_precast"))
}

/// A program of the machine under test.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    match std::env::var_os(RUNNER).filter(|runner| !runner.is_empty()) {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(path);
            command
        }
        None => Command::new(path),
    }
}
