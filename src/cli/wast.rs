//! `precast wast`: runs specification scripts.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use precast::wast::{self, Options};
use precast::{Config, Features, Runtime};

use super::code::CodeOptions;

/// Arguments of `precast wast`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Wast {
    /// What is enabled: the scripts of a version assert that later features are refused.
    #[arg(long, value_enum, default_value_t = FeatureSet::Wasm2)]
    features: FeatureSet,

    /// Show what `spectest`'s functions are called with.
    #[arg(long, short)]
    verbose: bool,

    #[command(flatten)]
    code: CodeOptions,

    /// The scripts.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Each failure is printed as FILE:LINE: WHAT, and the last line is \"N passed, N failed\".

Example:
  precast wast --features wasm1 test/core/*.wast";

#[derive(Clone, Copy, ValueEnum)]
enum FeatureSet {
    /// WebAssembly 1.0.
    Wasm1,
    /// WebAssembly 2.0 with SIMD.
    Wasm2,
}

impl From<FeatureSet> for Features {
    fn from(set: FeatureSet) -> Self {
        match set {
            FeatureSet::Wasm1 => Features::Wasm1,
            FeatureSet::Wasm2 => Features::Wasm2,
        }
    }
}

impl Wast {
    /// Runs every script, whatever comes of the earlier ones.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        // Scripts are made of tiny modules: threads would wait for each other.
        let config = Config::new().features(self.features.into()).threads(1);
        let runtime = Runtime::with_config(self.code.configure(config));
        let options = Options { verbose: self.verbose };
        let mut stdout = io::stdout().lock();
        let (mut passed, mut failed) = (0, 0);
        for file in &self.files {
            let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let report = wast::run(&runtime, &text, options);
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
