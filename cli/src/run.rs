//! `precast run`: links a program with the resources that the arguments grant, and runs it.

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
use crate::limits::LimitOptions;
use crate::stack::StackOptions;
use crate::{input, progress, values};

/// Arguments of `precast run`.
#[derive(Args)]
#[command(
    override_usage = "precast run [OPTIONS] FILE [ARGS]...",
    after_help = EXAMPLES,
)]
pub(crate) struct Run {
    /// Grant access to a directory, under its own name or as GUEST; `:ro` forbids writing. May be
    /// repeated.
    #[arg(long = "dir", value_name = "HOST[::GUEST][:ro]")]
    dirs: Vec<Dir>,

    /// Grant access to an empty directory in memory, as GUEST, which may lie in a directory that
    /// --dir grants. May be repeated.
    #[arg(long = "tmpfs", value_name = "GUEST")]
    tmpfs: Vec<OsString>,

    /// Set an environment variable, or pass on the host's variable NAME. May be repeated.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    env: Vec<EnvVar>,

    /// Pass on all environment variables of the host.
    #[arg(long)]
    inherit_env: bool,

    /// Let the program accept connections to this address. The socket is the next descriptor after
    /// the directories: 3 if there are none. May be repeated.
    #[arg(long = "listen", value_name = "HOST:PORT")]
    listeners: Vec<String>,

    /// Print every WASI call with its arguments, result and time to standard error, or to FILE.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    trace: Option<Option<PathBuf>>,

    /// The first argument of the program (argv[0]). Default: the name of the file.
    #[arg(long, value_name = "NAME")]
    argv0: Option<OsString>,

    /// Call this exported function and print its results. ARGS are parsed by the types of its
    /// parameters.
    #[arg(long, value_name = "NAME")]
    invoke: Option<String>,

    /// Instantiate the module in FILE first; the program imports from it as NAME. May be repeated.
    #[arg(long = "preload", value_name = "NAME=FILE")]
    preloads: Vec<Preload>,

    /// Link undefined functions, which trap when called, or return zeros. Default: an error.
    #[arg(long, value_name = "POLICY")]
    unknown_imports: Option<UnknownImports>,

    #[command(flatten)]
    stack: StackOptions,

    #[command(flatten)]
    limits: LimitOptions,

    #[command(flatten)]
    consent: Consent,

    #[command(flatten)]
    cache: CacheOptions,

    #[command(flatten)]
    code: CodeOptions,

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

/// `NAME=VALUE`, or `NAME` for the host's variable.
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

/// A module from which others import as `name`.
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
    /// Runs the program. Its exit code is an error, which `report` handles.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        self.stack.run(|| self.run())
    }

    fn run(&self) -> Result<ExitCode> {
        let config = self.stack.configure(self.code.configure(Config::new()));
        let config = self.limits.configure(config);
        let config = self.cache.configure(config)?;
        let runtime = Runtime::with_config(progress::with_bar(config));
        let mut namespace = runtime.namespace();
        let modules = self.modules(&runtime)?;
        let mut linker = Linker::new(&runtime);
        // A preloaded module may replace definitions of WASI or of modules before it.
        linker.allow_shadowing(true);
        self.link_wasi(&mut linker, &modules)?;

        self.limits
            .run(&mut namespace, |namespace| self.run_modules(namespace, &mut linker, &modules))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Instantiates all modules, and starts the last.
    fn run_modules(
        &self,
        namespace: &mut Namespace,
        linker: &mut Linker,
        modules: &[(&Path, CompiledModule)],
    ) -> Result<()> {
        let [preloaded @ .., (file, program)] = modules else {
            unreachable!("the program is always there");
        };
        for (preload, (file, module)) in self.preloads.iter().zip(preloaded) {
            self.instantiate(namespace, linker, module)
                .and_then(|instance| {
                    Ok(linker.instance(namespace, &preload.name, instance).map(drop)?)
                })
                .with_context(|| file.display().to_string())?;
        }
        self.instantiate(namespace, linker, program)
            .and_then(|instance| self.start(namespace, program, instance))
            .with_context(|| file.display().to_string())
    }

    fn file(&self) -> &Path {
        Path::new(&self.command[0])
    }

    fn args(&self) -> &[OsString] {
        &self.command[1..]
    }

    /// The modules to instantiate, in this order, with their files. The program is the last.
    fn modules(&self, runtime: &Runtime) -> Result<Vec<(&Path, CompiledModule)>> {
        let preloads = self.preloads.iter().map(|preload| preload.file.as_path());
        preloads
            .chain([self.file()])
            .map(|file| Ok((file, input::module(runtime, file, &self.consent)?)))
            .collect()
    }

    /// Defines WASI if a module imports it. Programs without it start faster.
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

    /// Instantiates a module, and calls `_initialize` if it is a reactor.
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

    /// Calls the function of `--invoke`, or `_start`.
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

/// A socket that listens on `address`. For port 0, prints the port that the host chose.
fn listen(address: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| address.to_owned())?;
    if address.ends_with(":0") {
        eprintln!("listening on {}", listener.local_addr()?);
    }
    Ok(listener)
}

/// The destination of a trace: `file`, or standard error.
fn trace(file: Option<&Path>) -> Result<wasi::Output> {
    let Some(path) = file else { return Ok(wasi::Output::inherit()) };
    let file = File::create(path).with_context(|| path.display().to_string())?;
    Ok(wasi::Output::writer(file))
}

/// Calls a function without parameters and results.
fn call(namespace: &mut Namespace, instance: Instance, name: &str) -> Result<()> {
    let function =
        instance.typed::<(), ()>(namespace, name).with_context(|| format!("`{name}`"))?;
    Ok(function.call(namespace, ())?)
}

/// A hint with the names of functions, for an error message.
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
