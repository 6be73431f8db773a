//! Measures what limits and interrupts cost: calls that can be interrupted, the time until a guest
//! stops, and code that counts fuel.
//!
//! `cargo bench --bench limits -- [FILTER]` prints rows of the kinds `call`, `stop` and `fuel`. A guest
//! with fuel runs in turn with the same guest without, and the least processor time of each counts.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use precast::wasi::{Builder, Output};
use precast::{CompiledModule, Config, Instance, Linker, Namespace, Runtime};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Calls that are timed together, and the number of times that they are.
const CALLS: u32 = 10_000;
const BATCHES: usize = 50;
/// Guests that are stopped for each row.
const STOPS: usize = 300;
/// Runs of each compute guest.
const RUNS: usize = 3;

const GUEST: &str = r#"(module
  (memory 1)
  (func (export "one") (result i32) (i32.const 1))
  (func $leaf)
  (func (export "loop") (loop (br 0)))
  (func (export "loop with a call") (loop (call $leaf) (br 0)))
  (func (export "loop with memory.fill of 64 KiB")
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br 0))))"#;

fn main() -> Result<()> {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let wanted = |kind: &str| kind.contains(&filter) || filter.is_empty();
    if wanted("call") {
        calls()?;
    }
    if wanted("stop") {
        stops()?;
    }
    if wanted("fuel") {
        fuel()?;
    }
    Ok(())
}

fn guest() -> Result<(Box<Namespace>, Instance)> {
    let runtime = Runtime::new();
    let module = runtime.compile(&wat::parse_str(GUEST)?)?;
    let mut namespace = runtime.namespace();
    let instance = namespace.instantiate(&module)?;
    Ok((namespace, instance))
}

/// The least time of a call, in nanoseconds.
fn least(mut call: impl FnMut()) -> f64 {
    let batch = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..BATCHES).map(batch).fold(f64::INFINITY, f64::min)
}

fn calls() -> Result<()> {
    let hour = Duration::from_secs(3600);
    let (mut namespace, instance) = guest()?;
    let one = instance.typed::<(), i32>(&namespace, "one")?;
    let plain = least(|| drop(one.call(&mut namespace, ())));
    println!("call/typed                                {plain:9.1} ns");
    let _handle = namespace.interrupt_handle();
    let handle = least(|| drop(one.call(&mut namespace, ())));
    println!("call/typed, of a namespace with a handle  {handle:9.1} ns");
    let deadline =
        least(|| namespace.with_timeout(hour, |namespace| drop(one.call(namespace, ()))));
    println!("call/typed, with a deadline               {deadline:9.1} ns");
    Ok(())
}

/// The time between an interrupt and the end of the call, on its own thread.
fn stops() -> Result<()> {
    for name in ["loop", "loop with a call", "loop with memory.fill of 64 KiB"] {
        let mut times: Vec<u64> = (0..STOPS).map(|_| stop(name)).collect::<Result<_>>()?;
        times.sort_unstable();
        let micros = |at: usize| times[at] as f64 / 1e3;
        println!(
            "stop/{name:<35} median {:7.1}, 99% {:7.1}, most {:7.1} us",
            micros(STOPS / 2),
            micros(STOPS * 99 / 100),
            micros(STOPS - 1)
        );
    }
    Ok(())
}

fn stop(name: &str) -> Result<u64> {
    let (mut namespace, instance) = guest()?;
    let handle = namespace.interrupt_handle();
    let begin = Instant::now();
    let asked = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(1));
            asked.store(begin.elapsed().as_nanos() as u64, Ordering::Relaxed);
            handle.interrupt();
        });
        match instance.call(&mut namespace, name, &[]) {
            Ok(_) => Err("the guest was not stopped".into()),
            Err(_) => Ok(begin.elapsed().as_nanos() as u64 - asked.load(Ordering::Relaxed)),
        }
    })
}

/// A compute guest, compiled with or without fuel.
fn compute(path: &Path, fuel: bool) -> Result<CompiledModule> {
    Ok(Runtime::with_config(Config::new().fuel(fuel)).compile(&std::fs::read(path)?)?)
}

/// The processor time of a run in seconds, and the operators that it executed.
fn run(module: &CompiledModule) -> Result<(f64, u64)> {
    let wasi = Builder::new().arg("guest").stdout(Output::null());
    let mut linker = Linker::new(module.runtime());
    linker.host(&wasi.compile(module.runtime())?)?;
    let mut namespace = module.runtime().namespace();
    let instance = linker.instantiate(&mut namespace, module)?;
    let start = instance.typed::<(), ()>(&namespace, "_start")?;
    let before = processor_time();
    if let Err(error) = start.call(&mut namespace, ()) {
        match error.exit_code() {
            Some(0) => {}
            _ => return Err(error.into()),
        }
    }
    Ok((processor_time() - before, namespace.fuel_consumed()))
}

fn processor_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn fuel() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/bench");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    paths.sort();
    let mut product = 1.0;
    for path in &paths {
        let (without, with) = (compute(path, false)?, compute(path, true)?);
        let (mut least, mut least_with, mut operators) = (f64::INFINITY, f64::INFINITY, 0);
        for _ in 0..RUNS {
            least = least.min(run(&without)?.0);
            let (time, consumed) = run(&with)?;
            (least_with, operators) = (least_with.min(time), consumed);
        }
        product *= least_with / least;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        println!(
            "fuel/{name:<20} {:8.1} ms without, {:8.1} with: {:.3}; {operators} operators",
            least * 1e3,
            least_with * 1e3,
            least_with / least
        );
    }
    println!("fuel, geometric mean: {:.3}", f64::powf(product, 1.0 / paths.len() as f64));
    Ok(())
}
