//! `precast wast`: runs specification scripts.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use precast::{Config, Runtime};
use precast_wast::Options;

use crate::code::CodeOptions;

/// Arguments of `precast wast`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Wast {
    /// Print the arguments of calls of `spectest`'s functions.
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten)]
    code: CodeOptions,

    /// The scripts.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Each failure is printed as FILE:LINE: MESSAGE. The last line is \"N passed, N failed\". The scripts of
a version of the specification assert that later proposals are refused; use --features for them.

Example:
  precast wast --features wasm1 test/core/*.wast";

impl Wast {
    /// Runs every script, even after failures.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        // Scripts consist of tiny modules, for which threads do not pay.
        let config = Config::new().threads(1);
        let runtime = Runtime::with_config(self.code.configure(config));
        let options = Options { verbose: self.verbose, ..Options::default() };
        let mut stdout = io::stdout().lock();
        let (mut passed, mut failed) = (0, 0);
        for file in &self.files {
            let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let report = precast_wast::run(&runtime, &text, options);
            for failure in &report.failures {
                writeln!(stdout, "{}:{}: {}", file.display(), failure.line, failure.what)?;
            }
            passed += report.passed;
            failed += report.failures.len();
        }
        writeln!(stdout, "{passed} passed, {failed} failed")?;
        stdout.flush()?;
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
