//! Code that compares addresses with the length of the memory, for processes with little address space.

use precast::{
    CompiledModule, Config, ErrorKind, Instance, Limits, Memory, MemoryType, Namespace, Runtime,
    TrapCode, Value,
};

use super::compile;

const PAGE: u64 = 65536;

/// Loads and stores of all widths, with a small and a large offset and with constant indices.
fn accesses() -> String {
    let mut text = String::from(r#"(module (memory (export "memory") 1 6)"#);
    for (name, width) in [
        ("i32.load8_u", 1),
        ("i32.load16_s", 2),
        ("i32.load", 4),
        ("i64.load32_u", 4),
        ("i64.load", 8),
        ("f32.load", 4),
        ("f64.load", 8),
        ("v128.load", 16),
        ("v128.load8x8_s", 8),
        ("v128.load32_splat", 4),
    ] {
        for offset in [0u64, 24, 70_000, 4_294_967_000] {
            text += &format!(
                r#"(func (export "{name} {width} {offset}") (param i32)
                     (drop ({name} offset={offset} (local.get 0))))"#
            );
        }
        for at in [0u64, 65_536 - width, 65_537 - width, 400_000] {
            text += &format!(
                r#"(func (export "constant {name} {width} {at}") (drop ({name} (i32.const {at}))))"#
            );
        }
    }
    for (name, value, width) in [
        ("i32.store8", "i32.const 7", 1),
        ("i32.store16", "i32.const 7", 2),
        ("i32.store", "i32.const 7", 4),
        ("i64.store", "i64.const 7", 8),
        ("f64.store", "f64.const 7", 8),
        ("v128.store", "v128.const i64x2 7 7", 16),
    ] {
        for offset in [0u64, 24, 70_000, 4_294_967_000] {
            text += &format!(
                r#"(func (export "{name} {width} {offset}") (param i32)
                     ({name} offset={offset} (local.get 0) ({value})))"#
            );
        }
    }
    text + r#"(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "fill") (param i32 i32 i32)
          (memory.fill (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i32 i32)
          (memory.copy (local.get 0) (local.get 1) (local.get 2))))"#
}

fn runtime() -> Runtime {
    Runtime::with_config(Config::new().explicit_bounds(true))
}

fn instance(module: &CompiledModule) -> (Box<Namespace>, Instance) {
    let mut namespace = module.runtime().namespace();
    let instance = namespace.instantiate(module).unwrap();
    (namespace, instance)
}

/// Whether an access of `width` bytes at `at` traps, and says why.
fn traps(ns: &mut Namespace, instance: Instance, name: &str, args: &[Value]) -> bool {
    match instance.call(ns, name, args) {
        Ok(_) => false,
        Err(error) => {
            assert_eq!(error.trap().expect("a trap").code(), TrapCode::MemoryOutOfBounds);
            true
        }
    }
}

#[test]
fn every_access_is_in_bounds_or_traps() {
    let runtime = runtime();
    let module = compile(&runtime, &accesses());
    let (mut ns, instance) = instance(&module);
    let names: Vec<String> = module.exports().into_iter().map(|export| export.name).collect();
    let parse = |text: &str| text.parse::<u64>().unwrap();
    for pages in 1..=3u64 {
        let len = pages * PAGE;
        for name in &names {
            let parts: Vec<&str> = name.split(' ').collect();
            match *parts.as_slice() {
                ["constant", _, width, at] => {
                    let outside = parse(at) + parse(width) > len;
                    assert_eq!(traps(&mut ns, instance, name, &[]), outside, "{pages}: {name}");
                }
                [_, width, offset] => {
                    let end = parse(offset) + parse(width);
                    let last = len.saturating_sub(end);
                    for at in
                        [0, 1, last.saturating_sub(1), last, last + 1, len, u64::from(u32::MAX)]
                    {
                        let args = [Value::I32(at as u32 as i32)];
                        let outside = at + end > len;
                        let trapped = traps(&mut ns, instance, name, &args);
                        assert_eq!(trapped, outside, "{pages}: {name} {at}");
                    }
                }
                _ => {}
            }
        }
        let grown = instance.call(&mut ns, "grow", &[Value::I32(1)]).unwrap();
        assert_eq!(grown, [Value::I32(pages as i32)]);
    }
}

/// Neighbours stay whole, whatever a guest does, and a memory grows to its maximum.
#[test]
fn memories_without_guards_do_not_reach_each_other() {
    let runtime = runtime();
    let module = compile(&runtime, &accesses());
    let mut all: Vec<(Box<Namespace>, Instance)> = (0..40).map(|_| instance(&module)).collect();
    for (n, (ns, instance)) in all.iter_mut().enumerate() {
        let value = Value::I32(n as i32 + 1);
        for pages in 1..6 {
            let whole = Value::I32(pages << 16);
            instance.call(ns, "fill", &[Value::I32(0), value, whole]).unwrap();
            assert!(traps(ns, *instance, "fill", &[Value::I32(1), value, whole]));
            assert!(traps(ns, *instance, "copy", &[Value::I32(0), Value::I32(1), whole]));
            assert!(traps(ns, *instance, "copy", &[whole, Value::I32(0), Value::I32(1)]));
            let grown = instance.call(ns, "grow", &[Value::I32(1)]).unwrap();
            assert_eq!(grown, [Value::I32(pages)]);
        }
        assert_eq!(instance.call(ns, "grow", &[Value::I32(1)]).unwrap(), [Value::I32(-1)]);
    }
    for (n, (ns, instance)) in all.iter_mut().enumerate() {
        let memory = instance.memory(ns, "memory").unwrap();
        let data = memory.data(ns).unwrap();
        assert_eq!(data.len() as u64, 6 * PAGE);
        let (full, last) = data.split_at(5 * PAGE as usize);
        assert!(full.iter().all(|&byte| usize::from(byte) == n + 1));
        assert!(last.iter().all(|&byte| byte == 0));
        instance.reset(ns).unwrap();
        let data = memory.data(ns).unwrap();
        assert_eq!(data.len() as u64, PAGE);
        assert!(data.iter().all(|&byte| byte == 0));
    }
}

#[test]
fn they_are_used_again() {
    let runtime = runtime();
    let modules = [1, 3].map(|pages| {
        let text = format!(
            r#"(module (memory (export "memory") {pages} 9) (data (i32.const 9) "data")
                (func (export "f")
                  (drop (memory.grow (i32.const 3))) (i32.store (i32.const 150000) (i32.const 1))))"#
        );
        compile(&runtime, &text)
    });
    for n in 0..200 {
        let module = &modules[n % 7 % 2];
        let (mut ns, instance) = instance(module);
        let memory = instance.memory(&ns, "memory").unwrap();
        let data = memory.data(&ns).unwrap();
        assert_eq!(&data[9..13], b"data");
        assert_eq!(data.iter().map(|&byte| u32::from(byte)).sum::<u32>(), 410);
        instance.call(&mut ns, "f", &[]).unwrap();
    }
}

#[test]
fn code_that_relies_on_guards_refuses_a_memory_without() {
    let guarded = Runtime::with_config(Config::new().explicit_bounds(false));
    let importer = r#"(module (import "m" "memory" (memory 1)) (func (export "f") (result i32)
        (i32.load (i32.const 65532))))"#;
    let exporter = wat::parse_str(r#"(module (memory (export "memory") 1))"#).unwrap();
    let artifact = runtime().precompile(&exporter).unwrap();
    let exporter = super::load(&guarded, &artifact).unwrap();
    let mut ns = guarded.namespace();
    ns.instantiate_as("m", &exporter).unwrap();
    let error = ns.instantiate(&compile(&guarded, importer)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported(_)), "{error}");
    // The other way round there is no reason to.
    let checked = runtime();
    let mut ns = checked.namespace();
    let memory = Memory::new(&mut ns, MemoryType::new(Limits::new(1, None))).unwrap();
    memory.write(&mut ns, 65535, &[1]).unwrap();
    let importer = compile(&checked, importer);
    let instance = ns.instantiate_with(&importer, &[memory.into()]).unwrap();
    assert_eq!(instance.call(&mut ns, "f", &[]).unwrap(), [Value::I32(1 << 24)]);
}

/// Copies and fills of a constant length are inline. They check their bounds too, in the own memory and in
/// an imported one.
#[test]
fn bulk_operators_of_constant_length_stay_inside() {
    const LENGTHS: [u64; 16] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 127, 128];
    let text = |memory: &str| {
        let mut text = format!(r#"(module {memory} (func (export "nothing"))"#);
        for len in LENGTHS {
            let last = PAGE - len;
            text += &format!(
                r#"(func (export "fill {len}") (param i32)
                     (memory.fill (local.get 0) (i32.const 7) (i32.const {len})))
                   (func (export "copy to {len}") (param i32)
                     (memory.copy (local.get 0) (i32.const 100) (i32.const {len})))
                   (func (export "copy from {len}") (param i32)
                     (memory.copy (i32.const 300) (local.get 0) (i32.const {len})))
                   (func (export "last {len}")
                     (memory.fill (i32.const {last}) (i32.const 7) (i32.const {len})))
                   (func (export "beyond {len}")
                     (memory.fill (i32.const {}) (i32.const 7) (i32.const {len})))"#,
                last + 1
            );
        }
        text + ")"
    };
    for explicit in [true, false] {
        let runtime = Runtime::with_config(Config::new().explicit_bounds(explicit));
        let own = compile(&runtime, &text(r#"(memory (export "memory") 1 1)"#));
        let growing = compile(&runtime, &text(r#"(memory (export "memory") 1)"#));
        let imports = compile(&runtime, &text(r#"(import "owner" "memory" (memory 1))"#));
        let mut namespace = runtime.namespace();
        let owner = namespace.instantiate_as("owner", &growing).unwrap();
        let instances = [
            (namespace.instantiate(&own).unwrap(), None),
            (owner, None),
            (namespace.instantiate(&imports).unwrap(), Some(owner)),
        ];
        for (instance, owner) in instances {
            let memory = owner.unwrap_or(instance).memory(&namespace, "memory").unwrap();
            let bytes: Vec<u8> = (0..PAGE).map(|n| n as u8).collect();
            for len in LENGTHS {
                for (what, at, traps) in [
                    ("fill", PAGE - len, false),
                    ("fill", PAGE - len + 1, true),
                    ("fill", u64::from(u32::MAX), true),
                    ("copy to", PAGE - len, false),
                    ("copy to", PAGE - len + 1, true),
                    ("copy to", u64::from(u32::MAX) - len, true),
                    ("copy from", PAGE - len, false),
                    ("copy from", PAGE - len + 1, true),
                    ("copy from", u64::from(u32::MAX), true),
                    ("last", 0, false),
                    ("beyond", 0, true),
                ] {
                    memory.data_mut(&mut namespace).unwrap().copy_from_slice(&bytes);
                    let args = [Value::I32(at as u32 as i32)];
                    let args = if matches!(what, "last" | "beyond") { &args[..0] } else { &args };
                    let result = instance.call(&mut namespace, &format!("{what} {len}"), args);
                    let code = result.err().map(|error| error.trap().unwrap().code());
                    let expected = traps.then_some(TrapCode::MemoryOutOfBounds);
                    assert_eq!(code, expected, "{what} {len} at {at}, explicit: {explicit}");
                    let changed = memory.data(&namespace).unwrap() != bytes;
                    assert_eq!(changed, !traps, "{what} {len} at {at}, explicit: {explicit}");
                }
            }
        }
    }
}
