//! `precast compile`: compiles a module to an artifact.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use precast::{Config, Runtime, Target};

use crate::code::CodeOptions;
use crate::{input, output, progress};

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
        let artifact = match output::key(&self.output)? {
            Some(key) => runtime.precompile_sealed(&wasm, target, &key),
            None => runtime.precompile_for(&wasm, target),
        };
        let artifact = artifact.with_context(|| self.file.display().to_string())?;
        output::publish(&self.output, &artifact)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        Ok(ExitCode::SUCCESS)
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
