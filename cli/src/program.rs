//! A program on the command line: its modules, the resources that the arguments grant, and its start.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
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

/// What a program is granted, and how it is linked.
#[derive(Args)]
pub(crate) struct ProgramOptions {
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
}

/// A program with its arguments.
pub(crate) struct Program<'a> {
    pub(crate) options: &'a ProgramOptions,
    /// The file, then the arguments.
    pub(crate) command: &'a [OsString],
}

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

impl Program<'_> {
    /// Instantiates all modules on a thread with enough stack, and gives the program's instance to `work`.
    pub(crate) fn with_instance<T: Send>(
        &self,
        work: impl FnOnce(&mut Namespace, &CompiledModule, Instance) -> Result<T> + Send,
    ) -> Result<T> {
        self.options.stack.run(|| self.link(work))
    }

    fn link<T>(
        &self,
        work: impl FnOnce(&mut Namespace, &CompiledModule, Instance) -> Result<T>,
    ) -> Result<T> {
        let config = self.options.stack.configure(self.options.code.configure(Config::new()));
        let config = self.options.limits.configure(config);
        let config = self.options.cache.configure(config)?;
        let runtime = Runtime::with_config(progress::with_bar(config));
        let mut namespace = runtime.namespace();
        let modules = self.modules(&runtime)?;
        let mut linker = Linker::new(&runtime);
        // A preloaded module may replace definitions of WASI or of modules before it.
        linker.allow_shadowing(true);
        self.link_wasi(&mut linker, &modules)?;
        self.options.limits.run(&mut namespace, |namespace| {
            self.instantiate_all(namespace, &mut linker, &modules, work)
        })
    }

    /// Instantiates all modules, and gives the last to `work`.
    fn instantiate_all<T>(
        &self,
        namespace: &mut Namespace,
        linker: &mut Linker,
        modules: &[(&Path, CompiledModule)],
        work: impl FnOnce(&mut Namespace, &CompiledModule, Instance) -> Result<T>,
    ) -> Result<T> {
        let [preloaded @ .., (file, program)] = modules else {
            unreachable!("the program is always there");
        };
        for (preload, (file, module)) in self.options.preloads.iter().zip(preloaded) {
            self.instantiate(namespace, linker, module)
                .and_then(|instance| {
                    Ok(linker.instance(namespace, &preload.name, instance).map(drop)?)
                })
                .with_context(|| file.display().to_string())?;
        }
        self.instantiate(namespace, linker, program)
            .and_then(|instance| work(namespace, program, instance))
            .with_context(|| file.display().to_string())
    }

    /// The file of the program.
    pub(crate) fn file(&self) -> &Path {
        Path::new(&self.command[0])
    }

    fn args(&self) -> &[OsString] {
        &self.command[1..]
    }

    /// The modules to instantiate, in this order, with their files. The program is the last.
    fn modules(&self, runtime: &Runtime) -> Result<Vec<(&Path, CompiledModule)>> {
        let preloads = self.options.preloads.iter().map(|preload| preload.file.as_path());
        preloads
            .chain([self.file()])
            .map(|file| Ok((file, input::module(runtime, file, &self.options.consent)?)))
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
        if self.options.inherit_env {
            builder = builder.inherit_env();
        }
        for EnvVar { name, value } in &self.options.env {
            let value = value.as_ref().map(OsString::from).or_else(|| std::env::var_os(name));
            if let Some(value) = value {
                builder = builder.env(name, value);
            }
        }
        for Dir { host, guest, read_only } in &self.options.dirs {
            builder = if *read_only {
                builder.read_only_dir(host, guest)
            } else {
                builder.dir(host, guest)
            };
        }
        for guest in &self.options.tmpfs {
            builder = builder.memory_dir(guest);
        }
        for address in &self.options.listeners {
            builder = builder.socket(listen(address)?);
        }
        if let Some(file) = &self.options.trace {
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
        self.options.argv0.as_deref().unwrap_or(name)
    }

    /// Instantiates a module, and calls `_initialize` if it is a reactor.
    fn instantiate(
        &self,
        namespace: &mut Namespace,
        linker: &mut Linker,
        module: &CompiledModule,
    ) -> Result<Instance> {
        imports::supply(linker, module, self.options.unknown_imports)?;
        let instance = linker.instantiate(namespace, module)?;
        if module.export("_start").is_none() && module.export("_initialize").is_some() {
            call(namespace, instance, "_initialize")?;
        }
        Ok(instance)
    }

    /// Calls the function of `--invoke` and prints its results. False if the option was not given.
    pub(crate) fn invoke(
        &self,
        namespace: &mut Namespace,
        module: &CompiledModule,
        instance: Instance,
    ) -> Result<bool> {
        let Some(name) = &self.options.invoke else { return Ok(false) };
        let Some(ExternType::Func(ty)) = module.export(name) else {
            bail!("no function `{name}` to invoke{}", functions_to_invoke(module));
        };
        let args = values::parse_all(&ty, self.args())?;
        let results = instance.call(namespace, name, &args)?;
        let mut stdout = io::stdout().lock();
        for result in &results {
            writeln!(stdout, "{}", values::show(result))?;
        }
        stdout.flush()?;
        Ok(true)
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
pub(crate) fn call(namespace: &mut Namespace, instance: Instance, name: &str) -> Result<()> {
    let function =
        instance.typed::<(), ()>(namespace, name).with_context(|| format!("`{name}`"))?;
    Ok(function.call(namespace, ())?)
}

/// A hint with the names of functions, for an error message.
pub(crate) fn functions_to_invoke(module: &CompiledModule) -> String {
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
