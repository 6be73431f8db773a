//! Infinite recursion.

use precast::{
    Caller, CompiledModule, Config, FuncType, HostError, HostModuleBuilder, Namespace, Runtime,
    TrapCode, ValType, Value,
};

use super::{compile, instantiate, instantiate_with_host};

const FOREVER: &str = r#"(module
  (func $down (export "down") (param i32) (result i32)
    (i32.add (i32.const 1) (call $down (i32.add (local.get 0) (i32.const 1)))))
  (func (export "up") (result i32) (i32.const 1)))"#;

#[test]
fn is_a_trap_each_time() {
    let (mut ns, instance) = instantiate(FOREVER);
    let down = instance.typed::<(i32,), i32>(&ns, "down").unwrap();
    let up = instance.typed::<(), i32>(&ns, "up").unwrap();
    for _ in 0..10 {
        let error = down.call(&mut ns, (0,)).unwrap_err();
        assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
        assert_eq!(up.call(&mut ns, ()).unwrap(), 1);
    }
}

#[test]
fn is_a_trap_on_every_thread() {
    let runtime = Runtime::new();
    let module = compile(&runtime, FOREVER);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut ns = runtime.namespace();
                let instance = ns.instantiate(&module).unwrap();
                let down = instance.typed::<(i32,), i32>(&ns, "down").unwrap();
                let error = down.call(&mut ns, (0,)).unwrap_err();
                assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
            });
        }
    });
}

#[test]
fn through_the_host_is_a_trap_too() {
    let host = HostModuleBuilder::new("host").func(
        "again",
        |caller: &mut Caller<'_, ()>| -> Result<i32, HostError> {
            let instance = caller.instance().expect("called by wasm");
            let ns = caller.namespace();
            Ok(instance.typed::<(), i32>(ns, "run")?.call(ns, ())?)
        },
    );
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module (import "host" "again" (func $again (result i32)))
             (func (export "run") (result i32) (i32.add (call $again) (i32.const 1))))"#,
    );
    let run = instance.typed::<(), i32>(&ns, "run").unwrap();
    for _ in 0..3 {
        let error = run.call(&mut ns, ()).unwrap_err();
        assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
    }
}

#[test]
fn large_frames_do_not_skip_the_guard() {
    // A frame with more than a page of locals, which stay alive across the call.
    const LOCALS: usize = 4000;
    let sets: String =
        (0..LOCALS).map(|i| format!("(local.set {i} (i64.load (local.get {LOCALS})))")).collect();
    let sums: String =
        (0..LOCALS).map(|i| format!("(i64.store (i32.const 8) (local.get {i}))")).collect();
    let (mut ns, instance) = instantiate(&format!(
        r#"(module (memory 1)
             (func $down (export "down") (local {} i32)
               {sets} (call $down) {sums}))"#,
        "i64 ".repeat(LOCALS),
    ));
    let error = instance.call(&mut ns, "down", &[]).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
}

#[test]
fn a_namespace_moves_between_stacks() {
    let runtime = Runtime::new();
    let module = compile(&runtime, FOREVER);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    let down = instance.typed::<(i32,), i32>(&ns, "down").unwrap();
    let overflow = move |ns: &mut Namespace| {
        let error = down.call(ns, (0,)).unwrap_err();
        assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
    };
    for kilobytes in [512, 4096, 1024] {
        overflow(&mut ns);
        let there = std::thread::Builder::new().stack_size(kilobytes << 10);
        ns = there
            .spawn(move || {
                overflow(&mut ns);
                ns
            })
            .unwrap()
            .join()
            .unwrap();
    }
    overflow(&mut ns);
}

/// Every function counts its calls in the global `depth`.
const COUNTING: &str = r#"(module
  (global $depth (export "depth") (mut i32) (i32.const 0))
  (func $down (export "down") (result i32)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (i32.add (call $down) (i32.const 1))))"#;

/// Runs `work` on a thread with a stack of this size. AddressSanitizer does not unpoison the frames
/// that a failing host function leaves on stacks of more than 64 MiB.
fn with_stack<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(bytes);
        thread.spawn_scoped(scope, work).unwrap().join().unwrap()
    })
}

/// The number of nested calls of the function `down` before it traps.
fn depth(runtime: &Runtime, module: &CompiledModule) -> i32 {
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(module).unwrap();
    let error = instance.call(&mut ns, "down", &[]).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow, "{error}");
    instance.global(&ns, "depth").unwrap().get(&ns).unwrap().as_i32().unwrap()
}

#[test]
fn the_budget_is_the_same_on_threads_of_any_stack_size() {
    let runtime = Runtime::new();
    let module = compile(&runtime, COUNTING);
    let depths = [2, 8, 32, 60].map(|mib| with_stack(mib << 20, || depth(&runtime, &module)));
    assert!(depths[0] > 1 << 13, "{depths:?}");
    assert_eq!(depths, [depths[0]; 4]);
}

#[test]
fn the_settings_set_the_budget() {
    let depth = |kib: usize| {
        let runtime = Runtime::with_config(Config::new().max_stack(kib << 10));
        let module = compile(&runtime, COUNTING);
        with_stack(48 << 20, || depth(&runtime, &module))
    };
    let (one, four) = (depth(1024), depth(4096));
    assert!((4 * one - four).abs() <= 64, "{one} {four}");
    assert!(depth(0) <= 64, "nothing is granted");
    let small = with_stack(1 << 20, || {
        let runtime = Runtime::with_config(Config::new().max_stack(usize::MAX));
        self::depth(&runtime, &compile(&runtime, COUNTING))
    });
    assert!(small < one, "a small stack is the bound");
}

/// Without a limit these would use the whole stack of 48 MiB of the thread.
#[test]
fn every_way_to_recurse_has_the_budget() {
    let count = "(global.set $depth (i32.add (global.get $depth) (i32.const 1)))";
    let global = r#"(global $depth (export "depth") (mut i32) (i32.const 0))"#;
    for (way, text) in [
        ("direct", COUNTING.to_owned()),
        (
            "mutual",
            format!(
                r#"(module {global}
                  (func $a (export "down") (result i32) {count} (i32.add (call $b) (i32.const 1)))
                  (func $b (result i32) {count} (i32.add (call $c) (i32.const 1)))
                  (func $c (result i32) {count} (i32.add (call $a) (i32.const 1))))"#
            ),
        ),
        (
            "a private circle behind an export",
            format!(
                r#"(module {global}
                  (func (export "down") (result i32) (call $b))
                  (func $b (result i32) {count} (i32.add (call $c) (i32.const 1)))
                  (func $c (result i32) {count} (i32.add (call $b) (i32.const 1))))"#
            ),
        ),
        (
            "a table known at compile time",
            format!(
                r#"(module {global} (type $t (func (result i32))) (table 1 funcref) (elem (i32.const 0) $a)
                  (func $a (export "down") (result i32) {count}
                    (i32.add (call_indirect (type $t) (global.get $zero)) (i32.const 1)))
                  (global $zero (mut i32) (i32.const 0)))"#
            ),
        ),
        (
            "a constant index",
            format!(
                r#"(module {global} (type $t (func (result i32))) (table 1 funcref) (elem (i32.const 0) $a)
                  (func (export "down") (result i32) (call $a))
                  (func $a (result i32) {count}
                    (i32.add (call_indirect (type $t) (i32.const 0)) (i32.const 1))))"#
            ),
        ),
        (
            "a table that changes",
            format!(
                r#"(module {global} (type $t (func (result i32))) (table 1 funcref)
                  (elem declare func $a)
                  (func (export "down") (result i32)
                    (table.set (i32.const 0) (ref.func $a)) (call $a))
                  (func $a (result i32) {count}
                    (i32.add (call_indirect (type $t) (i32.const 0)) (i32.const 1))))"#
            ),
        ),
        (
            "a reference in a global",
            format!(
                r#"(module {global} (type $t (func (result i32))) (table 1 funcref)
                  (global $f funcref (ref.func $a))
                  (func (export "down") (result i32)
                    (table.set (i32.const 0) (global.get $f)) (call_indirect (type $t) (i32.const 0)))
                  (func $a (result i32) {count}
                    (i32.add (call_indirect (type $t) (i32.const 0)) (i32.const 1))))"#
            ),
        ),
    ] {
        let runtime = Runtime::new();
        let module = compile(&runtime, &text);
        let depth = with_stack(48 << 20, || depth(&runtime, &module));
        // A frame has at least 16 bytes.
        assert!((8000..=(1 << 20) / 16 + 4096).contains(&depth), "{way}: {depth}");
    }
}

#[test]
fn recursion_between_instances_has_the_budget() {
    let runtime = Runtime::new();
    let first = compile(
        &runtime,
        r#"(module (type $t (func (result i32))) (table (export "t") 1 funcref)
             (global $depth (export "depth") (mut i32) (i32.const 0))
             (func (export "down") (result i32)
               (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
               (i32.add (call_indirect (type $t) (i32.const 0)) (i32.const 1))))"#,
    );
    let second = compile(
        &runtime,
        r#"(module (import "a" "t" (table 1 funcref)) (import "a" "down" (func $a (result i32)))
             (func $b (result i32) (i32.add (call $a) (i32.const 1))) (elem (i32.const 0) $b))"#,
    );
    let depth = with_stack(48 << 20, || {
        let mut ns = runtime.namespace();
        let a = ns.instantiate_as("a", &first).unwrap();
        ns.instantiate(&second).unwrap();
        let error = a.call(&mut ns, "down", &[]).unwrap_err();
        assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
        a.global(&ns, "depth").unwrap().get(&ns).unwrap().as_i32().unwrap()
    });
    assert!((4000..=(1 << 20) / 32 + 4096).contains(&depth), "{depth}");
}

/// Uses a frame of this many bytes.
#[inline(never)]
fn touch<const BYTES: usize>() -> u8 {
    let mut frame = [1u8; BYTES];
    std::hint::black_box(&mut frame)[BYTES / 2]
}

#[test]
fn a_host_function_has_its_headroom_at_any_depth() {
    const DEFAULT: usize = 256 << 10;
    const LARGE: usize = 4 << 20;
    fn deepest(config: Config, touch: fn() -> u8, stack: usize) {
        let runtime = Runtime::with_config(config);
        let touching = move |_: &mut Caller<'_, ()>| i32::from(touch());
        let host = HostModuleBuilder::new("e")
            .func("touch", touching)
            .func_dynamic(
                "touch_dynamic",
                FuncType::new([], [ValType::I32]),
                move |_, _, results| {
                    results[0] = Value::I32(i32::from(touch()));
                    Ok(())
                },
            )
            .build(&runtime)
            .unwrap();
        for name in ["touch", "touch_dynamic"] {
            let module = compile(
                &runtime,
                &format!(
                    r#"(module (import "e" "{name}" (func $touch (result i32)))
                         (func $down (export "down") (result i32)
                           (drop (call $touch)) (i32.add (call $down) (i32.const 1))))"#
                ),
            );
            with_stack(stack, || {
                let mut ns = runtime.namespace();
                ns.instantiate_host(&host).unwrap();
                let instance = ns.instantiate(&module).unwrap();
                let error = instance.call(&mut ns, "down", &[]).unwrap_err();
                assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
            });
        }
    }
    // The first thread has less than the limit left, the second more.
    deepest(Config::new(), touch::<DEFAULT>, 1 << 20);
    deepest(Config::new(), touch::<DEFAULT>, 8 << 20);
    deepest(Config::new().host_stack(LARGE), touch::<LARGE>, 6 << 20);
}

#[test]
fn frames_of_the_host_are_not_the_guests() {
    /// Makes a call this many bytes deeper in the stack.
    #[inline(never)]
    fn below<const BYTES: usize>(work: &mut dyn FnMut()) {
        let mut frame = [1u8; BYTES];
        std::hint::black_box(&mut frame);
        work();
        std::hint::black_box(&mut frame);
    }
    fn nested<const BYTES: usize>(stack: usize) -> i32 {
        let runtime = Runtime::with_config(Config::new().max_stack(64 << 10));
        let host = HostModuleBuilder::new("host")
            .func("again", |caller: &mut Caller<'_, ()>| -> Result<i32, HostError> {
                let mut result = Ok(0);
                below::<BYTES>(&mut || {
                    let instance = caller.instance().expect("called by wasm");
                    let ns = caller.namespace();
                    result = instance.typed::<(), i32>(ns, "down").and_then(|f| f.call(ns, ()));
                });
                Ok(result?)
            })
            .build(&runtime)
            .unwrap();
        let module = compile(
            &runtime,
            r#"(module (import "host" "again" (func $again (result i32)))
                 (global $depth (export "depth") (mut i32) (i32.const 0))
                 (func (export "down") (result i32)
                   (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
                   (i32.add (call $again) (i32.const 1))))"#,
        );
        with_stack(stack, || {
            let mut ns = runtime.namespace();
            ns.instantiate_host(&host).unwrap();
            let instance = ns.instantiate(&module).unwrap();
            let error = instance.call(&mut ns, "down", &[]).unwrap_err();
            assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
            instance.global(&ns, "depth").unwrap().get(&ns).unwrap().as_i32().unwrap()
        })
    }
    let levels = nested::<16>(48 << 20);
    assert!(levels > 50, "{levels}");
    assert_eq!(levels, nested::<40_000>(48 << 20));
}

#[test]
fn nested_guests_share_the_budget() {
    let runtime = Runtime::new();
    let host = HostModuleBuilder::new("host")
        .func(
            "again",
            |caller: &mut Caller<'_, ()>, n: i32, levels: i32| -> Result<i32, HostError> {
                let instance = caller.instance().expect("called by wasm");
                let ns = caller.namespace();
                let down = instance.typed::<(i32, i32, i32), i32>(ns, "down")?;
                let first = down.call(ns, (n, n, levels - 1))?;
                // The next call can use the stack that one call used.
                assert_eq!(down.call(ns, (n, n, levels - 1))?, first);
                Ok(first)
            },
        )
        .build(&runtime)
        .unwrap();
    // Makes `left` nested calls, then calls the host, which does the same again, `levels` times.
    let module = compile(
        &runtime,
        r#"(module (import "host" "again" (func $again (param i32 i32) (result i32)))
             (global $depth (export "depth") (mut i32) (i32.const 0))
             (func $down (export "down") (param $left i32) (param $n i32) (param $levels i32) (result i32)
               (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
               (if (result i32) (local.get $left)
                 (then (i32.add (i32.const 1) (call $down
                   (i32.sub (local.get $left) (i32.const 1)) (local.get $n) (local.get $levels))))
                 (else (if (result i32) (local.get $levels)
                   (then (call $again (local.get $n) (local.get $levels)))
                   (else (i32.const 0)))))))"#,
    );
    with_stack(48 << 20, || {
        let mut ns = runtime.namespace();
        ns.instantiate_host(&host).unwrap();
        let instance = ns.instantiate(&module).unwrap();
        let down = instance.typed::<(i32, i32, i32), i32>(&ns, "down").unwrap();
        down.call(&mut ns, (i32::MAX, 0, 0)).unwrap_err();
        let most = instance.global(&ns, "depth").unwrap().get(&ns).unwrap().as_i32().unwrap();
        for (share, levels, fits) in [(40, 1, true), (60, 1, false), (30, 2, true), (36, 2, false)]
        {
            let n = (i64::from(most) * share / 100) as i32;
            let result = down.call(&mut ns, (n, n, levels));
            assert_eq!(result.is_ok(), fits, "{share} % on {} levels", levels + 1);
            if let Err(error) = result {
                assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
            }
        }
    });
}

/// Functions that cannot call each other in a cycle have no comparison, unless there are many of
/// them or their frames are large.
#[test]
fn long_chains_and_large_frames_have_the_budget() {
    let chain: String = (0..5_000)
        .map(|n| format!("(func $f{n} (result i32) (i32.add (call $f{}) (i32.const 1)))", n + 1))
        .collect();
    let (mut ns, instance) = instantiate(&format!(
        r#"(module {chain} (func $f5000 (result i32) (i32.const 1)) (func (export "f") (result i32) (call $f0))
             (func (export "g") (result i32) (call $f4000)))"#,
    ));
    assert_eq!(instance.call(&mut ns, "g", &[]).unwrap()[0].as_i32(), Some(1001));
    let runtime = Runtime::with_config(Config::new().max_stack(64 << 10));
    let module = compile(
        &runtime,
        &format!(
            r#"(module {chain} (func $f5000 (result i32) (i32.const 1))
                 (func (export "f") (result i32) (call $f0)))"#
        ),
    );
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    let error = instance.call(&mut ns, "f", &[]).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);

    // Eight frames of 24 KiB each in functions that do not recurse.
    const LOCALS: usize = 1_500;
    let sets: String =
        (0..LOCALS).map(|i| format!("(local.set {i} (v128.load (i32.const {i})))")).collect();
    let sums: String = (0..LOCALS)
        .map(|i| format!("(v128.store (i32.const {}) (local.get {i}))", 16 * i))
        .collect();
    let locals = "v128 ".repeat(LOCALS);
    let funcs: String = (0..8)
        .map(|n| format!("(func $f{n} (local {locals}) {sets} (call $f{}) {sums})", n + 1))
        .collect();
    let text = format!(r#"(module (memory 1) {funcs} (func $f8) (func (export "f") (call $f0)))"#);
    for (budget, fits) in [(128 << 10, false), (1 << 20, true)] {
        let runtime = Runtime::with_config(Config::new().max_stack(budget));
        let module = compile(&runtime, &text);
        with_stack(16 << 20, || {
            let mut ns = runtime.namespace();
            let instance = ns.instantiate(&module).unwrap();
            let result = instance.call(&mut ns, "f", &[]);
            assert_eq!(result.is_ok(), fits, "{budget}: {result:?}");
        });
    }
}
