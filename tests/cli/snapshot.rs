//! `precast snapshot`.

use std::fs;

use crate::scratch::Scratch;
use crate::{done, error, file, one_error_line, stdout};

#[test]
fn an_artifact_starts_in_the_state_of_the_program() {
    let scratch = Scratch::new("snapshot");
    let reactor = file("reactor.wat");
    assert_eq!(stdout(["run", "--invoke", "state", &reactor]), "1\n0\n");
    let (once, twice) = (scratch.name("once"), scratch.name("twice"));
    assert_eq!(stdout(["snapshot", "--invoke", "init", "-o", &once, &reactor, "41"]), "");
    assert_eq!(stdout(["run", "--invoke", "state", &once]), "42\n41\n");
    // A snapshot of a snapshot, and of an initialised program without a call.
    stdout(["snapshot", "--invoke", "init", &once, "8", "-o", &twice]);
    assert_eq!(stdout(["run", "--invoke", "state", &twice]), "50\n8\n");
    stdout(["snapshot", &reactor, "-o", &twice]);
    assert_eq!(stdout(["run", "--invoke", "state", &twice]), "1\n0\n");
    // The arguments are those of the program that runs.
    assert_eq!(stdout(["run", "--invoke", "arguments", &once]), "1\n");
    assert!(stdout(["inspect", &once]).contains("snapshot"));
    // Nothing else is left.
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 2);
}

#[test]
fn what_cannot_be_captured_is_one_line_and_keeps_the_old_file() {
    let scratch = Scratch::new("not-captured");
    let (reactor, output) = (file("reactor.wat"), scratch.write("out", "the old one"));
    let grant = format!("{}::/", scratch.path().display());
    let snapshot = |dir: &str, guest: &str| {
        let all = ["snapshot", dir, guest, "--invoke", "open", "-o", &output, &reactor];
        done(all)
    };
    let failed = snapshot("--dir", &grant);
    assert_eq!(failed.stdout, "0\n", "{failed:?}");
    let line = one_error_line(&crate::Done { stdout: String::new(), ..failed });
    let what = "the instance cannot be captured: descriptor 4 is open, and was not granted";
    assert!(line.contains("reactor.wat") && line.contains(what), "{line}");
    assert_eq!(fs::read(&output).unwrap(), b"the old one");
    // The file is in memory, and the new instance would not have it.
    let failed = snapshot("--tmpfs", "/");
    assert!(failed.stderr.contains("cannot be captured: descriptor 4 is open"), "{failed:?}");
    let line = error(["snapshot", "--invoke", "init", &reactor, "1", "-o", "/no/such/folder/out"]);
    assert!(line.contains("cannot write /no/such/folder/out"), "{line}");
    let line = error(["snapshot", "--invoke", "none", &reactor, "-o", &output]);
    assert!(line.contains("no function `none` to invoke"), "{line}");
    let line = error(["snapshot", "--invoke", "state", &file("exit.wat"), "-o", &output]);
    assert!(line.contains("no function `state`"), "{line}");
    assert_eq!(fs::read(&output).unwrap(), b"the old one");
}
