//! Small modules that would be costly to compile: the cost is counted, and is bounded by their
//! size or by a limit. Bytes are counted by the allocator, so the tests run one after the other.

mod counting;
mod generator;

use precast_abi::artifact::{Artifact, FuncDesc, Section};
use precast_compiler::{CompileError, ErrorKind, Settings, Target, clif, compile, identity};
use std::sync::{Mutex, MutexGuard, PoisonError};

const MIB: usize = 1 << 20;

/// Keeps other tests from being counted.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settings() -> Settings {
    Settings { threads: 1, ..Settings::default() }
}

fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|e| panic!("{e}"))
}

/// Compiles a module; the most bytes that took.
fn measure(wasm: &[u8]) -> (Result<Vec<u8>, CompileError>, usize) {
    // What the process allocates once is not the module's.
    compile(b"\0asm\x01\0\0\0", &settings()).expect("an empty module");
    counting::peak(|| compile(wasm, &settings()))
}

/// A module that is compiled, in the artifact's bytes and the most that were allocated.
fn cost(text: &str) -> (Vec<u8>, usize) {
    let (artifact, peak) = measure(&parse(text));
    (artifact.unwrap_or_else(|e| panic!("{e}")), peak)
}

fn refused(text: &str, why: &str) -> (CompileError, usize) {
    let (artifact, peak) = measure(&parse(text));
    let error = artifact.map(|bytes| bytes.len()).expect_err("it is too large");
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains(why), "{error}");
    (error, peak)
}

fn text_len(artifact: &[u8]) -> usize {
    let checked = Artifact::check(artifact, &identity(&settings()));
    checked.unwrap_or_else(|e| panic!("{e}")).entry(Section::Text).len as usize
}

/// `count` types, as they stand in a signature.
fn types(count: usize) -> String {
    ["i64", "i32", "f64", "f32"].iter().cycle().take(count).copied().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_br_table_with_block_arguments_has_one_edge_per_depth() {
    let _alone = alone();
    let module = |targets: usize, depths: usize| {
        let depths: Vec<String> = (0..targets).map(|n| (n % depths).to_string()).collect();
        let values = (0..100).map(|n| format!("(i32.const {n})")).collect::<String>();
        let wide = format!("(result {})", "i32 ".repeat(100));
        let drops = "drop ".repeat(100);
        format!(
            "(module (func (param i32) block {wide} block {wide} block {wide} {values}
               local.get 0 br_table {} 0 end {drops} {values} end {drops} {values} end {drops}))",
            depths.join(" ")
        )
    };
    let few = clif(&parse(&module(3, 3)), &settings()).unwrap_or_else(|e| panic!("{e}"));
    let many = clif(&parse(&module(3000, 3)), &settings()).unwrap_or_else(|e| panic!("{e}"));
    let blocks = |text: &str| text.lines().filter(|line| line.starts_with("block")).count();
    assert_eq!(blocks(&few), blocks(&many));
    let (few, _) = cost(&module(3, 3));
    let (many, peak) = cost(&module(3000, 3));
    // An entry of the jump table has four bytes, and no target costs more text than that.
    assert!(text_len(&many) < text_len(&few) + 5 * 3000, "{}", text_len(&many));
    assert!(peak < 16 * MIB, "{peak}");
}

#[test]
fn imports_of_one_wide_type_share_one_thunk() {
    let _alone = alone();
    let module = |count: usize| {
        let imports = (0..count).map(|n| format!(r#"(import "" "{n}" (func (type 0)))"#));
        let imports: String = imports.collect();
        format!("(module (type (func (param {0}) (result {0}))) {imports})", types(900))
    };
    let (one, _) = cost(&module(1));
    let (many, peak) = cost(&module(490));
    assert_eq!(text_len(&many), text_len(&one));
    assert!(many.len() < one.len() + 490 * 64, "{}", many.len());
    assert!(peak < 16 * MIB, "{peak}");
}

#[test]
fn imports_in_a_table_cost_a_few_bytes_each() {
    let _alone = alone();
    let module = |count: usize| {
        let imports = (0..count).map(|n| format!(r#"(import "" "{n}" (func (type 0)))"#));
        let imports: String = imports.collect();
        let elems: String = (0..count).map(|n| format!("{n} ")).collect();
        format!(
            "(module (type (func (param {0}) (result {0}))) {imports} (type (func))
               (table {count} funcref) (elem (i32.const 0) func {elems})
               (func (param i32) (call_indirect (type 1) (local.get 0)) unreachable))",
            types(900)
        )
    };
    let (one, _) = cost(&module(1));
    let (many, peak) = cost(&module(490));
    assert!(text_len(&many) <= text_len(&one) + 490 * 32, "{}", text_len(&many));
    assert!(peak < 16 * MIB, "{peak}");
}

#[test]
fn tiny_functions_keep_no_signatures() {
    let _alone = alone();
    let module = |params: usize| {
        let ty = format!("(type (func (param {})))", types(params));
        format!("(module {ty} {})", "(func (type 0))".repeat(3000))
    };
    let (_, narrow) = cost(&module(0));
    let (_, wide) = cost(&module(300));
    // A signature of 300 parameters has 7 KB, of which 3000 are 21 MB.
    assert!(wide < narrow + 3 * MIB, "{wide} rather than {narrow}");
}

#[test]
fn nested_ifs_of_a_wide_type_are_refused() {
    let _alone = alone();
    let module = |depth: usize, width: usize| {
        let wide = format!("(param {0}) (result {0})", "i64 ".repeat(width));
        let values = "i64.const 1 ".repeat(width);
        let open = format!("local.get 0 if {wide} ").repeat(depth);
        let drops = "drop ".repeat(width);
        format!("(module (func (param i32) {values} {open} {} {drops}))", "end ".repeat(depth))
    };
    let (_, peak) = refused(&module(3000, 900), "too many values");
    assert!(peak < MIB, "{peak}");
    let (_, peak) = cost(&module(3000, 0));
    assert!(peak < 24 * MIB, "{peak}");
    cost(&module(100, 100));
}

#[test]
fn calls_of_a_wide_type_are_refused() {
    let _alone = alone();
    let module = |call: &str| {
        let wide = types(1000);
        format!(
            "(module (type (func (param {wide}) (result {wide}))) (table 1 funcref)
               (func (type 0) {} {} unreachable) (func $f (type 0) unreachable))",
            (0..1000).map(|n| format!("local.get {n} ")).collect::<String>(),
            call.repeat(10_000),
        )
    };
    for call in ["call $f ", "i32.const 0 call_indirect (type 0) ", "i32.const 0 br_if 0 "] {
        let (_, peak) = refused(&module(call), "too many values");
        assert!(peak < 2 * MIB, "{peak}");
    }
    cost(&module("nop "));
}

#[test]
fn many_functions_of_many_locals_are_refused() {
    let _alone = alone();
    // Written down by hand, as the text format has no short form: five bytes of locals a function.
    let module = |count: u8, locals: &[u8]| {
        let mut wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
        wasm.extend([3, 1 + count, count]);
        wasm.extend(std::iter::repeat_n(0, count.into()));
        let body = [&[locals.len() as u8 + 3, 1], locals, &[0x7f, 0x0b]].concat();
        let len = 1 + body.len() * usize::from(count);
        wasm.extend([10, len as u8 & 0x7f | 0x80, (len >> 7) as u8, count]);
        wasm.extend(body.repeat(count.into()));
        wasm
    };
    let most = [0xd0, 0x86, 0x03];
    let (artifact, peak) = measure(&module(100, &most));
    let error = artifact.map(|bytes| bytes.len()).expect_err("it is too large");
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    assert!(peak < MIB, "{peak}");
    assert!(measure(&module(100, &[0xe4, 0x00])).0.is_ok());
    assert!(measure(&module(1, &most)).0.is_ok());
}

#[test]
fn locals_alive_across_many_branches_are_refused() {
    let _alone = alone();
    // Every branch back passes every local on.
    let uses: String = (0..3000).map(|n| format!("local.get {n} drop ")).collect();
    let branches = "local.get 0 br_if 0 ".repeat(5000);
    let locals = "i32 ".repeat(3001);
    let text = format!("(module (func (local {locals}) loop {uses} {branches} end))");
    let (error, peak) = refused(&text, "out of proportion");
    assert!(error.offset > 1000, "{error}");
    assert!(peak < 64 * MIB, "{peak}");
    // The same by a table, whose entries are branches too.
    let targets = "0 ".repeat(20_000);
    let text =
        format!("(module (func (local {locals}) loop {uses} local.get 0 br_table {targets} end))");
    refused(&text, "out of proportion");
}

#[test]
fn code_behind_an_access_that_always_traps_is_not_made() {
    let _alone = alone();
    let module = |offset: u64| {
        let code = "local.get 0 local.get 0 i32.mul local.set 0 ".repeat(1000);
        let load = format!("local.get 0 i32.load offset={offset} local.set 0");
        parse(&format!("(module (memory 1) (func (param i32) {load} {code}))"))
    };
    let lines = |wasm: &[u8]| {
        let text = clif(wasm, &settings()).unwrap_or_else(|e| panic!("{e}"));
        text.lines().count()
    };
    assert!(lines(&module((1 << 32) - 4)) > 1000);
    assert!(lines(&module((1 << 32) - 3)) < 40);
}

#[test]
fn a_limit_does_not_depend_on_threads_or_the_order_of_functions() {
    let _alone = alone();
    let uses: String = (0..3000).map(|n| format!("local.get {n} drop ")).collect();
    let branches = "local.get 0 br_if 0 ".repeat(5000);
    let locals = "i32 ".repeat(3001);
    let large = format!("(func (local {locals}) loop {uses} {branches} end)");
    let small = "(func (result i32) i32.const 1)".repeat(50);
    let wasm = parse(&format!("(module {small} {large} {small} {large})"));
    let errors = [1, 2, 4].map(|threads| {
        let settings = Settings { threads, ..settings() };
        compile(&wasm, &settings).map(|bytes| bytes.len()).expect_err("it is too large")
    });
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
}

#[test]
fn forwarders_are_code_of_both_machines() {
    let module = parse(
        r#"(module (import "" "f" (func $f)) (table 1 funcref) (elem (i32.const 0) $f)
             (func (param i32) (call_indirect (local.get 0))))"#,
    );
    for target in ["x86_64", "aarch64"] {
        let target: Target = target.parse().unwrap_or_else(|e| panic!("{e}"));
        let settings = Settings { target, ..settings() };
        let artifact = compile(&module, &settings).unwrap_or_else(|e| panic!("{e}"));
        let checked = Artifact::check(&artifact, &identity(&settings));
        let checked = checked.unwrap_or_else(|e| panic!("{e}"));
        let funcs: &[FuncDesc] = checked.records(&artifact, Section::Funcs);
        assert!(checked.entry(Section::Text).len as usize > funcs[0].len as usize);
    }
}

#[test]
fn generated_bombs_cost_little_or_are_refused() {
    let _alone = alone();
    for seed in 0..40 {
        let wasm = generator::generate(seed);
        let (artifact, peak) = measure(&wasm);
        // A type of the generator may be larger than any module may have.
        let refused = artifact.as_ref().err().map(|error| (error.kind, error.to_string()));
        let fine = refused.as_ref().is_none_or(|(kind, text)| {
            *kind == ErrorKind::Limit || text.contains("effective type size exceeds")
        });
        assert!(fine, "{seed}: {refused:?}");
        assert!(peak < 400 * MIB, "{seed}: {peak} bytes");
        assert!(artifact.is_ok_and(|bytes| bytes.len() < 8 * MIB) || refused.is_some(), "{seed}");
    }
}
