//! The command `precast`: its command line and exit code. Each subcommand has a file.

// `consent.rs` runs artifacts with the user's consent.
#![deny(unsafe_code)]

mod cache;
mod code;
mod compile;
#[allow(unsafe_code)]
mod consent;
mod dir;
mod imports;
mod input;
mod inspect;
mod limits;
mod output;
mod program;
mod progress;
mod report;
mod run;
mod snapshot;
mod stack;
mod state;
mod values;
mod wast;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Compiles WebAssembly ahead of time and runs it.
#[derive(Parser)]
#[command(name = "precast", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  precast run hello.wasm                       compile and run a program
  precast run --dir . wc.wasm README.md        grant access to the current directory
  precast compile hello.wasm -o hello.precast  compile once
  precast run hello.precast                    start in a millisecond
  precast wast i32.wast                        run a specification script

`precast help COMMAND` explains a command.";

#[derive(Subcommand)]
enum Command {
    /// Run a program: .wasm, .wat or a compiled artifact.
    Run(Box<run::Run>),
    /// Compile a module to an artifact, which `run` starts without compiling.
    Compile(compile::Compile),
    /// Initialise a program, and write its state as an artifact, which `run` starts in that state.
    Snapshot(Box<snapshot::Snapshot>),
    /// Show the contents of an artifact.
    Inspect(inspect::Inspect),
    /// Show, check or clean the folder in which `run` keeps compiled modules.
    Cache(cache::CacheCommand),
    /// Run specification scripts and count the assertions that pass.
    Wast(wast::Wast),
}

/// Parses the arguments, runs the subcommand and reports its error.
fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(run) => run.execute(),
        Command::Compile(compile) => compile.execute(),
        Command::Snapshot(snapshot) => snapshot.execute(),
        Command::Inspect(inspect) => inspect.execute(),
        Command::Cache(cache) => cache.execute(),
        Command::Wast(wast) => wast.execute(),
    };
    result.unwrap_or_else(|error| report::report(&error))
}
