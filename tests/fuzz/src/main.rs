//! Differential fuzzing of precast.
//!
//! Every case is a module and calls of its exports, determined by a seed. It runs in precast with
//! and without optimisation, and in the interpreter wasmi. Results, traps, memories, tables,
//! globals and the calls of host functions must agree.
//!
//! ```text
//! cargo run --release --manifest-path tests/fuzz/Cargo.toml -- --seconds 60 --seed 1
//! cargo run --release --manifest-path tests/fuzz/Cargo.toml -- --case 0x1234
//! ```
//!
//! With `bombs` the modules are costly to compile, and are only compiled.
//!
//! Cases run in a child process, which writes down each case before it runs it. So a crash or a
//! hang can be attributed to a case, and the run continues after it.

mod bombs;
mod case;
mod control;
mod host;
mod interpreter;
mod memory;
mod numeric;
mod outcome;
mod precast;
mod provider;
mod rng;
mod run;
mod smith;

use anyhow::Result;
use case::Kind;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Differential fuzzing of precast against itself without optimisation and against wasmi.
#[derive(Parser, Clone)]
struct Options {
    /// The duration of the run.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The seed of the run.
    #[arg(long, default_value_t = 1, value_parser = number)]
    seed: u64,
    /// Run only this case, and print its steps.
    #[arg(long, value_parser = number)]
    case: Option<u64>,
    /// The command, instead of running cases.
    #[command(subcommand)]
    instead: Option<Instead>,
    /// Only cases of this kind.
    #[arg(long)]
    kind: Option<Kind>,
    /// The folder for findings.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/findings"))]
    out: PathBuf,
    /// Run cases from this one on and write their seeds to a file. A run starts its child with
    /// this.
    #[arg(long, hide = true)]
    worker: Option<u64>,
}

/// The commands, instead of running cases.
#[derive(Subcommand, Clone, Copy)]
enum Instead {
    /// Compile modules that are costly to compile.
    Bombs,
}

fn number(text: &str) -> Result<u64, std::num::ParseIntError> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    }
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    std::fs::create_dir_all(&options.out)?;
    if let Some(Instead::Bombs) = options.instead {
        return bombs::run(&options);
    }
    if let Some(seed) = options.case {
        return run::one(&options, seed);
    }
    match options.worker {
        Some(first) => run::worker(&options, first),
        None => run::parent(&options),
    }
}
