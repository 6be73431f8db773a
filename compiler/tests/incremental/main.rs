//! Incremental compilation after an edit: only changed functions are compiled, and the artifact
//! equals that of a full compilation.

mod model;

use fastrand::Rng;
use model::Model;
use precast_compiler::{
    BundleBytes, Compilation, FunctionStore, Lineage, MemoryStore, Settings, Target, compile,
    compile_with,
};
use std::path::Path;
use std::sync::Arc;

fn settings() -> Settings {
    Settings { threads: 2, ..Settings::default() }
}

fn wasm(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap_or_else(|e| panic!("{e}\n{wat}"))
}

/// Compiles with and without a store, which must give the same result.
fn same(wasm: &[u8], settings: &Settings, store: &dyn FunctionStore) -> Option<Compilation> {
    let cold = compile(wasm, settings);
    let warm = compile_with(wasm, settings, Some(store));
    match (cold, warm) {
        (Ok(cold), Ok(warm)) => {
            assert!(cold == warm.artifact, "the artifacts differ");
            Some(warm)
        }
        (cold, warm) => {
            assert_eq!(cold.err(), warm.err());
            None
        }
    }
}

/// Number of functions that are compiled for `after` if `before` is in the store.
fn compiled_after(before: &str, after: &str) -> usize {
    let store = MemoryStore::new();
    let first = same(&wasm(before), &settings(), &store).expect("it is valid");
    assert_eq!(first.found, 0);
    let again = same(&wasm(before), &settings(), &store).expect("it is valid");
    assert_eq!(again.found, again.functions);
    let edited = same(&wasm(after), &settings(), &store).expect("it is valid");
    edited.functions - edited.found
}

const BASE: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (type $pair (func (param i32 i32) (result i32 i32)))
  (import "host" "log" (func $log (param i32)))
  (memory (export "memory") 1 4)
  (global $count (mut i32) (i32.const 7))
  (global $limit i32 (i32.const 9))
  (table $t 4 funcref)
  (elem (table $t) (i32.const 0) func $double $negate)
  (table $shown (export "shown") 2 funcref)
  (data (i32.const 16) "hello")
  (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (func $negate (type $unary) (i32.sub (i32.const 0) (local.get 0)))
  (func $calls (export "calls") (param i32) (result i32)
    (call $log (local.get 0))
    (call $double (call $negate (call $double (local.get 0)))))
  (func $through (export "through") (param i32 i32) (result i32)
    (call_indirect $t (type $unary) (local.get 0) (local.get 1)))
  (func $known (export "known") (result i32)
    (call_indirect $t (type $unary) (i32.const 3) (i32.const 1)))
  (func $globals (export "globals") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.get $limit))
  (func $memory (export "touch") (param i32) (result i32)
    (i32.load offset=8 (local.get 0)))
  (func $block (export "block") (param i32) (result i32)
    (local.get 0) (i32.const 5)
    (block (type $pair) (br_if 0 (local.get 0)))
    (i32.add))
  (func $refs (export "refs") (param i32)
    (table.set $shown (local.get 0) (ref.func $double))))"#;

/// `BASE` with one text replaced.
fn edited(from: &str, to: &str) -> String {
    assert!(BASE.contains(from), "{from}");
    BASE.replacen(from, to, 1)
}

#[test]
fn only_what_an_edit_changes_is_compiled() {
    for (from, to, compiled) in [
        // A body.
        ("(i32.const 2)", "(i32.const 3)", 1),
        ("(i32.const 3) (i32.const 1)", "(i32.const 4) (i32.const 1)", 1),
        // A function before all others, which renumbers them, and one after them. The table's
        // elements get other numbers, so a function that depends on one of them is compiled again.
        ("(func $double", "(func) (func $double", 2),
        ("(func $refs", "(func) (func $refs", 1),
        // A type before all others, which renumbers them.
        ("(type $unary", "(type (func (param f64))) (type $unary", 0),
        // Data, names, exports.
        ("\"hello\"", "\"hello, world\"", 0),
        ("(export \"block\")", "(export \"block\") (export \"more\")", 0),
        // The content of a table, for functions that depend on an element; its type, for functions
        // that use it.
        ("func $double $negate", "func $negate $double", 1),
        ("$t 4 funcref", "$t 5 funcref", 2),
        ("(table $shown (export \"shown\") 2", "(table $shown (export \"shown\") 3", 0),
        // The value of an immutable global; offsets of globals, and of context fields after them.
        ("(i32.const 7)", "(i32.const 8)", 0),
        ("(i32.const 9)", "(i32.const 8)", 1),
        ("(global $limit", "(global (mut i64) (i64.const 0)) (global $limit", 3),
        // All functions depend on the type of the memory.
        ("(export \"memory\") 1 4", "(export \"memory\") 2 4", 9),
        // Another type of a block, of a callee.
        ("(type $unary) (i32.mul", "(param i32) (result i32) (i32.mul", 0),
    ] {
        assert_eq!(compiled_after(BASE, &edited(from, to)), compiled, "{from} -> {to}");
    }
}

#[test]
fn an_import_more_moves_what_lies_behind_it() {
    let import = r#"(import "host" "log" (func $log (param i32)))"#;
    let more = format!(r#"{import} (import "host" "more" (func $more))"#);
    // Functions that call imports or take references to functions depend on offsets that change,
    // and the element of the table has a new number.
    assert_eq!(compiled_after(BASE, &edited(import, &more)), 3);
    let before = format!(r#"(import "host" "less" (func $less)) {import}"#);
    // The new import is before the other, whose slot stays in place.
    assert_eq!(compiled_after(BASE, &edited(import, &before)), 2);
}

#[test]
fn code_is_shared_where_bodies_are_equal_only_if_all_else_is() {
    // Equal bytes, other meaning: a callee of another type, another global, another import.
    let module = |callee: &str| {
        format!(
            r#"(module (import "a" "b" (func $import (param i32)))
                 (global $a (mut i32) (i32.const 0)) (global $b (mut f32) (f32.const 0))
                 (func $f {callee})
                 (func (export "x") (call $f (i32.const 1) (i32.const 2)) (drop)))"#
        )
    };
    let one = module("(param i32 i32) (result i32) (i32.const 0)");
    let two = module("(param i32 i32) (result i32) (i32.const 1)");
    assert_eq!(compiled_after(&one, &two), 1);
    let three = module("(param i32 i32) (result f32) (f32.const 0)");
    assert_eq!(compiled_after(&one, &three), 2);
}

#[test]
fn a_known_element_may_be_an_import() {
    let module = |more: &str| {
        format!(
            r#"(module (import "a" "b" (func $import (param i32)))
                 (table 1 funcref) (elem (i32.const 0) func $import) {more}
                 (func (export "x") (call_indirect (param i32) (i32.const 1) (i32.const 0))))"#
        )
    };
    // A global more moves the slots of imports.
    let more = "(global (export \"g\") (mut i64) (i64.const 0)) (global (mut v128) (v128.const i64x2 0 0))";
    assert_eq!(compiled_after(&module(""), &module("(func)")), 1);
    assert_eq!(compiled_after(&module(""), &module(more)), 1);
}

#[test]
fn branch_hints_are_part_of_a_function() {
    let module = |hint: &str| {
        format!(
            r#"(module (func (export "f") (param i32) (result i32)
                 {hint} (if (local.get 0) (then (return (i32.const 1)))) (i32.const 2)))"#
        )
    };
    let likely = module(r#"(@metadata.code.branch_hint "\01")"#);
    let unlikely = module(r#"(@metadata.code.branch_hint "\00")"#);
    assert_eq!(compiled_after(&likely, &unlikely), 1);
    assert_eq!(compiled_after(&module(""), &likely), 1);
}

#[test]
fn settings_do_not_mix() {
    /// A store that returns all its bundles for every lineage.
    struct Shared(std::sync::Mutex<Vec<BundleBytes>>);
    impl FunctionStore for Shared {
        fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
            self.0.lock().unwrap().clone()
        }
        fn keep(&self, _: &Lineage, bundle: Vec<u8>) {
            self.0.lock().unwrap().push(Arc::new(bundle));
        }
    }
    let store = Shared(Default::default());
    let triple = |arch: &str| format!("{arch}-unknown-linux-gnu").parse().expect("a triple");
    let target = |arch, enable: &[&str]| Settings {
        target: Target::Named {
            triple: triple(arch),
            enable: enable.iter().map(|&s| s.into()).collect(),
        },
        ..settings()
    };
    let all = [
        target("x86_64", &[]),
        target("x86_64", &["has_avx"]),
        target("aarch64", &[]),
        Settings { optimize: false, ..target("x86_64", &[]) },
        Settings { spectre_guards: false, ..target("x86_64", &[]) },
    ];
    for found in [0, 9] {
        for settings in &all {
            let done = same(&wasm(BASE), settings, &store).expect("it is valid");
            assert_eq!(done.found, found);
        }
    }
}

#[test]
fn what_is_found_is_validated() {
    let store = MemoryStore::new();
    same(&wasm(BASE), &settings(), &store).expect("it is valid");
    let mut invalid = wasm(BASE);
    // `i32.mul` becomes `f32.mul`.
    let at = invalid.windows(4).position(|w| w == [0x41, 2, 0x6c, 0x0b]).expect("it is there");
    invalid[at + 2] = 0x94;
    assert!(compile_with(&invalid, &settings(), Some(&store)).is_err());
    same(&invalid, &settings(), &store);
}

#[test]
fn a_damaged_bundle_is_as_good_as_none() {
    /// A store of one bundle.
    struct One(Vec<u8>);
    impl FunctionStore for One {
        fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
            vec![Arc::new(self.0.clone())]
        }
        fn keep(&self, _: &Lineage, _: Vec<u8>) {}
    }
    let bundle = bundle(&wasm(BASE));
    let cold = compile(&wasm(BASE), &settings()).expect("it is valid");
    let mut random = Rng::with_seed(1);
    for round in 0..100 {
        let mut damaged = bundle.clone();
        match round {
            // Every byte of the header.
            0..40 => damaged[round] ^= 1 << random.usize(..8),
            40..70 => damaged.truncate(random.usize(..bundle.len())),
            _ => damaged[random.usize(..bundle.len())] ^= 1 << random.usize(..8),
        }
        let done = compile_with(&wasm(BASE), &settings(), Some(&One(damaged)));
        let done = done.expect("it is valid");
        assert!(done.artifact == cold && done.found == 0);
    }
}

/// The bundle that compiling a module stores.
fn bundle(wasm: &[u8]) -> Vec<u8> {
    struct Catch(std::sync::Mutex<Vec<u8>>);
    impl FunctionStore for Catch {
        fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
            Vec::new()
        }
        fn keep(&self, _: &Lineage, bundle: Vec<u8>) {
            *self.0.lock().unwrap() = bundle;
        }
    }
    let store = Catch(Default::default());
    compile_with(wasm, &settings(), Some(&store)).expect("it is valid");
    store.0.into_inner().unwrap()
}

#[test]
fn the_same_module_leaves_the_same_bundle() {
    assert!(bundle(&wasm(BASE)) == bundle(&wasm(BASE)));
}

/// Programs with random bytes changed: most are invalid, with the same error with and without a
/// store, and the others give the same artifact.
#[test]
fn programs_with_bytes_changed_at_random() {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests");
    let mut random = Rng::with_seed(2);
    let (mut valid, mut found, mut functions) = (0, 0, 0);
    for name in ["hello.wasm", "args_env.wasm", "demo.wasm"] {
        let original = std::fs::read(guests.join(name)).expect("it is committed");
        let store = MemoryStore::new();
        let first = same(&original, &settings(), &store).expect("it is valid");
        assert_eq!(first.found, 0);
        for _ in 0..25 {
            let mut changed = original.clone();
            let at = random.usize(..changed.len());
            changed[at] = if random.usize(..100) < 50 { random.u8(..) } else { changed[at] ^ 1 };
            if compile_with(&changed, &Settings { optimize: false, ..settings() }, None).is_err() {
                let errors = [compile(&changed, &settings()).err()];
                let warm = compile_with(&changed, &settings(), Some(&store)).err();
                assert_eq!(errors, [warm]);
                continue;
            }
            if let Some(done) = same(&changed, &settings(), &store) {
                valid += 1;
                found += done.found;
                functions += done.functions;
            }
        }
    }
    assert!(valid > 5 && found * 2 > functions, "{valid} {found} {functions}");
}

/// Modules with random edits of any kind: reused code equals compiled code.
#[test]
fn random_edits() {
    let rounds: u64 = std::env::var("ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let (mut found, mut functions) = (0, 0);
    for seed in 0..rounds {
        let mut random = Rng::with_seed(seed);
        let mut model = Model::new(&mut random);
        let store = MemoryStore::new();
        for edit in 0..15 {
            let done = same(&wasm(&model.render()), &settings(), &store);
            let done = done.unwrap_or_else(|| panic!("{seed}: {}", model.render()));
            if edit > 0 {
                found += done.found;
                functions += done.functions;
            }
            for _ in 0..1 + random.usize(..2) {
                model.edit(&mut random);
            }
        }
    }
    // A few edits change the memory's type, on which all functions depend.
    assert!(found * 10 > functions * 6, "{found} of {functions}");
}
