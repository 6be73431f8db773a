//! Artifacts by themselves: for other machines, inspected, embedded, and refused with a reason.

use fastrand::Rng;
use precast::{CompiledModule, Error, ErrorKind, Inspection, Runtime, Target};
use serde_json::Value;
use std::env::consts::ARCH;
use std::fs;

use crate::scratch::{Scratch, stdout};
use crate::{assert_answers, module};

const TARGETS: [&[&str]; 7] = [
    &[],
    &["--cpu", "native"],
    &["--cpu", "baseline"],
    &["--target", "x86_64", "--cpu", "x86-64-v2"],
    &["--target", "x86_64", "--cpu", "x86-64-v3"],
    &["--target", "x86_64", "--cpu", "x86-64-v4"],
    &["--target", "aarch64"],
];

fn load(runtime: &Runtime, artifact: &[u8]) -> Result<CompiledModule, Error> {
    // SAFETY: tests run only artifacts that they have compiled, and a changed artifact is refused.
    unsafe { runtime.load_bytes(artifact) }
}

/// An artifact as the command makes it, without its seal.
fn compile(scratch: &Scratch, options: &[&str]) -> Vec<u8> {
    let file = scratch.write("m.wasm", module(7, 100));
    let output = scratch.path().join("m.precast");
    let args = [&["compile", file.to_str().unwrap(), "-o", output.to_str().unwrap()], options];
    stdout(&scratch.precast(args.concat()).output().unwrap());
    let mut sealed = fs::read(output).unwrap();
    let inspection = Inspection::of(&sealed).unwrap();
    assert!(inspection.sealed);
    sealed.truncate(inspection.size as usize);
    sealed
}

#[test]
fn every_target_compiles_and_says_what_it_needs() {
    let scratch = Scratch::new("targets");
    let runtime = Runtime::new();
    for options in TARGETS {
        let artifact = compile(&scratch, options);
        let inspection = Inspection::of(&artifact).unwrap();
        let named = |name| options.contains(&name);
        let arm = named("aarch64") || ARCH == "aarch64" && !named("x86_64");
        assert_eq!(inspection.target, if arm { "aarch64-linux" } else { "x86_64-linux" });
        let needs = |feature: &str| inspection.features.iter().any(|f| f == feature);
        assert_eq!(needs("sse4.2"), !arm, "{options:?}: {:?}", inspection.features);
        if !options.is_empty() && !named("native") {
            assert_eq!(needs("avx2"), named("x86-64-v3") || named("x86-64-v4"), "{options:?}");
            assert_eq!(needs("avx512f"), named("x86-64-v4"), "{options:?}");
        }
        match load(&runtime, &artifact) {
            Ok(module) => assert_answers(&module, 7, 100),
            Err(error) => {
                let text = error.to_string();
                let found = if arm { "aarch64" } else { "x86_64" };
                let wrong =
                    format!("the artifact is for {found}-linux, this machine is {ARCH}-linux");
                match error.kind() {
                    ErrorKind::Format(_) => assert_eq!((found != ARCH, text), (true, wrong)),
                    ErrorKind::Features(missing) => {
                        assert!(missing.split(", ").all(needs) && text.contains(missing), "{text}");
                        assert!(named("x86-64-v3") || named("x86-64-v4"), "{options:?}: {text}");
                    }
                    _ => panic!("{options:?}: {text}"),
                }
            }
        }
    }
    let baseline = compile(&scratch, &["--target", "x86_64", "--cpu", "baseline"]);
    assert!(baseline == compile(&scratch, &["--target", "x86_64", "--cpu", "x86-64-v2"]));
    let wasm = module(7, 100);
    assert!(
        baseline == runtime.precompile_for(&wasm, "x86-64-v2".parse::<Target>().unwrap()).unwrap()
    );
}

#[test]
fn targets_that_do_not_fit() {
    let scratch = Scratch::new("misfits");
    let file = scratch.write("m.wasm", module(7, 0));
    let other = if ARCH == "x86_64" { "aarch64" } else { "x86_64" };
    for (options, code) in [
        (["--target", "aarch64", "--cpu", "x86-64-v2"], 1),
        (["--target", other, "--cpu", "native"], 1),
        (["--target", "x86_64", "--cpu", "x86-64-v9"], 2),
        (["--target", "vax", "--cpu", "baseline"], 1),
    ] {
        let args = [&["compile", file.to_str().unwrap(), "-o", "/dev/null"], &options[..]];
        let output = scratch.precast(args.concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
    }
}

#[test]
fn inspect_shows_all() {
    let scratch = Scratch::new("inspect");
    for options in [&[][..], TARGETS[6]] {
        let artifact = compile(&scratch, options);
        let file = scratch.write("m.precast", &artifact);
        let file = file.to_str().unwrap();
        let text = stdout(&scratch.precast(["inspect", file]).output().unwrap());
        for word in ["precast 0.", "text", "image", "twice", "\"answer\"", "memory"] {
            assert!(text.contains(word), "{word} is not in\n{text}");
        }
        let json = stdout(&scratch.precast(["inspect", "--json", file]).output().unwrap());
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["size"], artifact.len());
        assert_eq!(json["name"], "m7");
        let functions = json["functions"].as_array().unwrap();
        assert_eq!(functions.len(), 3);
        assert_eq!(functions[0]["name"], "twice");
        let number = |value: &Value| value.as_u64().unwrap();
        let sections = json["sections"].as_array().unwrap();
        let section = |name: &str| sections.iter().find(|s| s["name"] == name).unwrap();
        let text = section("text");
        for function in functions {
            let (at, size) = (number(&function["offset"]), number(&function["size"]));
            assert!(size > 0 && at >= number(&text["offset"]));
            assert!(at + size <= number(&text["offset"]) + number(&text["size"]));
        }
        assert!(sections.iter().all(|section| section["whole"] == true));
        let names = |what: &str| -> Vec<&str> {
            let list = json[what].as_array().unwrap();
            list.iter().map(|item| item["name"].as_str().unwrap()).collect()
        };
        let mut exports = names("exports");
        exports.sort_unstable();
        assert_eq!((exports, names("imports")), (vec!["answer", "memory", "sum"], vec![]));
    }
}

#[test]
fn inspect_of_damage() {
    let scratch = Scratch::new("inspect-damage");
    let artifact = compile(&scratch, &[]);
    let text = Inspection::of(&artifact).unwrap();
    let text = text.sections.iter().find(|section| section.name == "text").unwrap();
    let mut changed = artifact.clone();
    changed[text.offset as usize] ^= 1;
    let parts = Inspection::of(&changed).unwrap().sections;
    let damaged: Vec<_> = parts.iter().filter(|part| !part.whole).map(|part| part.name).collect();
    assert_eq!(damaged, ["text"]);
    for len in (0..artifact.len()).step_by(509) {
        assert!(Inspection::of(&artifact[..len]).is_err(), "{len} bytes");
    }
    let mut random = Rng::with_seed(4);
    for _ in 0..3000 {
        let mut bytes = artifact.clone();
        bytes[random.usize(..artifact.len())] = random.usize(..256) as u8;
        // With any damage, inspection must end without a panic.
        let _ = Inspection::of(&bytes);
    }
    let file = scratch.write("no.wasm", module(1, 0));
    let output = scratch.precast(["inspect", file.to_str().unwrap()]).output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && line.contains("not a precast artifact"), "{line}");
}

#[test]
fn other_versions_are_named() {
    let artifact = Runtime::new().precompile(&module(7, 0)).unwrap();
    let mut version = artifact.clone();
    version[8] += 1;
    let mut compiler = artifact.clone();
    let at = artifact.windows(9).position(|bytes| bytes == b"cranelift").unwrap();
    compiler[at..at + 9].copy_from_slice(b"llvm     ");
    for (bytes, words) in [
        (version, &["format version", "this precast reads version"][..]),
        (compiler, &["compiled by precast", "llvm", "compile it again"]),
    ] {
        let error = load(&Runtime::new(), &bytes).expect_err("it is refused").to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

/// An artifact that `include_bytes!` put into a program may lie at any address.
#[test]
fn embedded_bytes_need_no_alignment() {
    let runtime = Runtime::new();
    let artifact = runtime.precompile(&module(7, 100)).unwrap();
    for shift in 0..16 {
        let bytes = [&vec![0; shift], &artifact[..]].concat();
        let module = load(&runtime, &bytes[shift..]).unwrap();
        assert_answers(&module, 7, 100);
        assert!(module.serialize() == artifact);
    }
}
