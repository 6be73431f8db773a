//! The shortest way through everything.

use precast_runtime::*;

#[test]
fn calls_add() {
    let runtime = Runtime::new();
    let wasm = wat::parse_str(
        r#"(module (import "env" "twice" (func $twice (param i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "add") (param i32 i32) (result i32)
              (i32.add (local.get 0) (call $twice (local.get 1))))
            (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
            (func $rec (export "rec") (call $rec)))"#,
    )
    .unwrap();
    let module = runtime.compile(&wasm).unwrap();
    let host = HostModuleBuilder::new("env").func("twice", |v: i32| v * 2).build(&runtime).unwrap();
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate(&module).unwrap();
    let add = instance.typed::<(i32, i32), i32>(&ns, "add").unwrap();
    assert_eq!(add.call(&mut ns, (2, 3)).unwrap(), 8);
    assert_eq!(
        instance.call(&mut ns, "add", &[Value::I32(1), Value::I32(5)]).unwrap(),
        vec![Value::I32(11)]
    );
    let load = instance.typed::<(i32,), i32>(&ns, "load").unwrap();
    assert_eq!(load.call(&mut ns, (8,)).unwrap(), 0);
    let error = load.call(&mut ns, (65536,)).unwrap_err();
    assert_eq!(error.to_string(), "out of bounds memory access");
    assert_eq!(error.trap().unwrap().frames().len(), 1);
    let rec = instance.typed::<(), ()>(&ns, "rec").unwrap();
    let error = rec.call(&mut ns, ()).unwrap_err();
    assert_eq!(error.to_string(), "call stack exhausted");
}
