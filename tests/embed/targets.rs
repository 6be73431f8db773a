//! Artifacts for other machines, and for other CPUs of this one.

use precast::{ErrorKind, FormatError, Runtime, Target, TargetError};

use super::load;

const MODULE: &str = r#"(module (memory 1)
  (func (export "f") (param i32) (result i32) (i32.load (local.get 0))))"#;

/// The architectures, the features of each, and their names in `/proc/cpuinfo`.
const FEATURES: [(&str, &[(&str, &str)]); 2] = [
    (
        "x86_64",
        &[
            ("avx", "avx"),
            ("avx2", "avx2"),
            ("bmi1", "bmi1"),
            ("bmi2", "bmi2"),
            ("lzcnt", "abm"),
            ("fma", "fma"),
            ("avx512f", "avx512f"),
            ("avx512dq", "avx512dq"),
            ("avx512vl", "avx512vl"),
            ("avx512vbmi", "avx512vbmi"),
            ("avx512bitalg", "avx512_bitalg"),
            ("avx512vnni", "avx512_vnni"),
            ("avxvnni", "avx_vnni"),
        ],
    ),
    ("aarch64", &[("lse", "atomics"), ("fp16", "fphp"), ("dotprod", "asimddp"), ("i8mm", "i8mm")]),
];

const HERE: &str = std::env::consts::ARCH;

fn wasm() -> Vec<u8> {
    wat::parse_str(MODULE).unwrap()
}

/// The module for a target with this name.
fn compile_for(runtime: &Runtime, target: &str) -> Result<Vec<u8>, TargetError> {
    let target: Target = target.parse()?;
    Ok(runtime.precompile_for(&wasm(), target).expect("the module is valid"))
}

#[test]
fn each_feature_is_needed_by_name() {
    let runtime = Runtime::new();
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let words: Vec<&str> = cpu.split_whitespace().collect();
    let (_, features) = FEATURES.iter().find(|(arch, _)| *arch == HERE).unwrap();
    load(&runtime, &compile_for(&runtime, HERE).unwrap()).unwrap();
    for (name, kernel) in *features {
        let artifact = compile_for(&runtime, &format!("{HERE}+{name}")).unwrap();
        match load(&runtime, &artifact) {
            Ok(_) => assert!(words.contains(kernel), "{name}"),
            Err(error) => {
                assert!(!words.contains(kernel), "{name}: {error}");
                assert!(matches!(error.kind(), ErrorKind::Features(_)), "{name}: {error}");
                assert!(error.to_string().ends_with(&format!(": {name}")), "{name}: {error}");
            }
        }
    }
}

#[test]
fn this_machines_artifact_is_that_of_its_name_and_features() {
    let runtime = Runtime::new();
    let (_, features) = FEATURES.iter().find(|(arch, _)| *arch == HERE).unwrap();
    let has = |name: &&str| {
        let artifact = compile_for(&runtime, &format!("{HERE}+{name}")).unwrap();
        load(&runtime, &artifact).is_ok()
    };
    let names = features.iter().map(|(name, _)| *name).filter(has);
    let named = names.fold(HERE.to_owned(), |target, name| format!("{target}+{name}"));
    let named = compile_for(&runtime, &named).unwrap();
    let here = runtime.compile(&wasm()).unwrap();
    assert!(named == here.serialize());
    assert!(named == compile_for(&runtime, "host").unwrap());
}

#[test]
fn another_machines_artifact_is_refused_by_both_names() {
    let runtime = Runtime::new();
    for (arch, _) in FEATURES.iter().filter(|(arch, _)| *arch != HERE) {
        let error = load(&runtime, &compile_for(&runtime, arch).unwrap()).unwrap_err();
        let ErrorKind::Format(FormatError::Target { found, expected }) = error.kind() else {
            panic!("{error}");
        };
        assert_eq!((found, expected), (&format!("{arch}-linux"), &format!("{HERE}-linux")));
        let message = error.to_string();
        assert!(message.contains(found.as_str()) && message.contains(expected.as_str()));
    }
}

#[test]
fn unknown_targets_are_named() {
    let runtime = Runtime::new();
    for (target, message) in [
        ("", "no such target: ''; there are x86_64 and aarch64"),
        ("riscv64", "no such target: 'riscv64'; there are x86_64 and aarch64"),
        ("aarch64+avx", "aarch64 has no CPU feature 'avx' that precast knows"),
        ("x86_64+", "x86_64 has no CPU feature '' that precast knows"),
        ("x86_64+sse4.1+lse", "x86_64 has no CPU feature 'lse' that precast knows"),
    ] {
        let error = compile_for(&runtime, target).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}
