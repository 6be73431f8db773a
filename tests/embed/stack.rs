//! Recursion without end.

use precast::{Caller, HostError, HostModuleBuilder, Namespace, Runtime, TrapCode};

use super::{compile, instantiate};

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
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let host = HostModuleBuilder::new("host")
        .func("again", |caller: &mut Caller<'_, ()>| -> Result<i32, HostError> {
            let instance = caller.instance().expect("called by wasm");
            let ns = caller.namespace();
            Ok(instance.typed::<(), i32>(ns, "run")?.call(ns, ())?)
        })
        .build(&runtime)
        .unwrap();
    ns.instantiate_host(&host).unwrap();
    let module = compile(
        &runtime,
        r#"(module (import "host" "again" (func $again (result i32)))
             (func (export "run") (result i32) (i32.add (call $again) (i32.const 1))))"#,
    );
    let instance = ns.instantiate(&module).unwrap();
    let run = instance.typed::<(), i32>(&ns, "run").unwrap();
    for _ in 0..3 {
        let error = run.call(&mut ns, ()).unwrap_err();
        assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
    }
}

#[test]
fn large_frames_do_not_skip_the_guard() {
    // A frame of more than a page of locals, kept alive across the call.
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
