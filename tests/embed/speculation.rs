//! Guards against speculation have no effect that a guest can see: indices at and beyond every end
//! trap as they do without guards.

use precast::{Config, Instance, Namespace, Runtime, TrapCode, Value};

use super::compile;

/// Runtimes that make code in each way, by name.
fn runtimes() -> Vec<(String, Runtime)> {
    let all = [(true, true), (true, false), (false, true), (false, false)];
    let runtime = |(guards, optimize)| {
        let config = Config::new().spectre_guards(guards).optimize(optimize);
        (format!("guards={guards} optimize={optimize}"), Runtime::with_config(config))
    };
    all.map(runtime).into()
}

/// Calls an export with an index. Returns its result as bits, or the reason of the trap.
fn outcome(
    ns: &mut Namespace,
    instance: Instance,
    name: &str,
    index: u32,
) -> Result<u64, TrapCode> {
    match instance.call(ns, name, &[Value::I32(index as i32)]) {
        Ok(results) => Ok(match results.first() {
            Some(Value::I32(value)) => *value as u32 as u64,
            Some(Value::I64(value)) => *value as u64,
            _ => 0,
        }),
        Err(error) => Err(error.trap().unwrap_or_else(|| panic!("{name}: {error}")).code()),
    }
}

const BEYOND: [u32; 4] = [0x7fff_ffff, 0x8000_0000, 0x8000_0001, u32::MAX];

#[test]
fn calls_through_tables_trap_beyond_every_end() {
    // The forms of tables: dense, shared, and one that exists at run time.
    for (form, table) in [
        ("dense", "(table 4 funcref)"),
        ("shared", "(table 100 funcref)"),
        ("run time", r#"(table (export "table") 4 funcref)"#),
    ] {
        let text = format!(
            r#"(module {table}
                 (elem (i32.const 0) $seven $other)
                 (func $seven (result i32) (i32.const 7))
                 (func $other (param i64))
                 (func (export "call") (param i32) (result i32)
                   (call_indirect (result i32) (local.get 0)))
                 (func (export "constant") (param i32) (result i32)
                   (call_indirect (result i32) (i32.const 100)))
                 (func (export "none") (param i32)
                   (call_indirect (param f32) (f32.const 0) (local.get 0))))"#
        );
        let len = if form == "shared" { 100 } else { 4 };
        for (code, runtime) in runtimes() {
            let mut ns = runtime.namespace();
            let instance = ns.instantiate(&compile(&runtime, &text)).unwrap();
            let mut call = |name: &str, index| outcome(&mut ns, instance, name, index);
            let what = format!("{form}, {code}");
            assert_eq!(call("call", 0), Ok(7), "{what}");
            assert_eq!(call("call", 1), Err(TrapCode::IndirectCallTypeMismatch), "{what}");
            assert_eq!(call("call", 2), Err(TrapCode::UninitializedElement), "{what}");
            assert_eq!(call("call", len - 1), Err(TrapCode::UninitializedElement), "{what}");
            assert_eq!(call("constant", 0), Err(TrapCode::UndefinedElement), "{what}");
            assert_eq!(call("none", 0), Err(TrapCode::IndirectCallTypeMismatch), "{what}");
            for index in BEYOND.into_iter().chain([len, len + 1]) {
                assert_eq!(call("call", index), Err(TrapCode::UndefinedElement), "{what}");
                assert_eq!(call("none", index), Err(TrapCode::UndefinedElement), "{what}");
            }
            assert_eq!(call("call", 0), Ok(7), "{what}");
        }
    }
}

#[test]
fn calls_through_empty_tables_trap() {
    for table in [
        "(table 0 funcref)",
        "(table 0 0 funcref)",
        r#"(table (export "table") 0 funcref)"#,
        r#"(table (export "table") 0 0 funcref)"#,
    ] {
        let text = format!(
            r#"(module {table}
                 (func (export "call") (param i32) (result i32)
                   (call_indirect (result i32) (local.get 0)))
                 (func (export "many") (param i32) (result i32)
                   (call_indirect (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i32)
                     (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)
                     (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (local.get 0))))"#
        );
        for (code, runtime) in runtimes() {
            let mut ns = runtime.namespace();
            let instance = ns.instantiate(&compile(&runtime, &text)).unwrap();
            for index in BEYOND.into_iter().chain([0, 1]) {
                for name in ["call", "many"] {
                    let outcome = outcome(&mut ns, instance, name, index);
                    assert_eq!(outcome, Err(TrapCode::UndefinedElement), "{table}, {code}");
                }
            }
        }
    }
}

#[test]
fn trap_backtraces_name_the_caller_of_a_dispatch_table() {
    for (code, runtime) in runtimes() {
        let module = compile(
            &runtime,
            r#"(module (table 4 funcref)
                 (func $inner (param i32) (call_indirect (local.get 0)))
                 (func $outer (export "run") (param i32) (call $inner (local.get 0))))"#,
        );
        let mut ns = runtime.namespace();
        let instance = ns.instantiate(&module).unwrap();
        let error = instance.call(&mut ns, "run", &[Value::I32(4)]).unwrap_err();
        let frames = error.trap().unwrap().frames();
        let names: Vec<Option<&str>> = frames.iter().map(|f| f.func_name.as_deref()).collect();
        assert_eq!(names, [Some("inner"), Some("outer")], "{code}");
    }
}

/// The stub that traps for a dispatch table has a frame, which backtraces omit.
#[test]
fn backtraces_are_as_long_for_code_and_stubs() {
    for (code, runtime) in runtimes() {
        let module = compile(
            &runtime,
            r#"(module (table 4 funcref) (elem (i32.const 0) $other $same)
                 (func $other (param i64))
                 (func $same)
                 (func $down (export "run") (param i32 i32)
                   (if (local.get 1)
                     (then (call $down (local.get 0) (i32.sub (local.get 1) (i32.const 1))))
                     (else (call_indirect (local.get 0))))))"#,
        );
        let mut ns = runtime.namespace();
        let instance = ns.instantiate(&module).unwrap();
        for depth in [0, 1, 62, 63, 64, 65, 200] {
            // Another type, null, and beyond the table.
            for index in [0, 2, 4] {
                let args = [Value::I32(index), Value::I32(depth)];
                let error = instance.call(&mut ns, "run", &args).unwrap_err();
                let frames = error.trap().unwrap().frames().len();
                assert_eq!(frames, 64.min(depth as usize + 1), "{index} at {depth}, {code}");
            }
        }
    }
}

#[test]
fn table_accesses_trap_beyond_every_end_and_after_growth() {
    let text = r#"(module
        (table $e (export "e") 3 10 externref)
        (table $f (export "f") 3 10 funcref)
        (table $fixed 3 3 externref)
        (func $nine (result i32) (i32.const 9))
        (elem declare func $nine)
        (func (export "get e") (param i32) (drop (table.get $e (local.get 0))))
        (func (export "set e") (param i32) (table.set $e (local.get 0) (ref.null extern)))
        (func (export "get f") (param i32) (result i32)
          (ref.is_null (table.get $f (local.get 0))))
        (func (export "set f") (param i32) (table.set $f (local.get 0) (ref.func $nine)))
        (func (export "null f") (param i32) (table.set $f (local.get 0) (ref.null func)))
        (func (export "get fixed") (param i32) (drop (table.get $fixed (local.get 0))))
        (func (export "set fixed") (param i32)
          (table.set $fixed (local.get 0) (ref.null extern)))
        (func (export "call") (param i32) (result i32)
          (call_indirect $f (result i32) (local.get 0)))
        (func (export "grow") (param i32) (result i32)
          (drop (table.grow $e (ref.null extern) (local.get 0)))
          (table.grow $f (ref.func $nine) (local.get 0))))"#;
    for (code, runtime) in runtimes() {
        let mut ns = runtime.namespace();
        let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
        let mut call = |name: &str, index| outcome(&mut ns, instance, name, index);
        let mut check = |len: u32| {
            for name in ["get e", "set e", "get f", "set f", "null f", "get fixed", "set fixed"] {
                let len = if name.ends_with("fixed") { 3 } else { len };
                assert!(call(name, len - 1).is_ok(), "{name} {len}, {code}");
                for index in BEYOND.into_iter().chain([len, len + 1]) {
                    let outcome = call(name, index);
                    assert_eq!(outcome, Err(TrapCode::TableOutOfBounds), "{name} {index}, {code}");
                }
            }
            assert_eq!(call("set f", len - 1), Ok(0));
            assert_eq!(call("call", len - 1), Ok(9), "{code}");
            assert_eq!(call("call", len), Err(TrapCode::UndefinedElement), "{code}");
            assert_eq!(call("get f", len - 1), Ok(0));
        };
        check(3);
        assert_eq!(outcome(&mut ns, instance, "grow", 4), Ok(3));
        let mut call = |name: &str, index| outcome(&mut ns, instance, name, index);
        assert_eq!(call("call", 6), Ok(9), "{code}");
        assert_eq!(call("call", 7), Err(TrapCode::UndefinedElement), "{code}");
        assert_eq!(call("get e", 6), Ok(0), "{code}");
        assert_eq!(call("get e", 7), Err(TrapCode::TableOutOfBounds), "{code}");
    }
}

#[test]
fn imported_tables_trap_beyond_every_end() {
    for (code, runtime) in runtimes() {
        let mut ns = runtime.namespace();
        let exporter = compile(
            &runtime,
            r#"(module (table (export "t") 2 funcref) (elem (i32.const 0) $two)
                 (func $two (result i32) (i32.const 2))
                 (func (export "grow") (param i32) (result i32)
                   (table.grow (ref.func $two) (local.get 0)))
                 (elem declare func $two))"#,
        );
        let exporter = ns.instantiate_as("m", &exporter).unwrap();
        let importer = compile(
            &runtime,
            r#"(module (import "m" "t" (table 0 funcref))
                 (func (export "call") (param i32) (result i32)
                   (call_indirect (result i32) (local.get 0)))
                 (func (export "get") (param i32) (drop (table.get 0 (local.get 0)))))"#,
        );
        let importer = ns.instantiate(&importer).unwrap();
        for len in [2u32, 5] {
            let mut call = |name: &str, index| outcome(&mut ns, importer, name, index);
            assert_eq!(call("call", 0), Ok(2), "{code}");
            assert_eq!(call("get", len - 1), Ok(0), "{code}");
            for index in BEYOND.into_iter().chain([len]) {
                assert_eq!(call("call", index), Err(TrapCode::UndefinedElement), "{code}");
                assert_eq!(call("get", index), Err(TrapCode::TableOutOfBounds), "{code}");
            }
            outcome(&mut ns, exporter, "grow", 3).unwrap();
        }
    }
}

#[test]
fn checked_accesses_trap_beyond_every_end() {
    let text = r#"(module
        (memory 1 2)
        (func (export "load") (param i32) (result i32)
          (i32.load8_u offset=0x4000000 (local.get 0)))
        (func (export "far") (param i32) (result i64)
          (i64.load offset=0xfffffff8 (local.get 0)))
        (func (export "store") (param i32) (i64.store offset=0x4000000 (local.get 0) (i64.const 1)))
        (func (export "vector") (param i32)
          (v128.store offset=0x4000000 (local.get 0) (v128.const i64x2 1 1))))"#;
    for (code, runtime) in runtimes() {
        let mut ns = runtime.namespace();
        let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
        for name in ["load", "far", "store", "vector"] {
            for index in BEYOND.into_iter().chain([0, 65535, 65536, 0xfc00_0000]) {
                let outcome = outcome(&mut ns, instance, name, index);
                assert_eq!(outcome, Err(TrapCode::MemoryOutOfBounds), "{name} {index}, {code}");
            }
        }
    }
}

#[test]
fn guards_are_part_of_an_artifact() {
    let wasm = wat::parse_str(
        r#"(module (table 4 funcref) (func (export "f") (param i32)
             (call_indirect (local.get 0))))"#,
    )
    .unwrap();
    let bytes = |guards| {
        let runtime = Runtime::with_config(Config::new().spectre_guards(guards));
        let module = runtime.compile(&wasm).unwrap();
        module.serialize().to_vec()
    };
    assert_ne!(bytes(true), bytes(false));
    let default = Runtime::new().compile(&wasm).unwrap();
    assert_eq!(default.serialize(), bytes(true), "guards are on by default");
}
