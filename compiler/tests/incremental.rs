//! Compiling again after an edit: the same artifact as from nothing, and only what changed is
//! compiled.

use precast_compiler::{
    BundleBytes, Compilation, FunctionStore, Lineage, MemoryStore, Settings, Target, compile,
    compile_with,
};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

fn settings() -> Settings {
    Settings { threads: 2, ..Settings::default() }
}

fn wasm(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap_or_else(|e| panic!("{e}\n{wat}"))
}

/// Compiles with a store, and from nothing, which must give the same.
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

/// Functions compiled for `after` when `before` was compiled already.
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

/// `BASE` with one text in place of another.
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
        // elements get other numbers, so what knows one of them is compiled again.
        ("(func $double", "(func) (func $double", 2),
        ("(func $refs", "(func) (func $refs", 1),
        // A type before all others, which renumbers them.
        ("(type $unary", "(type (func (param f64))) (type $unary", 0),
        // Data, names, what is exported.
        ("\"hello\"", "\"hello, world\"", 0),
        ("(export \"block\")", "(export \"block\") (export \"more\")", 0),
        // What a table holds, for what knows it; what it looks like, for what uses it.
        ("func $double $negate", "func $negate $double", 1),
        ("$t 4 funcref", "$t 5 funcref", 2),
        ("(table $shown (export \"shown\") 2", "(table $shown (export \"shown\") 3", 0),
        // A global's value, when it is constant; places of globals, and of what lies behind them.
        ("(i32.const 7)", "(i32.const 8)", 0),
        ("(i32.const 9)", "(i32.const 8)", 1),
        ("(global $limit", "(global (mut i64) (i64.const 0)) (global $limit", 3),
        // The memory's type is known to all.
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
    // What calls imports and what takes references to functions, for their places; and the
    // element of the table has a new number.
    assert_eq!(compiled_after(BASE, &edited(import, &more)), 3);
    let before = format!(r#"(import "host" "less" (func $less)) {import}"#);
    // This one lies before the other, which stays where it is.
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
    /// Gives what it has to everyone.
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
    /// One bundle, to be changed.
    struct One(Vec<u8>);
    impl FunctionStore for One {
        fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
            vec![Arc::new(self.0.clone())]
        }
        fn keep(&self, _: &Lineage, _: Vec<u8>) {}
    }
    let bundle = bundle(&wasm(BASE));
    let cold = compile(&wasm(BASE), &settings()).expect("it is valid");
    let mut random = Random(1);
    for round in 0..100 {
        let mut damaged = bundle.clone();
        match round {
            // Every byte of the header.
            0..40 => damaged[round] ^= 1 << random.below(8),
            40..70 => damaged.truncate(random.below(bundle.len())),
            _ => damaged[random.below(bundle.len())] ^= 1 << random.below(8),
        }
        let done = compile_with(&wasm(BASE), &settings(), Some(&One(damaged)));
        let done = done.expect("it is valid");
        assert!(done.artifact == cold && done.found == 0);
    }
}

/// The bundle that compiling a module leaves.
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

/// Numbers that are random enough.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Compiled programs with bytes changed at random: most become invalid, in the same way both
/// times, and the others give the artifact that compiling from nothing gives.
#[test]
fn programs_with_bytes_changed_at_random() {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests");
    let mut random = Random(2);
    let (mut valid, mut found, mut functions) = (0, 0, 0);
    for name in ["hello.wasm", "args_env.wasm", "demo.wasm"] {
        let original = std::fs::read(guests.join(name)).expect("it is committed");
        let store = MemoryStore::new();
        let first = same(&original, &settings(), &store).expect("it is valid");
        assert_eq!(first.found, 0);
        for _ in 0..25 {
            let mut changed = original.clone();
            let at = random.below(changed.len());
            changed[at] = if random.chance(50) { random.next() as u8 } else { changed[at] ^ 1 };
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

const TYPES: [&str; 4] = ["i32", "i64", "f32", "f64"];

/// A module as a list of what it has, to be edited. Everything refers to everything by name, so
/// that edits renumber.
#[derive(Clone)]
struct Model {
    types: Vec<Signature>,
    imports: Vec<(usize, usize)>,
    globals: Vec<(usize, usize, bool, u8)>,
    funcs: Vec<Function>,
    memory: (usize, Option<usize>, bool),
    /// Elements of a table, and whether it is exported and how large it is.
    elements: Vec<usize>,
    table: (usize, bool, bool),
    data: Vec<(usize, usize)>,
    next: usize,
}

#[derive(Clone)]
struct Signature {
    id: usize,
    params: Vec<usize>,
    results: Vec<usize>,
}

#[derive(Clone)]
struct Function {
    id: usize,
    /// The number of its type, of all types ever.
    ty: usize,
    locals: usize,
    body: Vec<Statement>,
}

#[derive(Clone, Copy)]
enum Statement {
    Local(u8),
    Call(usize),
    Indirect(usize, Option<u8>),
    GlobalGet(usize),
    GlobalSet(usize),
    Load(u16),
    LoadAt(u16),
    Store(u16),
    FarLoad,
    Size,
    Grow,
    Fill(u8),
    RefFunc(usize),
    TableSize,
    TableGet,
    Block(usize),
    If(u8),
    Segment,
}

impl Model {
    fn new(random: &mut Random) -> Model {
        let mut model = Model {
            types: Vec::new(),
            imports: Vec::new(),
            globals: Vec::new(),
            funcs: Vec::new(),
            memory: (1, Some(4), false),
            elements: Vec::new(),
            table: (8, random.chance(30), random.chance(20)),
            data: vec![(3, 5)],
            next: 0,
        };
        for _ in 0..4 {
            model.add_type(random);
        }
        for _ in 0..2 {
            model.add_import(random);
        }
        for _ in 0..4 {
            model.add_global(random);
        }
        for n in 0..12 {
            model.add_func(random);
            if n % 2 == 0 {
                let element = model.element(random);
                model.elements.push(element);
            }
        }
        model
    }

    fn id(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn func(&self, random: &mut Random) -> usize {
        self.funcs[random.below(self.funcs.len())].id
    }

    /// A function for a table, sometimes an import.
    fn element(&self, random: &mut Random) -> usize {
        match random.chance(30) {
            true => self.imports[random.below(self.imports.len())].0,
            false => self.func(random),
        }
    }

    /// The name and the type of a function or an import.
    fn callee(&self, id: usize) -> (String, usize) {
        match self.imports.iter().find(|import| import.0 == id) {
            Some((_, ty)) => (format!("$i{id}"), *ty),
            None => {
                let func = self.funcs.iter().find(|func| func.id == id);
                (format!("$f{id}"), func.expect("functions are not removed").ty)
            }
        }
    }

    fn ty(&self, random: &mut Random) -> usize {
        self.types[random.below(self.types.len())].id
    }

    fn add_type(&mut self, random: &mut Random) {
        let mut list = |n| (0..random.below(n)).map(|_| random.below(4)).collect();
        let (params, results) = (list(4), list(3));
        let id = self.id();
        let at = random.below(self.types.len() + 1);
        self.types.insert(at, Signature { id, params, results });
    }

    fn add_import(&mut self, random: &mut Random) {
        let import = (self.id(), self.ty(random));
        self.imports.insert(random.below(self.imports.len() + 1), import);
    }

    fn add_global(&mut self, random: &mut Random) {
        let global = (self.id(), random.below(4), random.chance(60), random.next() as u8 & 63);
        self.globals.insert(random.below(self.globals.len() + 1), global);
    }

    fn add_func(&mut self, random: &mut Random) {
        let (id, ty) = (self.id(), self.ty(random));
        let at = random.below(self.funcs.len() + 1);
        self.funcs.insert(at, Function { id, ty, locals: random.below(3), body: Vec::new() });
        for _ in 0..1 + random.below(6) {
            let statement = self.statement(random);
            self.funcs[at].body.push(statement);
        }
    }

    fn statement(&self, random: &mut Random) -> Statement {
        match random.below(20) {
            0 => Statement::Local(random.next() as u8),
            1..4 => Statement::Call(self.func(random)),
            4 => Statement::Call(self.imports[random.below(self.imports.len())].0),
            5 | 6 => Statement::Indirect(self.ty(random), None),
            7 => {
                let at = random.below(9);
                let element = self.elements.get(at).filter(|_| random.chance(80));
                let ty = element.map_or_else(|| self.ty(random), |&id| self.callee(id).1);
                Statement::Indirect(ty, Some(at as u8))
            }
            8 => Statement::GlobalGet(self.globals[random.below(self.globals.len())].0),
            9 => Statement::GlobalSet(self.globals[random.below(self.globals.len())].0),
            10 => Statement::Load(random.next() as u16),
            11 => Statement::LoadAt(random.next() as u16),
            12 => Statement::Store(random.next() as u16),
            13 => match random.below(3) {
                0 => Statement::FarLoad,
                1 => Statement::Size,
                _ => Statement::Grow,
            },
            14 => Statement::Fill(random.next() as u8),
            15 => Statement::RefFunc(self.func(random)),
            16 if random.chance(20) => Statement::TableGet,
            16 => Statement::TableSize,
            17 => Statement::Block(self.ty(random)),
            18 if random.chance(20) => Statement::Segment,
            _ => Statement::If(random.next() as u8 % 3),
        }
    }

    /// Makes one change of the kind that people and compilers make.
    fn edit(&mut self, random: &mut Random) {
        let n = random.below(self.funcs.len());
        match random.below(18) {
            0..4 => {
                let at = random.below(self.funcs[n].body.len());
                let statement = self.statement(random);
                match self.funcs[n].body.get_mut(at) {
                    Some(old) => *old = statement,
                    None => self.funcs[n].body.push(statement),
                }
            }
            4 => self.add_func(random),
            5 => {
                let func = self.funcs.remove(n);
                self.funcs.insert(random.below(self.funcs.len() + 1), func);
            }
            6 => self.add_type(random),
            7 => {
                let at = random.below(self.types.len());
                let ty = self.types.remove(at);
                self.types.insert(random.below(self.types.len() + 1), ty);
            }
            8 => self.add_import(random),
            9 => self.add_global(random),
            10 => {
                let at = random.below(self.globals.len());
                match random.below(3) {
                    0 => self.globals[at].1 = random.below(4),
                    1 => self.globals[at].2 ^= true,
                    _ => self.globals[at].3 = random.next() as u8 & 63,
                }
            }
            11 => match random.below(3) {
                0 => self.memory.0 = 1 + random.below(3),
                1 => self.memory.1 = [None, Some(4), Some(1)][random.below(3)],
                _ => self.memory.2 ^= true,
            },
            12 => {
                let at = random.below(self.elements.len());
                self.elements[at] = self.element(random);
            }
            13 => match random.below(3) {
                0 => self.table.0 = 8 + random.below(3),
                1 => self.table.1 ^= true,
                _ => self.table.2 ^= true,
            },
            14 => self.data.push((random.below(100), random.below(40))),
            15 => self.funcs[n].locals = random.below(4),
            16 => {
                let ty = random.below(self.types.len());
                let list =
                    |random: &mut Random| (0..random.below(3)).map(|_| random.below(4)).collect();
                self.types[ty].params = list(random);
                self.types[ty].results = list(random);
            }
            _ => self.funcs[n].ty = self.ty(random),
        }
    }

    fn signature(&self, id: usize) -> &Signature {
        self.types.iter().find(|ty| ty.id == id).expect("types are not removed")
    }

    /// `call` with constants for the parameters, and nothing left of the results.
    fn call(&self, text: &mut String, ty: usize, index: &str, call: &str) {
        let ty = self.signature(ty);
        for &param in &ty.params {
            let _ = write!(text, "({}.const {param}) ", TYPES[param]);
        }
        let _ = write!(text, "{index} {call} {}", "drop ".repeat(ty.results.len()));
    }

    fn render(&self) -> String {
        let mut text = String::from("(module\n");
        for ty in &self.types {
            let names =
                |list: &[usize]| list.iter().map(|&t| TYPES[t]).collect::<Vec<_>>().join(" ");
            let (params, results) = (names(&ty.params), names(&ty.results));
            let _ = writeln!(text, "(type $t{} (func (param {params}) (result {results})))", ty.id);
        }
        for (id, ty) in &self.imports {
            let _ = writeln!(text, "(import \"host\" \"i{id}\" (func $i{id} (type $t{ty})))");
        }
        let (min, max, imported) = self.memory;
        let max = max.map_or(String::new(), |max| max.max(min).to_string());
        let import = if imported { "(import \"host\" \"memory\")" } else { "" };
        let _ = writeln!(text, "(memory {import} {min} {max})");
        let (len, exported, bounded) = self.table;
        let export = if exported { "(export \"table\")" } else { "" };
        let bound = if bounded { len.to_string() } else { String::new() };
        let _ = writeln!(text, "(table $table {export} {len} {bound} funcref)");
        for &(id, ty, mutable, value) in &self.globals {
            let name = TYPES[ty];
            let ty = if mutable { format!("(mut {name})") } else { name.into() };
            let _ = writeln!(text, "(global $g{id} {ty} ({name}.const {value}))");
        }
        let _ = write!(text, "(elem (table $table) (i32.const 0) func");
        for func in &self.elements {
            let _ = write!(text, " {}", self.callee(*func).0);
        }
        text.push_str(")\n");
        for &(at, len) in &self.data {
            let _ = writeln!(text, "(data (i32.const {at}) \"{}\")", "x".repeat(len));
        }
        text.push_str("(elem declare func");
        for func in &self.funcs {
            let _ = write!(text, " $f{}", func.id);
        }
        text.push_str(")\n");
        for func in &self.funcs {
            self.function(&mut text, func);
        }
        text.push(')');
        text
    }

    fn function(&self, text: &mut String, func: &Function) {
        let Function { id, ty, locals, body } = func;
        let _ = write!(text, "(func $f{id} (export \"f{id}\") (type $t{ty}) (local $x i32)");
        let _ = writeln!(text, " {}", "(local i64)".repeat(*locals));
        for statement in body {
            self.statement_text(text, *statement);
            text.push('\n');
        }
        for &result in &self.signature(*ty).results {
            let _ = write!(text, "({}.const 1)", TYPES[result]);
        }
        text.push_str(")\n");
    }

    fn statement_text(&self, text: &mut String, statement: Statement) {
        let _ = match statement {
            Statement::Local(n) => {
                write!(text, "(local.set $x (i32.add (local.get $x) (i32.const {n})))")
            }
            Statement::Call(id) => {
                let (name, ty) = self.callee(id);
                self.call(text, ty, "", &format!("call {name}"));
                Ok(())
            }
            Statement::Indirect(ty, at) => {
                let index = at.map_or("(local.get $x)".into(), |at| format!("(i32.const {at})"));
                let call = format!("call_indirect $table (type $t{ty})");
                self.call(text, ty, &index, &call);
                Ok(())
            }
            Statement::GlobalGet(id) => write!(text, "(drop (global.get $g{id}))"),
            Statement::GlobalSet(id) => {
                let global = self.globals.iter().find(|global| global.0 == id);
                let &(_, ty, mutable, _) = global.expect("globals are not removed");
                let name = TYPES[ty];
                match mutable {
                    true => write!(
                        text,
                        "(global.set $g{id} ({name}.add (global.get $g{id}) ({name}.const 1)))"
                    ),
                    false => write!(text, "(drop (global.get $g{id}))"),
                }
            }
            Statement::Load(at) => {
                write!(text, "(local.set $x (i32.load offset={at} (local.get $x)))")
            }
            Statement::LoadAt(at) => {
                write!(text, "(local.set $x (i32.load8_u (i32.const {at})))")
            }
            Statement::Store(at) => {
                write!(text, "(i32.store16 offset={at} (local.get $x) (local.get $x))")
            }
            Statement::FarLoad => {
                write!(text, "(local.set $x (i32.load offset=4000000000 (local.get $x)))")
            }
            Statement::Size => write!(text, "(local.set $x (memory.size))"),
            Statement::Grow => write!(text, "(local.set $x (memory.grow (local.get $x)))"),
            Statement::Fill(len) => {
                write!(text, "(memory.fill (local.get $x) (i32.const 1) (i32.const {len}))")
            }
            Statement::RefFunc(id) => {
                write!(text, "(local.set $x (ref.is_null (ref.func $f{id})))")
            }
            Statement::TableSize => write!(text, "(local.set $x (table.size $table))"),
            Statement::TableGet => {
                write!(text, "(local.set $x (ref.is_null (table.get $table (local.get $x))))")
            }
            Statement::Block(ty) => {
                self.block(text, ty);
                Ok(())
            }
            Statement::If(hint) => {
                if hint < 2 {
                    let _ = write!(text, "(@metadata.code.branch_hint \"\\0{hint}\") ");
                }
                write!(text, "(if (local.get $x) (then (local.set $x (i32.const 4))))")
            }
            Statement::Segment => write!(text, "(data.drop 0)"),
        };
    }

    /// A block of a type, left early sometimes.
    fn block(&self, text: &mut String, ty: usize) {
        let signature = self.signature(ty);
        for &param in &signature.params {
            let _ = write!(text, "({}.const {param}) ", TYPES[param]);
        }
        let _ = write!(text, "(block (type $t{ty}) {}", "drop ".repeat(signature.params.len()));
        for &result in &signature.results {
            let _ = write!(text, "({}.load (local.get $x)) ", TYPES[result]);
        }
        let _ =
            write!(text, "(br_if 0 (local.get $x))) {}", "drop ".repeat(signature.results.len()));
    }
}

/// Modules of which anything may change: whatever is found is what compiling gives.
#[test]
fn random_edits() {
    let rounds: u64 = std::env::var("ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let (mut found, mut functions) = (0, 0);
    for seed in 0..rounds {
        let mut random = Random(seed);
        let mut model = Model::new(&mut random);
        let store = MemoryStore::new();
        for edit in 0..15 {
            let done = same(&wasm(&model.render()), &settings(), &store);
            let done = done.unwrap_or_else(|| panic!("{seed}: {}", model.render()));
            if edit > 0 {
                found += done.found;
                functions += done.functions;
            }
            for _ in 0..1 + random.below(2) {
                model.edit(&mut random);
            }
        }
    }
    // A few edits change the memory's type, which all functions know.
    assert!(found * 10 > functions * 6, "{found} of {functions}");
}
