//! Measures fresh instances: how long it takes to make one and drop it, on one thread and on several.
//!
//! `cargo bench --bench instances -- [FILTER]` prints, per kind of module, the least time of an instance
//! on one thread, and how many a second one, two and 64 threads make in the best of several rounds.

use std::fmt::Write;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use precast::{CompiledModule, HostModuleBuilder, InstancePre, Linker, Runtime, wasi};

/// Instances that are timed together, and the number of times that they are.
const BATCH: u32 = 500;
const BATCHES: usize = 60;

/// How long the threads run in each of so many rounds.
const RUN: Duration = Duration::from_millis(250);
const ROUNDS: usize = 3;

/// What is done with an instance.
type Work<'a> = dyn Fn() + Sync + 'a;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let runtime = Runtime::new();
    let compile = |text: &str| -> Result<CompiledModule, Box<dyn std::error::Error>> {
        Ok(runtime.compile(&wat::parse_str(text)?)?)
    };
    let mut linker = Linker::new(&runtime);
    let host = HostModuleBuilder::with_state("host", || 0u64);
    let host = (0..30).fold(host, |host, n| host.func(&format!("f{n}"), |v: i32| v + 1));
    let host = host.build(&runtime)?;
    linker.host(&host)?;

    println!("{:<36} {:>8} {:>12} {:>12} {:>12}", "instances", "ns", "1 thread/s", "2", "64");
    let bare = compile(r#"(module (func (export "f") (param i32)))"#)?;
    let touch = r#"(func (export "f") (param i32)
      (loop $again
        (i32.store (i32.mul (local.get 0) (i32.const 4096)) (i32.const 1))
        (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))"#;
    let data = r#"(data (i32.const 70000) "eleven byte")"#;
    let pages = |n: u32| format!(r#"(module (memory (export "memory") {n}) {data} {touch})"#);
    let (two, many) = (compile(&pages(2))?, compile(&pages(20))?);
    let large = compile(&large())?;
    let plain = |module: &CompiledModule| {
        let (runtime, module) = (runtime.clone(), module.clone());
        move || drop(runtime.namespace().instantiate(&module).map(drop))
    };
    let calling = |module: &CompiledModule, n: i32| {
        let pre = linker.instantiate_pre(module).expect("the imports are defined");
        move || call(&pre, n)
    };
    let by_name = || {
        let mut namespace = runtime.namespace();
        namespace.instantiate_host(&host).expect("the host module");
        namespace.instantiate(&large).expect("the instance");
    };
    let pre = linker.instantiate_pre(&large)?;
    let program = program(&runtime)?;
    let rows: [(&str, Box<Work<'_>>); 10] = [
        ("no memory", Box::new(plain(&bare))),
        ("two pages", Box::new(plain(&two))),
        ("two pages, call writes to one page", Box::new(calling(&two, 1))),
        ("20 pages, call writes to 16", Box::new(calling(&many, 16))),
        ("20 pages, call writes to 256", Box::new(calling(&many, 256))),
        ("large, linked once", Box::new(move || drop(pre.instantiate().expect("an instance")))),
        ("large, linked once, call", Box::new(calling(&large, 1))),
        ("large, imports by name", Box::new(by_name)),
        ("minisql with WASI", Box::new(|| drop(program.instantiate().expect("an instance")))),
        ("minisql with WASI, start known", Box::new(|| known(&program))),
    ];
    for (name, work) in rows.iter().filter(|(name, _)| name.contains(&filter)) {
        let rates = [1, 2, 64].map(|threads| rate(&**work, threads));
        println!(
            "{name:<36} {:>8.0} {:>12.0} {:>12.0} {:>12.0}",
            least(&**work),
            rates[0],
            rates[1],
            rates[2]
        );
    }
    Ok(())
}

/// A program with WASI and a directory, linked once.
fn program(runtime: &Runtime) -> Result<InstancePre, Box<dyn std::error::Error>> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests/programs/minisql/minisql.wasm");
    let mut linker = Linker::new(runtime);
    linker.host(&wasi::Builder::new().arg("minisql").dir("/tmp", "/tmp").compile(runtime)?)?;
    Ok(linker.instantiate_pre(&runtime.compile(&std::fs::read(file)?)?)?)
}

/// A module as large programs are: a table of 700 functions that the host can see, 30 imports, globals,
/// and 40 KiB of data in 256 pages.
fn large() -> String {
    let mut text = String::from("(module (type $f (func (param i32) (result i32)))");
    for n in 0..30 {
        let _ = write!(text, r#"(import "host" "f{n}" (func $i{n} (type $f)))"#);
    }
    let _ =
        write!(text, r#"(memory (export "memory") 256 1000) (table (export "table") 701 funcref)"#);
    let _ = write!(text, r#"(global $sp (mut i32) (i32.const 1048576))"#);
    let _ = write!(text, r#"(data (i32.const 1024) "{}")"#, "precast ".repeat(5 << 10));
    let mut elements = String::new();
    for n in 0..700 {
        let _ = write!(
            text,
            "(func $f{n} (type $f) (call $i{} (i32.add (local.get 0) (i32.const {n}))))",
            n % 30
        );
        let _ = write!(elements, " $f{n}");
    }
    let _ = write!(text, "(elem (i32.const 1) func {elements})");
    text + r#"(func (export "f") (param i32)
         (i32.store (i32.const 1040) (call_indirect (type $f) (local.get 0) (local.get 0)))))"#
}

/// An instance whose start function is looked up.
fn known(pre: &InstancePre) {
    let (namespace, instance) = pre.instantiate().expect("an instance");
    instance.typed::<(), ()>(&namespace, "_start").expect("a function");
}

/// An instance whose function is called.
fn call(pre: &InstancePre, n: i32) {
    let (mut namespace, instance) = pre.instantiate().expect("an instance");
    let f = instance.typed::<(i32,), ()>(&namespace, "f").expect("a function");
    f.call(&mut namespace, (n,)).expect("no trap");
}

/// The least nanoseconds per instance of many batches.
fn least(work: &Work<'_>) -> f64 {
    let batch = || {
        let start = Instant::now();
        (0..BATCH).for_each(|_| work());
        start.elapsed().as_nanos() as f64 / f64::from(BATCH)
    };
    (0..BATCHES).map(|_| batch()).fold(f64::INFINITY, f64::min)
}

/// Instances a second on so many threads; the best round.
fn rate(work: &Work<'_>, threads: usize) -> f64 {
    let round = || {
        let (ready, stop) = (Barrier::new(threads), AtomicBool::new(false));
        let count = || {
            ready.wait();
            let (start, mut count) = (Instant::now(), 0u32);
            while !stop.load(Ordering::Relaxed) {
                (0..10).for_each(|_| work());
                count += 10;
                if start.elapsed() > RUN {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            (start, Instant::now(), f64::from(count))
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..threads).map(|_| scope.spawn(count)).collect();
            all.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        // A busy machine runs some threads only after others have ended.
        let start = all.iter().map(|one| one.0).min().expect("a thread");
        let end = all.iter().map(|one| one.1).max().expect("a thread");
        all.iter().map(|one| one.2).sum::<f64>() / (end - start).as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).fold(0.0, f64::max)
}
