//! Every limit of the compiler: a module that exceeds it is refused at the right offset and before
//! memory is spent, and a module within it compiles.

use crate::support::{MIB, alone, bodies, cost, cost_of, parse, refused, settings, types};
use precast_compiler::{Settings, compile};

const OPERANDS: &str = "too many values";
const PAIRS: &str = "have many operands";
const CODE: &str = "out of proportion";
const LOCALS: &str = "too many locals and blocks";
const LOOPS: &str = "too many locals in loops";

#[test]
fn nested_ifs_of_a_wide_type() {
    let _alone = alone();
    let module = |depth: usize, width: usize| {
        let wide = format!("(param {0}) (result {0})", "i64 ".repeat(width));
        let values = "i64.const 1 ".repeat(width);
        let open = format!("local.get 0 if {wide} ").repeat(depth);
        let drops = "drop ".repeat(width);
        format!(
            "(module (func) (func (param i32) {values} {open} {} {drops}))",
            "end ".repeat(depth)
        )
    };
    let wasm = parse(&module(3000, 900));
    let (offset, peak) = refused(&wasm, OPERANDS);
    assert_eq!(offset, bodies(&wasm)[1].start);
    assert!(peak < MIB, "{peak}");
    cost(&module(100, 100));
}

#[test]
fn operators_that_move_the_values_of_a_wide_type() {
    let _alone = alone();
    let module = |operator: &str| {
        let wide = types(1000);
        format!(
            "(module (type (func (param {wide}) (result {wide}))) (table 1 funcref)
               (func $f (type 0) unreachable)
               (func (type 0) {} {} unreachable))",
            (0..1000).map(|n| format!("local.get {n} ")).collect::<String>(),
            operator.repeat(10_000),
        )
    };
    let operators = [
        "call $f ",
        "i32.const 0 call_indirect (type 0) ",
        "i32.const 0 br_if 0 ",
        "block (type 0) end ",
        "loop (type 0) end ",
        "i32.const 0 if (type 0) else end ",
        "unreachable br 0 ",
        "unreachable return ",
        "unreachable i32.const 0 br_table 0 0 0 ",
    ];
    for operator in operators {
        let wasm = parse(&module(operator));
        let (offset, peak) = refused(&wasm, OPERANDS);
        assert_eq!(offset, bodies(&wasm)[1].start, "{operator}");
        assert!(peak < 2 * MIB, "{operator}: {peak}");
    }
    cost(&module("nop "));
}

#[test]
fn values_that_pass_through_many_operators() {
    let _alone = alone();
    let module = |operator: &str, width: usize, count: usize| {
        let wide = types(width);
        let constant = |ty: &str| format!("{ty}.const 1 ");
        let constants: String = wide.split(' ').map(constant).collect();
        let (drops, operators) = ("drop ".repeat(width), operator.repeat(count));
        parse(&format!(
            "(module (type (func (param {wide}) (result {wide}))) (table 1 funcref) (func)
               (func $f (type 0) unreachable) (func {constants} {operators} {drops}))"
        ))
    };
    // Each operator has 300 operands or more. Such a chain takes seconds in register allocation.
    let operators = [
        ("call $f ", 150),
        ("i32.const 0 call_indirect (type 0) ", 150),
        ("block (type 0) i32.const 0 br_if 0 end ", 200),
        ("i32.const 0 if (type 0) else end ", 200),
    ];
    for (operator, width) in operators {
        let wasm = module(operator, width, 400);
        let (offset, peak) = refused(&wasm, PAIRS);
        assert_eq!(offset, bodies(&wasm)[2].start, "{operator}");
        assert!(peak < MIB, "{operator}: {peak}");
        cost_of(&module(operator, 20, 400));
    }
}

#[test]
fn many_functions_of_many_locals() {
    let _alone = alone();
    // Encoded by hand, since the text format has no short form for many locals.
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
    // A function may have 50,000 locals.
    let (few, most): (&[u8], &[u8]) = (&[100], &[0xd0, 0x86, 0x03]);
    let wasm = module(100, most);
    let (offset, peak) = refused(&wasm, OPERANDS);
    // All functions have the same number of locals, so the error is at the first.
    assert_eq!(offset, bodies(&wasm)[0].start);
    assert!(peak < MIB, "{peak}");
    for wasm in [module(100, few), module(1, most)] {
        compile(&wasm, &settings()).unwrap_or_else(|e| panic!("{e}"));
    }
}

/// A function with a loop, whose locals are all live at each of its backward branches.
fn alive_at(branches: &str) -> String {
    let uses: String = (0..3000).map(|n| format!("local.get {n} drop ")).collect();
    let locals = "i32 ".repeat(3001);
    format!("(func (local {locals}) loop {uses} {branches} end)")
}

#[test]
fn locals_alive_across_many_branches() {
    let _alone = alone();
    let table = format!("local.get 0 br_table {}", "0 ".repeat(20_000));
    for branches in ["local.get 0 br_if 0 ".repeat(5000), table] {
        let wasm = parse(&format!("(module (func) {} (func))", alive_at(&branches)));
        let (offset, peak) = refused(&wasm, CODE);
        let body = &bodies(&wasm)[1];
        // It has few operands, so the limit is hit during translation.
        assert!(body.contains(&offset) && offset > body.start + 3000, "{offset:#x} in {body:x?}");
        assert!(peak < 64 * MIB, "{peak}");
    }
    cost(&format!("(module {})", alive_at("local.get 0 br_if 0 ")));
}

#[test]
fn locals_used_behind_many_blocks() {
    let _alone = alone();
    let module = |blocks: usize| {
        // Code after a branch is a block with one predecessor, so it needs no parameters.
        let branches = "local.get 0 br_if 0 ".repeat(blocks);
        let uses: String = (0..40_000).map(|n| format!("local.get {n} drop ")).collect();
        format!("(module (func (local {}) block {branches} {uses} end))", "i32 ".repeat(40_000))
    };
    let wasm = parse(&module(3000));
    let (offset, peak) = refused(&wasm, LOCALS);
    assert!(bodies(&wasm)[0].contains(&offset), "{offset:#x}");
    // The limit is on the entries of a table, which have four bytes.
    assert!(peak < (4 << 26) + 16 * MIB, "{peak}");
    cost(&module(10));
}

#[test]
fn locals_read_in_many_loops() {
    let _alone = alone();
    // A header has a parameter for every local that is read within, until the loop ends.
    let module = |locals: usize, nested: usize, next: usize| {
        let uses: String = (0..locals).map(|n| format!("local.get {n} drop ")).collect();
        let end = "local.get 0 br_if 0 end ";
        let loops = format!("{} {uses} {}", "loop ".repeat(nested), end.repeat(nested));
        let locals = "i32 ".repeat(locals);
        parse(&format!("(module (func (local {locals}) {}))", loops.repeat(next)))
    };
    for (locals, nested, next) in [(5000, 20, 1), (5000, 500, 1), (40_000, 1, 1)] {
        let wasm = module(locals, nested, next);
        let (offset, peak) = refused(&wasm, LOOPS);
        // The limit is hit at the end of a loop.
        assert!(offset > bodies(&wasm)[0].start + 3 * locals, "{offset:#x}");
        assert!(peak < 128 * MIB, "{peak}");
    }
    for (locals, nested, next) in [(5000, 4, 1), (500, 1, 40), (300, 100, 1), (10_000, 1, 1)] {
        cost_of(&module(locals, nested, next));
    }
}

#[test]
fn a_limit_does_not_depend_on_threads_or_the_order_of_functions() {
    let _alone = alone();
    let large = alive_at(&"local.get 0 br_if 0 ".repeat(5000));
    let small = "(func (result i32) i32.const 1)".repeat(50);
    let wasm = parse(&format!("(module {small} {large} {small} {large})"));
    let errors = [1, 2, 4].map(|threads| {
        let settings = Settings { threads, ..settings() };
        compile(&wasm, &settings).map(|bytes| bytes.len()).expect_err("it is too large")
    });
    assert!(errors.iter().all(|error| *error == errors[0]), "{errors:?}");
    assert!(bodies(&wasm)[50].contains(&errors[0].offset), "{}", errors[0]);
}
