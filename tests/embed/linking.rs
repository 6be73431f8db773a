//! Modules that import from each other.

use precast::{
    ErrorKind, ExternType, GlobalType, HostModuleBuilder, Limits, MemoryType, RefType, Runtime,
    TableType, ValType, Value,
};

use super::compile;

/// Exports one item of each kind, and functions that read them.
const OWNER: &str = r#"(module
  (memory (export "memory") 1 3)
  (table (export "table") 4 8 funcref)
  (global (export "constant") i64 (i64.const 99))
  (global $v (export "variable") (mut i32) (i32.const 5))
  (func $double (export "double") (param i32) (result i32)
    (i32.add (local.get 0) (local.get 0)))
  (elem (i32.const 0) $double)
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "variable?") (result i32) (global.get $v)))"#;

const USER: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "owner" "memory" (memory 1))
  (import "owner" "table" (table $t 2 funcref))
  (import "owner" "constant" (global $constant i64))
  (import "owner" "variable" (global $v (mut i32)))
  (import "owner" "double" (func $double (type $unary)))
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (elem (i32.const 1) $negate)
  (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "set") (param i32) (global.set $v (local.get 0)))
  (func (export "constant") (result i64) (global.get $constant))
  (func (export "double") (param i32) (result i32) (call $double (local.get 0)))
  (func (export "via table") (param i32 i32) (result i32)
    (call_indirect $t (type $unary) (local.get 1) (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#;

#[test]
fn everything_is_shared() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let owner = ns.instantiate_as("owner", &compile(&runtime, OWNER)).unwrap();
    let user = ns.instantiate(&compile(&runtime, USER)).unwrap();
    let i32s = |values: &[i32]| values.iter().map(|&n| Value::I32(n)).collect::<Vec<_>>();

    user.call(&mut ns, "poke", &i32s(&[100, 42])).unwrap();
    assert_eq!(owner.call(&mut ns, "peek", &i32s(&[100])).unwrap(), i32s(&[42]));
    user.call(&mut ns, "set", &i32s(&[-3])).unwrap();
    assert_eq!(owner.call(&mut ns, "variable?", &[]).unwrap(), i32s(&[-3]));
    assert_eq!(user.call(&mut ns, "constant", &[]).unwrap(), [Value::I64(99)]);
    assert_eq!(user.call(&mut ns, "double", &i32s(&[21])).unwrap(), i32s(&[42]));
    // Entry 0 is the owner's, and entry 1 the importing instance's.
    assert_eq!(user.call(&mut ns, "via table", &i32s(&[0, 8])).unwrap(), i32s(&[16]));
    assert_eq!(user.call(&mut ns, "via table", &i32s(&[1, 8])).unwrap(), i32s(&[-8]));

    assert_eq!(user.call(&mut ns, "grow", &[]).unwrap(), i32s(&[1]));
    assert_eq!(owner.memory(&ns, "memory").unwrap().size(&ns).unwrap(), 2);
    assert_eq!(owner.call(&mut ns, "peek", &i32s(&[65536])).unwrap(), i32s(&[0]));
}

#[test]
fn handles_reach_into_instances() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let owner = ns.instantiate(&compile(&runtime, OWNER)).unwrap();

    let memory = owner.memory(&ns, "memory").unwrap();
    assert_eq!(memory.ty(&ns).unwrap(), MemoryType::new(Limits::new(1, Some(3))));
    memory.data_mut(&mut ns).unwrap()[7] = 77;
    assert_eq!(owner.call(&mut ns, "peek", &[Value::I32(7)]).unwrap(), [Value::I32(77)]);
    assert_eq!(memory.data(&ns).unwrap().len(), 65536);
    assert!(memory.write(&mut ns, 65535, &[1, 2]).is_err());
    assert!(memory.read(&ns, u64::MAX, &mut [0]).is_err());
    assert_eq!(memory.grow(&mut ns, 2).unwrap(), 1);
    assert!(memory.grow(&mut ns, 1).is_err());

    let table = owner.table(&ns, "table").unwrap();
    assert_eq!(table.ty(&ns).unwrap(), TableType::new(RefType::FUNCREF, Limits::new(4, Some(8))));
    let Some(Value::FuncRef(Some(double))) = table.get(&ns, 0).unwrap() else {
        panic!("a function")
    };
    assert_eq!(double.call(&mut ns, &[Value::I32(3)]).unwrap(), [Value::I32(6)]);
    assert_eq!(table.get(&ns, 1).unwrap(), Some(Value::FuncRef(None)));
    assert_eq!(table.get(&ns, 4).unwrap(), None);
    table.set(&mut ns, 3, Value::FuncRef(Some(double))).unwrap();
    assert!(table.set(&mut ns, 4, Value::FuncRef(None)).is_err());
    assert!(table.set(&mut ns, 0, Value::I32(1)).is_err());
    assert_eq!(table.grow(&mut ns, 4, Value::FuncRef(Some(double))).unwrap(), 4);
    assert_eq!(table.size(&ns).unwrap(), 8);
    assert!(table.grow(&mut ns, 1, Value::FuncRef(None)).is_err());

    let variable = owner.global(&ns, "variable").unwrap();
    assert_eq!(variable.ty(&ns), GlobalType::new(ValType::I32, true));
    variable.set(&mut ns, Value::I32(12)).unwrap();
    assert_eq!(owner.call(&mut ns, "variable?", &[]).unwrap(), [Value::I32(12)]);
    assert!(variable.set(&mut ns, Value::I64(12)).is_err());
    let constant = owner.global(&ns, "constant").unwrap();
    assert_eq!(constant.get(&ns).unwrap(), Value::I64(99));
    assert!(constant.set(&mut ns, Value::I64(1)).is_err());
}

#[test]
fn the_host_exports_all_kinds() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let owner = HostModuleBuilder::new("owner")
        .memory("memory", MemoryType::new(Limits::new(1, None)))
        .table("table", TableType::new(RefType::FUNCREF, Limits::new(2, None)))
        .global("constant", Value::I64(-1), false)
        .global("variable", Value::I32(1), true)
        .func("double", |n: i32| n * 2)
        .build(&runtime)
        .unwrap();
    let owner = ns.instantiate_host(&owner).unwrap();
    let user = ns.instantiate(&compile(&runtime, USER)).unwrap();

    user.call(&mut ns, "poke", &[Value::I32(3), Value::I32(4)]).unwrap();
    assert_eq!(owner.memory(&ns, "memory").unwrap().data(&ns).unwrap()[3], 4);
    user.call(&mut ns, "set", &[Value::I32(6)]).unwrap();
    assert_eq!(owner.global(&ns, "variable").unwrap().get(&ns).unwrap(), Value::I32(6));
    assert_eq!(user.call(&mut ns, "double", &[Value::I32(8)]).unwrap(), [Value::I32(16)]);
    // A host function in a table is called like any other.
    let double = owner.func(&ns, "double").unwrap();
    let table = owner.table(&ns, "table").unwrap();
    table.set(&mut ns, 0, Value::FuncRef(Some(double))).unwrap();
    let result = user.call(&mut ns, "via table", &[Value::I32(0), Value::I32(5)]).unwrap();
    assert_eq!(result, [Value::I32(10)]);
}

#[test]
fn imports_and_exports_of_a_module() {
    let runtime = Runtime::new();
    let user = compile(&runtime, USER);
    let imports: Vec<String> =
        user.imports().iter().map(|i| format!("{}.{}: {}", i.module, i.name, i.ty)).collect();
    assert_eq!(
        imports,
        [
            "owner.memory: memory 1",
            "owner.table: table 2 funcref",
            "owner.constant: global i64",
            "owner.variable: global (mut i32)",
            "owner.double: func (i32) -> (i32)",
        ]
    );
    let mut exports: Vec<String> = user.exports().into_iter().map(|e| e.name).collect();
    exports.sort();
    assert_eq!(exports, ["constant", "double", "grow", "poke", "set", "via table"]);
    assert!(matches!(user.export("poke"), Some(ExternType::Func(_))));
    assert_eq!(user.export("nothing"), None);
}

#[test]
fn refused_imports_are_named() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    ns.instantiate_as("owner", &compile(&runtime, OWNER)).unwrap();
    for (import, told) in [
        (r#"(import "nowhere" "f" (func))"#, "nowhere"),
        (r#"(import "owner" "triple" (func (param i32)))"#, "triple"),
        (r#"(import "owner" "double" (func (param i64)))"#, "double"),
        (r#"(import "owner" "double" (memory 1))"#, "double"),
        (r#"(import "owner" "memory" (memory 2))"#, "memory"),
        (r#"(import "owner" "memory" (memory 1 2))"#, "memory"),
        (r#"(import "owner" "table" (table 1 externref))"#, "table"),
        (r#"(import "owner" "constant" (global (mut i64)))"#, "constant"),
        (r#"(import "owner" "variable" (global i32))"#, "variable"),
    ] {
        let module = compile(&runtime, &format!("(module {import})"));
        let error = ns.instantiate(&module).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Link(_)), "{import}: {error}");
        let line = error.to_string();
        assert!(line.contains(told) && !line.contains('\n'), "{import}: {line}");
    }
}

#[test]
fn names() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let owner = ns.instantiate(&compile(&runtime, OWNER)).unwrap();
    assert_eq!(ns.instance("owner"), None);
    ns.register("owner", owner);
    ns.register("alias", owner);
    assert_eq!(ns.instance("owner"), Some(owner));
    assert_eq!(ns.instance("alias"), Some(owner));
    ns.instantiate(&compile(&runtime, USER)).unwrap();
}

#[test]
fn a_start_function_runs_and_its_trap_is_reported() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let module = compile(
        &runtime,
        r#"(module (global (export "g") (mut i32) (i32.const 0))
                   (func $init (global.set 0 (i32.const 9))) (start $init))"#,
    );
    let instance = ns.instantiate(&module).unwrap();
    assert_eq!(instance.global(&ns, "g").unwrap().get(&ns).unwrap(), Value::I32(9));

    let module = compile(&runtime, "(module (func $init unreachable) (start $init))");
    assert!(ns.instantiate_as("bad", &module).unwrap_err().trap().is_some());
    assert_eq!(ns.instance("bad"), None, "what failed to start has no name");
}
