//! Tests that memory use stays flat with any number of types and tables.
//!
//! It is the only test of its binary, because it measures the whole process.

use std::fs;

use precast::{
    CompiledModule, ErrorKind, FuncType, HostModule, HostModuleBuilder, Instance, Namespace,
    Runtime, ValType, Value,
};

/// Growth that may happen by chance.
const SLACK: usize = 8 << 20;

/// Resident bytes of the process.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Runs the same work twice. The first run fills caches, and the second must add nothing.
fn stays_flat(what: &str, mut run: impl FnMut(u32)) {
    let start = std::time::Instant::now();
    run(0);
    let before = resident();
    run(1);
    let after = resident();
    println!("{what}: {before} -> {after} in {:?}", start.elapsed());
    assert!(after < before + SLACK, "{what}: {before} -> {after}");
}

#[test]
fn memory_stays_flat() {
    let runtime = Runtime::new();
    types_of_modules(&runtime);
    types_of_host_functions(&runtime);
    thunks_of_host_functions(&runtime);
    unused_tables(&runtime);
    tables_that_grow(&runtime);
    tables_of_the_host(&runtime);
    tables_without_end(&runtime);
}

/// The `n`th type with ten parameters.
fn nth(mut n: u32) -> Vec<ValType> {
    use ValType::*;
    const ALL: [ValType; 7] = [I32, I64, F32, F64, V128, FuncRef, ExternRef];
    let mut digit = || {
        let digit = n % 7;
        n /= 7;
        ALL[digit as usize]
    };
    (0..10).map(|_| digit()).collect()
}

/// Half a million types, each in one module.
fn types_of_modules(runtime: &Runtime) {
    const EACH: u32 = 500;
    stays_flat("half a million types of modules", |round| {
        for n in 0..500 {
            let first = (round * 500 + n) * EACH;
            drop(runtime.compile(&module_of_types(first..first + EACH)).unwrap());
        }
    });
}

/// A module that has these types and nothing else.
fn module_of_types(types: std::ops::Range<u32>) -> Vec<u8> {
    let mut section = leb(types.len());
    for n in types {
        section.extend([0x60, 10]);
        section.extend(nth(n).iter().map(|&ty| ty as u8));
        section.push(0);
    }
    let mut wasm = b"\0asm\x01\0\0\0\x01".to_vec();
    wasm.extend(leb(section.len()));
    wasm.extend(section);
    wasm
}

fn leb(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

/// A host module with functions of their own types.
fn host(runtime: &Runtime, types: std::ops::Range<u32>) -> HostModule<()> {
    let builder = types.fold(HostModuleBuilder::new("host"), |host, n| {
        host.func_dynamic(&n.to_string(), FuncType::new(nth(n), []), |_, _, _| Ok(()))
    });
    builder.build(runtime).unwrap()
}

fn types_of_host_functions(runtime: &Runtime) {
    stays_flat("types of host functions", |round| {
        for n in 0..100 {
            let first = (round * 100 + n) * 1000;
            drop(host(runtime, first..first + 1000));
        }
    });
}

fn thunks_of_host_functions(runtime: &Runtime) {
    stays_flat("thunks", |round| {
        for n in 0..500 {
            let n = round * 500 + n;
            let values: String = nth(n).iter().map(|ty| format!(" {ty}")).collect();
            let text = format!(
                r#"(module (import "host" "{n}" (func $f (param{values}))) (func $g)
                  (table (export "t") 2 funcref) (elem (i32.const 0) $f $g))"#
            );
            let module = runtime.compile(&wat::parse_str(text).unwrap()).unwrap();
            let mut ns = runtime.namespace();
            ns.instantiate_host(&host(runtime, n..n + 1)).unwrap();
            let instance = ns.instantiate(&module).unwrap();
            let table = instance.table(&ns, "t").unwrap();
            let func = table.get(&ns, 0).unwrap().unwrap().as_func().unwrap();
            assert_eq!(func.ty(&ns).unwrap().params(), nth(n));
        }
    });
    let mappings = fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    assert!(mappings < 1000, "{mappings} mappings");
}

/// Eight tables, 2.5 GB of entries.
const TABLES: &str = r#"(module
  (table (export "0") 10000000 funcref) (table (export "1") 10000000 externref)
  (table (export "2") 10000000 funcref) (table (export "3") 10000000 funcref)
  (table (export "4") 10000000 funcref) (table (export "5") 10000000 funcref)
  (table (export "6") 10000000 funcref) (table $t (export "7") 10000000 funcref)
  (func $one (export "one") (result i32) (i32.const 1))
  (func (export "clear") (param i32 i32)
    (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
  (func (export "put") (param i32) (table.set $t (local.get 0) (ref.func $one)))
  (func (export "call") (param i32) (result i32)
    (call_indirect $t (result i32) (local.get 0))))"#;

fn instance(runtime: &Runtime, module: &CompiledModule) -> (Box<Namespace>, Instance) {
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(module).unwrap();
    (ns, instance)
}

fn unused_tables(runtime: &Runtime) {
    let module = runtime.compile(&wat::parse_str(TABLES).unwrap()).unwrap();
    stays_flat("eight tables, many times", |_| {
        let mut all: Vec<_> = (0..20).map(|_| instance(runtime, &module)).collect();
        for (ns, instance) in &mut all {
            let mut call = |name: &str, args: &[i32]| {
                let args: Vec<Value> = args.iter().map(|&n| Value::I32(n)).collect();
                instance.call(ns, name, &args)
            };
            call("clear", &[0, 10_000_000]).unwrap();
            call("clear", &[3, 9_999_990]).unwrap();
            assert!(call("call", &[5_000_000]).unwrap_err().trap().is_some());
            call("put", &[5_000_000]).unwrap();
            assert_eq!(call("call", &[5_000_000]).unwrap(), [Value::I32(1)]);
            call("clear", &[1_000_000, 8_000_000]).unwrap();
            assert!(call("call", &[5_000_000]).unwrap_err().trap().is_some());
        }
        assert!(resident() < 300 << 20, "{} with 50 GB of entries", resident());
    });
}

fn tables_that_grow(runtime: &Runtime) {
    let module = TABLES.replace("10000000", "1");
    let grow = r#"(func (export "grow") (param i32) (result i32)
      (table.grow $t (ref.null func) (local.get 0))))"#;
    let module = format!("{}{grow}", module.strip_suffix(')').unwrap());
    let module = runtime.compile(&wat::parse_str(module).unwrap()).unwrap();
    stays_flat("tables that grow", |_| {
        let mut all: Vec<_> = (0..8).map(|_| instance(runtime, &module)).collect();
        for (ns, instance) in &mut all {
            let grow = instance.typed::<(i32,), i32>(ns, "grow").unwrap();
            instance.call(ns, "put", &[Value::I32(0)]).unwrap();
            let mut size = 1;
            while size < 10_000_000 {
                let step = (size / 7 + 1).min(10_000_000 - size);
                assert_eq!(grow.call(ns, (step,)).unwrap(), size);
                size += step;
            }
            assert_eq!(grow.call(ns, (1,)).unwrap(), -1);
            let one = instance.call(ns, "call", &[Value::I32(0)]).unwrap();
            assert_eq!(one, [Value::I32(1)]);
            for index in ["0", "1", "6"] {
                let table = instance.table(ns, index).unwrap();
                let null = Value::default(table.ty(ns).unwrap().element.val_type());
                assert_eq!(table.grow(ns, 9_999_999, null).unwrap(), 1);
            }
        }
        // A small table is copied when it grows, so its copied entries are resident.
        assert!(resident() < 300 << 20, "{} with 5 GB of entries", resident());
    });
}

fn tables_of_the_host(runtime: &Runtime) {
    let limits = precast::Limits::new(10_000_000, None);
    let table = precast::TableType::new(precast::RefType::FUNCREF, limits);
    let host =
        (0..8).fold(HostModuleBuilder::new("host"), |host, n| host.table(&n.to_string(), table));
    let host = host.build(runtime).unwrap();
    stays_flat("tables of the host", |_| {
        let mut ns = runtime.namespace();
        let instance = ns.instantiate_host(&host).unwrap();
        assert_eq!(instance.table(&ns, "7").unwrap().size(&ns).unwrap(), 10_000_000);
        assert!(resident() < 300 << 20, "{} with 2.5 GB of entries", resident());
    });
}

/// A hundred tables per instance, until there is no address space left.
fn tables_without_end(runtime: &Runtime) {
    let tables: String =
        (0..100).map(|n| format!("(table (export \"{n}\") 10000000 funcref)")).collect();
    let module = runtime.compile(&wat::parse_str(format!("(module {tables})")).unwrap()).unwrap();
    let mut ns = runtime.namespace();
    let mut count = 0;
    let error = loop {
        match ns.instantiate(&module) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    println!("{count} instances: {error}");
    assert!(matches!(error.kind(), ErrorKind::System { .. }), "{error}");
    assert!(error.to_string().starts_with("making a table: "), "{error}");
    assert!(count > 5, "{count}");
    drop(ns);
    // Dropping instances makes room.
    instance(runtime, &module);
}
