//! Guards in machine code: each is a conditional move, and the protected access uses its result.

use crate::parse::{self, scan};
use crate::{Settings, Target, function, isa, plan};
use precast_abi::builtin::Builtin;

const MACHINES: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// The barrier that follows a conditional select on aarch64.
const CSDB: &[u8] = &[0x9f, 0x22, 0x03, 0xd5];

/// Guarded constructs: a description, a module whose last function has the construct, and the least
/// number of guards.
const GUARDED: &[(&str, &str, usize)] = &[
    (
        "a call through an unchecked dispatch table",
        r#"(table 4 funcref) (elem (i32.const 0) $f)
           (func $f (param i32) (result i32) (local.get 0))
           (func (param i32) (result i32)
             (call_indirect (param i32) (result i32) (local.get 0) (local.get 0)))"#,
        1,
    ),
    (
        "a call through a checked dispatch table",
        r#"(table 100 funcref) (elem (i32.const 0) $f)
           (func $f (param i32) (result i32) (local.get 0))
           (func (param i32) (result i32)
             (call_indirect (param i32) (result i32) (local.get 0) (local.get 0)))"#,
        2,
    ),
    (
        "a call through a table that can change",
        r#"(table (export "t") 4 funcref)
           (func (param i32) (result i32)
             (call_indirect (param i32) (result i32) (local.get 0) (local.get 0)))"#,
        2,
    ),
    (
        "a call through an imported table",
        r#"(import "m" "t" (table 4 funcref))
           (func (param i32) (result i32)
             (call_indirect (param i32) (result i32) (local.get 0) (local.get 0)))"#,
        2,
    ),
    (
        "table.get of a number",
        r#"(table (export "t") 4 externref)
           (func (param i32) (result externref) (table.get 0 (local.get 0)))"#,
        1,
    ),
    (
        "table.get of a function",
        r#"(table (export "t") 4 funcref)
           (func (param i32) (result funcref) (table.get 0 (local.get 0)))"#,
        1,
    ),
    (
        "table.set of a number",
        r#"(table (export "t") 4 externref)
           (func (param i32 externref) (table.set 0 (local.get 0) (local.get 1)))"#,
        1,
    ),
    (
        "table.set of a function",
        r#"(table (export "t") 4 funcref)
           (func (param i32 funcref) (table.set 0 (local.get 0) (local.get 1)))"#,
        1,
    ),
    (
        "a load beyond the guard",
        r#"(memory 1) (func (param i32) (result i32) (i32.load offset=0xf0000000 (local.get 0)))"#,
        1,
    ),
    (
        "a store beyond the guard of an imported memory",
        r#"(import "m" "m" (memory 1))
           (func (param i32) (i64.store offset=0xf0000000 (local.get 0) (i64.const 1)))"#,
        1,
    ),
    (
        "a vector beyond the guard",
        r#"(memory 1)
           (func (param i32) (result v128) (v128.load offset=0xf0000000 (local.get 0)))"#,
        1,
    ),
];

/// The machine code of the last function of a module, as text.
fn disassembly(module: &str, machine: &str, guards: bool, optimize: bool) -> String {
    code(module, machine, guards, optimize).0
}

/// The machine code of the last function of a module, as text and as bytes.
fn code(module: &str, machine: &str, spectre_guards: bool, optimize: bool) -> (String, Vec<u8>) {
    let triple = machine.parse().expect("a triple");
    let target = Target::Named { triple, enable: Vec::new() };
    let settings = Settings { target, spectre_guards, optimize, ..Settings::default() };
    let isa = isa(&settings).expect("an instruction set");
    let wasm = wat::parse_str(format!("(module {module})")).expect("a module");
    let module = parse::parse(&wasm, settings.features.for_validator()).expect("a valid one");
    let scan = scan::scan(&module);
    let plan = plan::Plan::new(&module, &scan, &*isa, &settings).expect("a plan");
    function::disassembly(&plan, &*isa).expect("code")
}

/// The register that a conditional move writes, if the line is one.
fn moved(line: &str) -> Option<&str> {
    let (name, operands) = line.trim().split_once(char::is_whitespace)?;
    let mut operands = operands.split(',').map(str::trim);
    if name == "csel" {
        return operands.next();
    }
    name.starts_with("cmov").then(|| operands.next_back())?
}

/// The registers in a text, without the letters for their width on x86-64 and aarch64.
fn registers(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.map(|word| word.trim_start_matches(['r', 'e', 'x', 'w'])).filter(|word| !word.is_empty())
}

/// Whether an access or a call after a conditional move uses an address that is the move's result
/// or computed from it.
fn is_used(lines: &[&str], result: &str) -> bool {
    let mut from_it: Vec<&str> = registers(result).collect();
    for line in lines {
        let line = line.trim();
        let is_call = line.starts_with("call") || line.starts_with("blr");
        let brackets = line.split(['(', '[']).nth(1).filter(|_| !line.starts_with("lea"));
        let place = if is_call { line } else { brackets.unwrap_or("") };
        if registers(place).any(|register| from_it.contains(&register)) {
            return true;
        }
        let operands: Vec<&str> = line.split(',').collect();
        let x86 = line.contains('%');
        let written = if x86 { operands.last() } else { operands.first() };
        let written = written.and_then(|written| registers(written).last());
        if registers(line).any(|register| from_it.contains(&register)) {
            from_it.extend(written);
        }
    }
    false
}

#[test]
fn what_is_guarded_depends_on_a_conditional_move() {
    for (what, module, guards) in GUARDED {
        for machine in MACHINES {
            for optimize in [false, true] {
                let text = disassembly(module, machine, true, optimize);
                let lines: Vec<&str> = text.lines().collect();
                let moves = lines.iter().enumerate().filter(|(_, line)| moved(line).is_some());
                let mut found = 0;
                for (at, line) in moves {
                    found += 1;
                    // On aarch64 a barrier must follow the move.
                    let barrier = lines.get(at + 1).is_some_and(|next| next.contains("csdb"));
                    assert_eq!(barrier, machine.starts_with("aarch64"), "{what}:\n{text}");
                    let register = moved(line).expect("it is one");
                    let used = is_used(&lines[at + 1..], register);
                    assert!(used, "{what}: nothing uses {register} on {machine}:\n{text}");
                }
                // The code generator may duplicate a move at each of its uses.
                assert!(found >= *guards, "{what} on {machine}:\n{text}");
            }
        }
    }
}

#[test]
fn nothing_is_moved_where_guards_are_off() {
    for (what, module, _) in GUARDED {
        for machine in MACHINES {
            let text = disassembly(module, machine, false, true);
            assert!(!text.lines().any(|line| moved(line).is_some()), "{what}:\n{text}");
            assert!(!text.contains("csdb"), "{what}:\n{text}");
        }
    }
}

#[test]
fn an_access_that_stays_in_the_reservation_has_no_guard() {
    for module in [
        "(memory 1) (func (param i32) (result i32) (i32.load offset=0x3fffff0 (local.get 0)))",
        r#"(import "m" "m" (memory 1)) (func (param i32) (result i32) (i32.load (local.get 0)))"#,
        "(memory 1) (func (param i32) (memory.copy (local.get 0) (i32.const 0) (i32.const 64)))",
    ] {
        for machine in MACHINES {
            let text = disassembly(module, machine, true, true);
            assert!(!text.lines().any(|line| moved(line).is_some()), "{text}");
        }
    }
}

#[test]
fn a_branch_table_clamps_its_index_with_and_without_guards() {
    let module = r#"(func (param i32) (result i32)
        (block (block (block (br_table 0 1 2 (local.get 0))) (return (i32.const 1)))
          (return (i32.const 2)))
        (i32.const 3))"#;
    for guards in [false, true] {
        // On aarch64 the text of the sequence has the barrier even if the code does not.
        let text = disassembly(module, MACHINES[0], guards, true);
        assert!(text.contains("cmov"), "{text}");
        let (text, bytes) = code(module, MACHINES[1], guards, true);
        assert!(text.contains("csel"), "{text}");
        let mut words = bytes.chunks_exact(4);
        assert_eq!(words.any(|word| word == CSDB), guards, "{text}");
    }
}

#[test]
fn short_copies_and_fills_clamp_their_length() {
    use cranelift_codegen::ir::{Function, InstBuilder, UserFuncName};
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    for builtin in [Builtin::MemoryCopy, Builtin::MemoryFill] {
        for guards in [false, true] {
            let signature = crate::link::stubs::builtin_signature(builtin);
            let mut func = Function::with_name_signature(UserFuncName::default(), signature);
            let mut context = FunctionBuilderContext::new();
            let mut b = FunctionBuilder::new(&mut func, &mut context);
            let entry = b.create_block();
            b.append_block_params_for_function_params(entry);
            b.switch_to_block(entry);
            let params = b.block_params(entry).to_vec();
            crate::link::bulk_fast_path::emit(&mut b, builtin, &params, guards);
            b.ins().return_(&[]);
            b.seal_all_blocks();
            // One for lengths that are too long, and one for each class.
            let text = func.display().to_string();
            let found = text.matches("select_spectre_guard").count();
            assert_eq!(found, if guards { 7 } else { 0 }, "{text}");
        }
    }
}
