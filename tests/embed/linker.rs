//! Linkers: definitions of all kinds, modules and host modules for every namespace, undefined
//! imports, instances from any thread.

use crate::compile;
use precast::{
    Caller, CompiledModule, Error, ErrorKind, Extern, ExternType, Func, FuncType, Global,
    GlobalType, HostModuleBuilder, Instance, Limits, Linker, Memory, MemoryType, Namespace,
    RefType, Runtime, Table, TableType, TrapCode, UnknownImport, ValType, Value,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Calls `run` and returns its result.
fn run(namespace: &mut Namespace, instance: Instance) -> Result<i32, Error> {
    instance.typed::<(), i32>(namespace, "run")?.call(namespace, ())
}

/// The reason why linking failed.
fn reason(result: Result<impl Sized, Error>) -> String {
    match result.map(drop).expect_err("it cannot be linked").into_kind() {
        ErrorKind::Link(error) => error.to_string(),
        kind => panic!("{kind}"),
    }
}

fn twice(runtime: &Runtime) -> CompiledModule {
    compile(
        runtime,
        r#"(module (import "env" "f" (func $f (param i32) (result i32)))
            (func (export "run") (result i32) (call $f (call $f (i32.const 3)))))"#,
    )
}

#[test]
fn functions_are_defined_one_by_one() {
    let runtime = Runtime::new();
    let module = compile(
        &runtime,
        r#"(module (import "a" "f" (func $a (result i32))) (import "b" "f" (func $b (result i32)))
            (import "b" "g" (func $g (param i64 f32) (result i32)))
            (func (export "run") (result i32)
              (i32.add (i32.mul (call $a) (i32.const 100)) (i32.add (call $b)
                (call $g (i64.const 5) (f32.const 0.5))))))"#,
    );
    let mut linker = Linker::new(&runtime);
    let by = 7;
    let ty = FuncType::new([ValType::I64, ValType::F32], [ValType::I32]);
    linker.func("a", "f", || 1).unwrap().func("b", "f", move || by).unwrap();
    linker
        .func_dynamic("b", "g", ty.clone(), |_, args, results| {
            let number = args[0].as_i64().unwrap() as f32 * args[1].as_f32().unwrap();
            results[0] = Value::I32((number * 10.0) as i32);
            Ok(())
        })
        .unwrap();
    assert_eq!(linker.ty("b", "g"), Some(&ExternType::Func(ty)));
    assert_eq!(linker.ty("b", "h"), None);
    let mut namespace = runtime.namespace();
    let instance = linker.instantiate(&mut namespace, &module).unwrap();
    assert_eq!(run(&mut namespace, instance).unwrap(), 132);
}

#[test]
fn a_definition_takes_the_place_of_another_only_on_request() {
    let runtime = Runtime::new();
    let module = twice(&runtime);
    let mut linker = Linker::new(&runtime);
    linker.func("env", "f", |v: i32| v + 1).unwrap();
    let error = reason(linker.func("env", "f", |v: i32| v * 10));
    assert_eq!(error, r#"import "env" "f": it is already defined"#);
    let host = HostModuleBuilder::new("env").func("g", || ()).func("f", |v: i32| v * 10);
    let host = host.build(&runtime).unwrap();
    assert!(reason(linker.host(&host)).contains("already defined"));
    // No export of the module was defined.
    assert_eq!(linker.ty("env", "g"), None);

    let before = linker.instantiate_pre(&module).unwrap();
    linker.allow_shadowing(true).host(&host).unwrap();
    let after = linker.instantiate_pre(&module).unwrap();
    for (pre, wanted) in [(before, 5), (after, 300)] {
        let (mut namespace, instance) = pre.instantiate().unwrap();
        assert_eq!(run(&mut namespace, instance).unwrap(), wanted);
    }
}

#[test]
fn every_namespace_has_its_own_host_state_and_modules() {
    let runtime = Runtime::new();
    let made = Arc::new(AtomicU32::new(0));
    let host = HostModuleBuilder::with_state("host", {
        let made = made.clone();
        move || made.fetch_add(1, Relaxed) as i32 * 1000
    })
    .func("next", |caller: &mut Caller<'_, i32>| {
        *caller.state() += 1;
        *caller.state()
    })
    .global("start", Value::I32(5), false)
    .build(&runtime)
    .unwrap();
    let counter = compile(
        &runtime,
        r#"(module (import "host" "start" (global $start i32)) (global $count (mut i32) (i32.const 0))
            (func (export "_initialize") (global.set $count (global.get $start)))
            (func (export "count") (result i32)
              (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count)))"#,
    );
    let program = compile(
        &runtime,
        r#"(module (import "host" "next" (func $next (result i32)))
            (import "counter" "count" (func $count (result i32)))
            (func (export "run") (result i32) (i32.add (call $next) (call $count))))"#,
    );
    let mut linker = Linker::new(&runtime);
    linker.host(&host).unwrap().module("counter", &counter).unwrap();
    let pre = linker.instantiate_pre(&program).unwrap();
    assert_eq!(made.load(Relaxed), 0);

    let (mut first, instance) = pre.instantiate().unwrap();
    // The initial value of the counter was 5.
    assert_eq!(run(&mut first, instance).unwrap(), 1 + 6);
    assert_eq!(run(&mut first, instance).unwrap(), 2 + 7);
    // Another instance in the same namespace shares the state and the module.
    let again = pre.instantiate_in(&mut first).unwrap();
    assert_eq!(run(&mut first, again).unwrap(), 3 + 8);
    let again = linker.instantiate(&mut first, &program).unwrap();
    assert_eq!(run(&mut first, again).unwrap(), 4 + 9);
    let (mut second, instance) = pre.instantiate().unwrap();
    assert_eq!(run(&mut second, instance).unwrap(), 1001 + 6);
    assert_eq!(made.load(Relaxed), 2);
}

#[test]
fn definitions_that_are_not_imported_are_not_instantiated() {
    let runtime = Runtime::new();
    let host = HostModuleBuilder::with_state("unused", || panic!("it is not needed"));
    let host: precast::HostModule<()> = host.func("f", || ()).build(&runtime).unwrap();
    let mut linker = Linker::new(&runtime);
    linker.host(&host).unwrap().func("env", "f", |v: i32| v).unwrap();
    let (mut namespace, instance) =
        linker.instantiate_pre(&twice(&runtime)).unwrap().instantiate().unwrap();
    assert_eq!(run(&mut namespace, instance).unwrap(), 3);
}

#[test]
fn items_of_a_namespace_stay_in_it() {
    let runtime = Runtime::new();
    let owner = compile(
        &runtime,
        r#"(module (memory (export "memory") 1) (table (export "table") 2 funcref)
            (global (export "global") (mut i32) (i32.const 40))
            (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"#,
    );
    let user = compile(
        &runtime,
        r#"(module (import "env" "f" (func $f (param i32) (result i32)))
            (import "other" "memory" (memory 1)) (import "env" "table" (table 2 funcref))
            (import "env" "global" (global $g (mut i32)))
            (func (export "run") (result i32)
              (i32.add (call $f (global.get $g)) (i32.load8_u (i32.const 9)))))"#,
    );
    let mut namespace = runtime.namespace();
    let instance = namespace.instantiate(&owner).unwrap();
    let memory = instance.memory(&namespace, "memory").unwrap();
    memory.data_mut(&mut namespace).unwrap()[9] = 1;
    let mut linker = Linker::new(&runtime);
    linker.instance(&namespace, "env", instance).unwrap();
    linker.define(&namespace, "other", "memory", memory.into()).unwrap();
    let linked = linker.instantiate(&mut namespace, &user).unwrap();
    assert_eq!(run(&mut namespace, linked).unwrap(), 42);

    let error = reason(linker.instantiate(&mut runtime.namespace(), &user));
    assert_eq!(error, r#"import "env" "f": it belongs to another namespace"#);
    let error = reason(linker.instantiate_pre(&user));
    assert_eq!(error, r#"import "env" "f": it belongs to one namespace"#);
    let error = linker.module("user", &user).expect_err("it needs the namespace");
    assert!(matches!(error.kind(), ErrorKind::Foreign(_)), "{error}");
    namespace.close();
    let error = linker.instantiate(&mut namespace, &user).expect_err("it is closed");
    assert!(matches!(error.kind(), ErrorKind::Closed("namespace")), "{error}");
    let error = linker.instance(&namespace, "again", instance).expect_err("it is closed");
    assert!(matches!(error.kind(), ErrorKind::Closed("namespace")), "{error}");
}

#[test]
fn import_mismatches_are_named() {
    let runtime = Runtime::new();
    let module = twice(&runtime);
    let mut linker = Linker::new(&runtime);
    let error = reason(linker.instantiate_pre(&module));
    assert!(
        error.contains("unknown import: no module has this name, func (i32) -> (i32)"),
        "{error}"
    );
    linker.func("env", "g", || ()).unwrap();
    let error = reason(linker.instantiate(&mut runtime.namespace(), &module));
    assert!(
        error.contains(r#"import "env" "f": unknown import: func (i32) -> (i32) wanted"#),
        "{error}"
    );
    linker.func("env", "f", |_: i64| 0i32).unwrap();
    let error = reason(linker.instantiate_pre(&module));
    assert!(error.contains("func (i32) -> (i32) wanted, func (i64) -> (i32) found"), "{error}");

    let other = Runtime::new();
    assert!(Linker::new(&other).module("m", &module).is_err());
    assert!(Linker::new(&other).instantiate_pre(&module).is_err());
    linker.allow_shadowing(true).func("env", "f", |v: i32| v).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    assert!(pre.instantiate_in(&mut other.namespace()).is_err());
    module.close();
    assert!(pre.instantiate().is_err());
    runtime.close();
    assert!(linker.func("env", "h", || ()).is_err());
}

const MANY_UNKNOWN: &str = r#"(module
    (import "env" "known" (func $known (result i32))) (import "env" "f" (func $f (result i32)))
    (import "a" "memory" (memory 2)) (import "a" "g" (global $g (mut i64)))
    (import "a" "table" (table 3 funcref)) (import "a" "r" (global externref))
    (import "a" "f" (func (param f64) (result f64 funcref))) (import "a" "f" (func (param f64) (result f64 funcref)))
    (func (export "run") (result i32) (i32.add (call $known) (call $f)))
    (func (export "sizes") (result i32) (i32.add (memory.size) (table.size 0))))"#;

#[test]
fn unknown_imports_give_zeros() {
    let runtime = Runtime::new();
    let module = compile(&runtime, MANY_UNKNOWN);
    let mut linker = Linker::new(&runtime);
    linker.func("env", "known", || 5).unwrap();
    let unknown = linker.unknown_imports(&module);
    let names: Vec<_> = unknown.iter().map(|i| format!("{} {}", i.module, i.name)).collect();
    assert_eq!(names, ["env f", "a memory", "a g", "a table", "a r", "a f"]);
    linker.define_unknown_imports_as_zeros(&module).unwrap();
    assert!(linker.unknown_imports(&module).is_empty());
    let (mut namespace, instance) = linker.instantiate_pre(&module).unwrap().instantiate().unwrap();
    assert_eq!(run(&mut namespace, instance).unwrap(), 5);
    assert_eq!(instance.call(&mut namespace, "sizes", &[]).unwrap(), [Value::I32(5)]);
}

#[test]
fn unknown_functions_trap_when_they_are_called() {
    let runtime = Runtime::new();
    let module = compile(
        &runtime,
        r#"(module (import "env" "f" (func $f (param i32) (result i32)))
            (func (export "run") (result i32) (call $f (i32.const 1)))
            (func (export "other") (result i32) (i32.const 2)))"#,
    );
    let mut linker = Linker::new(&runtime);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    let (mut namespace, instance) = linker.instantiate_pre(&module).unwrap().instantiate().unwrap();
    assert_eq!(instance.call(&mut namespace, "other", &[]).unwrap(), [Value::I32(2)]);
    let error = run(&mut namespace, instance).expect_err("nothing defines it");
    assert_eq!(error.to_string(), r#"unknown import "env" "f" was called"#);
    let ErrorKind::Host(cause) = error.into_kind() else { panic!("an error of the host") };
    let cause = cause.downcast_ref::<UnknownImport>().expect("which import it was");
    assert_eq!((&*cause.module, &*cause.name), ("env", "f"));
    // Only functions trap.
    let module = compile(&runtime, MANY_UNKNOWN);
    let mut linker = Linker::new(&runtime);
    linker.define_unknown_imports_as_traps(&module).unwrap();
    assert!(reason(linker.instantiate_pre(&module)).contains(r#""a" "memory""#));
}

#[test]
fn instances_are_made_on_many_threads() {
    let runtime = Runtime::new();
    let module = compile(
        &runtime,
        r#"(module (import "env" "id" (func $id (result i32))) (memory 1)
            (func (export "run") (result i32)
              (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (call $id)))
              (i32.load (i32.const 0))))"#,
    );
    let next = AtomicU32::new(1);
    let host = HostModuleBuilder::with_state("env", move || next.fetch_add(1, Relaxed) as i32);
    let host = host.func("id", |caller: &mut Caller<'_, i32>| *caller.state());
    let mut linker = Linker::new(&runtime);
    linker.host(&host.build(&runtime).unwrap()).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    let sums = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let ids = (0..250).map(|_| {
                        let (mut namespace, instance) = pre.instantiate().unwrap();
                        let id = run(&mut namespace, instance).unwrap();
                        assert_eq!(run(&mut namespace, instance).unwrap(), 2 * id);
                        id
                    });
                    ids.sum::<i32>()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<i32>()
    });
    assert_eq!(sums, 1000 * 1001 / 2);
}

#[test]
fn a_module_that_closes_the_namespace_while_it_is_linked_stops_the_rest() {
    let runtime = Runtime::new();
    let close = |caller: &mut Caller<'_, ()>| caller.namespace().close();
    let first = compile(
        &runtime,
        r#"(module (import "env" "close" (func $close)) (memory (export "memory") 1)
            (start $close))"#,
    );
    let second = compile(&runtime, r#"(module (import "first" "memory" (memory 1)))"#);
    let third = compile(&runtime, "(module)");
    let mut linker = Linker::new(&runtime);
    linker.func("env", "close", close).unwrap().module("first", &first).unwrap();
    let mut namespace = runtime.namespace();
    let error = linker.instantiate(&mut namespace, &second).expect_err("it is closed");
    assert!(matches!(error.kind(), ErrorKind::Closed("namespace")), "{error}");
    assert!(linker.instantiate(&mut namespace, &third).is_err());

    // The values that the embedder supplied are removed as well.
    let mut namespace = runtime.namespace();
    let owner = namespace.instantiate(&compile(&runtime, r#"(module (memory (export "m") 1))"#));
    let memory = owner.unwrap().memory(&namespace, "m").unwrap();
    linker.define(&namespace, "own", "memory", memory.into()).unwrap();
    let both = compile(
        &runtime,
        r#"(module (import "own" "memory" (memory 1)) (import "env" "close" (func $close))
            (import "second" "none" (func)))"#,
    );
    let closing = compile(
        &runtime,
        r#"(module (import "env" "close" (func $close)) (start $close) (func (export "none")))"#,
    );
    linker.module("second", &closing).unwrap();
    let error = linker.instantiate(&mut namespace, &both).expect_err("it is closed");
    assert!(matches!(error.kind(), ErrorKind::Closed("namespace")), "{error}");
}

#[test]
fn a_trap_of_a_module_that_is_needed_fails_the_instance() {
    let runtime = Runtime::new();
    let first = compile(
        &runtime,
        r#"(module (func $start unreachable) (start $start) (func (export "f")))"#,
    );
    let module = compile(&runtime, r#"(module (import "first" "f" (func)))"#);
    let mut linker = Linker::new(&runtime);
    linker.module("first", &first).unwrap();
    let pre = linker.instantiate_pre(&module).unwrap();
    for _ in 0..2 {
        let error = pre.instantiate().expect_err("it traps");
        assert_eq!(error.trap().unwrap().code(), TrapCode::Unreachable);
    }
}

#[test]
fn imports_are_given_in_the_order_of_the_module() {
    let runtime = Runtime::new();
    let user = compile(
        &runtime,
        r#"(module (import "" "" (func $f (result i32))) (import "" "" (global $g i32))
            (import "" "" (memory 1 4))
            (func (export "run") (result i32) (i32.add (call $f) (global.get $g))))"#,
    );
    let mut namespace = runtime.namespace();
    let host = HostModuleBuilder::new("host")
        .func("f", || 30)
        .global("g", Value::I32(12), false)
        .memory("m", MemoryType::new(Limits::new(1, Some(2))));
    let host = namespace.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let export = |namespace: &Namespace, name| host.export(namespace, name).unwrap();
    let imports = ["f", "g", "m"].map(|name| export(&namespace, name));
    let instance = namespace.instantiate_with(&user, &imports).unwrap();
    assert_eq!(run(&mut namespace, instance).unwrap(), 42);
    let global = imports[1].into_global().unwrap();
    assert_eq!(global.ty(&namespace), GlobalType::new(ValType::I32, false));
    assert!(imports[1].into_func().is_none());

    let mut wrong = imports;
    wrong.swap(0, 1);
    assert!(reason(namespace.instantiate_with(&user, &wrong)).contains("global i32 found"));
    assert!(reason(namespace.instantiate_with(&user, &imports[..2])).contains("unknown import"));
    let many: Vec<Extern> = imports.into_iter().chain([imports[0]]).collect();
    let error = namespace.instantiate_with(&user, &many).expect_err("one is too many");
    assert_eq!(error.to_string(), "4 imports for a module of 3");
    let other = AssertUnwindSafe(|| runtime.namespace().instantiate_with(&user, &imports));
    let other = catch_unwind(other);
    assert!(other.is_err(), "handles of another namespace");
}

#[test]
fn a_request_gets_a_state_of_its_own() {
    let runtime = Runtime::new();
    let module = twice(&runtime);
    let add = |caller: &mut Caller<'_, i32>, v: i32| v + *caller.state();
    let host = HostModuleBuilder::with_state("env", || 1).func("f", add).build(&runtime).unwrap();
    let mut linker = Linker::new(&runtime);
    let pre = linker.host(&host).unwrap().instantiate_pre(&module).unwrap();
    for by in [10, 100] {
        let own = pre.with_host(&host.with_state(move || by)).unwrap();
        let (mut namespace, instance) = own.instantiate().unwrap();
        assert_eq!(run(&mut namespace, instance).unwrap(), 3 + 2 * by);
        // In one namespace, each has its own state.
        let instance = pre.instantiate_in(&mut namespace).unwrap();
        assert_eq!(run(&mut namespace, instance).unwrap(), 5);
    }
    // The functions can be made once for many modules.
    let functions = HostModuleBuilder::with_state("env", || 1).func("f", add).functions().unwrap();
    let build = |by| HostModuleBuilder::with_state("env", move || by).with_functions(&functions);
    let first = build(1).build(&runtime).unwrap();
    let pre = Linker::new(&runtime).host(&first).unwrap().instantiate_pre(&module).unwrap();
    let own = pre.with_host(&build(20).build(&runtime).unwrap()).unwrap();
    let (mut namespace, instance) = own.instantiate().unwrap();
    assert_eq!(run(&mut namespace, instance).unwrap(), 3 + 2 * 20);
    assert!(pre.with_host(&build(20).build(&Runtime::new()).unwrap()).is_err());
    // An additional definition changes no other module.
    let more = build(1).func("f", |v: i32| v * 100).func("g", || ()).build(&runtime).unwrap();
    let pre = Linker::new(&runtime).host(&more).unwrap().instantiate_pre(&module).unwrap();
    let (mut namespace, instance) = pre.instantiate().unwrap();
    assert_eq!(run(&mut namespace, instance).unwrap(), 30_000);
    let (mut namespace, instance) = own.instantiate().unwrap();
    assert_eq!(run(&mut namespace, instance).unwrap(), 3 + 2 * 20);

    let other = HostModuleBuilder::with_state("env", || 1).func("f", add).build(&runtime).unwrap();
    let error = pre.with_host(&other).expect_err("another module");
    assert_eq!(error.to_string(), r#"no import comes from this host module "env""#);
}

#[test]
fn the_host_makes_items_without_a_module() {
    let runtime = Runtime::new();
    let mut namespace = runtime.namespace();
    let ns = &mut *namespace;
    let double = Func::new(ns, |v: i32| v * 2).unwrap();
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let by = 100;
    let dynamic = Func::new_dynamic(ns, ty, move |_, args, results| {
        results[0] = Value::I32(args[0].as_i32().unwrap_or(0) + by);
        Ok(())
    });
    let dynamic = dynamic.unwrap();
    let limits = Limits::new(3, Some(4));
    let memory = Memory::new(ns, MemoryType::new(limits)).unwrap();
    memory.write(ns, 8, &[5]).unwrap();
    let ty = TableType::new(RefType::FUNCREF, limits);
    let table = Table::new(ns, ty, Value::FuncRef(Some(double))).unwrap();
    let global = Global::new(ns, Value::FuncRef(Some(dynamic)), false).unwrap();
    let user = compile(
        &runtime,
        r#"(module (type $f (func (param i32) (result i32)))
            (import "" "d" (func $d (type $f))) (import "" "m" (memory 3 4))
            (import "" "t" (table 3 4 funcref)) (import "" "g" (global $g funcref))
            (table $own 1 funcref)
            (func (export "run") (result i32)
              (table.set $own (i32.const 0) (global.get $g))
              (call_indirect $own (type $f)
                (call_indirect 0 (type $f) (call $d (i32.load8_u (i32.const 8))) (i32.const 2))
                (i32.const 0))))"#,
    );
    let imports = [double.into(), memory.into(), table.into(), global.into()];
    let instance = ns.instantiate_with(&user, &imports).unwrap();
    assert_eq!(run(ns, instance).unwrap(), 5 * 2 * 2 + 100);
    assert!(Memory::new(ns, MemoryType::new(Limits::new(5, Some(4)))).is_err());
    assert!(Table::new(ns, ty, Value::ExternRef(None)).is_err());
    let mut other = runtime.namespace();
    assert!(Global::new(&mut other, Value::FuncRef(Some(double)), true).is_err());
    assert!(Table::new(&mut other, ty, Value::FuncRef(Some(double))).is_err());
    other.close();
    assert!(Func::new(&mut other, || ()).is_err());
    assert!(Memory::new(&mut other, MemoryType::new(limits)).is_err());
    assert!(Global::new(&mut other, Value::I32(1), true).is_err());
}
