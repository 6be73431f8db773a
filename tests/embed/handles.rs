//! Handles belong to one namespace. Using one with another is a bug, and panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use std::collections::HashSet;

use precast::{
    Caller, ErrorKind, Extern, HostError, HostModuleBuilder, Limits, RefType, Runtime, Table,
    TableType, TrapCode, ValType, Value, ValueError,
};

use super::{compile, instantiate};

const MODULE: &str = r#"(module
  (memory (export "memory") 1)
  (table (export "table") 1 funcref)
  (global (export "global") (mut i32) (i32.const 1))
  (func (export "f") (result i32) (i32.const 1)))"#;

#[track_caller]
fn assert_panics<T>(what: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(what)).is_err(), "it is accepted");
}

#[test]
fn of_another_namespace() {
    let (mut ns, instance) = instantiate(MODULE);
    let (mut other, mine) = instantiate(MODULE);
    let func = instance.func(&ns, "f").unwrap();
    let typed = instance.typed::<(), i32>(&ns, "f").unwrap();
    let memory = instance.memory(&ns, "memory").unwrap();
    assert_panics(|| func.call(&mut other, &[]));
    assert_panics(|| typed.call(&mut other, ()));
    assert_panics(|| instance.call(&mut other, "f", &[]));
    assert_panics(|| instance.export(&other, "f"));
    assert_panics(|| memory.data(&other).unwrap().len());
    assert_panics(|| other.register("i", instance));

    // A wrong value may come from a guest, so it is an error.
    let table = mine.table(&other, "table").unwrap();
    assert!(table.set(&mut other, 0, Value::FuncRef(Some(func))).is_err());
    assert_eq!(func.call(&mut ns, &[]).unwrap(), [Value::I32(1)]);
}

#[test]
fn exports_by_kind() {
    let (ns, instance) = instantiate(MODULE);
    let mut names: Vec<String> = instance.exports(&ns).into_iter().map(|(name, _)| name).collect();
    names.sort();
    assert_eq!(names, ["f", "global", "memory", "table"]);
    assert!(instance.func(&ns, "memory").is_none());
    assert!(instance.memory(&ns, "f").is_none());
    assert!(instance.global(&ns, "nothing").is_none());
}

#[test]
fn handles_of_the_same_item_are_equal() {
    let (ns, instance) = instantiate(MODULE);
    let (other, mine) = instantiate(MODULE);
    let names = ["f", "memory", "table", "global"];
    let all =
        |ns, instance: precast::Instance| names.map(|name| instance.export(ns, name).unwrap());
    let (once, again) = (all(&ns, instance), all(&ns, instance));
    assert_eq!(once, again);
    let set: HashSet<Extern> = once.into_iter().chain(again).chain(all(&other, mine)).collect();
    assert_eq!(set.len(), 8);
}

#[test]
fn values_become_rust_values_of_their_type() {
    assert_eq!(i32::try_from(Value::I32(-1)), Ok(-1));
    assert_eq!(u64::try_from(Value::I64(-1)), Ok(u64::MAX));
    assert_eq!(f32::try_from(Value::f32(0.5)), Ok(0.5));
    assert_eq!(u128::try_from(Value::V128(7)), Ok(7));
    assert!(Option::<precast::Func>::try_from(Value::FuncRef(None)).unwrap().is_none());
    let error: ValueError = i64::try_from(Value::I32(1)).unwrap_err();
    assert_eq!((error.wanted, error.found), (ValType::I64, ValType::I32));
    assert_eq!(error.to_string(), "a value of type i32 where i64 was wanted");
    let shown = |value: Value| value.to_string();
    assert_eq!(shown(Value::I32(-5)), "-5");
    assert_eq!(shown(Value::f64(-0.5)), "-0.5");
    assert_eq!(shown(Value::V128(1 << 32)), "i32x4 0x00000000 0x00000001 0x00000000 0x00000000");
    assert_eq!(shown(Value::ExternRef(None)), "null extern");
}

#[test]
fn a_call_checks_the_slice_for_its_results() {
    let (mut ns, instance) = instantiate(
        r#"(module (func (export "f") (param i32) (result i32 externref)
             (i32.add (local.get 0) (i32.const 1)) (ref.null extern)))"#,
    );
    let f = instance.func(&ns, "f").unwrap();
    let mut results = [Value::I64(9); 2];
    f.call_into(&mut ns, &[Value::I32(4)], &mut results).unwrap();
    assert_eq!(results, [Value::I32(5), Value::ExternRef(None)]);
    for len in [0, 1, 3] {
        let error = f.call_into(&mut ns, &[Value::I32(4)], &mut vec![Value::I32(0); len]);
        let error = error.expect_err("another number of results").to_string();
        assert!(error.ends_with(&format!("was called for {len} results")), "{error}");
    }
    assert!(f.call_into(&mut ns, &[Value::I64(4)], &mut results).is_err());
    // One parameter needs no tuple.
    let (mut ns, instance) = instantiate(
        r#"(module (func (export "f") (param f64) (result f64) (f64.neg (local.get 0))))"#,
    );
    let f = instance.typed::<f64, f64>(&ns, "f").unwrap();
    assert_eq!(f.call(&mut ns, 2.5).unwrap(), -2.5);
}

#[test]
fn a_namespace_keeps_data_for_its_host_functions() {
    let (mut ns, _) = instantiate("(module)");
    assert_eq!(ns.data::<i32>(), None);
    ns.set_data(vec![1]);
    ns.set_data(5i32);
    assert_eq!(ns.data::<Vec<i32>>(), None);
    let host = HostModuleBuilder::new("env").func("next", |caller: &mut Caller<'_, ()>| {
        let data =
            caller.namespace().data_mut::<i32>().ok_or(HostError::trap(TrapCode::Unreachable))?;
        *data += 1;
        Ok::<i32, HostError>(*data)
    });
    let host = host.build(&ns.runtime().clone()).unwrap();
    let host = ns.instantiate_host(&host).unwrap();
    let next = host.typed::<(), i32>(&ns, "next").unwrap();
    assert_eq!(next.call(&mut ns, ()).unwrap(), 6);
    assert_eq!(ns.data(), Some(&6));
    ns.close();
    assert_eq!(ns.data(), Some(&6));
}

#[test]
fn errors_of_host_functions_are_errors() {
    let error: Box<dyn std::error::Error> = HostError::new("broken").into();
    assert_eq!(error.to_string(), "broken");
    assert_eq!(HostError::exit(3).to_string(), "the guest ended with exit code 3");
    assert_eq!(
        HostError::trap(TrapCode::Unreachable).to_string(),
        TrapCode::Unreachable.to_string()
    );
}

/// Callers tell apart what they can act on.
#[test]
fn each_misuse_has_its_kind() {
    let runtime = Runtime::new();
    let module = compile(
        &runtime,
        r#"(module (func (export "f") (param i32)) (memory (export "m") 1 2)
             (table (export "t") 1 funcref) (global (export "c") i32 (i32.const 1))
             (global (export "v") (mut externref) (ref.null extern)))"#,
    );
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    let table = instance.table(&ns, "t").unwrap();
    let variable = instance.global(&ns, "v").unwrap();
    let foreign = Value::from(runtime.namespace().extern_ref(1));
    macro_rules! kind {
        ($result:expr, $kind:pat) => {
            let error = $result.map(drop).unwrap_err();
            assert!(matches!(error.kind(), $kind), "{}: {error}", stringify!($result));
        };
    }
    kind!(instance.call(&mut ns, "f", &[]), ErrorKind::TypeMismatch(_));
    kind!(instance.typed::<(), ()>(&ns, "f"), ErrorKind::TypeMismatch(_));
    kind!(instance.call(&mut ns, "g", &[]), ErrorKind::NotFound(_));
    kind!(table.set(&mut ns, 1, Value::FuncRef(None)), ErrorKind::NotFound(_));
    kind!(table.set(&mut ns, 0, Value::I32(0)), ErrorKind::TypeMismatch(_));
    kind!(variable.set(&mut ns, foreign), ErrorKind::Foreign(_));
    kind!(instance.global(&ns, "c").unwrap().set(&mut ns, Value::I32(2)), ErrorKind::Immutable);
    kind!(instance.memory(&ns, "m").unwrap().grow(&mut ns, 2), ErrorKind::Limit(_));
    kind!(ns.instantiate_with(&module, &[table.into()]), ErrorKind::Invalid(_));
    kind!(Runtime::new().namespace().instantiate(&module), ErrorKind::Foreign(_));
    let elements = TableType::new(RefType::FUNCREF, Limits::new(1, Some(0)));
    kind!(Table::new(&mut ns, elements, Value::FuncRef(None)), ErrorKind::Invalid(_));
    let elements = TableType::new(RefType::FUNCREF, Limits::new(1, None));
    kind!(Table::new(&mut ns, elements, Value::I32(0)), ErrorKind::TypeMismatch(_));
}
