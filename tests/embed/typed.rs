//! Rust types in typed functions: vectors, references, and sixteen of everything, in both directions.

use precast::{Caller, ErrorKind, ExternRef, Func, HostModuleBuilder, Runtime, Value};

use super::{compile, instantiate};

#[test]
fn vectors_and_references_go_in_and_out() {
    let (mut ns, instance) = instantiate(
        r#"(module
             (func $seven (export "seven") (result i32) (i32.const 7))
             (func (export "vector") (param v128 i32) (result v128)
               (i32x4.replace_lane 3 (local.get 0) (local.get 1)))
             (func (export "extern") (param externref) (result externref) (local.get 0))
             (func (export "func") (param funcref) (result funcref i32)
               (local.get 0) (ref.is_null (local.get 0)))
             (func (export "own") (result funcref) (ref.func $seven)))"#,
    );
    let vector = instance.typed::<(u128, u32), u128>(&ns, "vector").unwrap();
    assert_eq!(vector.call(&mut ns, (1, 5)).unwrap(), 1 | 5 << 96);

    let external = instance.typed::<Option<ExternRef>, Option<ExternRef>>(&ns, "extern").unwrap();
    let value = ns.extern_ref("kept".to_owned());
    let back = external.call(&mut ns, Some(value)).unwrap().unwrap();
    assert_eq!(back.get::<String>(&ns).unwrap(), "kept");
    assert_eq!(external.call(&mut ns, None).unwrap(), None);

    let own = instance.typed::<(), Option<Func>>(&ns, "own").unwrap();
    let seven = own.call(&mut ns, ()).unwrap().unwrap();
    assert_eq!(seven.call(&mut ns, &[]).unwrap(), [Value::I32(7)]);
    let func = instance.typed::<(Option<Func>,), (Option<Func>, i32)>(&ns, "func").unwrap();
    assert_eq!(func.call(&mut ns, (Some(seven),)).unwrap(), (Some(seven), 0));
    assert_eq!(func.call(&mut ns, (None,)).unwrap(), (None, 1));

    // A reference belongs to its namespace.
    let mut other = ns.runtime().namespace();
    let foreign = other.extern_ref(1);
    let error = external.call(&mut ns, Some(foreign)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Foreign(_)), "{error}");
    // The types are compared as those of numbers are.
    assert!(instance.typed::<(u64,), (Option<Func>, i32)>(&ns, "func").is_err());
}

#[test]
fn host_functions_take_and_give_vectors_and_references() {
    let runtime = Runtime::new();
    let mut other = runtime.namespace();
    let foreign = other.extern_ref(0);
    let host = HostModuleBuilder::with_state("host", || None::<Func>)
        .func("swap", |v: u128| v.rotate_left(64))
        .func("keep", |caller: &mut Caller<'_, Option<Func>>, func: Option<Func>| {
            std::mem::replace(caller.state(), func)
        })
        .func("both", |n: i32, value: Option<ExternRef>| (value, n + 1))
        .func("foreign", move || Some(foreign))
        .build(&runtime)
        .unwrap();
    let module = compile(
        &runtime,
        r#"(module
             (import "host" "swap" (func $swap (param v128) (result v128)))
             (import "host" "keep" (func $keep (param funcref) (result funcref)))
             (import "host" "both" (func $both (param i32 externref) (result externref i32)))
             (import "host" "foreign" (func $foreign (result externref)))
             (func $nine (export "nine") (result i32) (i32.const 9))
             (func (export "swap") (result i64)
               (i64x2.extract_lane 0 (call $swap (v128.const i64x2 3 4))))
             (func (export "keep") (result funcref) (call $keep (ref.func $nine)))
             (func (export "both") (param externref) (result externref i32)
               (call $both (i32.const 41) (local.get 0)))
             (func (export "foreign") (drop (call $foreign))))"#,
    );
    let mut ns = runtime.namespace();
    let host = ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate(&module).unwrap();
    assert_eq!(instance.call(&mut ns, "swap", &[]).unwrap(), [Value::I64(4)]);
    assert_eq!(instance.call(&mut ns, "keep", &[]).unwrap(), [Value::FuncRef(None)]);
    let nine = instance.call(&mut ns, "keep", &[]).unwrap()[0].as_func().unwrap();
    assert_eq!(nine, instance.func(&ns, "nine").unwrap());
    let value = ns.extern_ref(5u8);
    let both = instance.call(&mut ns, "both", &[Some(value).into()]).unwrap();
    assert_eq!(both, [Value::ExternRef(Some(value)), Value::I32(42)]);
    let error = instance.call(&mut ns, "foreign", &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Foreign(_)), "{error}");

    // The host calls them too.
    let swap = host.typed::<u128, u128>(&ns, "swap").unwrap();
    assert_eq!(swap.call(&mut ns, 1).unwrap(), 1 << 64);
    let error = host.call(&mut ns, "foreign", &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Foreign(_)), "{error}");
}

type Sixteen = (i32, u64, f32, f64, i64, u32, i32, i32, i32, i32, i32, i32, i32, i32, f64, u128);

/// Rust compares and shows no tuples of more than twelve.
fn parts(v: Sixteen) -> impl PartialEq + std::fmt::Debug {
    ((v.0, v.1, v.2, v.3, v.4, v.5, v.6, v.7), (v.8, v.9, v.10, v.11, v.12, v.13, v.14, v.15))
}

#[test]
fn sixteen_of_everything() {
    const TYPES: &str = "i32 i64 f32 f64 i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 f64 v128";
    let values: Sixteen = (1, 2, 3.5, 4.5, -5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15.5, 1 << 127);
    let runtime = Runtime::new();
    let host = HostModuleBuilder::new("host")
        .func("numbers", || (1, 2u64, 3f32, 4f64, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16i64))
        .func("all", move || values)
        .build(&runtime)
        .unwrap();
    let module = compile(
        &runtime,
        &format!(
            r#"(module
                 (import "host" "all" (func $all (result {TYPES})))
                 (import "host" "numbers" (func $numbers
                   (result i32 i64 f32 f64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64)))
                 (func (export "all") (result {TYPES}) (call $all))
                 (func (export "numbers")
                   (result i32 i64 f32 f64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64)
                   (call $numbers))
                 (func (export "same") (param {TYPES}) (result {TYPES})
                   {}))"#,
            (0..16).map(|n| format!("(local.get {n})")).collect::<String>()
        ),
    );
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate(&module).unwrap();
    let same = instance.typed::<Sixteen, Sixteen>(&ns, "same").unwrap();
    assert_eq!(parts(same.call(&mut ns, values).unwrap()), parts(values));
    let all = instance.typed::<(), Sixteen>(&ns, "all").unwrap();
    assert_eq!(parts(all.call(&mut ns, ()).unwrap()), parts(values));
    let numbers = instance.call(&mut ns, "numbers", &[]).unwrap();
    assert_eq!(numbers[1..4], [Value::I64(2), Value::f32(3.0), Value::f64(4.0)]);
    assert_eq!(numbers[14..], [Value::I32(15), Value::I64(16)]);
}
