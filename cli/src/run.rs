//! `precast run`: links a program with what its arguments grant it, and runs it.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use clap::Args;
use precast::{CompiledModule, Config, ExternType, Instance, Linker, Namespace, Runtime, wasi};

use crate::cache::CacheOptions;
use crate::code::CodeOptions;
use crate::consent::Consent;
use crate::dir::Dir;
use crate::imports::{self, UnknownImports};
use crate::stack::StackOptions;
use crate::{input, progress, values};

/// Arguments of `precast run`.
#[derive(Args)]
#[command(
    override_usage = "precast run [OPTIONS] FILE [ARGS]...",
    after_help = EXAMPLES,
)]
pub(crate) struct Run {
    /// Let the program see a directory, under its own name or as GUEST; `:ro` forbids writing.
    /// May be given again.
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro]")]
    dirs: Vec<Dir>,

    /// Let the program see an empty directory in memory, as GUEST, also where that lies in a
    /// directory it sees. May be given again.
    #[arg(long = "tmpfs", value_name = "GUEST")]
    tmpfs: Vec<OsString>,

    /// Set an environment variable, or hand on the one of this name. May be given again.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    env: Vec<EnvVar>,

    /// Hand on all environment variables.
    #[arg(long)]
    inherit_env: bool,

    /// Let the program accept connections to this address, as the next descriptor after its
    /// directories: 3 if there is none. May be given again.
    #[arg(long = "listen", value_name = "HOST:PORT")]
    listeners: Vec<String>,

    /// Print every WASI call, its arguments, result and time, to standard error or into FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    trace: Option<Option<PathBuf>>,

    /// The program's name for itself; the file's name otherwise.
    #[arg(long, value_name = "NAME")]
    argv0: Option<OsString>,

    /// Call this function with ARGS, by its parameters' types, and print its results.
    #[arg(long, value_name = "NAME")]
    invoke: Option<String>,

    /// Instantiate a module first, for the program to import from. May be given again.
    #[arg(long = "preload", value_name = "NAME=FILE")]
    preloads: Vec<Preload>,

    /// Link functions that nothing defines: trap when one is called, or answer zeros.
    #[arg(long, value_name = "POLICY")]
    unknown_imports: Option<UnknownImports>,

    #[command(flatten)]
    stack: StackOptions,

    #[command(flatten)]
    consent: Consent,

    #[command(flatten)]
    cache: CacheOptions,

    #[command(flatten)]
    code: CodeOptions,

    /// The program (.wasm, .wat or an artifact, told apart by content), then its arguments.
    #[arg(value_name = "FILE", required = true, trailing_var_arg = true)]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
A program sees no file, no environment variable and no argument but what is granted here.
Everything after FILE belongs to it.

Examples:
  precast run --dir . wc.wasm README.md            the current directory, as \".\"
  precast run --dir /srv/data::/data:ro sum.wasm   a directory as /data, read-only
  precast run --dir a::/ --tmpfs /tmp app.wasm     a directory as /, with /tmp in memory
  precast run --env LANG=C --env HOME app.wasm     one variable set, one handed on
  precast run --listen 127.0.0.1:8080 server.wasm  a listening socket as descriptor 3
  precast run --trace=calls.txt app.wasm           every WASI call, as strace shows them
  precast run --invoke add add.wat 2 3             call one function
  precast run --preload math=math.wasm app.wasm    link two modules
  precast run --no-cache app.wasm                  compile it, and keep nothing

An artifact is native code: it runs if your own `precast compile` made it, and any other only with
--allow-precompiled, as no sandbox holds it back.

In HOST[::GUEST] the last \"::\" separates, so HOST may contain colons.

The exit code is the program's; 134 after a trap; 1 for other errors; 2 for wrong usage.";

/// `NAME=VALUE`, or `NAME` to hand on what the host has.
#[derive(Clone)]
struct EnvVar {
    name: String,
    value: Option<String>,
}

impl FromStr for EnvVar {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        Ok(EnvVar { name: name.to_owned(), value })
    }
}

/// A module that others import from by `name`.
#[derive(Clone)]
struct Preload {
    name: String,
    file: PathBuf,
}

impl FromStr for Preload {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, file) = text.split_once('=').ok_or("expected NAME=FILE")?;
        Ok(Preload { name: name.to_owned(), file: file.into() })
    }
}

impl Run {
    /// Runs the program; the exit code is its own.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        self.stack.run(|| self.run())
    }

    fn run(&self) -> Result<ExitCode> {
        let config = self.stack.configure(self.code.configure(Config::new()));
        let config = self.cache.configure(config)?;
        let runtime = Runtime::with_config(progress::with_bar(config));
        let mut namespace = runtime.namespace();
        let modules = self.modules(&runtime)?;
        let mut linker = Linker::new(&runtime);
        // A preloaded module may define what WASI or a module before it does.
        linker.allow_shadowing(true);
        self.link_wasi(&mut linker, &modules)?;

        let [preloaded @ .., (file, program)] = modules.as_slice() else {
            unreachable!("the program is always there");
        };
        for (preload, (file, module)) in self.preloads.iter().zip(preloaded) {
            self.instantiate(&mut namespace, &mut linker, module)
                .and_then(|instance| {
                    Ok(linker.instance(&namespace, &preload.name, instance).map(drop)?)
                })
                .with_context(|| file.display().to_string())?;
        }
        self.instantiate(&mut namespace, &mut linker, program)
            .and_then(|instance| self.start(&mut namespace, program, instance))
            .with_context(|| file.display().to_string())?;
        Ok(ExitCode::SUCCESS)
    }

    fn file(&self) -> &Path {
        Path::new(&self.command[0])
    }

    fn args(&self) -> &[OsString] {
        &self.command[1..]
    }

    /// Every module to be instantiated with its file, in that order; the program is the last.
    fn modules(&self, runtime: &Runtime) -> Result<Vec<(&Path, CompiledModule)>> {
        let preloads = self.preloads.iter().map(|preload| preload.file.as_path());
        preloads
            .chain([self.file()])
            .map(|file| Ok((file, input::module(runtime, file, &self.consent)?)))
            .collect()
    }

    /// Defines WASI if a module asks for it: a program that computes only starts faster.
    fn link_wasi(&self, linker: &mut Linker, modules: &[(&Path, CompiledModule)]) -> Result<()> {
        let imports: Vec<_> = modules.iter().flat_map(|(_, module)| module.imports()).collect();
        let wanted = |name: &str| imports.iter().any(|import| import.module == name);
        let (preview1, preview0) = (wanted(wasi::MODULE_NAME), wanted(wasi::MODULE_NAME_PREVIEW0));
        if !preview1 && !preview0 {
            return Ok(());
        }
        let mut builder = wasi::Builder::new().inherit_stdio().arg(self.argv0()).args(self.args());
        if self.inherit_env {
            builder = builder.inherit_env();
        }
        for EnvVar { name, value } in &self.env {
            let value = value.as_ref().map(OsString::from).or_else(|| std::env::var_os(name));
            if let Some(value) = value {
                builder = builder.env(name, value);
            }
        }
        for Dir { host, guest, read_only } in &self.dirs {
            builder = if *read_only {
                builder.read_only_dir(host, guest)
            } else {
                builder.dir(host, guest)
            };
        }
        for guest in &self.tmpfs {
            builder = builder.memory_dir(guest);
        }
        for address in &self.listeners {
            builder = builder.socket(listen(address)?);
        }
        if let Some(file) = &self.trace {
            builder = builder.trace(trace(file.as_deref())?);
        }
        if preview0 {
            let module = builder.clone().preview0(true).compile(linker.runtime())?;
            linker.host(&module)?;
        }
        if preview1 {
            let module = builder.compile(linker.runtime())?;
            linker.host(&module)?;
        }
        Ok(())
    }

    fn argv0(&self) -> &OsStr {
        let name = self.file().file_name().unwrap_or(self.file().as_os_str());
        self.argv0.as_deref().unwrap_or(name)
    }

    /// Instantiates a module and lets a reactor initialize itself.
    fn instantiate(
        &self,
        namespace: &mut Namespace,
        linker: &mut Linker,
        module: &CompiledModule,
    ) -> Result<Instance> {
        imports::supply(linker, module, self.unknown_imports)?;
        let instance = linker.instantiate(namespace, module)?;
        if module.export("_start").is_none() && module.export("_initialize").is_some() {
            call(namespace, instance, "_initialize")?;
        }
        Ok(instance)
    }

    /// Calls the function asked for, or `_start`.
    fn start(
        &self,
        namespace: &mut Namespace,
        module: &CompiledModule,
        instance: Instance,
    ) -> Result<()> {
        if let Some(name) = &self.invoke {
            return self.invoke(namespace, module, instance, name);
        }
        if module.export("_start").is_none() {
            bail!("no `_start` to run{}", functions_to_invoke(module));
        }
        call(namespace, instance, "_start")
    }

    fn invoke(
        &self,
        namespace: &mut Namespace,
        module: &CompiledModule,
        instance: Instance,
        name: &str,
    ) -> Result<()> {
        let Some(ExternType::Func(ty)) = module.export(name) else {
            bail!("no function `{name}` to invoke{}", functions_to_invoke(module));
        };
        let args = values::parse_all(&ty, self.args())?;
        let results = instance.call(namespace, name, &args)?;
        let mut stdout = io::stdout().lock();
        for result in &results {
            writeln!(stdout, "{}", values::show(result))?;
        }
        Ok(stdout.flush()?)
    }
}

/// A socket that listens on `address`. With port 0 the host chooses one, and the user is told.
fn listen(address: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| address.to_owned())?;
    if address.ends_with(":0") {
        eprintln!("listening on {}", listener.local_addr()?);
    }
    Ok(listener)
}

/// Where a trace goes: into `file`, or to standard error.
fn trace(file: Option<&Path>) -> Result<wasi::Output> {
    let Some(path) = file else { return Ok(wasi::Output::inherit()) };
    let file = File::create(path).with_context(|| path.display().to_string())?;
    Ok(wasi::Output::writer(file))
}

/// Calls a function that takes nothing and gives nothing.
fn call(namespace: &mut Namespace, instance: Instance, name: &str) -> Result<()> {
    let function =
        instance.typed::<(), ()>(namespace, name).with_context(|| format!("`{name}`"))?;
    Ok(function.call(namespace, ())?)
}

/// A hint for who named none or the wrong one.
fn functions_to_invoke(module: &CompiledModule) -> String {
    const SHOWN: usize = 10;
    let exports = module.exports().into_iter();
    let mut names: Vec<String> = exports
        .filter(|export| matches!(export.ty, ExternType::Func(_)))
        .map(|export| export.name)
        .collect();
    if names.is_empty() {
        return String::new();
    }
    names.sort();
    if names.len() > SHOWN {
        names.truncate(SHOWN);
        names.push("...".to_owned());
    }
    format!("; --invoke takes one of: {}", names.join(", "))
}
