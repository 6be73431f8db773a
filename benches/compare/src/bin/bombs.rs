//! Modules made to be costly to compile, in precast and in wasmtime.
//!
//! ```text
//! cargo run --release --manifest-path benches/compare/Cargo.toml --bin bombs -- [FROM] [COUNT]
//! ```
//!
//! Compiles the modules of COUNT seeds from FROM on, each by both runtimes with their default
//! settings on one thread, every time in a process of its own. Prints the seeds for which precast
//! takes more than three times wasmtime's processor time and 0.2 s, or more than twice its memory
//! and 30 MB, unless precast refuses the module within that; fails when there is one. A runtime
//! that exceeds a minute or 4 GiB counts as one that takes for ever.

#[path = "../../../../tests/bombs/counting.rs"]
mod counting;
#[path = "../../../../tests/bombs/generator/mod.rs"]
mod generator;

use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::process::{Command, ExitCode};

/// Any failure ends the comparison.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What precast may take besides a multiple of what wasmtime takes.
const SECONDS: f64 = 0.2;
/// The same in bytes.
const BYTES: f64 = 30e6;

/// What a compilation took, and how it ended.
struct Cost {
    /// Seconds of processor time.
    seconds: f64,
    /// The most bytes that were allocated.
    bytes: f64,
    /// `compiled`, `too large`, `invalid`, or `killed`.
    end: String,
}

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [engine, seed] = &args[..]
        && matches!(&**engine, "precast" | "wasmtime")
    {
        return one(engine, seed.parse()?);
    }
    let number = |n: usize, default| args.get(n).map_or(Ok(default), |text| text.parse::<u64>());
    let (from, count) = (number(0, 0)?, number(1, 100)?);
    let (mut offenders, mut refused, mut invalid, mut worst) = (0, 0, 0, [0f64; 2]);
    for seed in from..from + count {
        let (ours, theirs) = (child("precast", seed)?, child("wasmtime", seed)?);
        refused += u64::from(ours.end == "too large");
        invalid += u64::from(ours.end == "invalid");
        // Only what wasmtime finds wrong too may be invalid.
        let differ = (ours.end == "invalid") != (theirs.end == "invalid")
            && ours.end != "too large"
            && theirs.end != "killed";
        let seconds = ours.seconds / (3.0 * theirs.seconds + SECONDS);
        let bytes = ours.bytes / (2.0 * theirs.bytes + BYTES);
        let exceeds = theirs.end != "killed" && (seconds > 1.0 || bytes > 1.0);
        worst = [worst[0].max(seconds), worst[1].max(bytes)];
        if differ || exceeds || ours.end == "killed" {
            offenders += 1;
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
    }
    println!(
        "{count} modules: {offenders} exceed, {refused} refused, {invalid} invalid; \
         at most {:.2} of the time and {:.2} of the memory that is allowed",
        worst[0], worst[1]
    );
    Ok(ExitCode::from(u8::from(offenders > 0)))
}

/// Compiles the module of a seed in a process of its own.
fn child(engine: &str, seed: u64) -> Result<Cost> {
    let output =
        Command::new(std::env::current_exe()?).args([engine, &seed.to_string()]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.trim().splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (seconds, bytes, end) = (word(), word(), word());
    if !output.status.success() || end.is_empty() {
        let end = "killed".to_owned();
        return Ok(Cost { seconds: f64::INFINITY, bytes: f64::INFINITY, end });
    }
    Ok(Cost { seconds: seconds.parse()?, bytes: bytes.parse()?, end })
}

/// Compiles the module of a seed and prints what it took.
fn one(engine: &str, seed: u64) -> Result<ExitCode> {
    let limit = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Cpu, limit(60))?;
    setrlimit(Resource::As, limit(4 << 30))?;
    let wasm = generator::generate(seed);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let (end, seconds, bytes) = pool.install(|| match engine {
        "precast" => {
            let settings = precast_compiler::Settings::default();
            measure(|| match precast_compiler::compile(&wasm, &settings) {
                Ok(_) => "compiled",
                Err(error) if error.kind == precast_compiler::ErrorKind::Limit => "too large",
                Err(_) => "invalid",
            })
        }
        _ => {
            let engine = wasmtime::Engine::default();
            measure(|| match wasmtime::Module::new(&engine, &wasm) {
                Ok(_) => "compiled",
                Err(_) => "invalid",
            })
        }
    });
    println!("{seconds} {bytes} {end}");
    Ok(ExitCode::SUCCESS)
}

/// How `work` ends, the seconds it works, and the most bytes it allocates.
fn measure(work: impl FnOnce() -> &'static str) -> (&'static str, f64, usize) {
    let now = || {
        let now = clock_gettime(ClockId::ProcessCPUTime);
        now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
    };
    let start = now();
    let (end, bytes) = counting::peak(work);
    (end, now() - start, bytes)
}
