//! Tests that thousands of instances leave nothing behind, however they end.
//!
//! It is the only test of its binary, because it measures the whole process. `PRECAST_CHURN=5000000` sets
//! the number of instances.

use std::fs;
use std::time::Duration;

use fastrand::Rng;
use precast::{
    Caller, CompiledModule, Config, ErrorKind, HostError, HostModuleBuilder, InstancePre, Linker,
    ResourceLimits, Runtime, Trap, TrapCode, wasi,
};

const THREADS: usize = 2;
const INSTANCES: usize = 10_000;

/// Growth that may happen by chance: an allocator's arena, a thread's stack.
const SLACK_MAPPINGS: usize = 16;
const SLACK_BYTES: usize = 4 << 20;

const MODULE: &str = r#"(module
  (import "host" "note" (func $note (param i32)))
  (import "host" "fail" (func $fail (param i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (type $unary (func (param i32) (result i32)))
  (memory (export "memory") 2 10) (data (i32.const 70000) "some bytes")
  (table (export "table") 8 funcref) (elem (i32.const 0) $square)
  (global $runs (mut i32) (i32.const 0))
  (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
  (func (export "run") (param i32) (result i32)
    (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
    (call $note (global.get $runs))
    (drop (call $args (i32.const 8) (i32.const 12)))
    (i32.store (i32.const 0) (local.get 0))
    (i32.store (i32.const 131068) (local.get 0))
    (drop (memory.grow (i32.const 1)))
    (call_indirect (type $unary) (i32.load (i32.const 131068)) (i32.const 0)))
  (func (export "trap") unreachable)
  (func (export "loop") (loop (br 0)))
  (func $deep (export "deep") (call $deep) (call $deep))
  (func (export "fail") (param i32) (call $fail (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 5))))"#;

/// The ways in which an instance ends, after it has run once.
#[derive(Clone, Copy, Debug)]
enum End {
    Drop,
    Close,
    Trap,
    StackOverflow,
    OutOfFuel,
    Timeout,
    Interrupt,
    HostError,
    HostPanic,
    Limit,
    Reset,
    Snapshot,
    Remove,
}

impl End {
    /// Those that take long are rare.
    fn random(random: &mut Rng) -> End {
        // Sanitizers may delay signals for ever.
        let interrupts = std::env::var_os("PRECAST_NO_INTERRUPTS").is_none();
        match random.u32(0..1000) {
            0..10 if !interrupts => End::Drop,
            0..5 => End::Timeout,
            5..10 => End::Interrupt,
            10 => End::Snapshot,
            11..20 => End::HostPanic,
            20..60 => End::StackOverflow,
            n => [
                End::Drop,
                End::Close,
                End::Trap,
                End::OutOfFuel,
                End::HostError,
                End::Limit,
                End::Reset,
                End::Remove,
            ][n as usize % 8],
        }
    }
}

#[test]
fn nothing_grows() {
    let count = std::env::var("PRECAST_CHURN").ok().and_then(|n| n.parse().ok());
    let count = count.unwrap_or(INSTANCES);
    // Panics of host functions are expected.
    std::panic::set_hook(Box::new(|panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&"expected") {
            eprintln!("{panic}");
        }
    }));
    let programs = [false, true].map(program);

    // The first instances fill caches, which may stay.
    churn(&programs, INSTANCES / 5, 1);
    let before = Held::now();
    churn(&programs, count, 2);
    let after = Held::now();

    println!("{count} instances on {THREADS} threads: {before:?} -> {after:?}");
    assert_eq!(after.descriptors, before.descriptors, "descriptors grew");
    // A thread that has ended may be counted for a moment.
    assert!(after.threads <= before.threads + 1, "{before:?} -> {after:?}");
    // ThreadSanitizer keeps memory of its own for each call that does not return.
    if std::env::var_os("PRECAST_MEMORY_GROWS").is_some() {
        return;
    }
    assert!(after.mappings <= before.mappings + SLACK_MAPPINGS, "{before:?} -> {after:?}");
    assert!(after.bytes <= before.bytes + SLACK_BYTES, "{before:?} -> {after:?}");
}

/// The module, linked, with guards behind its memory or without.
fn program(explicit_bounds: bool) -> InstancePre {
    let config = Config::new().fuel(true).explicit_bounds(explicit_bounds);
    let runtime = Runtime::with_config(config);
    let module: CompiledModule = runtime.compile(&wat::parse_str(MODULE).unwrap()).unwrap();
    let host = HostModuleBuilder::with_state("host", Vec::<i32>::new)
        .func("note", |caller: &mut Caller<'_, Vec<i32>>, n: i32| caller.state().push(n))
        .func("fail", |n: i32| -> Result<(), HostError> {
            if n == 0 { Err(HostError::new("no")) } else { panic!("expected") }
        })
        .build(&runtime)
        .unwrap();
    let wasi = wasi::Builder::new().arg("churn").dir("/", "/").compile(&runtime).unwrap();
    let mut linker = Linker::new(&runtime);
    linker.host(&host).unwrap().host(&wasi).unwrap().instantiate_pre(&module).unwrap()
}

fn churn(programs: &[InstancePre], n: usize, seed: u64) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut random = Rng::with_seed(seed * 100 + thread as u64);
                (0..n / THREADS).for_each(|i| live_and_die(&programs[i % 2], &mut random));
            });
        }
    });
}

fn live_and_die(program: &InstancePre, random: &mut Rng) {
    let n = random.i32(0..1000);
    let (mut ns, instance) = program.instantiate().unwrap();
    ns.set_fuel(1_000_000_000_000);
    let run = instance.typed::<(i32,), i32>(&ns, "run").unwrap();
    // Memory and globals are fresh, whichever instance used the address space before.
    assert_eq!(instance.memory(&ns, "memory").unwrap().data(&ns).unwrap()[..4], [0; 4]);
    assert_eq!(run.call(&mut ns, (n,)).unwrap(), n * n);
    assert_eq!(instance.memory(&ns, "memory").unwrap().size(&ns).unwrap(), 3);
    let trap = |ns: &mut precast::Namespace, name: &str| {
        let error = instance.call(ns, name, &[]).unwrap_err();
        error.trap().map(Trap::code)
    };
    let fail = |ns: &mut precast::Namespace, n: i32| {
        instance.typed::<i32, ()>(ns, "fail").unwrap().call(ns, n)
    };
    match End::random(random) {
        End::Drop => {}
        End::Close => ns.close(),
        End::Trap => assert_eq!(trap(&mut ns, "trap"), Some(TrapCode::Unreachable)),
        End::StackOverflow => assert_eq!(trap(&mut ns, "deep"), Some(TrapCode::StackOverflow)),
        End::OutOfFuel => {
            ns.set_fuel(random.u64(0..10_000));
            assert_eq!(trap(&mut ns, "loop"), Some(TrapCode::OutOfFuel));
        }
        End::Timeout => {
            let time = Duration::from_micros(random.u64(1..100));
            let code = ns.with_timeout(time, |ns| trap(ns, "loop"));
            assert_eq!(code, Some(TrapCode::DeadlineExceeded));
        }
        End::Interrupt => {
            let handle = ns.interrupt_handle();
            std::thread::scope(|scope| {
                scope.spawn(move || handle.interrupt());
                assert_eq!(trap(&mut ns, "loop"), Some(TrapCode::Interrupted));
            });
        }
        End::HostError => assert_eq!(fail(&mut ns, 0).unwrap_err().to_string(), "no"),
        End::HostPanic => {
            let call = std::panic::AssertUnwindSafe(|| drop(fail(&mut ns, 1)));
            assert!(std::panic::catch_unwind(call).is_err());
        }
        End::Limit => {
            ns.set_limits(ResourceLimits::new().memory_bytes(4 << 16));
            let grow = instance.typed::<(), i32>(&ns, "grow").unwrap();
            assert_eq!(grow.call(&mut ns, ()).unwrap(), -1);
        }
        End::Reset => {
            instance.reset(&mut ns).unwrap();
            assert_eq!(run.call(&mut ns, (n,)).unwrap(), n * n);
        }
        End::Snapshot => {
            let snapshot = instance.snapshot(&mut ns).unwrap();
            assert_eq!(snapshot.exports().len(), program.module().exports().len());
        }
        End::Remove => {
            ns.remove(instance).unwrap();
            let error = instance.typed::<(i32,), i32>(&ns, "run").err().unwrap();
            assert!(matches!(error.kind(), ErrorKind::NotFound(_)), "{error}");
        }
    }
}

/// The resources of the process.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    mappings: usize,
    threads: usize,
    bytes: usize,
}

impl Held {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let field = |name: &str| -> usize {
            let value = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            value.trim().trim_end_matches(" kB").parse().unwrap()
        };
        Held {
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            mappings: fs::read_to_string("/proc/self/maps").unwrap().lines().count(),
            threads: field("Threads:"),
            bytes: field("VmRSS:") * 1024,
        }
    }
}
