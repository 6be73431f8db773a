//! Calls from the host into WebAssembly.

use precast::{ErrorKind, TypedFunc, ValType, Value};

use super::instantiate;

#[test]
fn typed() {
    let (mut ns, instance) = instantiate(
        r#"(module
             (func (export "none"))
             (func (export "add") (param i32 i32) (result i32)
               (i32.add (local.get 0) (local.get 1)))
             (func (export "swap") (param i64 f64) (result f64 i64)
               (local.get 1) (local.get 0))
             (func (export "neg") (param f32) (result f32) (f32.neg (local.get 0)))
             (func (export "max") (result i32) (i32.const -1)))"#,
    );
    instance.typed::<(), ()>(&ns, "none").unwrap().call(&mut ns, ()).unwrap();

    let add: TypedFunc<(i32, i32), i32> = instance.typed(&ns, "add").unwrap();
    assert_eq!(add.call(&mut ns, (2, 3)).unwrap(), 5);
    assert_eq!(add.call(&mut ns, (i32::MAX, 1)).unwrap(), i32::MIN);

    let swap = instance.typed::<(i64, f64), (f64, i64)>(&ns, "swap").unwrap();
    assert_eq!(swap.call(&mut ns, (-7, 2.5)).unwrap(), (2.5, -7));

    let neg = instance.typed::<(f32,), f32>(&ns, "neg").unwrap();
    assert_eq!(neg.call(&mut ns, (1.5,)).unwrap(), -1.5);

    // The same bits, read as an unsigned number.
    let max = instance.typed::<(), u32>(&ns, "max").unwrap();
    assert_eq!(max.call(&mut ns, ()).unwrap(), u32::MAX);
}

#[test]
fn untyped() {
    let (mut ns, instance) = instantiate(
        r#"(module
             (func (export "all") (param i32 i64 f32 f64 v128 funcref externref)
                                  (result externref funcref v128 f64 f32 i64 i32)
               (local.get 6) (local.get 5) (local.get 4) (local.get 3)
               (local.get 2) (local.get 1) (local.get 0)))"#,
    );
    let host_value = ns.extern_ref(String::from("held by the host"));
    let all = instance.func(&ns, "all").unwrap();
    let args = [
        Value::I32(-1),
        Value::I64(1 << 40),
        // The payload of a NaN must survive both directions.
        Value::F32(0x7fa0_1234),
        Value::F64(0x7ff4_0000_dead_beef),
        Value::V128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
        Value::FuncRef(Some(all)),
        Value::ExternRef(Some(host_value)),
    ];
    let mut results = all.call(&mut ns, &args).unwrap();
    results.reverse();
    assert_eq!(results, args);
    let Value::ExternRef(Some(back)) = results[6] else { panic!("no externref") };
    assert_eq!(back.get::<String>(&ns).unwrap(), "held by the host");
    assert!(back.get::<i32>(&ns).is_none());
}

#[test]
fn many_parameters_and_results() {
    const N: usize = 40;
    let params = "i64 ".repeat(N);
    let gets: String = (0..N).rev().map(|i| format!("(local.get {i})")).collect();
    let (mut ns, instance) = instantiate(&format!(
        r#"(module (func (export "reverse") (param {params}) (result {params}) {gets}))"#
    ));
    let args: Vec<Value> = (0..N as i64).map(Value::I64).collect();
    let mut results = instance.call(&mut ns, "reverse", &args).unwrap();
    results.reverse();
    assert_eq!(results, args);
}

#[test]
fn function_types() {
    let (ns, instance) =
        instantiate(r#"(module (func (export "f") (param i32 f32) (result i64) (i64.const 0)))"#);
    let ty = instance.func(&ns, "f").unwrap().ty(&ns).unwrap();
    assert_eq!(ty.params(), [ValType::I32, ValType::F32]);
    assert_eq!(ty.results(), [ValType::I64]);
}

#[test]
fn wrong_types_are_refused() {
    let (mut ns, instance) =
        instantiate(r#"(module (func (export "f") (param i32) (result i32) (local.get 0)))"#);
    assert!(matches!(
        instance.typed::<(i64,), i32>(&ns, "f").err().unwrap().kind(),
        ErrorKind::TypeMismatch(_)
    ));
    assert!(instance.typed::<(i32,), ()>(&ns, "f").is_err());
    assert!(instance.typed::<(i32,), i32>(&ns, "g").is_err());
    assert!(instance.call(&mut ns, "g", &[]).is_err());
    for args in [&[][..], &[Value::I64(1)], &[Value::I32(1), Value::I32(2)]] {
        let error = instance.call(&mut ns, "f", args).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::TypeMismatch(_)), "{error}");
    }
    assert_eq!(instance.call(&mut ns, "f", &[Value::I32(8)]).unwrap(), [Value::I32(8)]);
}

#[test]
fn instances_are_independent() {
    let runtime = precast::Runtime::new();
    let module = super::compile(
        &runtime,
        r#"(module
             (global $n (mut i32) (i32.const 0))
             (func (export "next") (result i32)
               (global.set $n (i32.add (global.get $n) (i32.const 1)))
               (global.get $n)))"#,
    );
    let mut ns = runtime.namespace();
    let a = ns.instantiate(&module).unwrap();
    let b = ns.instantiate(&module).unwrap();
    let next = |ns: &mut precast::Namespace, i: precast::Instance| {
        i.typed::<(), i32>(ns, "next").unwrap().call(ns, ()).unwrap()
    };
    assert_eq!([next(&mut ns, a), next(&mut ns, a), next(&mut ns, b)], [1, 2, 1]);
}

#[test]
fn modules_are_shared_between_threads() {
    let runtime = precast::Runtime::new();
    let module = super::compile(
        &runtime,
        r#"(module (func (export "square") (param i32) (result i32)
             (i32.mul (local.get 0) (local.get 0))))"#,
    );
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (runtime, module) = (runtime.clone(), module.clone());
            scope.spawn(move || {
                let mut ns = runtime.namespace();
                let instance = ns.instantiate(&module).unwrap();
                let square = instance.typed::<(i32,), i32>(&ns, "square").unwrap();
                assert_eq!(square.call(&mut ns, (n,)).unwrap(), n * n);
            });
        }
    });
}
