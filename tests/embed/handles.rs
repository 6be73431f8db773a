//! Handles belong to one namespace; using one with another is a bug, and panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use precast::Value;

use super::instantiate;

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
    assert_panics(|| memory.data(&other).len());
    assert_panics(|| other.register("i", instance));

    // What is wrong about a value may be a guest's doing: that is an error.
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
