//! `precast compile`.

use std::fs;

use crate::scratch::Scratch;
use crate::{done, error, file, stdout};

#[test]
fn an_artifact_runs_and_nothing_else_is_left() {
    let scratch = Scratch::new("compile");
    let artifact = scratch.name("numbers.precast");
    for _ in 0..2 {
        stdout(["compile", &file("numbers.wat"), "-o", &artifact]);
        assert_eq!(stdout(["run", "--invoke", "add", &artifact, "20", "22"]), "42\n");
    }
    let files: Vec<_> = fs::read_dir(scratch.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn compiling_again_gives_the_same_bytes() {
    let scratch = Scratch::new("again");
    let (one, two) = (scratch.name("one"), scratch.name("two"));
    stdout(["compile", &file("numbers.wat"), "--output", &one]);
    stdout(["compile", &file("numbers.wat"), "--output", &two]);
    assert!(fs::read(one).unwrap() == fs::read(two).unwrap());
}

#[test]
fn a_failed_compilation_keeps_the_old_file() {
    let scratch = Scratch::new("fails");
    let bad = scratch.write("bad.wat", "(module (func (result i32)))");
    let output = scratch.write("out", "the old one");
    let line = error(["compile", &bad, "-o", &output]);
    assert!(line.contains("bad.wat") && line.contains("type mismatch"), "{line}");
    assert_eq!(fs::read(&output).unwrap(), b"the old one");

    let nowhere = scratch.name("no/such/folder/out");
    let line = error(["compile", &file("numbers.wat"), "-o", &nowhere]);
    assert!(line.contains("cannot write") && line.contains(&nowhere), "{line}");
}

#[test]
fn an_artifact_is_not_compiled_twice() {
    let scratch = Scratch::new("twice");
    let artifact = scratch.name("a");
    stdout(["compile", &file("numbers.wat"), "-o", &artifact]);
    let line = error(["compile", &artifact, "-o", &scratch.name("b")]);
    assert!(line.contains("already an artifact"), "{line}");
}

#[test]
fn spectre_guards_can_be_omitted() {
    let scratch = Scratch::new("spectre");
    let module = scratch.write(
        "dispatch.wat",
        r#"(module (table 2 funcref) (elem (i32.const 0) $nine)
             (func $nine (result i32) (i32.const 9))
             (func (export "call") (param i32) (result i32)
               (call_indirect (result i32) (local.get 0))))"#,
    );
    let (with, without) = (scratch.name("with"), scratch.name("without"));
    for target in ["x86_64", "aarch64"] {
        let compile = ["compile", "--target", target, &module, "-o"];
        stdout(compile.into_iter().chain([with.as_str()]));
        stdout(compile.into_iter().chain([without.as_str(), "--no-spectre-guards"]));
        assert!(fs::read(&with).unwrap() != fs::read(&without).unwrap(), "{target}");
        if target == std::env::consts::ARCH {
            for artifact in [&with, &without] {
                assert_eq!(stdout(["run", "--invoke", "call", artifact, "0"]), "9\n");
                let trapped = done(["run", "--invoke", "call", artifact, "2"]);
                assert!(trapped.stderr.contains("undefined element"), "{trapped:?}");
            }
        }
    }
    let run = ["run", "--no-cache", "--no-spectre-guards", "--invoke", "call", &module, "0"];
    assert_eq!(stdout(run), "9\n");
}

#[test]
fn for_another_machine() {
    let scratch = Scratch::new("target");
    for target in ["x86_64", "aarch64"] {
        let artifact = scratch.name(target);
        stdout(["compile", "--target", target, &file("numbers.wat"), "-o", &artifact]);
        let run = ["run", "--invoke", "add", &artifact, "20", "22"];
        if target == std::env::consts::ARCH {
            assert_eq!(stdout(run), "42\n");
        } else {
            let line = error(run);
            assert!(line.contains("x86_64-linux") && line.contains("aarch64-linux"), "{line}");
        }
    }
    let line = error(["compile", "--target", "z80", &file("numbers.wat"), "-o", "/dev/null"]);
    assert!(line.contains("no such target: 'z80'"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_device_stays_a_device() {
    use std::os::unix::fs::FileTypeExt;
    stdout(["compile", &file("numbers.wat"), "-o", "/dev/null"]);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn features_that_are_off_or_not_implemented_are_named() {
    let scratch = Scratch::new("compile-features");
    let vectors =
        scratch.write("vectors.wat", "(module (func (result v128) (v128.const i64x2 1 2)))");
    let tail = scratch.write("tail.wat", "(module (func $f (return_call $f)))");
    let out = scratch.name("out.precast");
    let compile =
        |features: &str, file: &str| error(["compile", "--features", features, file, "-o", &out]);
    assert_eq!(stdout(["compile", "--features", "simd", &vectors, "-o", &out]), "");
    assert!(compile("wasm2,-simd", &vectors).contains("SIMD support is not enabled"));
    assert!(compile("-simd", &vectors).contains("SIMD support is not enabled"));
    assert!(compile("wasm3", &tail).contains("precast does not implement it"));
    let unknown = done(["compile", "--features", "wasm4", &vectors, "-o", &out]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("unknown feature `wasm4`; known are wasm1,"), "{unknown:?}");
}
