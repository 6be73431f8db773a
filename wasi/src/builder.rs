//! `Builder`: what a guest is given.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use precast_runtime::{
    Error, ErrorKind, HostModule, HostModuleBuilder, Instance, Namespace, Runtime,
};
use rustix::fs::{CWD, Mode, OFlags, openat};

use crate::MODULE_NAME;
use crate::args::Strings;
use crate::clocks::Clocks;
use crate::errno::Errno;
use crate::exports::FunctionExporter;
use crate::sandbox::Resolver;
use crate::state::{Blueprint, Preopen, Wasi};
use crate::stream::{Input, Output};

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
    directories: Vec<DirectoryGrant>,
    sockets: Vec<Arc<OwnedFd>>,
    clocks: Clocks,
    seed: Option<u64>,
    portable_paths: bool,
}

/// A directory of the host a guest is given.
#[derive(Clone, Debug)]
struct DirectoryGrant {
    host: PathBuf,
    guest: OsString,
    writable: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// A guest that is given nothing.
    pub fn new() -> Self {
        Builder {
            args: Vec::new(),
            env: Vec::new(),
            stdin: Input::null(),
            stdout: Output::null(),
            stderr: Output::null(),
            directories: Vec::new(),
            sockets: Vec::new(),
            clocks: Clocks::Host,
            seed: None,
            portable_paths: false,
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
    pub fn dir(self, host: impl AsRef<Path>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(host.as_ref(), guest.as_ref(), true)
    }

    /// As [`Builder::dir`], but nothing can be changed through it.
    pub fn read_only_dir(self, host: impl AsRef<Path>, guest: impl AsRef<OsStr>) -> Self {
        self.grant(host.as_ref(), guest.as_ref(), false)
    }

    fn grant(mut self, host: &Path, guest: &OsStr, writable: bool) -> Self {
        let (host, guest) = (host.to_owned(), guest.to_owned());
        self.directories.push(DirectoryGrant { host, guest, writable });
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
        let realtime = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
        self.clocks = Clocks::Fixed { realtime, slept: 0 };
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

    /// Opens the directories and makes the host module, to be instantiated any number of times.
    ///
    /// Fails if a directory cannot be opened, or an argument or variable contains a NUL.
    pub fn compile(&self, runtime: &Runtime) -> Result<HostModule<Wasi>, Error> {
        self.module_builder()?.build(runtime)
    }

    /// Makes the host module and instantiates it under the name [`MODULE_NAME`].
    pub fn instantiate(&self, namespace: &mut Namespace) -> Result<Instance, Error> {
        let module = self.compile(&namespace.runtime().clone())?;
        namespace.instantiate_host(&module)
    }

    /// The host module before it is built, with every function of WASI: to add functions, or to
    /// replace some.
    pub fn module_builder(&self) -> Result<HostModuleBuilder<Wasi>, Error> {
        let blueprint = self.blueprint()?;
        let builder = HostModuleBuilder::with_state(MODULE_NAME, move || {
            // `blueprint` has made one of the same already.
            blueprint.instantiate().expect("what could be instantiated once still can be")
        });
        Ok(FunctionExporter::export(builder))
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
            preopens: self.directories.iter().map(preopen).collect::<Result<_, _>>()?,
            sockets: self.sockets.clone(),
            resolver,
        };
        // Whether the sockets are sockets is found out now, not in the middle of something.
        blueprint.instantiate().map_err(|errno| ErrorKind::System {
            what: "using a descriptor as a guest's socket",
            error: io::Error::other(errno),
        })?;
        Ok(blueprint)
    }
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
        Err(Errno::Inval) => Err(ErrorKind::Type(format!("NUL in the {what}")).into()),
        Err(_) => Err(ErrorKind::Type(format!("the {what} are too long")).into()),
    }
}

fn preopen(grant: &DirectoryGrant) -> Result<Preopen, Error> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, &grant.host, flags, Mode::empty()) {
        Ok(fd) => Ok(Preopen {
            fd: Arc::new(fd),
            name: grant.guest.as_bytes().into(),
            writable: grant.writable,
        }),
        Err(error) => Err(ErrorKind::File { path: grant.host.clone(), error: error.into() }.into()),
    }
}
