//! `precast compile`: from a module to an artifact.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use precast::{Config, Runtime, SealKey, Target};

use crate::code::CodeOptions;
use crate::{input, progress, state};

/// Arguments of `precast compile`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Compile {
    /// The module, .wasm or .wat.
    file: PathBuf,

    /// Where the artifact goes. It appears there whole or not at all.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// The machine to compile for: x86_64 or aarch64, with the CPU features it has besides those
    /// every such machine has that precast runs on, as in aarch64+lse. This machine otherwise,
    /// with all its CPU can do.
    #[arg(long, value_name = "MACHINE")]
    target: Option<String>,

    /// The CPU to compile for: this machine's, the least that precast runs on, or a level of
    /// x86-64. For a named machine, `baseline` is the default.
    #[arg(long, value_name = "CPU")]
    cpu: Option<Cpu>,

    #[command(flatten)]
    code: CodeOptions,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cpu {
    /// All that this machine's CPU can do.
    Native,
    /// The least that precast runs on: x86-64-v2, or any 64-bit ARM.
    Baseline,
    /// SSE4.2 and POPCNT.
    #[value(name = "x86-64-v2")]
    V2,
    /// AVX2, BMI and FMA.
    #[value(name = "x86-64-v3")]
    V3,
    /// AVX-512.
    #[value(name = "x86-64-v4")]
    V4,
}

const EXAMPLES: &str = "\
An artifact holds native code for this version of precast and this kind of CPU; anywhere else it is
refused, not misread.

It is sealed with a key that only you can read, in PRECAST_STATE_DIR, else precast in
XDG_STATE_HOME, else ~/.local/state/precast. `precast run` executes what has your seal and was not
changed since; anything else needs consent: `precast run --allow-precompiled`.

Examples:
  precast compile app.wasm -o app.precast && precast run app.precast
  precast compile app.wasm -o app.precast --cpu x86-64-v3
  precast compile app.wasm -o app.precast --target aarch64";

impl Compile {
    /// Compiles, then publishes the artifact.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        let input::Input::Wasm(wasm, _) = input::read(&self.file)? else {
            bail!("{}: this is an artifact already", self.file.display());
        };
        let target = self.target()?;
        let runtime = Runtime::with_config(progress::with_bar(self.code.configure(Config::new())));
        let artifact = match self.key()? {
            Some(key) => runtime.precompile_sealed(&wasm, target, &key),
            None => runtime.precompile_for(&wasm, target),
        };
        let artifact = artifact.with_context(|| self.file.display().to_string())?;
        publish(&self.output, &artifact)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The key to seal with. Without one, the artifact is as good as any from elsewhere; that
    /// somebody else controls the folder which the user has named is an error.
    fn key(&self) -> Result<Option<SealKey>> {
        match state::key_or_new() {
            Ok(key) => Ok(Some(key)),
            Err(error) if error.is_unsafe && state::is_named() => Err(error.into()),
            Err(error) => {
                let output = self.output.display();
                // Nobody is left to tell if that fails.
                let _ = writeln!(
                    io::stderr(),
                    "warning: {output} is not sealed, so `run` will want --allow-precompiled: {error}"
                );
                Ok(None)
            }
        }
    }

    fn target(&self) -> Result<Target> {
        let here = std::env::consts::ARCH;
        let machine = self.target.as_deref();
        Ok(match (machine.unwrap_or(here), self.cpu) {
            (_, None) if machine.is_none() => Target::Host,
            (name, None | Some(Cpu::Baseline)) => name.parse()?,
            (name, Some(Cpu::Native)) if name == here => Target::Host,
            (_, Some(Cpu::Native)) => {
                bail!("`--cpu native` is this machine's CPU, of another target")
            }
            ("x86_64", Some(Cpu::V2)) => "x86-64-v2".parse()?,
            ("x86_64", Some(Cpu::V3)) => "x86-64-v3".parse()?,
            ("x86_64", Some(Cpu::V4)) => "x86-64-v4".parse()?,
            (name, _) => bail!("that is a CPU of x86_64, not of {name}"),
        })
    }
}

/// Writes `bytes` to `path` in one step for whoever looks: a running process may have the old
/// file mapped, so it is replaced and never changed.
fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // A pipe or a device cannot be replaced, and is not mapped.
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: the error that matters is the one above.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Creates a file that holds `bytes`, on disk before this returns.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // As a program: a file that others can write to would be copied whenever it is run.
    let mut file = File::options().write(true).create_new(true).mode(0o644).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::publish;
    use std::fs;

    #[test]
    fn replaces_and_leaves_nothing_else() {
        let dir = std::env::temp_dir().join(format!("precast-publish-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("out");
        publish(&path, b"one").unwrap();
        publish(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert!(publish(&dir.join("missing/out"), b"x").is_err());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::remove_dir_all(&dir).unwrap();
    }
}
