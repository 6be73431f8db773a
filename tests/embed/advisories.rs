//! Faults of other runtimes, tested on this one. docs/advisories.md names each test.

use std::sync::atomic::{AtomicU32, Ordering};

use precast::{
    Config, ErrorKind, HostError, HostModuleBuilder, Instance, Namespace, Runtime, TrapCode, Value,
};

use super::{compile, instantiate, instantiate_with_host};

/// The reason why a call traps.
#[track_caller]
fn trap(ns: &mut Namespace, instance: Instance, name: &str, args: &[Value]) -> TrapCode {
    let error = instance.call(ns, name, args).expect_err(name);
    error.trap().unwrap_or_else(|| panic!("{name}: {error}")).code()
}

/// An index that was spilled is still an unsigned number. Below memory 0 lie the fields of the
/// instance.
#[test]
fn a_spilled_index_has_no_sign() {
    // More values than registers are alive across the call, and are used after it.
    let count = 40;
    let locals: String = (0..count).map(|_| " i32").collect();
    let set = |i: u32| {
        format!(
            "(local.set {} (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const {i})))",
            i + 1
        )
    };
    let sets: String = (0..count).map(set).collect();
    let sum = (0..count).fold("(i32.const 0)".to_owned(), |sum, i| {
        format!("(i32.add {sum} (i32.load8_u (i32.and (local.get {}) (i32.const 0xffff))))", i + 1)
    });
    let body = |access: &str| {
        format!("(local{locals}) {sets} (call $nothing (local.get 0)) (drop {sum}) {access}")
    };
    let mut text = r#"(module (memory 1) (global $g (mut i32) (i32.const 0))
        (func $nothing (param i32) (global.set $g (local.get 0)))"#
        .to_owned();
    let accesses = [
        "(i32.load (local.get 0))",
        "(i32.load8_u offset=1 (local.get 0))",
        "(i32.load (i32.add (local.get 0) (i32.const 1)))",
        "(i32.load (i32.or (local.get 7) (i32.const 0x80000000)))",
        "(i32.store8 (local.get 0) (i32.const 1)) (i32.const 0)",
        "(memory.fill (local.get 0) (i32.const 1) (i32.const 8)) (i32.const 0)",
        "(i32.load (i32.wrap_i64 (i64.extend_i32_s (local.get 0))))",
    ];
    for (n, access) in accesses.iter().enumerate() {
        let body = body(access);
        text += &format!(r#"(func (export "f{n}") (param i32) (result i32) {body})"#);
    }
    let wide = body("(i64.extend_i32_u (local.get 0))");
    text += &format!(r#"(func (export "wide") (param i32) (result i64) {wide}))"#);
    for optimize in [true, false] {
        let runtime = Runtime::with_config(Config::new().optimize(optimize));
        let mut ns = runtime.namespace();
        let instance = ns.instantiate(&compile(&runtime, &text)).unwrap();
        for index in [0x8000_0000u32, 0xffff_ff00, 0xffff_fff0, 0xffff_fff8, 0xffff_fffc] {
            for (n, access) in accesses.iter().enumerate() {
                let code = trap(&mut ns, instance, &format!("f{n}"), &[index.into()]);
                assert_eq!(code, TrapCode::MemoryOutOfBounds, "{access} {index:#x}");
            }
            let wide = instance.call(&mut ns, "wide", &[index.into()]).unwrap();
            assert_eq!(wide, [Value::I64(index.into())]);
        }
    }
}

/// A memory of zero pages has no byte, whichever memory used the address space before.
#[test]
fn a_memory_of_no_pages_has_no_byte() {
    let runtime = Runtime::new();
    let full = compile(
        &runtime,
        r#"(module (memory (export "memory") 4)
             (func (export "run") (memory.fill (i32.const 0) (i32.const 0xaa) (i32.const 262144))))"#,
    );
    for limits in ["0", "0 0", "0 1"] {
        let text = format!(
            r#"(module (memory (export "memory") {limits})
                 (func (export "load") (param i32) (drop (i32.load8_u (local.get 0))))
                 (func (export "constant") (param i32) (drop (i32.load8_u (i32.const 0))))
                 (func (export "store") (param i32) (i64.store (local.get 0) (i64.const 1)))
                 (func (export "fill") (param i32)
                   (memory.fill (local.get 0) (i32.const 1) (i32.const 1)))
                 (func (export "copy") (param i32)
                   (memory.copy (i32.const 0) (local.get 0) (i32.const 1)))
                 (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#
        );
        let empty = compile(&runtime, &text);
        for _ in 0..2 {
            let mut ns = runtime.namespace();
            let instance = ns.instantiate(&full).unwrap();
            instance.call(&mut ns, "run", &[]).unwrap();
            drop(ns);
            let mut ns = runtime.namespace();
            let instance = ns.instantiate(&empty).unwrap();
            let memory = instance.memory(&ns, "memory").unwrap();
            assert!(memory.data(&ns).unwrap().is_empty());
            for name in ["load", "constant", "store", "fill", "copy"] {
                for index in [0u32, 1, 65535, 65536, u32::MAX] {
                    let code = trap(&mut ns, instance, name, &[index.into()]);
                    assert_eq!(code, TrapCode::MemoryOutOfBounds, "{limits}: {name} {index}");
                }
            }
            let grown = instance.call(&mut ns, "grow", &[]).unwrap();
            assert_eq!(grown, [Value::I32(if limits == "0 0" { -1 } else { 0 })]);
            assert!(memory.data(&ns).unwrap().iter().all(|&byte| byte == 0), "{limits}");
        }
    }
}

/// A memory that reuses address space holds what its own module defines. Modules with images and
/// without, of different sizes, take turns, and grow.
#[test]
fn memories_that_reuse_address_space_show_no_old_data() {
    let runtime = Runtime::new();
    let module = |min: u32, data: &str| {
        let text = format!(
            r#"(module (memory (export "memory") {min} 64) {data}
                 (table (export "table") 4 64 externref)
                 (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
                 (func (export "grow table") (param externref) (result i32)
                   (table.fill (i32.const 0) (local.get 0) (i32.const 4))
                   (table.grow (ref.null extern) (i32.const 8))))"#
        );
        compile(&runtime, &text)
    };
    let modules = [
        (1, "", module(1, "")),
        (3, "image", module(3, r#"(data (i32.const 70000) "image")"#)),
        (20, "", module(20, "")),
        (2, "other", module(2, r#"(data (i32.const 70000) "other") (data (i32.const 5) "\00")"#)),
        (0, "", module(0, "")),
    ];
    for round in 0..40 {
        let (min, data, module) = &modules[round * 7 % modules.len()];
        let mut ns = runtime.namespace();
        let instance = ns.instantiate(module).unwrap();
        let memory = instance.memory(&ns, "memory").unwrap();
        let grown = instance.call(&mut ns, "grow", &[Value::I32(30)]).unwrap();
        assert_eq!(grown, [Value::I32(*min)]);
        let bytes = memory.data_mut(&mut ns).unwrap();
        if !data.is_empty() {
            assert_eq!(&bytes[70000..70005], data.as_bytes());
            bytes[70000..70005].fill(0);
        }
        assert!(bytes.iter().all(|&byte| byte == 0), "round {round}");
        bytes.fill(0xbb);
        let table = instance.table(&ns, "table").unwrap();
        assert!((0..4).all(|i| table.get(&ns, i).unwrap() == Some(Value::ExternRef(None))));
        let value = ns.extern_ref(round);
        instance.call(&mut ns, "grow table", &[Value::ExternRef(Some(value))]).unwrap();
        assert!((4..12).all(|i| table.get(&ns, i).unwrap() == Some(Value::ExternRef(None))));
    }
}

/// A dropped segment has no elements, for either kind of reference.
#[test]
fn dropped_segments_have_no_elements() {
    for (ty, items) in [
        ("externref", "externref (ref.null extern) (ref.null extern)"),
        ("funcref", "func $f $f"),
        ("funcref", "funcref (ref.func $f) (ref.null func)"),
    ] {
        let (mut ns, instance) = instantiate(&format!(
            r#"(module (table $t 4 {ty}) (table $other 4 {ty}) (memory 1)
                 (func $f)
                 (elem $passive {items})
                 (elem $active (table $other) (i32.const 0) {items})
                 (data $data "abc")
                 (func (export "init") (param i32)
                   (table.init $t $passive (i32.const 0) (i32.const 0) (local.get 0)))
                 (func (export "init active") (param i32)
                   (table.init $t $active (i32.const 0) (i32.const 0) (local.get 0)))
                 (func (export "from") (param i32)
                   (table.init $t $passive (i32.const 0) (local.get 0) (i32.const 0)))
                 (func (export "data") (param i32)
                   (memory.init $data (i32.const 0) (i32.const 0) (local.get 0)))
                 (func (export "drop") (elem.drop $passive) (elem.drop $active)
                   (data.drop $data)))"#
        ));
        let ok = |ns: &mut Namespace, name, n: i32| {
            instance.call(ns, name, &[Value::I32(n)]).unwrap_or_else(|e| panic!("{name} {n}: {e}"));
        };
        ok(&mut ns, "init", 2);
        ok(&mut ns, "from", 2);
        ok(&mut ns, "data", 3);
        for _ in 0..3 {
            for (name, n) in [("init", 0), ("init active", 0), ("data", 0), ("from", 0)] {
                ok(&mut ns, name, n);
            }
            for n in [1, 2, -1] {
                // Instantiation drops an active segment.
                let code = trap(&mut ns, instance, "init active", &[Value::I32(n)]);
                assert_eq!(code, TrapCode::TableOutOfBounds);
            }
            instance.call(&mut ns, "drop", &[]).unwrap();
            for n in [1, 2, 3, -1] {
                let code = trap(&mut ns, instance, "init", &[Value::I32(n)]);
                assert_eq!(code, TrapCode::TableOutOfBounds);
                let code = trap(&mut ns, instance, "from", &[Value::I32(n)]);
                assert_eq!(code, TrapCode::TableOutOfBounds);
                let code = trap(&mut ns, instance, "data", &[Value::I32(n)]);
                assert_eq!(code, TrapCode::MemoryOutOfBounds);
            }
        }
    }
}

/// A call through a dispatch table reaches an import by a tail call. If the host function behind it
/// fails, the remaining frames are walked and named.
#[test]
fn a_host_function_fails_behind_a_tail_call() {
    let host = HostModuleBuilder::new("host")
        .func("fail", || Err::<(), _>(HostError::trap(TrapCode::Unreachable)))
        .func("panic", |_: i32| -> i32 { panic!("in the host") })
        .func("many", |a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64| {
            match a + b + c + d + e + f + g + h {
                36 => Err(HostError::new("thirty-six")),
                sum => Ok(sum),
            }
        });
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module
             (import "host" "fail" (func $fail))
             (import "host" "panic" (func $panic (param i32) (result i32)))
             (import "host" "many"
               (func $many (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
             (table 4 funcref) (elem (i32.const 0) $fail $panic $many)
             (func $inner (export "fail") (call_indirect (i32.const 0)))
             (func (export "outer") (call $inner) (call $inner))
             (func (export "panic") (result i32)
               (call_indirect (param i32) (result i32) (i32.const 5) (i32.const 1)))
             (func (export "many") (param i64) (result i64)
               (call_indirect (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
                 (local.get 0) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
                 (i64.const 6) (i64.const 7) (i64.const 8) (i32.const 2))))"#,
    );
    for _ in 0..3 {
        let error = instance.call(&mut ns, "outer", &[]).unwrap_err();
        let trap = error.trap().unwrap();
        assert_eq!(trap.code(), TrapCode::Unreachable);
        assert_eq!(trap.frames()[0].func_name.as_deref(), Some("inner"));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            instance.call(&mut ns, "panic", &[]).map(drop)
        }));
        assert!(panicked.is_err());
        let error = instance.call(&mut ns, "many", &[Value::I64(1)]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Host(_)), "{error}");
        let sum = instance.call(&mut ns, "many", &[Value::I64(2)]).unwrap();
        assert_eq!(sum, [Value::I64(37)]);
    }
}

/// Modules with the same types are compiled, linked and dropped on many threads at once. On each of
/// them a function has the type of its text, and no other.
#[test]
fn types_are_the_same_on_all_threads() {
    let runtime = Runtime::with_config(Config::new().threads(1));
    let rounds = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4u32 {
            let (runtime, rounds) = (runtime.clone(), &rounds);
            scope.spawn(move || {
                for round in 0..25u32 {
                    // Types that other threads make and drop at the same time, at other indices.
                    let params = " i64".repeat((round % 5) as usize);
                    let other = " f64".repeat((round % 5 + 1) as usize);
                    let filler: String = (0..(thread + round) % 4)
                        .map(|n| format!("(type (func (param{})))", " f32".repeat(n as usize + 1)))
                        .collect();
                    let definer = compile(
                        &runtime,
                        &format!(
                            r#"(module {filler} (table (export "table") 2 funcref)
                                 (elem (i32.const 0) $right $wrong)
                                 (func $right (param i32{params}) (result i32) (local.get 0))
                                 (func $wrong (param i32{other}) (result i32) (local.get 0)))"#
                        ),
                    );
                    let consts = "(i64.const 1)".repeat((round % 5) as usize);
                    let user = compile(
                        &runtime,
                        &format!(
                            r#"(module (import "definer" "table" (table 2 funcref))
                                 (func (export "call") (param i32) (result i32)
                                   (call_indirect (param i32{params}) (result i32)
                                     (i32.const 7) {consts} (local.get 0))))"#
                        ),
                    );
                    let mut ns = runtime.namespace();
                    ns.instantiate_as("definer", &definer).unwrap();
                    let user = ns.instantiate(&user).unwrap();
                    let right = user.call(&mut ns, "call", &[Value::I32(0)]).unwrap();
                    assert_eq!(right, [Value::I32(7)]);
                    let wrong = trap(&mut ns, user, "call", &[Value::I32(1)]);
                    assert_eq!(wrong, TrapCode::IndirectCallTypeMismatch);
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(rounds.into_inner(), 100);
}

/// External references stay the same across traps, growth and calls of the host.
#[test]
fn external_references_outlive_what_ends_a_call() {
    let host = HostModuleBuilder::new("host").func("fail", |n: i32| match n {
        0 => Ok(()),
        _ => Err(HostError::new("failed")),
    });
    let (mut ns, instance) = instantiate_with_host(
        host,
        r#"(module
             (import "host" "fail" (func $fail (param i32)))
             (table $t (export "table") 1 10000 externref)
             (global $g (export "global") (mut externref) (ref.null extern))
             (func (export "keep") (param externref i32) (result externref)
               (table.set $t (i32.const 0) (local.get 0))
               (global.set $g (local.get 0))
               (drop (table.grow $t (local.get 0) (i32.const 100)))
               (call $fail (local.get 1))
               (table.get $t (i32.const 50))))"#,
    );
    for round in 0..20 {
        let value = ns.extern_ref(format!("value {round}"));
        let fails = round % 2 == 1;
        let args = [value.into(), Value::I32(fails.into())];
        let result = instance.call(&mut ns, "keep", &args);
        assert_eq!(result.is_err(), fails);
        let table = instance.table(&ns, "table").unwrap();
        let global = instance.global(&ns, "global").unwrap().get(&ns).unwrap();
        for kept in [table.get(&ns, 0).unwrap().unwrap(), global] {
            let Value::ExternRef(Some(kept)) = kept else { panic!("{kept:?}") };
            assert_eq!(kept.get::<String>(&ns).unwrap(), &format!("value {round}"));
        }
    }
}

/// A failed growth is -1 in 32 bits, also if the code uses 64 bits of it, and as an index it is out
/// of bounds.
#[test]
fn a_failed_growth_has_32_bits() {
    let (mut ns, instance) = instantiate(
        r#"(module (memory 1 2) (table $t 1 2 funcref)
             (func (export "table") (result i64)
               (i64.extend_i32_u (table.grow $t (ref.null func) (i32.const 5))))
             (func (export "memory") (result i64)
               (i64.extend_i32_u (memory.grow (i32.const 5))))
             (func (export "sum") (result i64)
               (i64.add (i64.extend_i32_u (table.grow $t (ref.null func) (i32.const -1)))
                        (i64.extend_i32_u (memory.grow (i32.const -1)))))
             (func (export "load") (drop (i32.load8_u (memory.grow (i32.const 5)))))
             (func (export "get")
               (drop (table.get $t (table.grow $t (ref.null func) (i32.const 5)))))
             (func (export "fill") (param i32 i32)
               (table.fill $t (local.get 0) (ref.null func) (local.get 1))))"#,
    );
    for (name, value) in [("table", 0xffff_ffff), ("memory", 0xffff_ffff), ("sum", 0x1_ffff_fffe)] {
        assert_eq!(instance.call(&mut ns, name, &[]).unwrap(), [Value::I64(value)], "{name}");
    }
    assert_eq!(trap(&mut ns, instance, "load", &[]), TrapCode::MemoryOutOfBounds);
    assert_eq!(trap(&mut ns, instance, "get", &[]), TrapCode::TableOutOfBounds);
    for (at, len) in [(0, 2), (1, 1), (2, 0), (-1, -1), (0, -1), (-1, 1), (1, -1)] {
        let code = trap(&mut ns, instance, "fill", &[Value::I32(at), Value::I32(len)]);
        assert_eq!(code, TrapCode::TableOutOfBounds, "{at} {len}");
    }
    instance.call(&mut ns, "fill", &[Value::I32(1), Value::I32(0)]).unwrap();
}

/// Features that are absent cannot be wrong. Shared memories, several memories, 64-bit memories and
/// tables, tail calls, exceptions, collected types and components are refused.
#[test]
fn later_features_are_refused() {
    let runtime = Runtime::new();
    for text in [
        "(module (memory 1 1 shared))",
        "(module (memory i64 1))",
        "(module (table i64 1 funcref))",
        "(module (memory 1) (memory 1))",
        "(module (func $f return_call $f))",
        "(module (tag))",
        "(module (type (struct)))",
        "(module (type (array i8)))",
        "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
        "(component)",
    ] {
        let wasm = wat::parse_str(text).unwrap();
        assert!(runtime.compile(&wasm).is_err(), "{text}");
    }
}

/// One host module serves many namespaces in turn.
#[test]
fn a_host_module_outlives_namespaces() {
    let runtime = Runtime::new();
    let shared = std::sync::Arc::new(AtomicU32::new(0));
    let counter = shared.clone();
    let host = HostModuleBuilder::new("host")
        .func("count", move || counter.fetch_add(1, Ordering::Relaxed))
        .build(&runtime)
        .unwrap();
    let text = r#"(module (import "host" "count" (func $count (result i32)))
        (table (export "t") 1 funcref) (elem (i32.const 0) $count)
        (func (export "run") (result i32)
          (i32.add (call $count) (call_indirect (result i32) (i32.const 0)))))"#;
    let module = compile(&runtime, text);
    let mut kept = Vec::new();
    for round in 0..10 {
        let mut ns = runtime.namespace();
        ns.instantiate_host(&host).unwrap();
        let instance = ns.instantiate(&module).unwrap();
        instance.call(&mut ns, "run", &[]).unwrap();
        if round % 3 == 0 {
            kept.push((ns, instance));
        }
    }
    drop(host);
    for (ns, instance) in &mut kept {
        instance.call(ns, "run", &[]).unwrap();
    }
    assert_eq!(shared.load(Ordering::Relaxed), 28);
    drop(kept);
    drop((module, runtime));
    assert_eq!(std::sync::Arc::strong_count(&shared), 1, "the closure is freed");
}
