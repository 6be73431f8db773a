//! Instantiating a module and dropping the instance.

use crate::Result;
use crate::clock::Clock;
use crate::command::Command;
use crate::compare::Compare;
use crate::guests;
use crate::timing::in_batches;

/// A module with an empty memory.
const EMPTY: &str = r#"(module (memory (export "memory") 1) (func (export "nop")))"#;

/// Bytes of initialised memory in [`initialised`].
const DATA: usize = 1 << 20;

/// A module with 1 MiB of initialised memory, and a function that writes to every host page of the
/// first `n` bytes of it. It traps if an earlier instance's writes are still there. It checks after
/// it has written something else to the page, so that a write faults the page in.
fn initialised() -> String {
    let data = "precast ".repeat(DATA / 8);
    format!(
        r#"(module
          (memory (export "memory") 17)
          (data (i32.const 0) "{data}")
          (func (export "touch") (param $n i32)
            (loop $again
              (local.set $n (i32.sub (local.get $n) (i32.const 4096)))
              (i32.store8 offset=8 (local.get $n) (i32.const 1))
              (if (i32.ne (i32.load8_u (local.get $n)) (i32.const 112 (; p ;)))
                (then unreachable))
              (i32.store8 (local.get $n) (i32.const 1))
              (br_if $again (local.get $n)))))"#
    )
}

/// Measures the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    let initialised = initialised();
    for (name, wat) in [("64 KiB of zeros", EMPTY), ("1 MiB of data", &initialised)] {
        for allocator in Allocator::ALL {
            let row = format!("instantiate/{name}{}", allocator.suffix());
            compare.times(&row, |clock| bare(clock, wat, allocator));
        }
    }
    for (name, touched) in [("64 KiB", 1 << 16), ("1 MiB", DATA as u32)] {
        for allocator in Allocator::ALL {
            let row = format!("instantiate/{name} of it written{}", allocator.suffix());
            compare.times(&row, |clock| writing(clock, &initialised, touched, allocator));
        }
    }
    for allocator in Allocator::ALL {
        let row = format!("instantiate/minisql, WASI{}", allocator.suffix());
        compare.times(&row, |clock| command(clock, allocator));
    }
    Ok(())
}

/// The ways in which wasmtime allocates the memory of instances. precast has one way.
#[derive(Clone, Copy)]
enum Allocator {
    /// From the system, each time: the default.
    OnDemand,
    /// From a pool made beforehand.
    Pooling,
}

impl Allocator {
    /// All ways.
    const ALL: [Allocator; 2] = [Allocator::OnDemand, Allocator::Pooling];

    /// The name of the row.
    fn suffix(self) -> &'static str {
        match self {
            Allocator::OnDemand => "",
            Allocator::Pooling => " (pooling)",
        }
    }

    /// An engine with this way.
    fn engine(self) -> Result<wasmtime::Engine> {
        let mut config = wasmtime::Config::new();
        if let Allocator::Pooling = self {
            config.allocation_strategy(wasmtime::InstanceAllocationStrategy::pooling());
        }
        Ok(wasmtime::Engine::new(&config)?)
    }
}

/// The work of a row, for each runtime.
type Sides<P, W> = Result<(P, W)>;

/// A module that imports nothing.
fn bare(
    clock: Clock,
    wat: &str,
    allocator: Allocator,
) -> Sides<impl FnMut() -> Result<f64> + use<>, impl FnMut() -> Result<f64> + use<>> {
    let wasm = wat::parse_str(wat)?;
    let runtime = precast::Runtime::new();
    let module = runtime.compile(&wasm)?;
    let ours = in_batches(clock, move || {
        let mut namespace = runtime.namespace();
        namespace.instantiate(&module)?;
        Ok(())
    });
    let (engine, pre) = wasmtime_pre(&wasm, allocator)?;
    let theirs = in_batches(clock, move || {
        let mut store = wasmtime::Store::new(&engine, ());
        pre.instantiate(&mut store)?;
        Ok(())
    });
    Ok((ours, theirs))
}

/// The same, and a call of a function that writes to the first `touched` bytes, which must be
/// reset.
fn writing(
    clock: Clock,
    wat: &str,
    touched: u32,
    allocator: Allocator,
) -> Sides<impl FnMut() -> Result<f64> + use<>, impl FnMut() -> Result<f64> + use<>> {
    let wasm = wat::parse_str(wat)?;
    let runtime = precast::Runtime::new();
    let module = runtime.compile(&wasm)?;
    let ours = in_batches(clock, move || {
        let mut namespace = runtime.namespace();
        let instance = namespace.instantiate(&module)?;
        let touch = instance.typed::<(u32,), ()>(&namespace, "touch")?;
        Ok(touch.call(&mut namespace, (touched,))?)
    });
    let (engine, pre) = wasmtime_pre(&wasm, allocator)?;
    let theirs = in_batches(clock, move || {
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = pre.instantiate(&mut store)?;
        let touch = instance.get_typed_func::<u32, ()>(&mut store, "touch")?;
        Ok(touch.call(&mut store, touched)?)
    });
    Ok((ours, theirs))
}

/// A module without imports, linked for wasmtime.
fn wasmtime_pre(
    wasm: &[u8],
    allocator: Allocator,
) -> Result<(wasmtime::Engine, wasmtime::InstancePre<()>)> {
    let engine = allocator.engine()?;
    let module = wasmtime::Module::new(&engine, wasm)?;
    let pre = wasmtime::Linker::new(&engine).instantiate_pre(&module)?;
    Ok((engine, pre))
}

/// A program with WASI: also a WASI state, a dozen imports, and a table.
fn command(
    clock: Clock,
    allocator: Allocator,
) -> Sides<impl FnMut() -> Result<f64> + use<>, impl FnMut() -> Result<f64> + use<>> {
    let command = Command::new(&guests::path("programs/minisql/minisql.wasm"));
    let ours = command.for_precast(&precast::Runtime::new())?;
    let theirs = command.for_wasmtime(&allocator.engine()?)?;
    Ok((
        in_batches(clock, move || ours.instantiate().map(drop)),
        in_batches(clock, move || theirs.instantiate().map(drop)),
    ))
}
