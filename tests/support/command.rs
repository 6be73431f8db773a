//! Programs as commands, run by an emulator if the tests themselves are.

use std::ffi::OsStr;
use std::process::Command;

/// The variable with the program that runs binaries built for another machine.
const RUNNER: &str = "PRECAST_TEST_RUNNER";

/// A command of the machine under test.
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
