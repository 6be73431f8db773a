//! The `precast` binary as a command, run by an emulator where the tests themselves are.

use std::ffi::OsStr;
use std::process::Command;

/// Names the program that runs binaries built for another machine.
const RUNNER: &str = "PRECAST_TEST_RUNNER";

/// The state folder of the commands under test, for tests that need none of their own.
pub(crate) const STATE: (&str, &str) =
    ("PRECAST_STATE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));

/// The binary under test.
pub(crate) fn precast() -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_precast"));
    command.env(STATE.0, STATE.1);
    command
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
