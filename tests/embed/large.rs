//! In modules with tens of thousands of items, a lookup costs no more than in a small module, even
//! with hostile types and names.

use std::fmt::Write;
use std::time::{Duration, Instant};

use precast::{CompiledModule, Runtime, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::compile;
use super::types::LIKE_NULLARY;

const FUNCS: usize = 3000;

/// A module with many types besides that of its functions, all of which it exports.
fn module(runtime: &Runtime, types: usize, refs: usize) -> CompiledModule {
    let mut text = String::from("(module (table (export \"table\") 1 funcref)");
    for n in 0..types {
        let values = (0..8).map(|at| [" i32", " i64", " f32", " f64"][n >> (2 * at) & 3]);
        let _ = write!(text, "(type (func (param{})))", values.collect::<String>());
    }
    text.push_str("(type $t (func (result i32)))");
    for n in 0..FUNCS.max(refs) {
        let _ = write!(text, "(func $f{n} (type $t) (i32.const {n}))");
    }
    for n in 0..FUNCS {
        let _ = write!(text, "(export \"f{n}\" (func $f{n}))");
    }
    text.push_str("(elem declare func");
    for n in 0..refs {
        let _ = write!(text, " $f{n}");
    }
    text.push_str("))");
    compile(runtime, &text)
}

/// The time to look up all exports, directly and as references.
fn look(runtime: &Runtime, module: &CompiledModule) -> Duration {
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(module).unwrap();
    let table = instance.table(&ns, "table").unwrap();
    // Tables that are made once per module are made now.
    let once = instance.func(&ns, "f0").unwrap();
    table.set(&mut ns, 0, once.into()).unwrap();
    table.get(&ns, 0).unwrap().unwrap();

    let start = Instant::now();
    assert_eq!(instance.exports(&ns).len(), FUNCS + 1);
    for n in 0..FUNCS {
        let func = instance.func(&ns, &format!("f{n}")).unwrap();
        table.set(&mut ns, 0, func.into()).unwrap();
        assert_eq!(table.get(&ns, 0).unwrap().unwrap(), Value::FuncRef(Some(func)));
    }
    start.elapsed()
}

#[test]
fn exports_and_references_cost_the_same_in_large_modules() {
    let runtime = Runtime::new();
    let best = |module: &CompiledModule| (0..5).map(|_| look(&runtime, module)).min().unwrap();
    let small = best(&module(&runtime, 10, 0));
    for (types, refs) in [(60_000, 0), (10, 20_000)] {
        let large = best(&module(&runtime, types, refs));
        // A search through all types or references would take a thousand times as long.
        assert!(large < 10 * small, "{types} types, {refs} references: {small:?}, {large:?}");
    }
}

#[test]
fn exports_whose_names_have_one_hash_are_told_apart() {
    let names: Vec<String> = LIKE_NULLARY
        .iter()
        .map(|&params| String::from_utf8([b"8\0\0\0\0\0\0\0", &params[..]].concat()).unwrap())
        .collect();
    assert!(names.iter().all(|name| xxh3_64(name.as_bytes()) == xxh3_64(names[0].as_bytes())));
    let mut text = String::from("(module");
    for (n, name) in names.iter().enumerate() {
        let name: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let _ = write!(text, "(func (export \"{name}\") (result i32) (i32.const {n}))");
    }
    let runtime = Runtime::new();
    let module = compile(&runtime, &(text + ")"));
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    for (n, name) in names.iter().enumerate() {
        let result = instance.call(&mut ns, name, &[]).unwrap();
        assert_eq!(result, [Value::I32(n as i32)]);
    }
    assert!(instance.func(&ns, "8").is_none());
}
