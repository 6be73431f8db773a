//! Host functions that WebAssembly calls.

use std::panic::{AssertUnwindSafe, catch_unwind};

use precast::{
    Caller, ErrorKind, FuncType, HostError, HostModuleBuilder, Namespace, Runtime, TrapCode,
    ValType, Value,
};

use super::{compile, instantiate_with_host};

/// A runtime and one of its namespaces.
fn setup() -> (Runtime, Box<Namespace>) {
    let runtime = Runtime::new();
    let ns = runtime.namespace();
    (runtime, ns)
}

#[test]
fn closures_capture() {
    let factor = 3;
    let host = HostModuleBuilder::new("host")
        .func("scale", move |n: i32| n * factor)
        .func("mix", |a: i64, b: f32, c: f64, d: u32| a as f64 + f64::from(b) + c + f64::from(d))
        .func("pair", |n: u64| (n / 10, n % 10));
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module
             (import "host" "scale" (func $scale (param i32) (result i32)))
             (import "host" "mix" (func $mix (param i64 f32 f64 i32) (result f64)))
             (import "host" "pair" (func $pair (param i64) (result i64 i64)))
             (func (export "scale") (param i32) (result i32) (call $scale (local.get 0)))
             (func (export "mix") (result f64)
               (call $mix (i64.const 1) (f32.const 0.5) (f64.const 0.25) (i32.const -1)))
             (func (export "pair") (result i64 i64) (call $pair (i64.const 42))))"#,
    );
    assert_eq!(instance.call(&mut ns, "scale", &[Value::I32(14)]).unwrap(), [Value::I32(42)]);
    let mix = instance.typed::<(), f64>(&ns, "mix").unwrap();
    assert_eq!(mix.call(&mut ns, ()).unwrap(), 1.75 + f64::from(u32::MAX));
    let pair = instance.typed::<(), (i64, i64)>(&ns, "pair").unwrap();
    assert_eq!(pair.call(&mut ns, ()).unwrap(), (4, 2));
}

#[test]
fn state_is_per_instance() {
    let (runtime, mut ns) = setup();
    let counter = HostModuleBuilder::with_state("counter", || 0u32)
        .func("next", |caller: &mut Caller<'_, u32>| {
            *caller.state() += 1;
            *caller.state()
        })
        .build(&runtime)
        .unwrap();
    let a = ns.instantiate_host_as("a", &counter).unwrap();
    let b = ns.instantiate_host_as("b", &counter).unwrap();
    let a = a.typed::<(), u32>(&ns, "next").unwrap();
    let b = b.typed::<(), u32>(&ns, "next").unwrap();
    assert_eq!(a.call(&mut ns, ()).unwrap(), 1);
    assert_eq!(a.call(&mut ns, ()).unwrap(), 2);
    assert_eq!(b.call(&mut ns, ()).unwrap(), 1);
}

#[test]
fn the_callers_memory() {
    let host = HostModuleBuilder::with_state("host", String::new)
        .func("say", |caller: &mut Caller<'_, String>, at: u32, len: u32| {
            let (memory, said) = caller.memory_and_state();
            let memory = memory.expect("the caller exports its memory");
            let bytes = &memory[at as usize..][..len as usize];
            said.push_str(std::str::from_utf8(bytes).unwrap());
            said.len() as u32
        })
        .func("shout", |caller: &mut Caller<'_, String>| {
            caller.memory().unwrap()[..5].make_ascii_uppercase();
        });
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module
             (import "host" "say" (func $say (param i32 i32) (result i32)))
             (import "host" "shout" (func $shout))
             (memory (export "memory") 1)
             (data (i32.const 0) "hello")
             (func (export "run") (result i32)
               (call $shout)
               (drop (call $say (i32.const 0) (i32.const 5)))
               (call $say (i32.const 1) (i32.const 2))))"#,
    );
    assert_eq!(instance.call(&mut ns, "run", &[]).unwrap(), [Value::I32(7)]);
    assert_eq!(&instance.memory(&ns, "memory").unwrap().data(&ns).unwrap()[..5], b"HELLO");
}

#[test]
fn memory_growth_is_visible_to_the_caller() {
    // The host grows the memory of its caller, and the caller sees the new part at once.
    let host = HostModuleBuilder::new("host").func("grow", |caller: &mut Caller<'_, ()>| {
        let instance = caller.instance().expect("called by wasm");
        let ns = caller.namespace();
        let memory = instance.memory(ns, "memory").unwrap();
        memory.grow(ns, 1).unwrap();
        memory.write(ns, 65536, &[7]).unwrap();
    });
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module
             (import "host" "grow" (func $grow))
             (memory (export "memory") 1 2)
             (func (export "run") (result i32 i32)
               (call $grow)
               (i32.load8_u (i32.const 65536)) (memory.size)))"#,
    );
    let run = instance.typed::<(), (i32, i32)>(&ns, "run").unwrap();
    assert_eq!(run.call(&mut ns, ()).unwrap(), (7, 2));
}

#[test]
fn signatures_known_at_run_time() {
    use ValType::{ExternRef, F32, F64, FuncRef, I32, I64, V128};
    let types = [I32, I64, F32, F64, V128, FuncRef, ExternRef];
    let host = HostModuleBuilder::new("host")
        .func_dynamic(
            "reverse",
            FuncType::new(types, types.into_iter().rev()),
            |_caller, args, results| {
                for (result, arg) in results.iter_mut().zip(args.iter().rev()) {
                    *result = *arg;
                }
                Ok(())
            },
        )
        .func_dynamic("fail", FuncType::new([], []), |_, _, _| Err(HostError::new("on purpose")));
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module
             (import "host" "reverse" (func $reverse
               (param i32 i64 f32 f64 v128 funcref externref)
               (result externref funcref v128 f64 f32 i64 i32)))
             (import "host" "fail" (func $fail))
             (func (export "reverse") (param externref) (result externref funcref v128 f64 f32 i64 i32)
               (call $reverse (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)
                 (v128.const i64x2 5 6) (ref.null func) (local.get 0)))
             (func (export "fail") (call $fail)))"#,
    );
    let held = ns.extern_ref(7u8);
    let results = instance.call(&mut ns, "reverse", &[Value::ExternRef(Some(held))]).unwrap();
    assert_eq!(
        results,
        [
            Value::ExternRef(Some(held)),
            Value::FuncRef(None),
            Value::V128((6 << 64) | 5),
            Value::F64(4f64.to_bits()),
            Value::F32(3f32.to_bits()),
            Value::I64(2),
            Value::I32(1),
        ]
    );
    let error = instance.call(&mut ns, "fail", &[]).unwrap_err();
    assert!(error.to_string().contains("on purpose"), "{error}");
}

#[test]
fn errors_end_the_call() {
    let host = HostModuleBuilder::new("host")
        .func("fail", || Err::<(), _>(HostError::new("no such thing")))
        .func("exit", || Err::<i32, _>(HostError::exit(17)))
        .func("trap", || Err::<i64, _>(HostError::trap(TrapCode::Unreachable)))
        .func("io", || -> Result<(), HostError> {
            Err(std::io::Error::other("the disk is on fire"))?
        });
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module
             (import "host" "fail" (func $fail))
             (import "host" "exit" (func $exit (result i32)))
             (import "host" "trap" (func $trap (result i64)))
             (import "host" "io" (func $io))
             (global $after (export "after") (mut i32) (i32.const 0))
             (func $mark (global.set $after (i32.const 1)))
             (func (export "fail") (call $fail) (call $mark))
             (func (export "exit") (drop (call $exit)) (call $mark))
             (func (export "trap") (drop (call $trap)) (call $mark))
             (func (export "io") (call $io) (call $mark)))"#,
    );

    let error = instance.call(&mut ns, "fail", &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Host(_)), "{error}");
    assert!(error.to_string().contains("no such thing"), "{error}");
    let error = instance.call(&mut ns, "exit", &[]).unwrap_err();
    assert_eq!(error.exit_code(), Some(17));
    let error = instance.call(&mut ns, "trap", &[]).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::Unreachable);
    let error = instance.call(&mut ns, "io", &[]).unwrap_err();
    assert!(error.to_string().contains("the disk is on fire"), "{error}");

    // No code ran after any of the failures.
    assert_eq!(instance.global(&ns, "after").unwrap().get(&ns).unwrap(), Value::I32(0));
}

/// `(ping n)` calls the host's `pong`, which calls `ping (n - 1)`: `n` frames of each.
const PING: &str = r#"(module
  (import "host" "pong" (func $pong (param i32) (result i32)))
  (func (export "ping") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $pong (local.get 0))))
      (else (i32.const 0)))))"#;

fn pong(caller: &mut Caller<'_, ()>, n: i32) -> Result<i32, HostError> {
    if n == 1_000_000 {
        panic!("a bug of the host");
    }
    let instance = caller.instance().expect("called by wasm");
    let ns = caller.namespace();
    Ok(instance.typed::<(i32,), i32>(ns, "ping")?.call(ns, (n - 1,))?)
}

#[test]
fn calls_nest() {
    let (runtime, mut ns) = setup();
    let host = HostModuleBuilder::new("host").func("pong", pong).build(&runtime).unwrap();
    ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate(&compile(&runtime, PING)).unwrap();
    let ping = instance.typed::<(i32,), i32>(&ns, "ping").unwrap();
    assert_eq!(ping.call(&mut ns, (100,)).unwrap(), 100);
}

#[test]
fn errors_cross_nested_calls() {
    let (runtime, mut ns) = setup();
    let host = HostModuleBuilder::new("host")
        .func("pong", |caller: &mut Caller<'_, ()>, n: i32| {
            if n == 1 {
                return Err(HostError::new("deep inside"));
            }
            pong(caller, n)
        })
        .build(&runtime)
        .unwrap();
    ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate(&compile(&runtime, PING)).unwrap();
    let ping = instance.typed::<(i32,), i32>(&ns, "ping").unwrap();
    let error = ping.call(&mut ns, (20,)).unwrap_err();
    assert!(error.to_string().contains("deep inside"), "{error}");
    assert_eq!(ping.call(&mut ns, (0,)).unwrap(), 0);
}

#[test]
fn panics_are_carried_across() {
    /// Counts how often it is dropped: values of the host must not leak.
    struct Owned(std::sync::Arc<std::sync::atomic::AtomicU32>);
    impl Drop for Owned {
        fn drop(&mut self) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    let (runtime, mut ns) = setup();
    let drops = std::sync::Arc::default();
    let owner = std::sync::Arc::clone(&drops);
    let host = HostModuleBuilder::new("host")
        .func("pong", move |caller: &mut Caller<'_, ()>, n: i32| {
            let _owned = Owned(std::sync::Arc::clone(&owner));
            if n == 1 {
                std::panic::panic_any(String::from("a bug of the host"));
            }
            pong(caller, n)
        })
        .build(&runtime)
        .unwrap();
    ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate(&compile(&runtime, PING)).unwrap();
    let ping = instance.typed::<(i32,), i32>(&ns, "ping").unwrap();

    let panic = catch_unwind(AssertUnwindSafe(|| ping.call(&mut ns, (5,)))).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "a bug of the host");
    assert_eq!(drops.load(std::sync::atomic::Ordering::Relaxed), 5);
    assert_eq!(ping.call(&mut ns, (0,)).unwrap(), 0, "the namespace is as usable as before");
}

#[test]
fn later_definitions_replace_earlier_ones() {
    let (runtime, mut ns) = setup();
    let host =
        HostModuleBuilder::new("host").func("f", || 1).func("f", || 2).build(&runtime).unwrap();
    let host = ns.instantiate_host(&host).unwrap();
    assert_eq!(host.call(&mut ns, "f", &[]).unwrap(), [Value::I32(2)]);
}

#[test]
fn a_host_function_may_instantiate() {
    const MANY: i32 = 50;
    let (runtime, mut ns) = setup();
    let part = compile(
        &runtime,
        r#"(module (memory 1) (func (export "part") (result i32) (i32.const 1)))"#,
    );
    let host = HostModuleBuilder::new("host")
        .func("more", move |caller: &mut Caller<'_, ()>| -> Result<i32, HostError> {
            let ns = caller.namespace();
            let instance = ns.instantiate(&part)?;
            Ok(instance.typed::<(), i32>(ns, "part")?.call(ns, ())?)
        })
        .build(&runtime)
        .unwrap();
    ns.instantiate_host(&host).unwrap();
    let module = compile(
        &runtime,
        r#"(module (import "host" "more" (func $more (result i32)))
             (memory 1)
             (func (export "run") (param $n i32) (result i32)
               (loop $next
                 (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (call $more)))
                 (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
               (i32.load (i32.const 0))))"#,
    );
    let instance = ns.instantiate(&module).unwrap();
    let run = instance.typed::<(i32,), i32>(&ns, "run").unwrap();
    assert_eq!(run.call(&mut ns, (MANY,)).unwrap(), MANY);
}
