//! Compiles modules that are costly to compile, in precast and in wasmtime.
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml --bin bombs -- [FROM] [COUNT]
//! ```
//!
//! Compiles the modules of COUNT seeds, starting with FROM, with both runtimes in their default
//! settings on one thread. Prints the seeds for which precast takes more than three times
//! wasmtime's processor time and 0.2 s, or more than twice its memory and 30 MB, unless precast
//! refuses the module within that. Fails if there is such a seed. wasmtime compiles only the
//! modules that precast does not compile within 0.2 s and 30 MB; the others are within the limits
//! anyway. A runtime that exceeds a minute or 4 GiB counts as one that does not end.

#[path = "../../../../compiler/tests/bombs/generator/mod.rs"]
mod generator;

use peak_alloc::PeakAlloc;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};

/// Any failure ends the comparison.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The time that precast may take in addition to a multiple of wasmtime's.
const SECONDS: f64 = 0.2;
/// The same in bytes.
const BYTES: f64 = 30e6;
/// The processor time in seconds after which a runtime is killed.
const LONGEST: u64 = 60;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The number of measurements of a module that exceeds the limits; the smallest counts.
const REPEATS: u32 = 2;

/// The cost of a compilation, and its result.
#[derive(Clone)]
struct Cost {
    /// Seconds of processor time.
    seconds: f64,
    /// The most bytes allocated at one time.
    bytes: f64,
    /// `compiled`, `too-large`, `invalid`, or `killed`.
    end: String,
}

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [engine, from, count] = &args[..] {
        return work(engine, from.parse()?, count.parse()?);
    }
    let number = |n: usize, default| args.get(n).map_or(Ok(default), |text| text.parse::<u64>());
    let (from, count) = (number(0, 0)?, number(1, 100)?);
    let mut total = Total::default();
    let mut worker = Worker::start("precast", from, count)?;
    for seed in from..from + count {
        let ours = match worker.next() {
            Some(cost) => cost?,
            // The process died while it compiled this module.
            None => {
                worker = Worker::start("precast", seed + 1, from + count - seed - 1)?;
                Cost::killed()
            }
        };
        total.add(seed, &ours)?;
    }
    println!(
        "{count} modules: {} exceed, {} refused, {} invalid, {} compared; \
         at most {:.2} of the time and {:.2} of the memory that is allowed",
        total.offenders,
        total.refused,
        total.invalid,
        total.compared,
        total.worst[0],
        total.worst[1]
    );
    Ok(ExitCode::from(u8::from(total.offenders > 0)))
}

/// The totals of all modules.
#[derive(Default)]
struct Total {
    /// Modules that exceed the limits.
    offenders: u64,
    /// Modules that precast refuses as too large.
    refused: u64,
    /// Modules that are not valid.
    invalid: u64,
    /// Modules that wasmtime compiled too.
    compared: u64,
    /// The largest time and memory, as parts of the limits.
    worst: [f64; 2],
}

impl Total {
    /// Adds the cost of a module in precast, and compares it with wasmtime if necessary.
    fn add(&mut self, seed: u64, ours: &Cost) -> Result<()> {
        self.refused += u64::from(ours.end == "too-large");
        self.invalid += u64::from(ours.end == "invalid");
        if ours.seconds <= SECONDS && ours.bytes <= BYTES && ours.end != "invalid" {
            return Ok(());
        }
        self.compared += 1;
        let (mut ours, mut theirs) = (ours.clone(), Cost::of("wasmtime", seed)?);
        // Other processes may have disturbed one of the measurements.
        for _ in 0..REPEATS {
            if !ours.exceeds(&theirs) {
                break;
            }
            ours.seconds = ours.seconds.min(Cost::of("precast", seed)?.seconds);
            theirs.seconds = theirs.seconds.min(Cost::of("wasmtime", seed)?.seconds);
        }
        // Only a module that wasmtime rejects too may be invalid.
        let differ = (ours.end == "invalid") != (theirs.end == "invalid")
            && ours.end != "too-large"
            && theirs.end != "killed";
        if theirs.end != "killed" {
            let [seconds, bytes] = ours.shares(&theirs);
            self.worst = [self.worst[0].max(seconds), self.worst[1].max(bytes)];
        }
        if differ || ours.exceeds(&theirs) || ours.end == "killed" {
            self.offenders += 1;
            println!(
                "seed {seed}: {:.2} s, {:.1} MB, {}; wasmtime {:.2} s, {:.1} MB, {}",
                ours.seconds,
                ours.bytes / 1e6,
                ours.end,
                theirs.seconds,
                theirs.bytes / 1e6,
                theirs.end
            );
        }
        Ok(())
    }
}

/// A process that compiles modules with one engine.
struct Worker {
    /// It is killed when the worker is dropped.
    process: Child,
    /// A line per module.
    lines: Lines<BufReader<ChildStdout>>,
}

impl Worker {
    /// Starts with the module of a seed.
    fn start(engine: &str, from: u64, count: u64) -> Result<Worker> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([engine, &from.to_string(), &count.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().ok_or("a process without output")?;
        Ok(Worker { process, lines: BufReader::new(stdout).lines() })
    }

    /// The cost of the next module. `None` if the process has ended.
    fn next(&mut self) -> Option<Result<Cost>> {
        Some(self.lines.next()?.map_err(Into::into).and_then(|line| Cost::parse(&line)))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Cost {
    /// The cost of a runtime that does not end.
    fn killed() -> Cost {
        Cost { seconds: f64::INFINITY, bytes: f64::INFINITY, end: "killed".to_owned() }
    }

    /// The cost of one module, in a separate process.
    fn of(engine: &str, seed: u64) -> Result<Cost> {
        Worker::start(engine, seed, 1)?.next().unwrap_or_else(|| Ok(Cost::killed()))
    }

    /// Time and memory as parts of the limits that wasmtime's cost gives.
    fn shares(&self, theirs: &Cost) -> [f64; 2] {
        let seconds = self.seconds / (3.0 * theirs.seconds + SECONDS);
        [seconds, self.bytes / (2.0 * theirs.bytes + BYTES)]
    }

    /// Whether it exceeds those limits.
    fn exceeds(&self, theirs: &Cost) -> bool {
        theirs.end != "killed" && self.shares(theirs).iter().any(|&share| share > 1.0)
    }

    /// Reads a line of a worker.
    fn parse(line: &str) -> Result<Cost> {
        match line.split(' ').collect::<Vec<_>>()[..] {
            [seconds, bytes, end] => {
                Ok(Cost { seconds: seconds.parse()?, bytes: bytes.parse()?, end: end.to_owned() })
            }
            _ => Err(format!("a worker says {line:?}").into()),
        }
    }
}

/// Compiles the modules of `count` seeds and prints the cost of each.
fn work(engine: &str, from: u64, count: u64) -> Result<ExitCode> {
    setrlimit(Resource::As, Rlimit { current: Some(4 << 30), maximum: Some(4 << 30) })?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    // Work that a process does once does not count for a module.
    pool.install(|| measure(|| compile(engine, b"\0asm\x01\0\0\0")));
    for seed in from..from + count {
        let longest = now() as u64 + LONGEST;
        setrlimit(Resource::Cpu, Rlimit { current: Some(longest), maximum: None })?;
        let wasm = generator::generate(seed);
        let (end, seconds, bytes) = pool.install(|| measure(|| compile(engine, &wasm)));
        println!("{seconds} {bytes} {end}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Compiles a module, and returns the result.
fn compile(engine: &str, wasm: &[u8]) -> &'static str {
    match engine {
        "precast" => {
            let settings = precast_compiler::Settings::default();
            match precast_compiler::compile(wasm, &settings) {
                Ok(_) => "compiled",
                Err(error) if error.kind == precast_compiler::ErrorKind::Limit => "too-large",
                Err(_) => "invalid",
            }
        }
        _ => {
            let engine = wasmtime::Engine::default();
            match wasmtime::Module::new(&engine, wasm) {
                Ok(_) => "compiled",
                Err(_) => "invalid",
            }
        }
    }
}

/// The processor time of this process in seconds.
fn now() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// The result of `work`, its time in seconds, and the most bytes it allocates.
fn measure(work: impl FnOnce() -> &'static str) -> (&'static str, f64, usize) {
    let (start, before) = (now(), ALLOCATOR.current_usage());
    ALLOCATOR.reset_peak_usage();
    let end = work();
    (end, now() - start, ALLOCATOR.peak_usage() - before)
}
