//! Measures calls between host and WebAssembly, in nanoseconds.
//!
//! `cargo bench --bench call` prints, per kind of call, the minimum and the median of many batches.
//! The minimum is the cost, and the median shows how quiet the machine is.

use std::hint::black_box;
use std::time::{Duration, Instant};

use precast::{Caller, HostModuleBuilder, Namespace, Runtime, Value};

/// The number of calls timed together, so that reading the clock does not count.
const BATCH: u32 = 100_000;
const BATCHES: usize = 51;

const MODULE: &str = r#"(module
  (import "host" "nop" (func $nop))
  (import "host" "add" (func $add (param i32 i32) (result i32)))
  (import "host" "count" (func $count (param i32)))
  (func (export "nop"))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "loop") (param $n i32)
    (loop $again
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "loop nop") (param $n i32)
    (loop $again
      (call $nop)
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "loop add") (param $n i32)
    (loop $again
      (drop (call $add (local.get $n) (i32.const 1)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "loop count") (param $n i32)
    (loop $again
      (call $count (local.get $n))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let module = runtime.compile(&wat::parse_str(MODULE)?)?;
    let host = HostModuleBuilder::with_state("host", || 0u64)
        .func("nop", || {})
        .func("add", |a: i32, b: i32| a.wrapping_add(b))
        .func("count", |caller: &mut Caller<'_, u64>, n: u32| *caller.state() += u64::from(n))
        .build(&runtime)?;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host)?;
    let instance = ns.instantiate(&module)?;

    println!("{:<40} {:>6} {:>8}", "ns per call", "fastest", "median");
    let nop = instance.typed::<(), ()>(&ns, "nop")?;
    report("host to wasm, typed () -> ()", &mut ns, |ns| nop.call(ns, ()).unwrap());
    let add = instance.typed::<(i32, i32), i32>(&ns, "add")?;
    report("host to wasm, typed (i32, i32) -> i32", &mut ns, |ns| {
        black_box(add.call(ns, black_box((1, 2))).unwrap());
    });
    let nop = instance.func(&ns, "nop").expect("exported");
    report("host to wasm, untyped () -> ()", &mut ns, |ns| {
        black_box(nop.call(ns, &[]).unwrap());
    });
    let add = instance.func(&ns, "add").expect("exported");
    report("host to wasm, untyped (i32, i32) -> i32", &mut ns, |ns| {
        black_box(add.call(ns, black_box(&[Value::I32(1), Value::I32(2)])).unwrap());
    });

    report("host to wasm, untyped, lent results", &mut ns, |ns| {
        let mut results = [Value::I32(0)];
        add.call_into(ns, black_box(&[Value::I32(1), Value::I32(2)]), &mut results).unwrap();
        black_box(&results);
    });

    // The loop around the calls is WebAssembly. Its own cost is printed, to be subtracted.
    for (what, name) in [
        ("wasm loop without a call", "loop"),
        ("wasm to host, () -> ()", "loop nop"),
        ("wasm to host, (i32, i32) -> i32", "loop add"),
        ("wasm to host, with caller's state", "loop count"),
    ] {
        let run = instance.typed::<(u32,), ()>(&ns, name)?;
        print_line(what, measure(|| run.call(&mut ns, (BATCH,)).unwrap()));
    }
    Ok(())
}

/// Times single calls from the host.
fn report(what: &str, ns: &mut Namespace, mut call: impl FnMut(&mut Namespace)) {
    print_line(
        what,
        measure(|| {
            for _ in 0..BATCH {
                call(ns);
            }
        }),
    );
}

/// Times `batch`, which makes [`BATCH`] calls. Returns the sorted times of the batches.
fn measure(mut batch: impl FnMut()) -> Vec<Duration> {
    batch();
    let mut times: Vec<Duration> = (0..BATCHES)
        .map(|_| {
            let start = Instant::now();
            batch();
            start.elapsed()
        })
        .collect();
    times.sort();
    times
}

fn print_line(what: &str, times: Vec<Duration>) {
    let per_call = |time: Duration| time.as_secs_f64() * 1e9 / f64::from(BATCH);
    let (fastest, median) = (per_call(times[0]), per_call(times[BATCHES / 2]));
    println!("{what:<40} {fastest:>6.2} {median:>8.2}");
}
