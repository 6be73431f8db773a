//! Measures WASI calls of a guest, in nanoseconds, compared with their system calls.
//!
//! `cargo bench --bench wasi [FILTER]` prints a row per function: precast, the raw system call as a
//! native program makes it, the difference, and the ratio. A row is within the bar if precast costs
//! at most the system call and 30 ns, or 1.05 times the system call. Batches of both alternate, and
//! the fastest counts, because other load only makes a batch slower. The cost of the guest's loop
//! is subtracted.
//!
//! Some rows have no system call, because their data is in the process already.

mod guest;
mod raw;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, process};

use precast::{Instance, Namespace, Runtime, wasi};
use raw::Raw;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The number of batches of a row.
const BATCHES: usize = 25;

/// The approximate time of a batch.
const BATCH: Duration = Duration::from_millis(2);

fn main() -> Result<()> {
    // Cargo passes `--bench`.
    let filter = env::args().skip(1).find(|arg| !arg.starts_with("--")).unwrap_or_default();
    let scratch = Scratch::new()?;
    guest::furnish(&scratch.0)?;
    let mut guest = Guest::new(&scratch.0)?;
    let mut raw = Raw::new(&scratch.0)?;
    let looping = guest.fastest(guest::EMPTY, 1_000_000)?;

    println!("{:<30} {:>9} {:>9} {:>9} {:>7}", "ns per call", "precast", "raw", "more", "ratio");
    let (mut rows, mut missed) = (0, 0);
    for (row, _) in guest::ROWS.into_iter().filter(|(row, _)| row.contains(&filter)) {
        rows += 1;
        missed += u32::from(!measure(row, &mut guest, &mut raw, looping)?);
    }
    println!("{rows} rows, {missed} of them above the bar");
    let mut inline = f64::INFINITY;
    for _ in 0..BATCHES {
        inline = inline.min(time(10_000, || Ok(raw.seek_inline(10_000)?))?);
    }
    println!("{inline:.1} ns is the system call of fd_seek without a function around it");
    if rows == 0 { Err(format!("no row has {filter:?} in its name").into()) } else { Ok(()) }
}

/// Measures and prints a row. Returns whether it is within the bar.
fn measure(row: &str, guest: &mut Guest, raw: &mut Raw, looping: f64) -> Result<bool> {
    let n = calls_of_a_batch(|n| guest.run(row, n))?;
    let has_raw = raw.run(row, 1)?;
    let (mut precast, mut system) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..BATCHES {
        precast = precast.min(time(n, || guest.run(row, n))?);
        if has_raw {
            system = system.min(time(n, || Ok(raw.run(row, n).map(drop)?))?);
        }
    }
    let precast = precast - looping;
    if !has_raw {
        println!("{row:<30} {precast:>9.1} {:>9} {:>9} {:>7}", "-", "-", "-");
        return Ok(true);
    }
    let (more, ratio) = (precast - system, precast / system);
    let within = more <= 30.0 || ratio <= 1.05;
    let mark = if within { "" } else { "  above the bar" };
    println!("{row:<30} {precast:>9.1} {system:>9.1} {more:>9.1} {ratio:>7.2}{mark}");
    Ok(within)
}

/// The number of calls that take about [`BATCH`].
fn calls_of_a_batch(mut run: impl FnMut(u32) -> Result<()>) -> Result<u32> {
    let mut n = 100;
    loop {
        let start = Instant::now();
        run(n)?;
        if start.elapsed() >= BATCH / 2 {
            return Ok(n);
        }
        n *= 2;
    }
}

/// Nanoseconds of each of `n` calls that `batch` makes.
fn time(n: u32, batch: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    batch()?;
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(n))
}

/// The guest, ready to be called.
struct Guest {
    namespace: Box<Namespace>,
    instance: Instance,
}

impl Guest {
    fn new(directory: &Path) -> Result<Self> {
        let runtime = Runtime::new();
        let mut namespace = runtime.namespace();
        wasi::Builder::new()
            .args(guest::ARGS)
            .envs(guest::ENV)
            .dir(directory, "/data")
            .dir("/dev", "/dev")
            .instantiate(&mut namespace)?;
        let module = runtime.compile(&wat::parse_str(guest::text())?)?;
        let instance = namespace.instantiate(&module)?;
        instance.call(&mut namespace, "setup", &[])?;
        Ok(Guest { namespace, instance })
    }

    /// Runs the loop of a row `n` times.
    fn run(&mut self, row: &str, n: u32) -> Result<()> {
        let run = self.instance.typed::<(u32,), u32>(&self.namespace, row)?;
        match run.call(&mut self.namespace, (n,))? {
            0 => Ok(()),
            errnos => Err(format!("{row}: errno {errnos}").into()),
        }
    }

    fn fastest(&mut self, row: &str, n: u32) -> Result<f64> {
        let mut fastest = f64::INFINITY;
        for _ in 0..BATCHES {
            fastest = fastest.min(time(n, || self.run(row, n))?);
        }
        Ok(fastest)
    }
}

/// A directory in memory, so that no disk is timed.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { env::temp_dir() };
        let path = parent.join(format!("precast-bench-wasi-{}", process::id()));
        fs::create_dir(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
