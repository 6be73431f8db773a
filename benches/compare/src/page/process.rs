//! Server processes: built, started and killed.

use crate::{Result, guests};
use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// The guest of every server.
const GUEST: &str = "stdin_upper.wasm";

/// A program that serves.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    /// The name of its binary.
    pub(crate) binary: &'static str,
    /// Its arguments besides address, guest and folder.
    pub(crate) args: &'static [&'static str],
}

/// Builds the binaries of programs as cargo builds this one, and gives the folder that has them.
pub(crate) fn build(programs: &[Program]) -> Result<PathBuf> {
    let this = env::current_exe()?;
    let target = this.ancestors().nth(2).ok_or("this binary is in no folder of a build")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    cargo.arg("--target-dir").arg(target);
    for program in programs {
        cargo.args(["--bin", program.binary]);
    }
    match cargo.status()?.success() {
        true => Ok(target.join("release")),
        false => Err("the servers cannot be built".into()),
    }
}

/// A running server. It is killed when this is dropped.
pub(crate) struct Server {
    /// Its process.
    process: Child,
    /// The address on which it listens.
    pub(crate) address: SocketAddr,
    /// The seconds from the start of the process until it listened.
    pub(crate) start: f64,
}

impl Server {
    /// Starts a program of `folder`, which keeps its compiled guest in `cache`.
    pub(crate) fn start(program: Program, folder: &Path, cache: &Path) -> Result<Self> {
        let guest = guests::path(GUEST);
        // A missing guest is the reason on the page, not that the server ended.
        guests::read(&guest)?;
        let begin = Instant::now();
        let mut process = Command::new(folder.join(program.binary))
            .args(["127.0.0.1:0".as_ref(), guest.as_os_str(), cache.as_os_str()])
            .args(program.args)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let read = BufReader::new(stdout).read_line(&mut line);
        let start = begin.elapsed().as_secs_f64();
        // From here on the process is killed however this ends.
        let mut server = Server { process, address: ([127, 0, 0, 1], 0).into(), start };
        read?;
        let address = line.trim().strip_prefix("listening on ");
        let address = address.ok_or_else(|| format!("{} does not listen", program.binary))?;
        server.address = address.parse()?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
