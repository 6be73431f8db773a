//! Imported functions of all types, called in all ways: directly, through tables, by reference.

use precast::{FuncType, HostModuleBuilder, Runtime, ValType, Value};

use super::compile;

const TYPES: [(&str, &str); 4] = [
    ("i32", "(i32.const %)"),
    ("i64", "(i64.const %)"),
    ("f64", "(f64.const %)"),
    ("v128", "(v128.const i64x2 % 0)"),
];

/// A value of a type.
fn value(ty: usize, n: u32) -> Value {
    match ty {
        0 => Value::I32(n as i32),
        1 => Value::I64(n.into()),
        2 => Value::F64(f64::from(n).to_bits()),
        _ => Value::V128(n.into()),
    }
}

/// The text of `count` values of a type, or of all types in turns: types, and constants.
fn list(ty: Option<usize>, count: usize) -> (String, String, Vec<Value>) {
    let (mut types, mut constants, mut values) = (String::new(), String::new(), Vec::new());
    for n in 0..count {
        let ty = ty.unwrap_or(n % TYPES.len());
        let (name, constant) = TYPES[ty];
        types += &format!(" {name}");
        constants += &constant.replace('%', &n.to_string());
        values.push(value(ty, n as u32));
    }
    (types, constants, values)
}

/// Functions with as many parameters and results as fit in registers, and with more, are called
/// through a static table into which they were imported.
#[test]
fn imports_in_a_static_table_find_their_context_whatever_their_results() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    for ty in [None, Some(0), Some(1), Some(2), Some(3)] {
        for (params, results) in (0..20).map(|n| (n, n)).chain((0..20).map(|n| (19 - n, n))) {
            let (params, args, _) = list(ty, params);
            let (results, constants, expected) = list(ty, results);
            let ty = format!("(param {params}) (result {results})");
            // Its own global reveals the context with which it was called.
            let owner = format!(
                r#"(module (global $calls (export "calls") (mut i32) (i32.const 0))
                     (func (export "f") {ty}
                       (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                       {constants}))"#
            );
            let caller = format!(
                r#"(module (type $t (func {ty}))
                     (import "owner" "f" (func $f (type $t)))
                     (global $pad (mut i64) (i64.const 7))
                     (table 3 funcref) (elem (i32.const 1) $f)
                     (func (export "call") (param i32) (result {results})
                       {args} (call_indirect (type $t) (local.get 0))))"#
            );
            let owner = ns.instantiate_as("owner", &compile(&runtime, &owner)).unwrap();
            let caller = ns.instantiate(&compile(&runtime, &caller)).unwrap();
            assert_eq!(caller.call(&mut ns, "call", &[Value::I32(1)]).unwrap(), expected, "{ty}");
            let calls = owner.global(&ns, "calls").unwrap();
            assert_eq!(calls.get(&ns).unwrap(), Value::I32(1), "{ty}");
            assert!(caller.call(&mut ns, "call", &[Value::I32(0)]).is_err());
            ns = runtime.namespace();
        }
    }
}

/// Imports of one type share a host thunk and keep their own host functions, whether they are
/// called directly, through a table, or by the host through a reference.
#[test]
fn imports_of_one_type_share_a_thunk() {
    let (types, args, values) = list(None, 12);
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let all: Vec<ValType> =
        [ValType::I32, ValType::I64, ValType::F64, ValType::V128].repeat(3).to_vec();
    let ty = FuncType::new(all, [ValType::I32]);
    let mut host = HostModuleBuilder::new("host")
        .func("a8", |a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32| {
            a + b + c + d + e + f + g + h
        })
        .func("b8", |a: i32, b: i32, c: i32, d: i32, e: i32, f: i32, g: i32, h: i32| {
            -(a + b + c + d + e + f + g + h)
        });
    for n in 0..3 {
        let expected = values.clone();
        host = host.func_dynamic(&format!("d{n}"), ty.clone(), move |_, args, results| {
            assert_eq!(args, expected);
            results[0] = Value::I32(n);
            Ok(())
        });
    }
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let eight = "(param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)";
    let module = compile(
        &runtime,
        &format!(
            r#"(module (type $t (func (param {types}) (result i32))) (type $e (func {eight}))
                 (import "host" "a8" (func $a (type $e)))
                 (import "host" "b8" (func $b (type $e)))
                 (import "host" "d0" (func $d0 (type $t)))
                 (import "host" "d1" (func $d1 (type $t)))
                 (import "host" "d2" (func $d2 (type $t)))
                 (table 8 funcref) (elem (i32.const 0) $d0 $d1 $d2 $a $b)
                 (elem declare func $a $b)
                 (func (export "ref") (param i32) (result funcref)
                   (select (result funcref) (ref.func $a) (ref.func $b) (local.get 0)))
                 (func (export "direct") (result i32 i32)
                   (call $a {ones}) (call $b {ones}))
                 (func (export "wide") (param i32) (result i32)
                   {args} (call_indirect (type $t) (local.get 0)))
                 (func (export "eight") (param i32) (result i32)
                   {ones} (call_indirect (type $e) (local.get 0))))"#,
            ones = "(i32.const 1)".repeat(8),
        ),
    );
    let instance = ns.instantiate(&module).unwrap();
    let direct = instance.call(&mut ns, "direct", &[]).unwrap();
    assert_eq!(direct, [Value::I32(8), Value::I32(-8)]);
    for (export, at, result) in
        [("wide", 0, 0), ("wide", 1, 1), ("wide", 2, 2), ("eight", 3, 8), ("eight", 4, -8)]
    {
        let results = instance.call(&mut ns, export, &[Value::I32(at)]).unwrap();
        assert_eq!(results, [Value::I32(result)], "{export} {at}");
    }
    for (first, result) in [(1, 8), (0, -8)] {
        let found = instance.call(&mut ns, "ref", &[Value::I32(first)]).unwrap();
        let Value::FuncRef(Some(func)) = found[0] else { panic!("{found:?}") };
        let results = func.call(&mut ns, &[Value::I32(1); 8]).unwrap();
        assert_eq!(results, [Value::I32(result)]);
    }
}
