//! `precast compile`: from a module to an artifact.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use precast::{Config, Runtime};

use super::{input, progress};

/// Arguments of `precast compile`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Compile {
    /// The module, .wasm or .wat.
    file: PathBuf,

    /// Where the artifact goes. It appears there whole or not at all.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// The machine to compile for: x86_64 or aarch64, with the CPU features it has besides the
    /// floor, as in aarch64+lse. `host` is this one with all its CPU can do.
    #[arg(long, value_name = "MACHINE", default_value = "host")]
    target: String,
}

const EXAMPLES: &str = "\
An artifact holds native code for this version of precast and this kind of CPU; anywhere else it is
refused, not misread. Whoever can write an artifact decides what code runs: keep them as safe as
programs.

Examples:
  precast compile app.wasm -o app.precast && precast run app.precast
  precast compile --target aarch64 app.wasm -o app.aarch64.precast";

impl Compile {
    /// Compiles, then publishes the artifact.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        let input::Input::Wasm(wasm) = input::read(&self.file)? else {
            bail!("{}: this is an artifact already", self.file.display());
        };
        let runtime = Runtime::with_config(progress::with_bar(Config::new()));
        let artifact = runtime
            .compile_for(&self.target, &wasm)
            .with_context(|| self.file.display().to_string())?;
        publish(&self.output, &artifact)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        Ok(ExitCode::SUCCESS)
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
    let mut file = File::create_new(path)?;
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
