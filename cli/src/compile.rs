//! `precast compile`: compiles a module to an artifact.

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

    /// The file for the artifact. It is replaced in one step, or not at all.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// The target: x86_64 or aarch64, optionally with CPU features beyond the baseline, as in
    /// aarch64+lse. Default: this machine, with all features of its CPU.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,

    /// The CPU of the target: that of this machine, the minimum that precast needs, or a level of
    /// x86-64. With --target the default is `baseline`.
    #[arg(long, value_name = "CPU")]
    cpu: Option<Cpu>,

    /// Compile code that counts the operators that it executes, for `run --fuel`.
    #[arg(long)]
    fuel: bool,

    #[command(flatten)]
    code: CodeOptions,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cpu {
    /// All features of this machine's CPU.
    Native,
    /// The minimum that precast needs: x86-64-v2, or any 64-bit ARM.
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
An artifact contains native code for one version of precast and one kind of CPU. Others refuse it.

It is sealed with a key that only you can read. The key is in the folder PRECAST_STATE_DIR, or
XDG_STATE_HOME/precast, or ~/.local/state/precast. `precast run` runs unchanged artifacts with your
seal; all others need `precast run --allow-precompiled`.

Examples:
  precast compile app.wasm -o app.precast && precast run app.precast
  precast compile app.wasm -o app.precast --cpu x86-64-v3
  precast compile app.wasm -o app.precast --target aarch64";

impl Compile {
    /// Compiles the module and writes the artifact.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        let input::Input::Wasm(wasm, _) = input::read(&self.file)? else {
            bail!("{}: this is already an artifact", self.file.display());
        };
        let target = self.target()?;
        let config = self.code.configure(Config::new()).fuel(self.fuel);
        let runtime = Runtime::with_config(progress::with_bar(config));
        let artifact = match self.key()? {
            Some(key) => runtime.precompile_sealed(&wasm, target, &key),
            None => runtime.precompile_for(&wasm, target),
        };
        let artifact = artifact.with_context(|| self.file.display().to_string())?;
        publish(&self.output, &artifact)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    /// The key for the seal. If there is none, the artifact has no seal, with a warning. It is an
    /// error if the user named the folder of the key and another user controls it.
    fn key(&self) -> Result<Option<SealKey>> {
        match state::key_or_new() {
            Ok(key) => Ok(Some(key)),
            Err(error) if error.is_unsafe && state::is_named() => Err(error.into()),
            Err(error) => {
                let output = self.output.display();
                // An error of standard error cannot be reported.
                let _ = writeln!(
                    io::stderr(),
                    "warning: {output} is not sealed, so `run` will need --allow-precompiled: {error}"
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
                bail!("`--cpu native` is this machine's CPU and does not fit another target")
            }
            ("x86_64", Some(Cpu::V2)) => "x86-64-v2".parse()?,
            ("x86_64", Some(Cpu::V3)) => "x86-64-v3".parse()?,
            ("x86_64", Some(Cpu::V4)) => "x86-64-v4".parse()?,
            (name, _) => bail!("this is a CPU of x86_64, not of {name}"),
        })
    }
}

/// Replaces the file at `path` in one step. The old file is not changed, because a running process
/// may have mapped it.
fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // A pipe or a device must not be replaced, and is never mapped.
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // If this fails too, the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Creates a file with the contents `bytes` and waits until it is on disk.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Only the owner can write: `run` copies files to which others can write.
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
