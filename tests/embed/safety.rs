//! Safe code and hostile guests must not break these properties.

use std::thread;

use precast::{
    Caller, HostModuleBuilder, Limits, MemoryType, Namespace, RefType, Runtime, TableType, Value,
};

use super::{compile, instantiate};

/// The stub behind a null entry of a compiled table may be called with any signature, so it must
/// not touch its arguments.
#[test]
fn null_entries_trap_whatever_the_signature() {
    for params in [0, 1, 8, 10, 12] {
        for results in [0, 1, 8, 9, 10, 12, 16] {
            let ty =
                format!("(param {}) (result {})", "i64 ".repeat(params), "i64 ".repeat(results));
            let args: String = (0..params).map(|i| format!("(local.get {i})")).collect();
            let (mut ns, instance) = instantiate(&format!(
                r#"(module (type $t (func {ty})) (table 2 funcref) (elem (i32.const 1) $f)
                     (global $null (mut i32) (i32.const 0))
                     (func $f (type $t) {})
                     (func (export "call") (type $t)
                       {args} (call_indirect (type $t) (global.get $null))))"#,
                "(i64.const 7)".repeat(results)
            ));
            let args = vec![Value::I64(3); params];
            let error = instance.call(&mut ns, "call", &args).unwrap_err();
            assert!(error.to_string().starts_with("uninitialized element"), "{error}");
        }
    }
}

/// A reference that a call returns after it closed the namespace is null.
#[test]
fn a_reference_from_a_closed_namespace_is_null() {
    for memory in ["", "(memory 1)"] {
        let runtime = Runtime::new();
        let host = HostModuleBuilder::new("e")
            .func("close", |caller: &mut Caller<'_, ()>| caller.namespace().close())
            .build(&runtime)
            .unwrap();
        let module = compile(
            &runtime,
            &format!(
                r#"(module (import "e" "close" (func $close)) {memory}
                     (func $f (export "f") (result funcref) (call $close) (ref.func $f)))"#
            ),
        );
        let mut ns = runtime.namespace();
        ns.instantiate_host(&host).unwrap();
        let instance = ns.instantiate(&module).unwrap();
        let results = instance.call(&mut ns, "f", &[]).unwrap();
        assert_eq!(results, [Value::FuncRef(None)]);
    }
}

#[test]
fn impossible_host_memories_and_tables_are_refused() {
    let runtime = Runtime::new();
    let limits = |min, max| Limits::new(min, max);
    for limits in [limits(65537, None), limits(u64::MAX, None), limits(2, Some(1))] {
        let builder = HostModuleBuilder::new("e");
        assert!(builder.memory("m", MemoryType::new(limits)).build(&runtime).is_err());
    }
    for (element, limits) in
        [(RefType::FUNCREF, limits(2, Some(1))), (RefType::EXTERNREF, limits(u64::MAX, None))]
    {
        let builder = HostModuleBuilder::new("e");
        assert!(builder.table("t", TableType::new(element, limits)).build(&runtime).is_err());
    }
}

/// A host function may call a guest from another thread while its caller waits: each thread's stack
/// has its own limits.
#[test]
fn a_nested_call_on_another_thread_leaves_the_stack_limit_alone() {
    fn on_another_thread(ns: &mut Namespace) {
        thread::scope(|scope| {
            let call = || {
                let instance = ns.instance("m").unwrap();
                assert_eq!(instance.call(ns, "five", &[]).unwrap(), [Value::I32(5)]);
            };
            thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, call).unwrap();
        });
    }
    let runtime = Runtime::new();
    let host = HostModuleBuilder::new("e")
        .func("other", |caller: &mut Caller<'_, ()>| on_another_thread(caller.namespace()))
        .func("leaf", || 1i32)
        .build(&runtime)
        .unwrap();
    let module = compile(
        &runtime,
        r#"(module (import "e" "other" (func $other)) (import "e" "leaf" (func $leaf (result i32)))
             (func (export "five") (result i32) (i32.const 5))
             (func $deep (export "deep") (result i32)
               (drop (call $leaf)) (i32.add (call $deep) (i32.const 1)))
             (func (export "f") (result i32) (call $other) (call $leaf)))"#,
    );
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate_as("m", &module).unwrap();
    for _ in 0..3 {
        assert_eq!(instance.call(&mut ns, "f", &[]).unwrap(), [Value::I32(1)]);
        let error = instance.call(&mut ns, "deep", &[]).unwrap_err();
        assert_eq!(error.to_string(), "call stack exhausted");
    }
}

/// Element segments run before data segments. If one fails, no data is visible, not even through a
/// function of the failed instance.
#[test]
fn a_failed_instance_shows_no_data() {
    let runtime = Runtime::new();
    let table = compile(
        &runtime,
        r#"(module (table (export "t") 4 funcref)
             (func (export "call") (result i32) (call_indirect (result i32) (i32.const 0))))"#,
    );
    let failing = compile(
        &runtime,
        r#"(module (import "a" "t" (table 4 funcref)) (memory 1)
             (func $f (result i32) (i32.load8_u (i32.const 0)))
             (elem (i32.const 0) $f) (elem (i32.const 9) $f) (data (i32.const 0) "\2a"))"#,
    );
    let mut ns = runtime.namespace();
    let a = ns.instantiate_as("a", &table).unwrap();
    ns.instantiate(&failing).unwrap_err();
    assert_eq!(a.call(&mut ns, "call", &[]).unwrap(), [Value::I32(0)]);
}

/// A host function keeps its identity in whichever way it is returned.
#[test]
fn a_host_function_keeps_its_identity() {
    let runtime = Runtime::new();
    let host = HostModuleBuilder::new("e").func("f", || 1i32).build(&runtime).unwrap();
    let module = compile(
        &runtime,
        r#"(module (import "e" "f" (func $f (result i32)))
             (table (export "t") 1 funcref) (elem (i32.const 0) $f) (export "f" (func $f)))"#,
    );
    let mut ns = runtime.namespace();
    let host = ns.instantiate_host(&host).unwrap();
    let instance = ns.instantiate(&module).unwrap();
    let element = instance.table(&ns, "t").unwrap().get(&ns, 0).unwrap().unwrap();
    assert_eq!(element, Value::FuncRef(host.func(&ns, "f")));
    assert_eq!(instance.func(&ns, "f"), host.func(&ns, "f"));
}

/// A call borrows the namespace mutably while host functions that it runs borrow it again. If the
/// borrow covered bytes, the code generator could assume that they do not change.
#[test]
fn the_borrow_of_a_namespace_covers_no_bytes() {
    let ns = Runtime::new().namespace();
    assert_eq!(size_of_val(&*ns), 0);
}
