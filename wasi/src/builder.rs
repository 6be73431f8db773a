//! `Builder`: what a guest is given.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fmt, io};

use precast_runtime::{
    Error, ErrorKind, HostFunctions, HostModule, HostModuleBuilder, Instance, Namespace, Runtime,
};
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::calls::args::Strings;
use crate::errno::Errno;
use crate::exports::FunctionExporter;
use crate::fd::stream::{Input, Output};
use crate::fs::FileSystem;
use crate::fs::mounts::{self, Source};
use crate::limits::Limits;
use crate::sandbox::{self, Hidden, Resolver};
use crate::state::blueprint::{Blueprint, Preopen, Wasi};
use crate::state::callbacks::Hooks;
use crate::state::clocks::Clocks;
use crate::{MODULE_NAME, MODULE_NAME_PREVIEW0};

/// Assembles the WASI host module for a guest.
///
/// Nothing is granted that was not asked for: no arguments, no environment, no files, standard
/// streams that read and write nothing. Only the clocks and the random numbers are the system's.
///
/// ```
/// # use precast_wasi as wasi;
/// let builder = wasi::Builder::new()
///     .args(["prog", "--verbose"])
///     .env("LANG", "C.UTF-8")
///     .inherit_stdio()
///     .read_only_dir("/usr/share", "/data");
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    stdin: Input,
    stdout: Output,
    stderr: Output,
    mounts: Vec<MountGrant>,
    sockets: Vec<Arc<OwnedFd>>,
    clocks: Clocks,
    hooks: Hooks,
    seed: Option<u64>,
    limits: Limits,
    trace: Option<Output>,
    portable_paths: bool,
    preview0: bool,
}

/// A directory a guest is given.
#[derive(Clone, Debug)]
struct MountGrant {
    from: Granted,
    guest: OsString,
    writable: bool,
}

/// What a guest sees in a directory.
#[derive(Clone)]
enum Granted {
    Host(PathBuf),
    Memory,
    FileSystem(Arc<dyn FileSystem>),
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Granted::Host(path) => f.debug_tuple("Host").field(path).finish(),
            Granted::Memory => f.write_str("Memory"),
            Granted::FileSystem(_) => f.write_str("FileSystem"),
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// The functions of a builder's module, made when they are first needed: of preview 1 and of
/// preview 0, not traced and traced.
static FUNCTIONS: [[OnceLock<HostFunctions<Wasi>>; 2]; 2] =
    [const { [const { OnceLock::new() }; 2] }; 2];

impl Builder {
    /// A guest that is given nothing.
    pub fn new() -> Self {
        Builder {
            args: Vec::new(),
            env: Vec::new(),
            stdin: Input::null(),
            stdout: Output::null(),
            stderr: Output::null(),
            mounts: Vec::new(),
            sockets: Vec::new(),
            clocks: Clocks::Host,
            hooks: Hooks::default(),
            seed: None,
            limits: Limits::default(),
            trace: None,
            portable_paths: false,
            preview0: false,
        }
    }

    /// Adds an argument. The first is the program's name.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable, replacing an earlier value.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        match self.env.iter_mut().find(|(existing, _)| *existing == name) {
            Some((_, existing)) => *existing = value,
            None => self.env.push((name, value)),
        }
        self
    }

    /// Sets environment variables.
    pub fn envs<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        variables.into_iter().fold(self, |builder, (name, value)| builder.env(name, value))
    }

    /// Sets every environment variable of this process.
    pub fn inherit_env(self) -> Self {
        self.envs(std::env::vars_os())
    }

    /// Sets where standard input comes from.
    pub fn stdin(mut self, input: Input) -> Self {
        self.stdin = input;
        self
    }

    /// Sets where standard output goes. `&Captured` is an output too.
    pub fn stdout(mut self, output: impl Into<Output>) -> Self {
        self.stdout = output.into();
        self
    }

    /// Sets where standard error goes. `&Captured` is an output too.
    pub fn stderr(mut self, output: impl Into<Output>) -> Self {
        self.stderr = output.into();
        self
    }

    /// Gives the guest the three standard streams of this process.
    pub fn inherit_stdio(self) -> Self {
        self.stdin(Input::inherit()).stdout(Output::inherit()).stderr(Output::inherit())
    }

    /// Gives the guest the directory `host`, under the name `guest`, with all that lies in it.
    ///
    /// All directories a guest is given form one tree: one whose name lies in another's, as `/tmp`
    /// in `/`, is found there too, in the place of what the other has under that name, which is
    /// not reached by any other name either.
    ///
    /// File systems that are the kernel's own interface, as `/proc` and `/sys`, are not granted, and
    /// not reached in a directory that has them somewhere in it.
    pub fn dir(self, host: impl AsRef<Path>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Granted::Host(host.as_ref().to_owned()), guest.as_ref(), true)
    }

    /// As [`Builder::dir`], but nothing can be changed through it.
    pub fn read_only_dir(self, host: impl AsRef<Path>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Granted::Host(host.as_ref().to_owned()), guest.as_ref(), false)
    }

    /// Gives the guest an empty directory in memory, under the name `guest`. Each instance has its
    /// own, which goes with it and holds no more than the [`Limits`] say.
    pub fn memory_dir(self, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Granted::Memory, guest.as_ref(), true)
    }

    /// Gives the guest a file system of the embedder, under the name `guest`: a [`MemoryFs`] that
    /// has something in it or outlives the guest, or any [`FileSystem`]. Instances share it.
    ///
    /// [`MemoryFs`]: crate::MemoryFs
    pub fn file_system(self, files: Arc<dyn FileSystem>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Granted::FileSystem(files), guest.as_ref(), true)
    }

    /// As [`Builder::file_system`], but nothing can be changed through it.
    pub fn read_only_file_system(
        self,
        files: Arc<dyn FileSystem>,
        guest: impl AsRef<OsStr>,
    ) -> Self {
        self.grant(Granted::FileSystem(files), guest.as_ref(), false)
    }

    fn grant(mut self, from: Granted, guest: &OsStr, writable: bool) -> Self {
        self.mounts.push(MountGrant { from, guest: guest.to_owned(), writable });
        self
    }

    /// Gives the guest a socket, listening or connected: a `TcpListener`, a `UnixStream`, ... It
    /// gets the next number after the directories.
    pub fn socket(mut self, socket: impl Into<OwnedFd>) -> Self {
        self.sockets.push(Arc::new(socket.into()));
        self
    }

    /// Stops the clocks: real time stands at `since_1970`, the others at zero. They move only when
    /// the guest sleeps, which then takes no time.
    pub fn fixed_clocks(mut self, since_1970: Duration) -> Self {
        self.clocks = Clocks::Virtual { start: nanoseconds(since_1970), elapsed: 0, step: 0 };
        self
    }

    /// As [`Builder::fixed_clocks`], and `step` passes whenever the guest reads a clock: for a
    /// guest that waits for time to pass without sleeping.
    pub fn stepping_clocks(mut self, since_1970: Duration, step: Duration) -> Self {
        let (start, step) = (nanoseconds(since_1970), nanoseconds(step));
        self.clocks = Clocks::Virtual { start, elapsed: 0, step };
        self
    }

    /// Calls `sleep` when the guest waits for a clock and nothing else is ready, instead of letting
    /// the thread sleep. When it returns, the guest has slept, however long that took.
    pub fn sleep_with(mut self, sleep: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.hooks.sleep = Some(Arc::new(sleep));
        self
    }

    /// Calls `yield_now` for the guest's `sched_yield`, instead of giving the processor to another
    /// thread.
    pub fn yield_with(mut self, yield_now: impl Fn() + Send + Sync + 'static) -> Self {
        self.hooks.yield_now = Some(Arc::new(yield_now));
        self
    }

    /// Sets how much the guest may make the host keep for it.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes the random numbers a sequence that depends on `seed` alone. For tests: whoever knows
    /// the seed knows them all.
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Resolves paths component by component even where the kernel could confine them by itself
    /// (`openat2`). The answers are the same; for tests and comparison.
    pub fn portable_paths(mut self, yes: bool) -> Self {
        self.portable_paths = yes;
        self
    }

    /// Writes a line for every call of the guest, with arguments, result and time, in the manner of
    /// strace; [`Output::inherit`] is standard error. A guest that is not traced pays nothing for
    /// this: the functions that trace are others.
    pub fn trace(mut self, output: impl Into<Output>) -> Self {
        self.trace = Some(output.into());
        self
    }

    /// Makes the module [`MODULE_NAME_PREVIEW0`] with the record layouts of preview 0, for guests
    /// compiled before 2020, instead of [`MODULE_NAME`].
    pub fn preview0(mut self, yes: bool) -> Self {
        self.preview0 = yes;
        self
    }

    /// Opens the directories and makes the host module, to be instantiated any number of times.
    /// Each instance has a state of its own.
    ///
    /// Fails if a directory cannot be opened or lies on a file system that is the kernel's own
    /// interface, as `/proc` and `/sys` do, or an argument or variable contains a NUL.
    pub fn compile(&self, runtime: &Runtime) -> Result<HostModule<Wasi>, Error> {
        self.module_builder()?.build(runtime)
    }

    /// Makes the host module and instantiates it under its name, [`MODULE_NAME`] unless
    /// [`Builder::preview0`] was asked for.
    pub fn instantiate(&self, namespace: &mut Namespace) -> Result<Instance, Error> {
        let module = self.compile(&namespace.runtime().clone())?;
        namespace.instantiate_host(&module)
    }

    /// The host module before it is built, with every function of WASI: to add functions, or to
    /// replace some.
    pub fn module_builder(&self) -> Result<HostModuleBuilder<Wasi>, Error> {
        let (name, exporter) = match self.preview0 {
            true => (MODULE_NAME_PREVIEW0, FunctionExporter::preview0()),
            false => (MODULE_NAME, FunctionExporter::new()),
        };
        let traced = self.trace.is_some();
        let builder = HostModuleBuilder::with_state(name, self.states()?);
        let functions = &FUNCTIONS[usize::from(self.preview0)][usize::from(traced)];
        if let Some(functions) = functions.get() {
            return Ok(builder.with_functions(functions));
        }
        let builder = exporter.traced(traced).export(builder);
        if let Some(made) = builder.functions() {
            // Another thread may have been faster, with the same functions.
            let _ = functions.set(made);
        }
        Ok(builder)
    }

    /// What makes the state of each instance, for a host module of the embedder's own: see
    /// [`FunctionExporter::export`].
    pub fn states(&self) -> Result<impl Fn() -> Wasi + Send + Sync + 'static, Error> {
        let blueprint = self.blueprint()?;
        // `blueprint` has made one of the same already.
        Ok(move || blueprint.instantiate().expect("what could be instantiated once still can be"))
    }

    pub(crate) fn blueprint(&self) -> Result<Blueprint, Error> {
        let resolver = if self.portable_paths { Resolver::Walk } else { Resolver::detect() };
        let blueprint = Blueprint {
            args: strings("arguments", self.args.iter().map(|arg| arg.as_bytes()))?,
            env: strings("environment variables", self.env.iter().map(variable))?,
            clocks: self.clocks,
            seed: self.seed,
            stdin: self.stdin.clone(),
            stdout: self.stdout.clone(),
            stderr: self.stderr.clone(),
            preopens: self.mounts.iter().map(preopen).collect::<Result<_, _>>()?,
            sockets: self.sockets.clone(),
            resolver,
            hooks: self.hooks.clone(),
            trace: self.trace.clone(),
            limits: self.limits,
        };
        // Whether the sockets are sockets, and whether there are too many of them, is found out now,
        // not in the middle of something.
        blueprint.instantiate().map_err(|errno| ErrorKind::System {
            what: "granting a guest's descriptors",
            error: io::Error::other(errno),
        })?;
        Ok(blueprint)
    }
}

/// Some 584 years are the most there is.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// `NAME=value`
fn variable((name, value): &(OsString, OsString)) -> Vec<u8> {
    let mut variable = name.clone().into_vec();
    variable.push(b'=');
    variable.extend_from_slice(value.as_bytes());
    variable
}

fn strings<S: AsRef<[u8]>>(
    what: &'static str,
    strings: impl IntoIterator<Item = S>,
) -> Result<Arc<Strings>, Error> {
    match Strings::new(strings) {
        Ok(strings) => Ok(Arc::new(strings)),
        Err(Errno::Inval) => Err(ErrorKind::Invalid(format!("NUL in the {what}")).into()),
        Err(_) => Err(ErrorKind::Invalid(format!("the {what} are too long")).into()),
    }
}

/// Refuses a file system that is the kernel's own interface: see [`sandbox`].
fn check_ordinary(path: &Path, fd: &OwnedFd) -> Result<(), Error> {
    let refused = |error| ErrorKind::File { path: path.to_owned(), error };
    match sandbox::kind_of_system(fd).map_err(|error| refused(error.into()))? {
        None => Ok(()),
        Some(kind) => Err(refused(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("no guest is granted {kind}, by which the kernel hands out the host itself"),
        ))
        .into()),
    }
}

fn preopen(grant: &MountGrant) -> Result<Preopen, Error> {
    let mut hidden = None;
    let source = match &grant.from {
        Granted::Host(path) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = openat(CWD, path, flags, Mode::empty())
                .map_err(|error| ErrorKind::File { path: path.clone(), error: error.into() })?;
            check_ordinary(path, &fd)?;
            hidden = Hidden::in_directory(fd.as_fd()).map(Arc::new);
            Some(Source::Host(Arc::new(fd)))
        }
        Granted::Memory => None,
        Granted::FileSystem(files) => Some(Source::Virtual(files.clone())),
    };
    Ok(Preopen {
        source,
        name: grant.guest.as_bytes().into(),
        at: mounts::location(&grant.guest.to_string_lossy()),
        writable: grant.writable,
        hidden,
    })
}
