//! The options of the command line.

use crate::Result;
use crate::clock::Clock;
use std::path::PathBuf;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Compares precast with wasmtime.

usage: precast-compare [FILTER] [OPTION]...

  FILTER         measure only the rows whose name contains this, e.g. `call/` or `fib`
  --rounds N     measurements of every row, for each runtime [default: 7]
  --module FILE  compile and load this WebAssembly file too; may be repeated
  --cpu-time     measure processor time, of all threads together, instead of time passed
  --page FOLDER  measure servers too, and write benchmarks.md and its plots into this folder of
                 the repository
";

/// The options of the command line.
pub(crate) struct Options {
    /// Strings of which the name of a selected row contains one.
    pub(crate) filter: String,
    /// The number of rounds of each row.
    pub(crate) rounds: usize,
    /// The source of time.
    pub(crate) clock: Clock,
    /// WebAssembly files to compile and load, in addition to those of the repository.
    pub(crate) modules: Vec<PathBuf>,
    /// The folder into which the page is written.
    pub(crate) page: Option<PathBuf>,
}

impl Options {
    /// Parses arguments. None if they ask for help.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let mut options = Options {
            filter: String::new(),
            rounds: 7,
            clock: Clock::Wall,
            modules: Vec::new(),
            page: None,
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
            match arg.as_str() {
                "-h" | "--help" => return Ok(None),
                "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
                "--cpu-time" => options.clock = Clock::Processor,
                "--page" => options.page = Some(value()?.into()),
                "--module" => options.modules.push(value()?.into()),
                _ if arg.starts_with('-') => return Err(format!("unknown option {arg}").into()),
                _ => options.filter = arg,
            }
        }
        match (options.clock, &options.page) {
            (Clock::Processor, Some(_)) => Err("the page has no processor time".into()),
            _ => Ok(Some(options)),
        }
    }
}
