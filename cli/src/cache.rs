//! `precast cache`: looks after the folder of compiled modules; and how other commands use it.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use precast::cache::{self, Cache, Fingerprint, Options, Pruned, Usage, Verify};
use precast::{Config, Runtime};

/// The variable that names the folder.
const VARIABLE: &str = "PRECAST_CACHE_DIR";

/// How a command that compiles uses the cache.
#[derive(Args)]
pub(crate) struct CacheOptions {
    /// Compile anew, and keep nothing.
    #[arg(long)]
    no_cache: bool,

    /// How much of a cached module is checked before it runs: all of it, or header and metadata.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Full)]
    cache_verify: Level,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    /// Every byte.
    Full,
    /// Header and metadata, for who trusts their disk.
    Header,
}

impl CacheOptions {
    /// Adds the user's cache. A folder that cannot be used is no reason not to run a program; one
    /// that somebody else controls is, if the user asked for that folder.
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

/// Prints to standard error; nobody is left to tell if that fails.
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
`precast run` keeps the modules it compiled in a folder, and the next time maps them from there. The
folder is PRECAST_CACHE_DIR, else precast in XDG_CACHE_HOME, else ~/.cache/precast. It keeps itself
within its bounds and replaces what is damaged: nothing here ever has to be done.

Examples:
  precast cache path             where it is
  precast cache stats            what it holds
  precast cache verify           check every byte
  precast cache prune            remove what older versions left
  precast cache prune --max-bytes 100000000
  precast cache clean            remove everything";

#[derive(Subcommand)]
enum Action {
    /// Print where the folder is.
    Path,
    /// Print what the folder holds and what became of it.
    Stats,
    /// Check every byte of every entry, and remove those that are damaged. Exits with 1 if there
    /// were any.
    Verify,
    /// Remove every entry.
    Clean,
    /// Remove entries of other versions, and the least recently used ones beyond the bounds.
    Prune(Prune),
}

#[derive(Args)]
struct Prune {
    /// Most bytes to keep.
    #[arg(long, value_name = "BYTES")]
    max_bytes: Option<u64>,

    /// Most entries to keep.
    #[arg(long, value_name = "COUNT")]
    max_entries: Option<u64>,
}

impl CacheCommand {
    /// Carries out the action.
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
                writeln!(stdout, "{whole} whole, {damaged} damaged")?;
            }
            Action::Clean => removed(&mut stdout, cache.clean())?,
            Action::Prune(_) => removed(&mut stdout, cache.prune(Some(&current())))?,
        }
        stdout.flush()?;
        Ok(code)
    }
}

/// What this version of precast makes.
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
