//! `precast snapshot`: initialises a program, and writes its state as an artifact.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;

use crate::output;
use crate::program::{Program, ProgramOptions};

/// Arguments of `precast snapshot`.
#[derive(Args)]
#[command(
    override_usage = "precast snapshot FILE [ARGS]... [OPTIONS] -o OUT",
    after_help = EXAMPLES,
)]
pub(crate) struct Snapshot {
    /// The file for the artifact. It is replaced in one step, or not at all.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    #[command(flatten)]
    options: ProgramOptions,

    /// The program (.wasm, .wat or an artifact, distinguished by content), then its arguments. Those that
    /// begin with a hyphen come after `--`.
    #[arg(value_name = "FILE", required = true)]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
The program is instantiated, `_initialize` is called if it is exported, and then the function of
--invoke. The artifact starts in the state that the program has then: its memory, tables and
globals. It is sealed with your key, as by `precast compile`.

The state does not include open files, other than directories that --dir grants. Grant the same
directories and environment when you run the artifact, if the program remembers them.

Examples:
  precast snapshot app.wasm --invoke init -o app.precast
  precast run --invoke handle app.precast 5";

impl Snapshot {
    /// Initialises the program and writes the artifact.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        let key = output::key(&self.output)?;
        let program = Program { options: &self.options, command: &self.command };
        let snapshot = program.with_instance(|namespace, module, instance| {
            program.invoke(namespace, module, instance)?;
            Ok(instance.snapshot(namespace)?)
        })?;
        match key {
            Some(key) => output::publish(&self.output, &snapshot.serialize_sealed(&key)),
            None => output::publish(&self.output, snapshot.serialize()),
        }
        .with_context(|| format!("cannot write {}", self.output.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
