//! Measures resets and snapshots: how long an initialised instance takes to make.
//!
//! `cargo bench --bench snapshot -- [FILE INIT CALL]` prints the least and the median time of each way. INIT
//! is the function that initialises the module in FILE. CALL takes and gives an i32; each instance calls
//! it once. By default the module is one that writes two megabytes first.

use std::time::Instant;

use precast::{CompiledModule, Error, Instance, Linker, Namespace, Runtime, wasi};

/// Writes 512 pages; a call writes to as many pages as its argument says.
const DEFAULT: &str = r#"(module
  (memory (export "memory") 40)
  (func $write (param $pages i32) (param $value i32)
    (loop $again
      (i32.store (i32.mul (local.get $pages) (i32.const 4096)) (local.get $value))
      (br_if $again (local.tee $pages (i32.sub (local.get $pages) (i32.const 1))))))
  (func (export "init") (call $write (i32.const 512) (i32.const 1)))
  (func (export "call") (param i32) (result i32)
    (call $write (local.get 0) (i32.const 2)) (local.get 0)))"#;

const ROUNDS: usize = 300;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A module, how it is initialised, and what an instance does then.
struct Guest {
    linker: Linker,
    module: CompiledModule,
    init: String,
    call: String,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let runtime = Runtime::new();
    let guest = guest(&runtime, &args)?;
    let (mut namespace, instance) = guest.initialised()?;
    let snapshot = instance.snapshot(&mut namespace)?;
    let pre = guest.linker.instantiate_pre(&snapshot)?;
    println!("artifact: {} bytes", guest.module.serialize().len());
    println!("snapshot: {} bytes", snapshot.serialize().len());
    println!("{:<44} {:>10} {:>10}", "", "least us", "median us");
    row("initialise an instance", ROUNDS / 10, || guest.initialised().map(drop))?;
    row("take a snapshot", ROUNDS / 10, || instance.snapshot(&mut namespace).map(drop))?;
    row("instance of the snapshot", ROUNDS, || pre.instantiate().map(drop))?;
    // Pages that were written once stay, and are written back from then on: the fewest come first.
    for pages in [1, 16, 256] {
        row(&format!("instance of the snapshot, call {pages}"), ROUNDS, || {
            let (mut namespace, instance) = pre.instantiate()?;
            guest.call(&mut namespace, instance, pages)
        })?;
        let (mut namespace, instance) = pre.instantiate()?;
        row(&format!("call {pages}, reset"), ROUNDS, || {
            guest.call(&mut namespace, instance, pages)?;
            instance.reset(&mut namespace)
        })?;
    }
    Ok(())
}

/// The module that the arguments name, or the default.
fn guest(runtime: &Runtime, args: &[String]) -> Result<Guest> {
    let (wasm, init, call) = match args {
        [file, init, call] => (std::fs::read(file)?, init.as_str(), call.as_str()),
        _ => (wat::parse_str(DEFAULT)?, "init", "call"),
    };
    let mut linker = Linker::new(runtime);
    linker.host(&wasi::Builder::new().compile(runtime)?)?;
    let module = runtime.compile(&wasm)?;
    Ok(Guest { linker, module, init: init.to_owned(), call: call.to_owned() })
}

impl Guest {
    fn initialised(&self) -> std::result::Result<(Box<Namespace>, Instance), Error> {
        let (mut namespace, instance) = self.linker.instantiate_pre(&self.module)?.instantiate()?;
        if self.module.export("_initialize").is_some() {
            instance.call(&mut namespace, "_initialize", &[])?;
        }
        instance.call(&mut namespace, &self.init, &[])?;
        Ok((namespace, instance))
    }

    fn call(
        &self,
        namespace: &mut Namespace,
        instance: Instance,
        n: i32,
    ) -> std::result::Result<(), Error> {
        instance.typed::<i32, i32>(namespace, &self.call)?.call(namespace, n).map(drop)
    }
}

/// Runs `work` and prints its times.
fn row(
    name: &str,
    rounds: usize,
    mut work: impl FnMut() -> std::result::Result<(), Error>,
) -> Result<()> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        work()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    println!("{name:<44} {:>10.2} {:>10.2}", times[0], times[rounds / 2]);
    Ok(())
}
