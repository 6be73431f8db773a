//! Traps, and the information that they carry.

use precast::{Caller, HostModuleBuilder, Runtime, TrapCode, Value};

use super::{compile, instantiate, instantiate_with_host, load};

#[test]
fn every_kind() {
    let (mut ns, instance) = instantiate(
        r#"(module
             (type $nullary (func))
             (memory 1)
             (table 3 funcref)
             (elem (i32.const 0) $unary)
             (func $unary (param i32))
             (func (export "unreachable") unreachable)
             (func (export "div0") (drop (i32.div_u (i32.const 1) (i32.const 0))))
             (func (export "overflow") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
             (func (export "trunc") (drop (i32.trunc_f32_s (f32.const nan))))
             (func (export "trunc big") (drop (i32.trunc_f32_s (f32.const 1e10))))
             (func (export "load") (drop (i32.load (i32.const -4))))
             (func (export "load far") (drop (i32.load offset=0xfffffff0 (i32.const -4))))
             (func (export "store edge") (i32.store (i32.const 65533) (i32.const 0)))
             (func (export "fill") (memory.fill (i32.const 65530) (i32.const 0) (i32.const 7)))
             (func (export "null") (call_indirect (type $nullary) (i32.const 1)))
             (func (export "type") (call_indirect (type $nullary) (i32.const 0)))
             (func (export "undefined") (call_indirect (type $nullary) (i32.const 3)))
             (func (export "table") (drop (table.get 0 (i32.const 3)))))"#,
    );
    for (name, code) in [
        ("unreachable", TrapCode::Unreachable),
        ("div0", TrapCode::IntegerDivisionByZero),
        ("overflow", TrapCode::IntegerOverflow),
        ("trunc", TrapCode::BadConversionToInteger),
        ("trunc big", TrapCode::IntegerOverflow),
        ("load", TrapCode::MemoryOutOfBounds),
        ("load far", TrapCode::MemoryOutOfBounds),
        ("store edge", TrapCode::MemoryOutOfBounds),
        ("fill", TrapCode::MemoryOutOfBounds),
        ("null", TrapCode::UninitializedElement),
        ("type", TrapCode::IndirectCallTypeMismatch),
        ("undefined", TrapCode::UndefinedElement),
        ("table", TrapCode::TableOutOfBounds),
    ] {
        // Twice, because a trap leaves the instance usable.
        for _ in 0..2 {
            let error = instance.call(&mut ns, name, &[]).unwrap_err();
            let trap = error.trap().unwrap_or_else(|| panic!("{name}: {error}"));
            assert_eq!(trap.code(), code, "{name}");
            assert!(trap.message().starts_with(code.message()), "{name}: {}", trap.message());
        }
    }
}

#[test]
fn backtraces_have_names_and_places() {
    let (mut ns, instance) = instantiate(
        r#"(module $machine
             (func $inner (param i32) (drop (i32.div_u (i32.const 1) (local.get 0))))
             (func $middle (call $inner (i32.const 0)) (call $inner (i32.const 1)))
             (func $outer (export "run") (call $middle) (call $middle)))"#,
    );
    let error = instance.call(&mut ns, "run", &[]).unwrap_err();
    let frames = error.trap().unwrap().frames();
    let names: Vec<Option<&str>> = frames.iter().map(|f| f.func_name.as_deref()).collect();
    assert_eq!(names, [Some("inner"), Some("middle"), Some("outer")]);
    let indices: Vec<u32> = frames.iter().map(|f| f.func_index).collect();
    assert_eq!(indices, [0, 1, 2]);
    for frame in frames {
        assert_eq!(frame.module.as_deref(), Some("machine"));
    }
}

#[test]
fn backtraces_cross_the_host() {
    let host = HostModuleBuilder::new("host").func("back", |caller: &mut Caller<'_, ()>| {
        let instance = caller.instance().expect("called by wasm");
        let ns = caller.namespace();
        instance.call(ns, "inner", &[]).map(drop)
    });
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module (import "host" "back" (func $back))
             (func $inner (export "inner") unreachable)
             (func $outer (export "outer") (call $back)))"#,
    );
    let error = instance.call(&mut ns, "outer", &[]).unwrap_err();
    let trap = error.trap().unwrap();
    assert_eq!(trap.code(), TrapCode::Unreachable);
    assert_eq!(trap.frames()[0].func_name.as_deref(), Some("inner"));
}

#[test]
fn side_effects_before_a_trap_stay() {
    let (mut ns, instance) = instantiate(
        r#"(module
             (memory (export "memory") 1)
             (func (export "run")
               (i32.store8 (i32.const 0) (i32.const 1))
               (i32.store8 (i32.const 65536) (i32.const 1))
               (i32.store8 (i32.const 1) (i32.const 1))))"#,
    );
    assert!(instance.call(&mut ns, "run", &[]).unwrap_err().trap().is_some());
    assert_eq!(instance.memory(&ns, "memory").unwrap().data(&ns).unwrap()[..2], [1, 0]);
}

#[test]
fn traps_on_other_threads() {
    let runtime = Runtime::new();
    let module = compile(
        &runtime,
        r#"(module (memory 1) (func (export "run") (param i32) (result i32)
             (i32.load8_u (local.get 0))))"#,
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut ns = runtime.namespace();
                let instance = ns.instantiate(&module).unwrap();
                for at in [0, 65536].repeat(100) {
                    let result = instance.call(&mut ns, "run", &[Value::I32(at)]);
                    assert_eq!(result.is_ok(), at == 0);
                }
            });
        }
    });
}

/// A trap is looked up in a list of all code, which other threads replace at the same time.
#[test]
fn traps_while_code_comes_and_goes() {
    const TRAPS: u32 = 20_000;
    let runtime = Runtime::new();
    let text = r#"(module (func (export "run") unreachable))"#;
    let module = compile(&runtime, text);
    let artifact = runtime.precompile(&wat::parse_str(text).unwrap()).unwrap();
    std::thread::scope(|scope| {
        let trapping = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut ns = runtime.namespace();
                let instance = ns.instantiate(&module).unwrap();
                for _ in 0..TRAPS {
                    let error = instance.call(&mut ns, "run", &[]).unwrap_err();
                    let code = error.trap().map(|trap| trap.code());
                    assert_eq!(code, Some(TrapCode::Unreachable));
                }
            })
        });
        while trapping.iter().any(|thread| !thread.is_finished()) {
            load(&runtime, &artifact).unwrap();
        }
    });
}

/// The index of an uninitialised element is found in the instance that trapped, among many instances
/// of its module, also when the function keeps its context on the stack.
#[test]
fn an_uninitialised_element_has_its_index_among_many_instances() {
    let (count, adds) = (40, "i64.add ".repeat(39));
    let params = "i64 ".repeat(count);
    let locals: String = (0..count).map(|n| format!("(local.get {n})")).collect();
    let zeros = "(i64.load (i32.const 0)) ".repeat(count);
    let text = |other: &str| {
        format!(
            r#"(module
                 (type $nullary (func))
                 (func $other {other} (param i32))
                 (memory 1)
                 (table (export "table") 1000 funcref)
                 (func (export "call") (param i32) (call_indirect (type $nullary) (local.get 0)))
                 (func (export "through") (param i32) (call $other (local.get 0)))
                 (func $crowded (param {params} i32) (result i64)
                   {locals} (call_indirect (type $nullary) (local.get {count})) {adds})
                 (func (export "crowded") (param i32) (result i64)
                   {zeros} (local.get 0) (call $crowded)))"#
        )
    };
    let runtime = Runtime::new();
    let first = compile(&runtime, &text(""));
    let rest = compile(&runtime, &text(r#"(import "other" "call")"#));
    let mut ns = runtime.namespace();
    ns.instantiate_as("other", &first).unwrap();
    // Address space of 39 bits has room for 127 memories.
    for n in 0..60 {
        let instance = ns.instantiate_as("other", &rest).unwrap();
        for name in ["call", "through", "crowded"] {
            let error = instance.call(&mut ns, name, &[Value::I32(n)]).unwrap_err();
            let trap = error.trap().expect(name);
            assert_eq!(trap.message(), format!("uninitialized element {n}"), "{name}");
            assert_eq!(trap.frames().len(), if name == "call" { 1 } else { 2 }, "{name}");
        }
    }
}
