//! `precast cache`, and the options with which other commands use the cache.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use precast::cache::{self, Cache, Fingerprint, Options, Pruned, Usage, Verify};
use precast::{Config, Runtime};

/// The variable that names the folder.
const VARIABLE: &str = "PRECAST_CACHE_DIR";

/// Options for the use of the cache.
#[derive(Args)]
pub(crate) struct CacheOptions {
    /// Compile without the cache.
    #[arg(long)]
    no_cache: bool,

    /// The part of a cached module that is checked before it runs.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Full)]
    cache_verify: Level,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    /// Every byte.
    Full,
    /// The header and metadata. Damage of the disk in other parts is not detected.
    Header,
}

impl CacheOptions {
    /// Adds the user's cache. A folder that cannot be used is a warning. It is an error if the user
    /// named the folder and another user controls it.
    pub(crate) fn configure(&self, config: Config) -> Result<Config> {
        if self.no_cache {
            return Ok(config);
        }
        let Some(path) = cache::default_path() else { return Ok(config) };
        let level = match self.cache_verify {
            Level::Full => Verify::Full,
            Level::Header => Verify::Header,
        };
        let options = Options::new().verify(level).on_warning(warn);
        match options.open(path) {
            Ok(cache) => Ok(config.cache(cache)),
            Err(error) if error.is_unsafe() && is_named() => Err(error.into()),
            Err(error) => {
                warn(&format!("{error}; compiling without it"));
                Ok(config)
            }
        }
    }
}

fn is_named() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
}

/// Prints to standard error. An error of standard error cannot be reported.
fn warn(line: &str) {
    let _ = writeln!(io::stderr(), "warning: {line}");
}

/// Arguments of `precast cache`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CacheCommand {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "\
`precast run` keeps compiled modules in a folder, and maps them the next time. The folder is
PRECAST_CACHE_DIR, or XDG_CACHE_HOME/precast, or ~/.cache/precast. The cache limits its own size and
replaces damaged entries, so it needs no maintenance.

Examples:
  precast cache path             print the folder
  precast cache stats            print the number and size of entries
  precast cache verify           check every byte
  precast cache prune            remove entries of other versions
  precast cache prune --max-bytes 100000000
  precast cache clean            remove everything";

#[derive(Subcommand)]
enum Action {
    /// Print the path of the folder.
    Path,
    /// Print the number and size of entries, and counts of published, replaced and evicted ones.
    Stats,
    /// Check every byte of every entry, and remove damaged entries. The exit code is 1 if there are
    /// any.
    Verify,
    /// Remove every entry.
    Clean,
    /// Remove entries of other versions, and the least recently used ones that exceed the limits.
    Prune(Prune),
}

#[derive(Args)]
struct Prune {
    /// The maximum total size.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,

    /// The maximum number of entries.
    #[arg(long, value_name = "COUNT")]
    max_entries: Option<u64>,
}

impl CacheCommand {
    /// Runs the action.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        let Some(path) = cache::default_path() else {
            bail!("there is no cache: none of {VARIABLE}, XDG_CACHE_HOME and HOME is set");
        };
        let mut stdout = io::stdout().lock();
        if let Action::Path = self.action {
            writeln!(stdout, "{}", path.display())?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut options = Options::new().on_warning(warn);
        if let Action::Prune(prune) = &self.action {
            options = match prune.max_bytes {
                Some(bytes) => options.max_bytes(bytes),
                None => options,
            };
            options = match prune.max_entries {
                Some(entries) => options.max_entries(entries),
                None => options,
            };
        }
        let cache = options.open(path)?;
        let mut code = ExitCode::SUCCESS;
        match self.action {
            Action::Path => {}
            Action::Stats => stats(&mut stdout, &cache, &cache.usage(Some(&current())))?,
            Action::Verify => {
                let verified = cache.verify().context("the cache cannot be checked")?;
                for path in &verified.damaged {
                    writeln!(stdout, "damaged: {path}")?;
                    code = ExitCode::FAILURE;
                }
                let (whole, damaged) = (verified.whole, verified.damaged.len());
                writeln!(stdout, "{whole} intact, {damaged} damaged")?;
            }
            Action::Clean => removed(&mut stdout, cache.clean())?,
            Action::Prune(_) => removed(&mut stdout, cache.prune(Some(&current())))?,
        }
        stdout.flush()?;
        Ok(code)
    }
}

/// The fingerprint of entries of this version.
fn current() -> Fingerprint {
    Runtime::new().fingerprint()
}

fn stats(out: &mut impl Write, cache: &Cache, usage: &Usage) -> Result<()> {
    writeln!(out, "path       {}", cache.path().display())?;
    writeln!(out, "entries    {} of {}", usage.entries, usage.max_entries)?;
    writeln!(out, "bytes      {} of {}", usage.bytes, usage.max_bytes)?;
    writeln!(out, "old        {} entries, {} bytes", usage.old_entries, usage.old_bytes)?;
    writeln!(out, "published  {}", usage.published)?;
    writeln!(out, "replaced   {}", usage.refused)?;
    writeln!(out, "evicted    {}", usage.evicted)?;
    Ok(())
}

fn removed(out: &mut impl Write, pruned: Pruned) -> Result<()> {
    writeln!(out, "removed {} entries, {} bytes", pruned.entries, pruned.bytes)?;
    Ok(())
}
