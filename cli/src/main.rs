//! The command `precast`: what its command line accepts, and how it ends. One file for each command.

// `consent.rs` runs what the user vouches for.
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
mod progress;
mod report;
mod run;
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
  precast run --dir . wc.wasm README.md        let it see the current directory
  precast compile hello.wasm -o hello.precast  compile once ...
  precast run hello.precast                    ... and start in a millisecond
  precast wast i32.wast                        check a specification script

`precast help COMMAND` tells more about a command.";

#[derive(Subcommand)]
enum Command {
    /// Run a program: .wasm, .wat or a compiled artifact.
    Run(run::Run),
    /// Compile a module to an artifact that `run` starts at once.
    Compile(compile::Compile),
    /// Show what is in an artifact.
    Inspect(inspect::Inspect),
    /// Look after the folder in which `run` keeps what it compiled.
    Cache(cache::CacheCommand),
    /// Run specification scripts and count what passed.
    Wast(wast::Wast),
}

/// Parses the arguments, carries out the command, reports its error.
fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(run) => run.execute(),
        Command::Compile(compile) => compile.execute(),
        Command::Inspect(inspect) => inspect.execute(),
        Command::Cache(cache) => cache.execute(),
        Command::Wast(wast) => wast.execute(),
    };
    result.unwrap_or_else(|error| report::report(&error))
}
