//! Types that are made to have the digest of others, and the lifetime of types.

use precast::{
    Caller, ErrorKind, FuncType, HostModuleBuilder, Instance, Namespace, Runtime, TrapCode,
    ValType, Value,
};
use xxhash_rust::xxh3::xxh3_64;

use super::compile;

/// The parameters of functions whose types have the same unseeded XXH3 as `() -> ()`. Finding six
/// of them takes a minute of one CPU.
pub(crate) const LIKE_NULLARY: &[&[u8; 56]] = &[
    b"\x6f\x7b\x7f\x7e\x7d\x6f\x7c\x7c\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7e\x7d\x7d\x70\x7f\x7c\x7b\x7e\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7d\x70\x7c\x7e\x7e\x7b\x7e\x7e\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x70\x7c\x7f\x7e\x7b\x7c\x7d\x7e",
    b"\x7f\x6f\x7e\x7c\x7c\x70\x70\x7d\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7b\x7e\x7d\x7c\x7f\x7e\x70\x7d\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7c\x7e\x6f\x7d\x6f\x7e\x70\x7e\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x6f\x7e\x70\x7e\x7f\x7e\x70\x7d",
    b"\x6f\x6f\x7c\x7f\x7f\x7f\x7d\x7d\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x6f\x7e\x7f\x7c\x7c\x70\x7c\x7d\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x6f\x7e\x7d\x7c\x7f\x7d\x6f\x7d\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7d\x7d\x7f\x6f\x7f\x7f\x7f\x7d",
    b"\x7e\x7e\x70\x6f\x7b\x7c\x7b\x7c\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7f\x7e\x7c\x70\x7f\x7c\x7e\x7e\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7c\x7e\x6f\x7d\x7f\x7c\x7f\x7b\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\
      \x7f\x70\x6f\x6f\x6f\x70\x7b\x7c",
];

/// The former digest of a type: a hash of its number of parameters and of its values.
fn hash(params: &[u8]) -> u64 {
    xxh3_64(&[&(params.len() as u64).to_le_bytes(), params].concat()) | 1
}

/// The values in the text format.
fn names(values: &[u8]) -> String {
    let names = values.iter().map(|&v| ValType::from_raw(v).unwrap().to_string());
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_second_preimage_denies_no_type() {
    let runtime = Runtime::new();
    let text = |ty: &str, params: &str| {
        format!(
            r#"(module (type $called (func {ty})) (table (export "table") 3 funcref)
              (func $nullary) (func $other (param {params})) (elem (i32.const 0) $nullary $other)
              (func (export "run") (param i32) (call_indirect (type $called) (local.get 0))))"#
        )
    };
    let mut alive = Vec::new();
    for &params in LIKE_NULLARY {
        assert_eq!(hash(params), hash(&[]));
        // The attacking type comes first, and stays.
        let only = format!(r#"(module (func (export "f") (param {})))"#, names(params));
        alive.push(compile(&runtime, &only));
        let module = compile(&runtime, &text("", &names(params)));
        let mut namespace = runtime.namespace();
        let instance = namespace.instantiate(&module).unwrap();
        let mut run = |at: i32| instance.call(&mut namespace, "run", &[Value::I32(at)]);
        assert!(run(0).is_ok());
        let wrong = run(1).unwrap_err();
        let code = wrong.trap().map(|trap| trap.code());
        assert_eq!(code, Some(TrapCode::IndirectCallTypeMismatch), "{wrong}");
        alive.push(module);
    }
}

/// A module with a host function that closes the namespace, and a caller of it.
fn closing(runtime: &Runtime) -> (Box<Namespace>, Instance) {
    let ty = FuncType::new([ValType::F32], [ValType::F32, ValType::I64, ValType::F32]);
    let host = HostModuleBuilder::new("host")
        .func("close", |caller: &mut Caller<'_, ()>| caller.namespace().close())
        .func_dynamic("dynamic", ty, |caller, args, results| {
            caller.namespace().close();
            results[1] = Value::I64(5);
            results[2] = args[0];
            Ok(())
        })
        .build(runtime)
        .unwrap();
    let module = compile(
        runtime,
        r#"(module (import "host" "close" (func $close))
          (import "host" "dynamic" (func $dynamic (param f32) (result f32 i64 f32)))
          (func (export "run") (param f32 f64) (result f32 i64 f64 i32)
            (call $close) (local.get 0) (i64.const 7) (local.get 1) (i32.const 9))
          (func (export "dynamic") (param f32) (result f32 i64 f32)
            (call $dynamic (local.get 0)))
          (func (export "untaken") (result i32) (i32.const 1)))"#,
    );
    let mut namespace = runtime.namespace();
    namespace.instantiate_host(&host).unwrap();
    let instance = namespace.instantiate(&module).unwrap();
    // Only the namespace keeps both modules alive, and with them their types.
    (namespace, instance)
}

#[test]
fn a_call_that_closes_its_namespace_has_its_results() {
    let runtime = Runtime::new();
    let (mut namespace, instance) = closing(&runtime);
    let other = instance.func(&namespace, "untaken").unwrap();
    let args = [Value::f32(1.5), Value::f64(2.5)];
    let results = instance.call(&mut namespace, "run", &args).unwrap();
    assert_eq!(results, [Value::f32(1.5), Value::I64(7), Value::f64(2.5), Value::I32(9)]);
    // Handles of closed instances report that.
    assert!(matches!(other.call(&mut namespace, &[]).unwrap_err().kind(), ErrorKind::Closed(_)));
    assert!(matches!(other.ty(&namespace).unwrap_err().kind(), ErrorKind::Closed(_)));
    assert!(other.typed::<(), i32>(&namespace).is_err());

    let want = [Value::f32(0.0), Value::I64(5), Value::f32(3.5)];
    let (mut namespace, instance) = closing(&runtime);
    let results = instance.call(&mut namespace, "dynamic", &[Value::f32(3.5)]).unwrap();
    assert_eq!(results, want);
    let (mut namespace, _) = closing(&runtime);
    let host = namespace.instance("host").unwrap();
    assert_eq!(host.call(&mut namespace, "dynamic", &[Value::f32(3.5)]).unwrap(), want);
}

/// References cross modules that have their types at other indices, besides equal types.
#[test]
fn references_keep_their_types_across_modules() {
    let runtime = Runtime::new();
    let exporter = compile(
        &runtime,
        r#"(module (type $a (func (result i64))) (type $b (func (param i32) (result i64)))
          (type $c (func (param i32) (result i64))) (table (export "table") 4 funcref)
          (func $f (type $c) (i64.extend_i32_s (local.get 0)))
          (func (export "g") (type $b) (i64.const 3)) (func $h (type $a) (i64.const 4))
          (export "f" (func $f)) (elem (i32.const 0) $f $h))"#,
    );
    let importer = compile(
        &runtime,
        r#"(module (type $n (func)) (type $b (func (param i32) (result i64)))
          (import "e" "f" (func $f (type $b))) (import "e" "table" (table 4 funcref))
          (func $own (type $b) (i64.const 8)) (elem (i32.const 2) $f $own))"#,
    );
    let mut ns = runtime.namespace();
    let instance = ns.instantiate_as("e", &exporter).unwrap();
    ns.instantiate(&importer).unwrap();
    let table = instance.table(&ns, "table").unwrap();
    let binary = FuncType::new([ValType::I32], [ValType::I64]);
    let nullary = FuncType::new([], [ValType::I64]);
    for (at, ty, result) in [(0, &binary, 6), (1, &nullary, 4), (2, &binary, 6), (3, &binary, 8)] {
        let func = table.get(&ns, at).unwrap().unwrap().as_func().unwrap();
        assert_eq!(func.ty(&ns).unwrap(), *ty);
        let args: &[Value] = if ty.params().is_empty() { &[] } else { &[Value::I32(6)] };
        assert_eq!(func.call(&mut ns, args).unwrap(), [Value::I64(result)], "element {at}");
    }
    // A function without a record in its instance gets one, once.
    let g = instance.func(&ns, "g").unwrap();
    for _ in 0..2 {
        table.set(&mut ns, 1, g.into()).unwrap();
        let back = table.get(&ns, 1).unwrap().unwrap().as_func().unwrap();
        assert!(back == g && back.ty(&ns).unwrap() == binary);
        assert_eq!(back.call(&mut ns, &[Value::I32(0)]).unwrap(), [Value::I64(3)]);
    }
    let f = instance.func(&ns, "f").unwrap();
    table.set(&mut ns, 1, f.into()).unwrap();
    assert!(table.get(&ns, 1).unwrap() == table.get(&ns, 0).unwrap());
}
