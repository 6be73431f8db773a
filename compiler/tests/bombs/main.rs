//! Compilation bombs: small modules that are costly to compile. Their cost is bounded by their size
//! or by a limit. The allocator counts bytes, so the tests run one after the other.

mod generator;
mod limits;
mod support;

use precast_abi::artifact::{Artifact, FuncDesc, Section};
use precast_compiler::{ErrorKind, Settings, Target, clif, compile, producer};
use support::{MIB, alone, cost, imports, measure, parse, settings, text_len, types};

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
    // An entry of the jump table has four bytes; a target costs no other text.
    assert!(text_len(&many) < text_len(&few) + 5 * 3000, "{}", text_len(&many));
    assert!(peak < 16 * MIB, "{peak}");
}

#[test]
fn imports_of_one_wide_type_share_one_thunk() {
    let _alone = alone();
    let module = |count| {
        let imports = imports(count);
        format!("(module (type (func (param {0}) (result {0}))) {imports})", types(1000))
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
        let elems: String = (0..count).map(|n| format!("{n} ")).collect();
        format!(
            "(module (type (func (param {0}) (result {0}))) {1} (type (func))
               (table {count} funcref) (elem (i32.const 0) func {elems})
               (func (param i32) (call_indirect (type 1) (local.get 0)) unreachable))",
            types(1000),
            imports(count),
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
        format!("(module {ty} {})", "(func (type 0))".repeat(10_000))
    };
    let (_, narrow) = cost(&module(0));
    let (_, wide) = cost(&module(300));
    // A signature of 300 parameters takes 7 KB, ten thousand of them 70 MB.
    assert!(wide < narrow + 8 * MIB, "{wide} rather than {narrow}");
}

#[test]
fn nested_constructs_cost_as_much_as_their_bytes() {
    let _alone = alone();
    let constructs = [
        ("local.get 0 if ", "end "),
        ("local.get 0 if ", "else end "),
        ("block ", "end "),
        ("loop ", "end "),
        ("block local.get 0 br_if 0 ", "end "),
        ("loop local.get 0 br_if 0 ", "end "),
        ("i32.const 1 local.get 0 if (param i32) (result i32) ", "else end drop "),
    ];
    for (open, close) in constructs {
        let module = |depth: usize| {
            let body = open.repeat(depth) + &close.repeat(depth);
            format!("(module (func (param i32) {body}))")
        };
        let lines = |depth| {
            let text = clif(&parse(&module(depth)), &settings()).unwrap_or_else(|e| panic!("{e}"));
            text.lines().count()
        };
        let (few, many) = (lines(200), lines(2000));
        assert!(many <= 11 * few, "{open}: {many} lines rather than {few}");
        let ((few, small), (many, large)) = (cost(&module(200)), cost(&module(2000)));
        let (few, many) = (text_len(&few), text_len(&many));
        assert!(many <= 11 * few.max(64), "{open}: {many} bytes rather than {few}");
        assert!(large <= 11 * small.max(MIB), "{open}: {large} bytes rather than {small}");
    }
}

#[test]
fn branches_from_depth_to_depth_share_their_targets() {
    let _alone = alone();
    // Each of `depth` blocks is the target of branches from every block within it.
    let module = |depth: usize| {
        let tables: String = (0..depth)
            .map(|n| {
                let targets: String = (0..=n).map(|target| format!("{target} ")).collect();
                format!("block local.get 0 if local.get 0 br_table {targets} end ")
            })
            .collect();
        format!("(module (func (param i32) {tables} {}))", "end ".repeat(depth))
    };
    let (few, many) = (module(30), module(300));
    let (few_bytes, many_bytes) = (parse(&few).len(), parse(&many).len());
    let ((few, _), (many, peak)) = (cost(&few), cost(&many));
    let few = text_len(&few) as f64 / few_bytes as f64;
    let many = text_len(&many) as f64 / many_bytes as f64;
    assert!(many <= few, "{many} bytes of text per byte rather than {few}");
    assert!(peak < 128 * MIB, "{peak}");
}

#[test]
fn segments_far_apart_cost_as_much_as_their_bytes() {
    let _alone = alone();
    let data: String =
        (0..1000u64).map(|n| format!(r#"(data (i32.const {}) "x")"#, n * 4_000_000)).collect();
    let (artifact, peak) = cost(&format!("(module (memory 65536) {data})"));
    // At most one page of the image for each segment.
    assert!(artifact.len() < 1000 * 4096 + MIB, "{}", artifact.len());
    assert!(peak < 16 * MIB, "{peak}");
    let elems: String = (0..1000)
        .map(|n| format!("(elem (table {}) (i32.const 9999999) func 0)", n % 100))
        .collect();
    let tables = "(table 10000000 funcref)".repeat(100);
    let call = "(func (param i32) (call_indirect (local.get 0)))";
    let (artifact, peak) = cost(&format!("(module {tables} {elems} {call})"));
    assert!(artifact.len() < MIB, "{}", artifact.len());
    assert!(peak < 16 * MIB, "{peak}");
}

#[test]
fn constant_expressions_cost_as_much_as_their_bytes() {
    let _alone = alone();
    let module = |count: usize, adds: usize| {
        let chain = "i32.const 1 i32.add ".repeat(adds);
        let global = format!("(global i32 i32.const 1 {chain})");
        format!("(module {})", global.repeat(count))
    };
    let text = module(1000, 50);
    let bytes = parse(&text).len();
    let (artifact, peak) = cost(&text);
    assert!(artifact.len() < 8 * bytes, "{} of {bytes}", artifact.len());
    assert!(peak < 16 * MIB, "{peak}");
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
fn forwarders_are_code_of_both_machines() {
    let module = parse(
        r#"(module (import "" "f" (func $f)) (table 1 funcref) (elem (i32.const 0) $f)
             (func (param i32) (call_indirect (local.get 0))))"#,
    );
    for target in ["x86_64", "aarch64"] {
        let target: Target = target.parse().unwrap_or_else(|e| panic!("{e}"));
        let settings = Settings { target, ..settings() };
        let artifact = compile(&module, &settings).unwrap_or_else(|e| panic!("{e}"));
        let checked = Artifact::check(&artifact, &producer(&settings));
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
        // The generator can make a type that is larger than the validator permits.
        let refused = artifact.as_ref().err().map(|error| (error.kind, error.to_string()));
        let fine = refused.as_ref().is_none_or(|(kind, text)| {
            *kind == ErrorKind::Limit || text.contains("effective type size exceeds")
        });
        assert!(fine, "{seed}: {refused:?}");
        assert!(peak < 400 * MIB, "{seed}: {peak} bytes");
        assert!(artifact.is_ok_and(|bytes| bytes.len() < 8 * MIB) || refused.is_some(), "{seed}");
    }
}
