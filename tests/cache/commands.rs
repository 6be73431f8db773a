//! `precast cache`, and the options of commands that use it.

use std::fs;

use crate::module;
use crate::place::{Place, replace, stdout};

/// The output of a command that must succeed.
#[track_caller]
fn run(place: &Place, args: &[&str]) -> String {
    stdout(&place.precast(args).output().unwrap())
}

fn stat(place: &Place, name: &str) -> String {
    let stats = run(place, &["cache", "stats"]);
    let line = stats.lines().find(|line| line.starts_with(name)).expect("the line");
    line[name.len()..].trim().to_owned()
}

#[test]
fn path() {
    let place = Place::new("path");
    assert_eq!(run(&place, &["cache", "path"]), format!("{}\n", place.cache().display()));
    for (name, value, path) in
        [("XDG_CACHE_HOME", "/x/y", "/x/y/precast\n"), ("HOME", "/h", "/h/.cache/precast\n")]
    {
        let mut command = place.precast(["cache", "path"]);
        command.env_remove("PRECAST_CACHE_DIR").env(name, value);
        assert_eq!(stdout(&command.output().unwrap()), path);
    }
    let mut command = place.precast(["cache", "path"]);
    let output = command.env_remove("PRECAST_CACHE_DIR").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no cache"), "{output:?}");
}

#[test]
fn a_life_of_a_cache() {
    let place = Place::new("life");
    let file = place.write("m.wasm", module(7, 100));
    let file = file.to_str().unwrap();
    let answer = ["run", "--invoke", "answer", file];
    assert_eq!(stat(&place, "published"), "0");
    run(&place, &["run", "--no-cache", "--invoke", "answer", file]);
    assert_eq!(stat(&place, "published"), "0");
    for _ in 0..3 {
        assert_eq!(run(&place, &answer), "7\n");
    }
    run(&place, &["run", "--cache-verify", "header", "--invoke", "answer", file]);
    assert_eq!(stat(&place, "published"), "1");
    assert!(run(&place, &["cache", "verify"]).ends_with(" whole, 0 damaged\n"));

    let entry = place.entry();
    let mut bytes = fs::read(&entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    replace(&entry, &bytes);
    assert_eq!(run(&place, &answer), "7\n");
    assert_eq!((stat(&place, "published"), stat(&place, "replaced")), ("2".into(), "1".into()));

    replace(&entry, &bytes);
    let output = place.precast(["cache", "verify"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("damaged: modules/") && text.ends_with(" 1 damaged\n"), "{text}");
    assert!(!entry.exists());

    assert_eq!(run(&place, &answer), "7\n");
    assert_eq!(run(&place, &["cache", "prune"]), "removed 0 entries, 0 bytes\n");
    run(&place, &["cache", "prune", "--max-entries", "0"]);
    assert_eq!(place.files("modules").len(), 0);
    assert_eq!(run(&place, &answer), "7\n");
    run(&place, &["cache", "clean"]);
    assert_eq!(place.files("modules").len(), 0);
    assert_eq!(run(&place, &["cache", "clean"]), "removed 0 entries, 0 bytes\n");
}

/// A module in the text format is not even assembled again.
#[test]
fn the_text_format_is_cached_too() {
    let place = Place::new("wat");
    let file = place
        .write_settled("m.wat", "(module (func (export \"answer\") (result i32) i32.const 7))");
    for _ in 0..3 {
        assert_eq!(stdout(&place.answer(&file).output().unwrap()), "7\n");
    }
    assert_eq!(stat(&place, "published"), "1");
    // A changed file is compiled.
    let file = place.write("m.wat", "(module (func (export \"answer\") (result i32) i32.const 8))");
    assert_eq!(stdout(&place.answer(&file).output().unwrap()), "8\n");
}

#[test]
fn a_pipe_is_never_known() {
    let place = Place::new("pipe");
    for n in [1, 2] {
        let file = place.write("m.wasm", module(n, 0));
        let mut command = place.precast(["run", "--invoke", "answer", "/dev/stdin"]);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::copy(&mut fs::File::open(file).unwrap(), child.stdin.as_mut().unwrap()).unwrap();
        drop(child.stdin.take());
        assert_eq!(stdout(&child.wait_with_output().unwrap()), format!("{n}\n"));
    }
}

#[test]
fn nothing_of_the_kind() {
    let place = Place::new("usage");
    for args in [&["cache"][..], &["cache", "fly"], &["run", "--cache-verify", "x", "m.wasm"]] {
        assert_eq!(place.precast(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
}
