//! `precast run`: runs a program.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use precast::{CompiledModule, Instance, Namespace};

use crate::program::{self, Program, ProgramOptions};

/// Arguments of `precast run`.
#[derive(Args)]
#[command(
    override_usage = "precast run [OPTIONS] FILE [ARGS]...",
    after_help = EXAMPLES,
)]
pub(crate) struct Run {
    #[command(flatten)]
    options: ProgramOptions,

    /// The program (.wasm, .wat or an artifact, distinguished by content), then its arguments.
    #[arg(value_name = "FILE", required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
A program has access only to files, environment variables and sockets that the options grant.
Everything after FILE is passed to the program.

Examples:
  precast run --dir . wc.wasm README.md            the current directory, as \".\"
  precast run --dir /srv/data::/data:ro sum.wasm   a directory as /data, read-only
  precast run --dir a::/ --tmpfs /tmp app.wasm     a directory as /, with /tmp in memory
  precast run --env LANG=C --env HOME app.wasm     set one variable, pass on another
  precast run --listen 127.0.0.1:8080 server.wasm  a listening socket as descriptor 3
  precast run --trace=calls.txt app.wasm           write every WASI call to a file
  precast run --invoke add add.wat 2 3             call one function
  precast run --preload math=math.wasm app.wasm    link two modules
  precast run --no-cache app.wasm                  compile without the cache
  precast run --timeout 2s --max-memory 64MiB app.wasm
                                                   stop it after 2 s, limit its memory

An artifact is native code, which no sandbox confines. `run` accepts artifacts that your own
`precast compile` made, and others only with --allow-precompiled.

HOST may contain colons: the last \"::\" separates it from GUEST.

The exit code is that of the program; 134 after a trap; 124 after --timeout; 1 for other errors; 2
for wrong usage.";

impl Run {
    /// Runs the program. Its exit code is an error, which `report` handles.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        let program = Program { options: &self.options, command: &self.command };
        program.with_instance(|namespace, module, instance| {
            start(&program, namespace, module, instance)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Calls the function of `--invoke`, or `_start`.
fn start(
    program: &Program<'_>,
    namespace: &mut Namespace,
    module: &CompiledModule,
    instance: Instance,
) -> Result<()> {
    if program.invoke(namespace, module, instance)? {
        return Ok(());
    }
    if module.export("_start").is_none() {
        bail!("no `_start` to run{}", program::functions_to_invoke(module));
    }
    program::call(namespace, instance, "_start")
}
