//! `precast wast`: right scripts pass, and every wrong assertion is reported.

use crate::scratch::Scratch;
use crate::{done, error, file, stdout};

/// The lines of a script on which a directive begins.
fn directive_lines(script: &str) -> Vec<usize> {
    let text = std::fs::read_to_string(script).unwrap();
    let lines = text.lines().enumerate().filter(|(_, line)| line.starts_with('('));
    lines.map(|(i, _)| i + 1).collect()
}

#[test]
fn right_scripts_pass() {
    let script = file("passes.wast");
    let directives = directive_lines(&script).len();
    assert_eq!(stdout(["wast", &script]), format!("{directives} passed, 0 failed\n"));
    assert_eq!(
        stdout(["wast", &script, &script]),
        format!("{} passed, 0 failed\n", 2 * directives)
    );
}

#[test]
fn wrong_assertions_are_reported_with_their_line() {
    let script = file("fails.wast");
    let done = done(["wast", &script]);
    assert_eq!(done.code, Some(1), "{done:?}");
    // Only the first directive, the module, is right.
    let wrong = &directive_lines(&script)[1..];
    let mut lines = done.stdout.lines();
    for line in wrong {
        let told = lines.next().unwrap();
        assert!(told.starts_with(&format!("{script}:{line}: ")), "line {line}: {told}");
    }
    assert_eq!(lines.next(), Some(format!("1 passed, {} failed", wrong.len()).as_str()));
}

#[test]
fn features() {
    let scratch = Scratch::new("features");
    let script = scratch.write(
        "multi.wast",
        r#"(assert_invalid (module (func (result i32 i32) (i32.const 1) (i32.const 2))) "")"#,
    );
    assert_eq!(stdout(["wast", "--features", "wasm1", &script]), "1 passed, 0 failed\n");
    assert_eq!(done(["wast", "--features", "wasm2", &script]).code, Some(1));
    assert_eq!(
        stdout(["wast", "--features", "wasm2,-multi-value", &script]),
        "1 passed, 0 failed\n"
    );
    assert_eq!(done(["wast", &script]).code, Some(1), "all that is implemented is the default");
}

#[test]
fn files_that_are_not_scripts() {
    let scratch = Scratch::new("no-script");
    let bad = scratch.write("bad.wast", "(module)\n(assert_retrun (invoke \"f\"))\n");
    let done = done(["wast", &bad]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.stdout.starts_with(&format!("{bad}:2: ")), "{done:?}");
    assert!(done.stdout.ends_with("0 passed, 1 failed\n"), "{done:?}");
    assert!(error(["wast", "no-such-file.wast"]).contains("no-such-file.wast"));
}

#[test]
fn verbose_shows_calls_of_spectest() {
    let scratch = Scratch::new("verbose");
    let script = scratch.write(
        "print.wast",
        r#"(module (import "spectest" "print_i32" (func $print (param i32)))
                   (func $main (call $print (i32.const 7))) (start $main))"#,
    );
    assert_eq!(stdout(["wast", &script]), "1 passed, 0 failed\n");
    assert_eq!(done(["wast", "--verbose", &script]).stderr, "spectest.print_i32(7)\n");
}
