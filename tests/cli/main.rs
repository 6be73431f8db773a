//! The command line as a user sees it: options, and one clear line for every error.

mod bad_input;
#[path = "../support/binary.rs"]
mod binary;
mod compile;
mod consent;
mod run;
mod scratch;
mod snapshot;
mod wasi;
mod wast;

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

/// A file of `tests/cli`.
fn file(name: &str) -> String {
    format!("{}/../tests/cli/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The command with these arguments, without environment and input.
fn precast<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = binary::precast();
    command.args(args).env_clear().env(binary::STATE.0, binary::STATE.1).stdin(Stdio::null());
    command
}

/// The output and exit code of a finished process.
#[derive(Debug, PartialEq)]
struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Done {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

fn done<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Done {
    precast(args).output().expect("the process").into()
}

/// The output of a command that must succeed without output on standard error.
#[track_caller]
fn stdout<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> String {
    let done = done(args);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    done.stdout
}

/// The one line that a failing command prints.
#[track_caller]
fn error<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> String {
    one_error_line(&done(args))
}

#[track_caller]
fn one_error_line(done: &Done) -> String {
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(done.stdout, "", "{done:?}");
    let line = done.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {done:?}"));
    assert!(line.starts_with("error: ") && !line.contains('\n'), "{done:?}");
    line["error: ".len()..].to_owned()
}

#[test]
fn version_and_help() {
    let version = stdout(["--version"]);
    assert_eq!(version, format!("precast {}\n", env!("CARGO_PKG_VERSION")));
    let help = stdout(["--help"]);
    for word in ["Examples:", "run", "compile", "wast"] {
        assert!(help.contains(word), "{help}");
    }
    for command in ["run", "compile", "wast"] {
        assert!(stdout(["help", command]).contains("Example"), "{command}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        &["fly"][..],
        &["run"],
        &["run", "--dir"],
        &["run", "--no-such-option", "x.wasm"],
        &["run", "--unknown-imports", "maybe", "x.wasm"],
        &["run", "--preload", "no-file", "x.wasm"],
        &["compile", "x.wasm"],
        &["wast"],
        &["wast", "--features", "wasm9", "x.wast"],
    ] {
        let done = done(args);
        assert_eq!(done.code, Some(2), "{args:?}: {done:?}");
        assert!(done.stderr.starts_with("error: "), "{args:?}: {done:?}");
    }
}
