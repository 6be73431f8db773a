//! `Builder`: the resources that are granted to a guest, and the host module made of them.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{fmt, io};

use precast_runtime::Shared;
use precast_runtime::{
    Error, ErrorKind, HostFunctions, HostModule, HostModuleBuilder, Instance, Namespace, Runtime,
};
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::errno::Errno;
use crate::exports::FunctionExporter;
use crate::fd::{Input, Output};
use crate::fs::FileSystem;
use crate::fs::mounts::{self, Source};
use crate::limits::Limits;
use crate::sandbox::{self, Hidden, Resolver};
use crate::state::{Blueprint, Callbacks, Clocks, Preopen, Strings, Wasi};
use crate::{MODULE_NAME, MODULE_NAME_PREVIEW0};

/// Assembles the WASI host module for a guest.
///
/// By default nothing is granted: no arguments, no environment, no files; standard input is empty
/// and output is discarded. Only the clocks and the random numbers are the system's.
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
    sockets: Vec<Arc<Shared<OwnedFd>>>,
    clocks: Clocks,
    callbacks: Callbacks,
    seed: Option<u64>,
    limits: Limits,
    trace: Option<Output>,
    portable_paths: bool,
    preview0: bool,
}

/// A directory that is granted to a guest.
#[derive(Clone, Debug)]
struct MountGrant {
    contents: Contents,
    guest: OsString,
    writable: bool,
}

/// The contents of a granted directory.
#[derive(Clone)]
enum Contents {
    Host(PathBuf),
    Memory,
    FileSystem(Arc<dyn FileSystem>),
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contents::Host(path) => f.debug_tuple("Host").field(path).finish(),
            Contents::Memory => f.write_str("Memory"),
            Contents::FileSystem(_) => f.write_str("FileSystem"),
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// The host functions of preview 1 and preview 0, untraced and traced, blocking and waiting. They are
/// created at their first use.
static FUNCTIONS: [[[OnceLock<HostFunctions<Wasi>>; 2]; 2]; 2] =
    [const { [const { [const { OnceLock::new() }; 2] }; 2] }; 2];

impl Builder {
    /// A builder that grants nothing.
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
            callbacks: Callbacks::default(),
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

    /// Sets an environment variable. It replaces an earlier value.
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

    /// Sets the source of standard input.
    pub fn stdin(mut self, input: Input) -> Self {
        self.stdin = input;
        self
    }

    /// Sets the destination of standard output. `&Captured` is an output too.
    pub fn stdout(mut self, output: impl Into<Output>) -> Self {
        self.stdout = output.into();
        self
    }

    /// Sets the destination of standard error. `&Captured` is an output too.
    pub fn stderr(mut self, output: impl Into<Output>) -> Self {
        self.stderr = output.into();
        self
    }

    /// Grants the three standard streams of this process.
    pub fn inherit_stdio(self) -> Self {
        self.stdin(Input::inherit()).stdout(Output::inherit()).stderr(Output::inherit())
    }

    /// Grants the directory `host` and its contents, under the name `guest`.
    ///
    /// All granted directories form one tree. A directory whose name is beneath another's, as
    /// `/tmp` is beneath `/`, is mounted there: it hides the file that the other directory has
    /// under that name, and the guest cannot reach the hidden file by any other name.
    ///
    /// Pseudo file systems such as `/proc` and `/sys` cannot be granted, and cannot be reached
    /// through a directory that contains them.
    pub fn dir(self, host: impl AsRef<Path>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Contents::Host(host.as_ref().to_owned()), guest.as_ref(), true)
    }

    /// Like [`Builder::dir`], but read-only.
    pub fn read_only_dir(self, host: impl AsRef<Path>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Contents::Host(host.as_ref().to_owned()), guest.as_ref(), false)
    }

    /// Grants an empty directory in memory, under the name `guest`. Each instance has its own,
    /// which is dropped with the instance. Its size is bounded by the [`Limits`].
    pub fn memory_dir(self, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Contents::Memory, guest.as_ref(), true)
    }

    /// Grants a file system of the embedder, under the name `guest`: any [`FileSystem`], for
    /// example a [`MemoryFs`] that contains files or outlives the guest. Instances share it.
    ///
    /// [`MemoryFs`]: crate::MemoryFs
    pub fn file_system(self, files: Arc<dyn FileSystem>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(Contents::FileSystem(files), guest.as_ref(), true)
    }

    /// Like [`Builder::file_system`], but read-only.
    pub fn read_only_file_system(
        self,
        files: Arc<dyn FileSystem>,
        guest: impl AsRef<OsStr>,
    ) -> Self {
        self.grant(Contents::FileSystem(files), guest.as_ref(), false)
    }

    fn grant(mut self, contents: Contents, guest: &OsStr, writable: bool) -> Self {
        self.mounts.push(MountGrant { contents, guest: guest.to_owned(), writable });
        self
    }

    /// Grants a socket, listening or connected: a `TcpListener`, a `UnixStream`, ... Sockets have
    /// the numbers after the directories.
    pub fn socket(mut self, socket: impl Into<OwnedFd>) -> Self {
        self.sockets.push(Shared::new(Arc::new(socket.into())));
        self
    }

    /// Stops the clocks: the realtime clock stands at `since_1970`, the others at zero. They
    /// advance only when the guest sleeps, and sleeping takes no real time.
    pub fn fixed_clocks(mut self, since_1970: Duration) -> Self {
        self.clocks = Clocks::Virtual { start: nanoseconds(since_1970), elapsed: 0, step: 0 };
        self
    }

    /// Like [`Builder::fixed_clocks`], but each read of a clock advances all clocks by `step`. For
    /// guests that wait by reading the clock.
    pub fn stepping_clocks(mut self, since_1970: Duration, step: Duration) -> Self {
        let (start, step) = (nanoseconds(since_1970), nanoseconds(step));
        self.clocks = Clocks::Virtual { start, elapsed: 0, step };
        self
    }

    /// Calls `sleep` when the guest waits for a clock and nothing else is ready, instead of a sleep
    /// of the thread. When it returns, the guest's wait is over, however long the call took.
    pub fn sleep_with(mut self, sleep: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.callbacks.sleep = Some(Arc::new(sleep));
        self
    }

    /// Calls `yield_now` for the guest's `sched_yield`, instead of a yield of the thread.
    pub fn yield_with(mut self, yield_now: impl Fn() + Send + Sync + 'static) -> Self {
        self.callbacks.yield_now = Some(Arc::new(yield_now));
        self
    }

    /// Lets a guest wait for events of `source` instead of the system's, so that it holds no thread while
    /// it waits: in `poll_oneoff`, in `sched_yield`, in reads of standard input, pipes and sockets and in
    /// `sock_accept` until the first byte or connection is there, and in writes to sockets until there is
    /// room for a byte. Writes to pipes and files block.
    ///
    /// This holds for guests that the host calls with
    /// [`call_async`](precast_runtime::TypedFunc::call_async). In other calls the guest holds its thread
    /// as without a source.
    ///
    /// ```
    /// # #[cfg(feature = "tokio")] {
    /// use precast_wasi as wasi;
    /// let builder = wasi::Builder::new().inherit_stdio().events(wasi::Tokio);
    /// # }
    /// ```
    #[cfg(feature = "async")]
    pub fn events(mut self, source: impl crate::EventSource) -> Self {
        self.callbacks.events = Some(Arc::new(source));
        self
    }

    #[cfg(feature = "async")]
    fn waits(&self) -> bool {
        self.callbacks.events.is_some()
    }

    /// Sets the resources of the host that the guest may use.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes the random numbers a sequence that depends only on `seed`. For tests: the numbers can
    /// be predicted from the seed.
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Resolves paths component by component even if the kernel could confine them (`openat2`). The
    /// results are the same. For tests and comparison.
    pub fn portable_paths(mut self, yes: bool) -> Self {
        self.portable_paths = yes;
        self
    }

    /// Writes a line for every call of the guest, with arguments, result and time, similar to
    /// strace. [`Output::inherit`] is standard error. Without a trace this costs nothing: traced
    /// guests are linked with other functions.
    pub fn trace(mut self, output: impl Into<Output>) -> Self {
        self.trace = Some(output.into());
        self
    }

    /// Builds the module [`MODULE_NAME_PREVIEW0`] with the record layouts of preview 0, for guests
    /// compiled before 2020, instead of [`MODULE_NAME`].
    pub fn preview0(mut self, yes: bool) -> Self {
        self.preview0 = yes;
        self
    }

    /// Opens the directories and builds the host module, which can be instantiated any number of
    /// times. Each instance has its own state.
    ///
    /// Fails if a directory cannot be opened or is on a pseudo file system such as `/proc` or
    /// `/sys`, or if an argument or environment variable contains a NUL.
    pub fn compile(&self, runtime: &Runtime) -> Result<HostModule<Wasi>, Error> {
        self.module_builder()?.build(runtime)
    }

    /// Builds the host module and instantiates it under its name: [`MODULE_NAME`], or
    /// [`MODULE_NAME_PREVIEW0`] with [`Builder::preview0`].
    pub fn instantiate(&self, namespace: &mut Namespace) -> Result<Instance, Error> {
        let module = self.compile(&namespace.runtime().clone())?;
        namespace.instantiate_host(&module)
    }

    /// The host module with every function of WASI, before it is built. The embedder can add and
    /// replace functions.
    pub fn module_builder(&self) -> Result<HostModuleBuilder<Wasi>, Error> {
        let (name, exporter) = match self.preview0 {
            true => (MODULE_NAME_PREVIEW0, FunctionExporter::preview0()),
            false => (MODULE_NAME, FunctionExporter::new()),
        };
        let traced = self.trace.is_some();
        let builder = HostModuleBuilder::with_state(name, self.states()?);
        let builder = builder.check_snapshot(|wasi: &mut Wasi| wasi.check_snapshot());
        #[cfg(feature = "async")]
        let (exporter, waits) = (exporter.waiting(self.waits()), usize::from(self.waits()));
        #[cfg(not(feature = "async"))]
        let waits = 0;
        let functions = &FUNCTIONS[usize::from(self.preview0)][usize::from(traced)][waits];
        if let Some(functions) = functions.get() {
            return Ok(builder.with_functions(functions));
        }
        let builder = exporter.traced(traced).export(builder);
        if let Some(created) = builder.functions() {
            // Another thread may have set the same functions.
            let _ = functions.set(created);
        }
        Ok(builder)
    }

    /// A function that creates the state of an instance, for a host module of the embedder: see
    /// [`FunctionExporter::export`].
    pub fn states(&self) -> Result<impl Fn() -> Wasi + Send + Sync + 'static, Error> {
        let blueprint = self.blueprint()?;
        // `blueprint` has been instantiated once already.
        Ok(move || blueprint.instantiate().expect("the blueprint was instantiated before"))
    }

    pub(crate) fn blueprint(&self) -> Result<Blueprint, Error> {
        let resolver = if self.portable_paths { Resolver::Userspace } else { Resolver::detect() };
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
            callbacks: self.callbacks.clone(),
            trace: self.trace.clone(),
            limits: self.limits,
        };
        // Errors are found now and not in a later instantiation: a descriptor that is not a socket,
        // or too many descriptors.
        blueprint.instantiate().map_err(|errno| ErrorKind::System {
            what: "granting a guest's descriptors",
            error: io::Error::other(errno),
        })?;
        Ok(blueprint)
    }
}

/// The duration in nanoseconds, at most 584 years.
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
) -> Result<Arc<Shared<Strings>>, Error> {
    match Strings::new(strings) {
        Ok(strings) => Ok(Shared::new(Arc::new(strings))),
        Err(Errno::Inval) => Err(ErrorKind::Invalid(format!("NUL in the {what}")).into()),
        Err(_) => Err(ErrorKind::Invalid(format!("the {what} are too long")).into()),
    }
}

/// Refuses a pseudo file system: see [`sandbox`].
fn check_ordinary(path: &Path, fd: &OwnedFd) -> Result<(), Error> {
    let refused = |error| ErrorKind::File { path: path.to_owned(), error };
    match sandbox::pseudo_file_system(fd).map_err(|error| refused(error.into()))? {
        None => Ok(()),
        Some(kind) => Err(refused(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("no guest is granted {kind}: a pseudo file system gives access to the host"),
        ))
        .into()),
    }
}

/// Opens a granted directory.
fn preopen(grant: &MountGrant) -> Result<Preopen, Error> {
    let mut hidden = None;
    let source = match &grant.contents {
        Contents::Host(path) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = openat(CWD, path, flags, Mode::empty())
                .map_err(|error| ErrorKind::File { path: path.clone(), error: error.into() })?;
            check_ordinary(path, &fd)?;
            hidden = Hidden::in_directory(fd.as_fd()).map(Arc::new);
            Some(Source::Host(Shared::new(Arc::new(fd))))
        }
        Contents::Memory => None,
        Contents::FileSystem(files) => Some(Source::Virtual(files.clone())),
    };
    Ok(Preopen {
        source,
        name: Shared::new(grant.guest.as_bytes().into()),
        at: mounts::location(&grant.guest.to_string_lossy()),
        writable: grant.writable,
        hidden,
    })
}
