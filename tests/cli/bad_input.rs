//! Every fault of a program is reported in one line, and nothing panics.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use crate::scratch::Scratch;
use crate::{Done, done, error, file, one_error_line, precast, stdout};

/// A program from the text format, in the binary format.
fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// Runs a file with these bytes. The error must contain the file's name and all of `words`.
#[track_caller]
fn refused(test: &str, bytes: impl AsRef<[u8]>, words: &[&str]) {
    let scratch = Scratch::new(test);
    let path = scratch.write("program", bytes);
    let line = error(["run", &path]);
    for word in [&[path.as_str()], words].concat() {
        assert!(line.contains(word), "no {word:?} in: {line}");
    }
}

#[test]
fn no_file() {
    assert!(error(["run", "no-such-file"]).contains("no-such-file: No such file"));
    let folder = Scratch::new("folder");
    assert!(error(["run", folder.path().to_str().unwrap()]).contains("directory"));
}

#[test]
fn no_directory() {
    let line = error(["run", "--dir", "/no/such/folder::/data", &file("dirs.wat")]);
    assert!(line.contains("/no/such/folder: No such file"), "{line}");
}

#[test]
fn not_wasm() {
    refused("empty", "", &["empty"]);
    refused("prose", "hello world\n", &["neither a WebAssembly module"]);
    refused("random", [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0xff], &["neither"]);
    refused("version", b"\0asm\x02\0\0\0", &[]);
    refused("magic-only", b"\0asm", &[]);
}

#[test]
fn truncated() {
    let whole = wasm(r#"(module (func (export "_start") (call 0)) (memory 1) (data "abc"))"#);
    refused("truncated", &whole[..whole.len() - 2], &["offset"]);
    refused("truncated-header", &whole[..6], &[]);
}

#[test]
fn invalid() {
    let invalid = wasm(r#"(module (func (export "_start") (drop (i32.add (i32.const 1)))))"#);
    refused("invalid", invalid, &["type mismatch", "offset 0x"]);
}

#[test]
fn text_with_an_error() {
    refused("text", "(module\n  (func (result i33)))", &["2:17"]);
    refused("text-open", "(module", &[]);
}

#[test]
fn a_component() {
    refused("component", b"\0asm\x0d\0\x01\0", &["component"]);
    refused("component-text", "(component)", &["component"]);
}

#[test]
fn unknown_imports() {
    let one = wasm(r#"(module (import "env" "f" (func (param i32) (result f64))))"#);
    refused("unknown", one, &[r#"unknown import "env" "f": func (i32) -> (f64)"#]);
    let all = wasm(
        r#"(module (import "env" "f" (func)) (import "env" "m" (memory 1))
                   (import "wasi_snapshot_preview1" "fd_fly" (func (param i32))))"#,
    );
    refused(
        "unknown-all",
        all,
        &[
            "3 unknown imports",
            r#""env" "f": func () -> ()"#,
            r#""env" "m": memory 1"#,
            r#""wasi_snapshot_preview1" "fd_fly": func (i32) -> ()"#,
        ],
    );
}

#[test]
fn only_functions_are_supplied() {
    let scratch = Scratch::new("only-functions");
    let path = scratch.write(
        "program.wat",
        r#"(module (import "env" "f" (func)) (import "env" "g" (global i32)))"#,
    );
    let line = error(["run", "--unknown-imports", "zero", &path]);
    assert!(line.contains(r#"unknown import "env" "g": global i32"#), "{line}");
}

#[test]
fn imports_of_a_wrong_type() {
    let wrong = wasm(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))
                   (func (export "_start")))"#,
    );
    refused("wrong-type", wrong, &["proc_exit", "i64", "i32"]);
}

#[test]
fn nothing_to_start() {
    refused("no-start", wasm("(module)"), &["no `_start`"]);
    refused("reactor", wasm(r#"(module (func (export "_initialize")))"#), &["no `_start`"]);
    refused("memory-start", wasm(r#"(module (memory (export "_start") 1))"#), &["_start"]);
    refused("odd-start", wasm(r#"(module (func (export "_start") (param i32)))"#), &["_start"]);
    let line = error(["run", &file("numbers.wat")]);
    assert!(line.contains("--invoke takes one of: add, "), "{line}");
}

#[test]
fn nothing_to_invoke() {
    let numbers = file("numbers.wat");
    for (args, words) in [
        (&["missing"][..], "no function `missing`"),
        (&["memory"], "no function `memory`"),
        (&["add", "1"], "expects 2 arguments, not 1"),
        (&["add", "1", "two"], "\"two\" is not a value of type i32"),
        (&["add", "1", "4294967296"], "is not a value of type i32"),
        (&["null", "thing"], "\"thing\" is not a value of type externref"),
    ] {
        let line = error(["run", "--invoke", args[0], &numbers].iter().chain(&args[1..]));
        assert!(line.contains(words), "{line}");
    }
}

#[track_caller]
fn assert_trapped(done: &Done, message: &str) {
    assert_eq!(done.code, Some(134), "{done:?}");
    let first = done.stderr.lines().next().unwrap_or_default();
    assert!(first.starts_with("error: ") && first.contains(message), "{done:?}");
    assert!(!done.stderr.contains("panicked"), "{done:?}");
}

#[test]
fn traps() {
    let done = done(["run", "--invoke", "divide", &file("numbers.wat"), "1", "0"]);
    assert_trapped(&done, "integer divide by zero");
    assert!(done.stderr.contains("numbers!divide"), "{done:?}");
}

#[test]
fn infinite_recursion() {
    let scratch = Scratch::new("recursion");
    let path =
        scratch.write("r.wat", r#"(module (func $f (export "_start") (call $f) (call $f)))"#);
    let done = done(["run", &path]);
    assert_trapped(&done, "call stack exhausted");
    assert!(done.stderr.lines().count() < 100, "the backtrace is bounded");
}

/// Runs a program in a process with limited address space.
fn run_limited<S: AsRef<OsStr>>(kilobytes: u64, args: impl IntoIterator<Item = S>) -> Done {
    let run = precast(args);
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {kilobytes} && exec \"$0\" \"$@\""))
        .arg(run.get_program())
        .args(run.get_args())
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .output()
        .unwrap()
        .into()
}

#[test]
fn a_memory_the_system_refuses() {
    let scratch = Scratch::new("memory");
    let whole = scratch.write("m.wat", r#"(module (memory 65536) (func (export "_start")))"#);
    one_error_line(&run_limited(2 << 20, ["run", &whole]));
    // A memory of more than four gigabytes is not even valid.
    refused("memory-pages", b"\0asm\x01\0\0\0\x05\x05\x01\0\x81\x80\x04", &["memory"]);
}

/// Programs give the same results with little address space, as long as their memory fits.
#[test]
fn little_address_space() {
    let scratch = Scratch::new("little");
    let grows = scratch.write(
        "grows.wat",
        r#"(module (memory 2)
             (func (export "grow") (param i32) (result i32 i32)
               (drop (memory.grow (local.get 0)))
               (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))
                 (i32.const 7))
               (memory.size)
               (i32.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))))
             (func (export "outside") (result i32)
               (i32.load (i32.const 131069))))"#,
    );
    const GIB: u64 = 1 << 20;
    for (pages, after) in [("10", "12"), ("6000", "6002"), ("40000", "2")] {
        let done = run_limited(GIB, ["run", "--invoke", "grow", &grows, pages]);
        assert_eq!((done.code, done.stdout), (Some(0), format!("{after}\n7\n")), "{pages}");
    }
    assert_trapped(&run_limited(GIB, ["run", "--invoke", "outside", &grows]), "out of bounds");
    // An artifact of a process with plenty of address space needs it where it runs, unless it was
    // compiled with comparisons.
    let artifact = scratch.name("artifact");
    stdout(["compile", &grows, "-o", &artifact]);
    let line = one_error_line(&run_limited(GIB, ["run", "--invoke", "grow", &artifact, "1"]));
    assert!(line.contains("RLIMIT_AS"), "{line}");
    stdout(["compile", "--explicit-bounds", &grows, "-o", &artifact]);
    let done = run_limited(GIB, ["run", "--invoke", "grow", &artifact, "1"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), "3\n7\n"));
}

#[test]
fn damaged_artifacts() {
    let scratch = Scratch::new("damaged");
    let path = scratch.name("artifact");
    stdout(["compile", &file("numbers.wat"), "-o", &path]);
    let whole = fs::read(&path).unwrap();
    let invoke = |bytes: &[u8]| {
        // A new file each time, because a mapped file must not change.
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        done(["run", "--allow-precompiled", "--invoke", "add", &path, "1", "2"])
    };
    assert_eq!(invoke(&whole).stdout, "3\n");
    for len in [8, 9, 100, 4095, 4096, 5000, whole.len() / 2, whole.len() - 1] {
        one_error_line(&invoke(&whole[..len]));
    }
    // Magic number, version, count of sections, checksum, lengths, compiler, target, tunables,
    // hash of the module, section table, first record.
    for at in [8, 12, 16, 24, 32, 40, 104, 168, 176, 192, 200, 4096] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let line = one_error_line(&invoke(&changed));
        assert!(line.contains("artifact"), "byte {at}: {line}");
    }
    // Only traps read the last section.
    let mut changed = whole.clone();
    let last = precast::Inspection::of(&whole).unwrap().size as usize - 1;
    changed[last] ^= 1;
    let line = one_error_line(&invoke(&changed));
    assert!(line.contains("has changed"), "{line}");
}
