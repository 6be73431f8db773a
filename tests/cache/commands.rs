//! `precast cache`, and the options of commands that use it.

use std::fs;

use crate::module;
use crate::scratch::{Scratch, replace, stdout};

/// The output of a command that must succeed.
#[track_caller]
fn run(scratch: &Scratch, args: &[&str]) -> String {
    stdout(&scratch.precast(args).output().unwrap())
}

fn stat(scratch: &Scratch, name: &str) -> String {
    let stats = run(scratch, &["cache", "stats"]);
    let line = stats.lines().find(|line| line.starts_with(name)).expect("the line");
    line[name.len()..].trim().to_owned()
}

#[test]
fn path() {
    let scratch = Scratch::new("path");
    assert_eq!(run(&scratch, &["cache", "path"]), format!("{}\n", scratch.cache().display()));
    for (name, value, path) in
        [("XDG_CACHE_HOME", "/x/y", "/x/y/precast\n"), ("HOME", "/h", "/h/.cache/precast\n")]
    {
        let mut command = scratch.precast(["cache", "path"]);
        command.env_remove("PRECAST_CACHE_DIR").env(name, value);
        assert_eq!(stdout(&command.output().unwrap()), path);
    }
    let mut command = scratch.precast(["cache", "path"]);
    let output = command.env_remove("PRECAST_CACHE_DIR").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no cache"), "{output:?}");
}

#[test]
fn subcommands_of_cache_in_sequence() {
    let scratch = Scratch::new("life");
    let file = scratch.write("m.wasm", module(7, 100));
    let file = file.to_str().unwrap();
    let answer = ["run", "--invoke", "answer", file];
    assert_eq!(stat(&scratch, "published"), "0");
    run(&scratch, &["run", "--no-cache", "--invoke", "answer", file]);
    assert_eq!(stat(&scratch, "published"), "0");
    for _ in 0..3 {
        assert_eq!(run(&scratch, &answer), "7\n");
    }
    run(&scratch, &["run", "--cache-verify", "header", "--invoke", "answer", file]);
    assert_eq!(stat(&scratch, "published"), "1");
    assert!(run(&scratch, &["cache", "verify"]).ends_with(" intact, 0 damaged\n"));

    let entry = scratch.entry();
    let mut bytes = fs::read(&entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    replace(&entry, &bytes);
    assert_eq!(run(&scratch, &answer), "7\n");
    assert_eq!((stat(&scratch, "published"), stat(&scratch, "replaced")), ("2".into(), "1".into()));

    replace(&entry, &bytes);
    let output = scratch.precast(["cache", "verify"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("damaged: modules/") && text.ends_with(" 1 damaged\n"), "{text}");
    assert!(!entry.exists());

    assert_eq!(run(&scratch, &answer), "7\n");
    assert_eq!(run(&scratch, &["cache", "prune"]), "removed 0 entries, 0 bytes\n");
    run(&scratch, &["cache", "prune", "--max-entries", "0"]);
    assert_eq!(scratch.files("modules").len(), 0);
    assert_eq!(run(&scratch, &answer), "7\n");
    run(&scratch, &["cache", "clean"]);
    assert_eq!(scratch.files("modules").len(), 0);
    assert_eq!(run(&scratch, &["cache", "clean"]), "removed 0 entries, 0 bytes\n");
}

/// A module in the text format is not even assembled again.
#[test]
fn the_text_format_is_cached_too() {
    let scratch = Scratch::new("wat");
    let file = scratch
        .write_settled("m.wat", "(module (func (export \"answer\") (result i32) i32.const 7))");
    for _ in 0..3 {
        assert_eq!(stdout(&scratch.answer(&file).output().unwrap()), "7\n");
    }
    assert_eq!(stat(&scratch, "published"), "1");
    // A changed file is compiled.
    let file =
        scratch.write("m.wat", "(module (func (export \"answer\") (result i32) i32.const 8))");
    assert_eq!(stdout(&scratch.answer(&file).output().unwrap()), "8\n");
}

#[test]
fn a_pipe_is_never_known() {
    let scratch = Scratch::new("pipe");
    for n in [1, 2] {
        let file = scratch.write("m.wasm", module(n, 0));
        let mut command = scratch.precast(["run", "--invoke", "answer", "/dev/stdin"]);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::copy(&mut fs::File::open(file).unwrap(), child.stdin.as_mut().unwrap()).unwrap();
        drop(child.stdin.take());
        assert_eq!(stdout(&child.wait_with_output().unwrap()), format!("{n}\n"));
    }
}

#[test]
fn wrong_usage_of_the_cache_exits_with_2() {
    let scratch = Scratch::new("usage");
    for args in [&["cache"][..], &["cache", "fly"], &["run", "--cache-verify", "x", "m.wasm"]] {
        assert_eq!(scratch.precast(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}
