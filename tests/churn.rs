//! Tests that thousands of instances leave nothing behind.
//!
//! It is the only test of its binary, because it measures the whole process.

use std::fs;

use precast::{Caller, CompiledModule, HostModule, HostModuleBuilder, Runtime};

const THREADS: usize = 2;
const INSTANCES: usize = 10_000;

/// Growth that may happen by chance: an allocator's arena, a thread's stack.
const SLACK_MAPPINGS: usize = 16;
const SLACK_BYTES: usize = 4 << 20;

const MODULE: &str = r#"(module
  (import "host" "note" (func $note (param i32)))
  (type $unary (func (param i32) (result i32)))
  (memory (export "memory") 2 10) (data (i32.const 70000) "some bytes")
  (table (export "table") 8 funcref) (elem (i32.const 0) $square)
  (global $runs (mut i32) (i32.const 0))
  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func (export "run") (param i32) (result i32)
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (call $note (global.get $runs))
    (i32.store (i32.const 0) (local.get 0))
    (i32.store (i32.const 131068) (local.get 0))
    (drop (memory.grow (i32.const 1)))
    (call_indirect (type $unary) (i32.load (i32.const 131068)) (i32.const 0)))
  (func (export "trap") unreachable))"#;

#[test]
fn nothing_grows() {
    let runtime = Runtime::new();
    let module = runtime.compile(&wat::parse_str(MODULE).unwrap()).unwrap();
    let host = HostModuleBuilder::with_state("host", Vec::<i32>::new)
        .func("note", |caller: &mut Caller<'_, Vec<i32>>, n: i32| caller.state().push(n))
        .build(&runtime)
        .unwrap();

    // The first instances fill caches, which may stay.
    churn(&runtime, &module, &host, INSTANCES / 10);
    let before = Held::now();
    churn(&runtime, &module, &host, INSTANCES);
    let after = Held::now();

    println!("{INSTANCES} instances on {THREADS} threads: {before:?} -> {after:?}");
    assert_eq!(after.descriptors, before.descriptors, "descriptors grew");
    assert!(after.mappings <= before.mappings + SLACK_MAPPINGS, "{before:?} -> {after:?}");
    assert!(after.bytes <= before.bytes + SLACK_BYTES, "{before:?} -> {after:?}");
}

fn churn(runtime: &Runtime, module: &CompiledModule, host: &HostModule<Vec<i32>>, n: usize) {
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..n / THREADS).for_each(|i| live_and_die(runtime, module, host, i)));
        }
    });
}

fn live_and_die(runtime: &Runtime, module: &CompiledModule, host: &HostModule<Vec<i32>>, i: usize) {
    let n = i32::try_from(i % 1000).unwrap();
    let mut ns = runtime.namespace();
    ns.instantiate_host(host).unwrap();
    let instance = ns.instantiate(module).unwrap();
    let run = instance.typed::<(i32,), i32>(&ns, "run").unwrap();
    // Memory and globals are fresh, whichever instance used the address space before.
    assert_eq!(instance.memory(&ns, "memory").unwrap().data(&ns).unwrap()[..4], [0; 4]);
    assert_eq!(run.call(&mut ns, (n,)).unwrap(), n * n);
    assert_eq!(instance.memory(&ns, "memory").unwrap().size(&ns).unwrap(), 3);
    if i.is_multiple_of(10) {
        assert!(instance.call(&mut ns, "trap", &[]).is_err());
    }
    if i.is_multiple_of(2) {
        ns.close();
    }
}

/// The resources of the process.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    mappings: usize,
    bytes: usize,
}

impl Held {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: usize = resident.trim().trim_end_matches(" kB").parse().unwrap();
        Held {
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            mappings: fs::read_to_string("/proc/self/maps").unwrap().lines().count(),
            bytes: kilobytes * 1024,
        }
    }
}
