//! The `precast` binary as a command.

use std::process::Command;

#[path = "command.rs"]
mod command;
pub(crate) use command::program;

/// The state folder of the commands under test, for tests that need no separate one.
pub(crate) const STATE: (&str, &str) =
    ("PRECAST_STATE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));

/// The binary under test.
pub(crate) fn precast() -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_precast"));
    command.env(STATE.0, STATE.1);
    command
}
