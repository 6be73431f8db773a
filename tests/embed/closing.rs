//! Closed objects answer with an error, and never with a crash.

use precast::{Error, ErrorKind, Extern, Runtime, Value};

use super::compile;

const MODULE: &str = r#"(module
  (memory (export "memory") 1)
  (table (export "table") 1 funcref)
  (global (export "global") (mut i32) (i32.const 1))
  (func (export "f") (result i32) (i32.const 1)))"#;

fn assert_closed<T>(result: Result<T, Error>) {
    match result {
        Ok(_) => panic!("it is not closed"),
        Err(error) => assert!(matches!(error.kind(), ErrorKind::Closed(_)), "{error}"),
    }
}

#[test]
fn a_namespace() {
    let runtime = Runtime::new();
    let module = compile(&runtime, MODULE);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate_as("m", &module).unwrap();
    let func = instance.func(&ns, "f").unwrap();
    let typed = instance.typed::<(), i32>(&ns, "f").unwrap();
    let global = instance.global(&ns, "global").unwrap();
    let memory = instance.memory(&ns, "memory").unwrap();
    let table = instance.table(&ns, "table").unwrap();
    assert!(!ns.is_closed());

    ns.close();
    ns.close();
    assert!(ns.is_closed());
    assert_closed(func.call(&mut ns, &[]));
    assert_closed(typed.call(&mut ns, ()));
    assert_closed(instance.call(&mut ns, "f", &[]));
    assert_closed(ns.instantiate(&module));
    assert_closed(global.set(&mut ns, Value::I32(1)));
    assert_closed(global.get(&ns));
    assert_closed(memory.write(&mut ns, 0, &[1]));
    assert_closed(memory.read(&ns, 0, &mut []));
    assert_closed(memory.data(&ns));
    assert_closed(memory.data_mut(&mut ns));
    assert_closed(memory.size(&ns));
    assert_closed(table.get(&ns, 0));
    assert_closed(table.size(&ns));
    assert_closed(func.typed::<(), i32>(&ns));
    for value in [Extern::from(func), table.into(), memory.into()] {
        assert_closed(value.ty(&ns));
    }
    assert_closed(memory.grow(&mut ns, 1));
    assert_closed(table.set(&mut ns, 0, Value::FuncRef(None)));

    // The runtime and the module stay alive.
    let mut other = runtime.namespace();
    other.instantiate(&module).unwrap();
}

#[test]
fn a_module() {
    let runtime = Runtime::new();
    let module = compile(&runtime, MODULE);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    module.clone().close();
    assert_closed(ns.instantiate(&module));
    // An instance keeps its code alive.
    assert_eq!(instance.call(&mut ns, "f", &[]).unwrap(), [Value::I32(1)]);
}

#[test]
fn a_runtime() {
    let runtime = Runtime::new();
    let module = compile(&runtime, MODULE);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    let typed = instance.typed::<(), i32>(&ns, "f").unwrap();

    runtime.clone().close();
    runtime.close();
    assert!(ns.is_closed());
    assert_closed(typed.call(&mut ns, ()));
    assert_closed(ns.instantiate(&module));
    assert_closed(runtime.compile(b"\0asm\x01\0\0\0"));
    assert_closed(runtime.namespace().instantiate(&module));
}

#[test]
fn from_a_host_function() {
    // The running instance is closed during its own call.
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let host = precast::HostModuleBuilder::new("host")
        .func("close", |caller: &mut precast::Caller<'_, ()>| caller.namespace().close())
        .build(&runtime)
        .unwrap();
    ns.instantiate_host(&host).unwrap();
    let module = compile(
        &runtime,
        r#"(module (import "host" "close" (func $close)) (memory 1)
             (func (export "run") (result i32) (call $close) (i32.load (i32.const 0))))"#,
    );
    let instance = ns.instantiate(&module).unwrap();
    // The call in progress may succeed or fail. Later calls fail.
    let _ = instance.call(&mut ns, "run", &[]);
    assert_closed(instance.call(&mut ns, "run", &[]));
}

#[test]
fn from_another_thread() {
    let runtime = Runtime::new();
    let module = compile(&runtime, MODULE);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut ns = runtime.namespace();
                    let instance = ns.instantiate(&module).unwrap();
                    let f = instance.typed::<(), i32>(&ns, "f").unwrap();
                    loop {
                        match f.call(&mut ns, ()) {
                            Ok(n) => assert_eq!(n, 1),
                            Err(error) => break assert_closed::<()>(Err(error)),
                        }
                    }
                })
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(50));
        runtime.close();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
}
