//! Tables that are large, that grow by much, or that cannot be allocated.

use precast::{ErrorKind, HostModuleBuilder, Limits, RefType, Runtime, TableType, Value};

use super::{compile, instantiate};

/// The largest number of elements of a table.
const MOST: u64 = 10_000_000;

#[test]
fn elements_survive_growth_to_the_maximum() {
    let (mut ns, instance) = instantiate(
        r#"(module (table $f (export "f") 1 funcref) (table $e (export "e") 1 externref)
          (func $one (export "one") (result i32) (i32.const 1)) (elem declare func $one)
          (func (export "grow_f") (param i32) (result i32)
            (table.grow $f (ref.func $one) (local.get 0)))
          (func (export "grow_null") (param i32) (result i32)
            (table.grow $f (ref.null func) (local.get 0)))
          (func (export "grow_e") (param externref i32) (result i32)
            (table.grow $e (local.get 0) (local.get 1)))
          (func (export "call") (param i32) (result i32)
            (call_indirect $f (result i32) (local.get 0))))"#,
    );
    let mut call = |name: &str, args: &[Value]| {
        instance.call(&mut ns, name, args).map(|results| results[0].as_i32().unwrap())
    };
    // Growth across the size limit of the heap, in small and large steps, with references and
    // nulls.
    let mut len = 1;
    let mut ones = Vec::new();
    for (n, step) in [1, 3, 1000, 20_000, 9_000, 3_000, 1_000_000, 1].into_iter().enumerate() {
        let name = if n % 2 == 0 { "grow_f" } else { "grow_null" };
        assert_eq!(call(name, &[Value::I32(step)]).unwrap(), len);
        if n % 2 == 0 {
            ones.push(len..len + step);
        }
        len += step;
        for range in &ones {
            assert_eq!(call("call", &[Value::I32(range.start)]).unwrap(), 1);
            assert_eq!(call("call", &[Value::I32(range.end - 1)]).unwrap(), 1);
        }
        assert!(call("call", &[Value::I32(0)]).unwrap_err().trap().is_some());
    }
    assert_eq!(call("grow_null", &[Value::I32(MOST as i32)]).unwrap(), -1);
    assert_eq!(call("grow_null", &[Value::I32(MOST as i32 - len)]).unwrap(), len);
    assert_eq!(call("grow_null", &[Value::I32(0)]).unwrap(), MOST as i32);
    assert_eq!(call("grow_null", &[Value::I32(1)]).unwrap(), -1);
    assert_eq!(call("grow_f", &[Value::I32(-1)]).unwrap(), -1);
    let last = Value::I32(MOST as i32 - 1);
    assert!(call("call", &[last]).unwrap_err().trap().is_some());
    assert_eq!(call("call", &[Value::I32(ones[0].start)]).unwrap(), 1);

    let mut value = ns.extern_ref("a value").into();
    let table = instance.table(&ns, "e").unwrap();
    for step in [1, 100_000, 1_000_000] {
        let size = table.size(&ns).unwrap();
        let args = [value, Value::I32(step)];
        let old = instance.call(&mut ns, "grow_e", &args).unwrap()[0];
        assert_eq!(old, Value::I32(size as i32));
        assert_eq!(table.get(&ns, size).unwrap().unwrap(), value);
        assert_eq!(table.get(&ns, size + step as u64 - 1).unwrap().unwrap(), value);
        assert_eq!(table.get(&ns, 0).unwrap().unwrap(), Value::ExternRef(None));
        value = ns.extern_ref("another value").into();
    }
}

#[test]
fn null_fills_of_large_tables_are_exact() {
    let (mut ns, instance) = instantiate(
        r#"(module (table $t (export "t") 200000 funcref)
          (func $one (result i32) (i32.const 1)) (elem declare func $one)
          (func (export "fill") (param i32 i32)
            (table.fill $t (local.get 0) (ref.func $one) (local.get 1)))
          (func (export "clear") (param i32 i32)
            (table.fill $t (local.get 0) (ref.null func) (local.get 1))))"#,
    );
    let table = instance.table(&ns, "t").unwrap();
    let is_null = |ns: &precast::Namespace, at: i32| {
        table.get(ns, at as u64).unwrap() == Some(Value::FuncRef(None))
    };
    for (at, len) in [(0, 200_000), (1, 199_998), (127, 5000), (128, 128), (300, 50), (5, 0)] {
        let mut call = |name: &str, at: i32, len: i32| {
            instance.call(&mut ns, name, &[Value::I32(at), Value::I32(len)]).unwrap();
        };
        call("fill", 0, 200_000);
        call("clear", at, len);
        for probe in [0, 1, 126, 127, 128, 129, 255, 256, 299, 300, 349, 350, 5126, 5127, 199_999] {
            let want = (at..at + len).contains(&probe);
            assert_eq!(is_null(&ns, probe), want, "{probe} of {at} and {len}");
        }
    }
    let beyond = [Value::I32(199_999), Value::I32(2)];
    assert!(instance.call(&mut ns, "clear", &beyond).unwrap_err().trap().is_some());
}

#[test]
fn a_table_that_cannot_be_allocated_is_an_error() {
    let runtime = Runtime::new();
    let want = "making a table: 10000001 elements are more than 10000000";
    let module = compile(&runtime, r#"(module (table (export "t") 10000001 externref))"#);
    let mut ns = runtime.namespace();
    let error = ns.instantiate(&module).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::System { .. }));
    assert_eq!(error.to_string(), want);

    let limits = Limits::new(MOST + 1, None);
    let host = HostModuleBuilder::new("host")
        .table("t", TableType::new(RefType::FUNCREF, limits))
        .build(&runtime)
        .unwrap();
    let error = ns.instantiate_host(&host).unwrap_err();
    assert!(error.to_string().ends_with("10000001 elements are more than 10000000"), "{error}");
}
