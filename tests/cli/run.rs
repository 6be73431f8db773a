//! `precast run` with programs that succeed.

use std::process::{Command, Stdio};

use crate::scratch::Scratch;
use crate::{done, file, precast, stdout};

#[test]
fn arguments_after_the_file_are_the_programs() {
    let args = file("args.wat");
    assert_eq!(
        stdout(["run", &args, "one", "--dir", "-x", "--", "--help"]),
        "args.wat\0one\0--dir\0-x\0--\0--help\0"
    );
    assert_eq!(stdout(["run", "--argv0", "me", &args]), "me\0");
    assert_eq!(stdout(["run", "--", &args, "--", "x"]), "args.wat\0--\0x\0");
}

#[test]
fn environment() {
    let args = file("args.wat");
    let run = |options: &[&str]| {
        let mut command = precast(["run", "--argv0", "me"]);
        command.args(options).arg(&args).env("HOME", "/home/me").env("LANG", "C");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(run(&[]), "me\0", "nothing is handed on unasked");
    assert_eq!(run(&["--env", "A=1", "--env", "B=x=y"]), "me\0A=1\0B=x=y\0");
    assert_eq!(run(&["--env", "HOME", "--env", "UNSET"]), "me\0HOME=/home/me\0");
    assert_eq!(run(&["--env", "A=1", "--env", "A=2"]), "me\0A=2\0", "the last one counts");
    let inherited = run(&["--inherit-env"]);
    assert!(inherited.contains("HOME=/home/me\0") && inherited.contains("LANG=C\0"), "{inherited}");
}

#[test]
fn directories() {
    let scratch = Scratch::new("directories");
    let path = scratch.path().to_str().unwrap();
    let colons = scratch.name("a:b");
    std::fs::create_dir(&colons).unwrap();
    let dirs = file("dirs.wat");
    assert_eq!(stdout(["run", &dirs]), "");
    assert_eq!(
        stdout([
            "run",
            "--dir",
            ".",
            "--dir",
            path,
            "--dir",
            &format!("{path}::/data:ro"),
            "--dir",
            &format!("{colons}::b"),
            "--dir",
            &format!("{colons}:ro"),
            &dirs,
        ]),
        format!(".\n{path}\n/data\nb\n{colons}\n")
    );
}

#[test]
fn read_only_directories() {
    const ERRNO_ROFS: i32 = 69;
    const ERRNO_PERM: i32 = 63;
    const ERRNO_NOTCAPABLE: i32 = 76;
    let scratch = Scratch::new("read-only");
    let path = scratch.path().to_str().unwrap();
    let create = file("create.wat");
    let refused = done(["run", "--dir", &format!("{path}:ro"), &create]).code.unwrap();
    assert!([ERRNO_ROFS, ERRNO_PERM, ERRNO_NOTCAPABLE].contains(&refused), "errno {refused}");
    assert!(!scratch.path().join("new").exists());
    assert_eq!(done(["run", "--dir", path, &create]).code, Some(0));
    assert!(scratch.path().join("new").exists());
}

#[test]
fn directories_in_memory() {
    let scratch = Scratch::new("tmpfs");
    let path = scratch.path().to_str().unwrap();
    let root = format!("{path}::/");
    assert_eq!(
        stdout(["run", "--tmpfs", "/tmp", "--dir", &root, &file("dirs.wat")]),
        "/\n/tmp\n",
        "directories of the host come first"
    );
    assert_eq!(done(["run", "--tmpfs", "/", &file("create.wat")]).code, Some(0));
    assert_eq!(done(["run", "--dir", &root, "--tmpfs", "/", &file("create.wat")]).code, Some(0));
    assert!(scratch.path().join("new").exists(), "the first directory is the host's");
}

#[test]
fn preview_0() {
    let scratch = Scratch::new("preview-0");
    std::fs::write(scratch.path().join("file"), "0123456789").unwrap();
    let path = scratch.path().to_str().unwrap();
    assert_eq!(done(["run", "--dir", path, &file("unstable.wat")]).code, Some(1 + 10 + 7));
}

#[test]
fn exit_codes() {
    let exit = file("exit.wat");
    for (args, code) in [(&[][..], 40), (&["x"; 2], 120), (&["x"; 3], 160), (&["x"; 5], 240)] {
        let mut command = precast(["run", &exit]);
        let output = command.args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn formats_are_told_apart_by_content() {
    let scratch = Scratch::new("formats");
    let text = std::fs::read_to_string(file("args.wat")).unwrap();
    let commented = scratch.write("commented", format!("\n;; first\n(; second ;)\n{text}"));
    let binary = scratch.write("misleading.wat", wat::parse_str(&text).unwrap());
    let artifact = scratch.name("misleading.wasm");
    stdout(["compile", &binary, "-o", &artifact]);
    for program in [commented, binary, artifact] {
        assert_eq!(stdout(["run", "--argv0", "me", &program, "x"]), "me\0x\0", "{program}");
    }
}

#[test]
fn invoke() {
    let numbers = file("numbers.wat");
    let invoke =
        |args: &[&str]| stdout(["run", "--invoke", args[0], &numbers].iter().chain(&args[1..]));
    assert_eq!(invoke(&["add", "2", "3"]), "5\n");
    assert_eq!(invoke(&["add", "-2", "0x10"]), "14\n");
    assert_eq!(invoke(&["add", "4294967295", "0"]), "-1\n");
    assert_eq!(invoke(&["swap", "-9223372036854775808", "1.5"]), "1.5\n-9223372036854775808\n");
    assert_eq!(invoke(&["half", "inf"]), "inf\n");
    assert_eq!(invoke(&["splat", "1"]), "0x00000001000000010000000100000001\n");
    assert_eq!(invoke(&["null", "null"]), "null\n");
    assert_eq!(invoke(&["nothing"]), "");
}

#[test]
fn preload() {
    let numbers = format!("numbers={}", file("numbers.wat"));
    let user = file("uses_numbers.wat");
    assert_eq!(stdout(["run", "--preload", &numbers, "--invoke", "triple", &user, "7"]), "21\n");
}

#[test]
fn unknown_imports_on_demand() {
    let unknown = file("unknown.wat");
    let run = |policy| done(["run", "--unknown-imports", policy, "--invoke", "weigh", &unknown]);
    let zero = run("zero");
    assert_eq!((zero.code, zero.stdout.as_str()), (Some(0), "5\n"), "{zero:?}");
    let trap = run("trap");
    assert_eq!((trap.code, trap.stdout.as_str()), (Some(134), ""), "{trap:?}");
    assert!(trap.stderr.contains(r#"unknown import "env" "weight" was called"#), "{trap:?}");
}

#[test]
fn unknown_imports_beside_known_ones() {
    // One imported function of WASI exists and one does not. The first still works.
    let scratch = Scratch::new("beside");
    let program = scratch.write(
        "program.wat",
        r#"(module
             (import "wasi_snapshot_preview1" "no_such_function" (func $no (param i64) (result i32)))
             (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
             (memory (export "memory") 1)
             (func (export "_start")
               (call $exit (i32.add (i32.const 3) (call $no (i64.const 1))))))"#,
    );
    let done = done(["run", "--unknown-imports", "zero", &program]);
    assert_eq!(done.code, Some(3), "{done:?}");
}

#[test]
fn reactors_are_initialized() {
    let scratch = Scratch::new("reactor");
    let reactor = scratch.write(
        "reactor.wat",
        r#"(module
             (global $n (mut i32) (i32.const 0))
             (func (export "_initialize") (global.set $n (i32.const 8)))
             (func (export "n") (result i32) (global.get $n)))"#,
    );
    assert_eq!(stdout(["run", "--invoke", "n", &reactor]), "8\n");
}

#[test]
fn a_closed_output_pipe_is_no_failure() {
    let numbers = file("numbers.wat");
    let mut child = precast(["run", "--invoke", "add", &numbers, "1", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

const RECURSION: &str = r#"(module (func $down (export "down") (param i32) (result i32)
  (if (result i32) (local.get 0)
    (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
    (else (i32.const 0)))))"#;

/// A guest could use the whole stack of the thread, which may be unlimited.
#[test]
fn the_user_sets_the_stack_limit() {
    let scratch = Scratch::new("max-stack");
    let file = scratch.name("down.wat");
    std::fs::write(&file, RECURSION).unwrap();
    let run = |limit: &str, options: &[&str], depth: u32| {
        let program = precast(["run", "--no-cache", "--invoke", "down"]);
        // The shell sets the stack limit of the main thread.
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -s {limit} && exec \"$@\""), "sh"]);
        command.arg(program.get_program()).args(program.get_args());
        command.args(options).arg(&file).arg(depth.to_string());
        let output = command.output().unwrap();
        let (stdout, stderr) = (output.stdout, String::from_utf8(output.stderr).unwrap());
        (output.status.code(), String::from_utf8(stdout).unwrap().trim().to_owned(), stderr)
    };
    for limit in ["unlimited", "8192", "1024"] {
        let (code, _, stderr) = run(limit, &[], 200_000);
        assert_eq!(code, Some(134), "{limit}: {stderr}");
        assert!(stderr.contains("call stack exhausted"), "{stderr}");
        assert_eq!(run(limit, &[], 5000).1, "5000", "{limit}");
        assert_eq!(run(limit, &["--max-stack", "64MiB"], 200_000).1, "200000", "{limit}");
        assert_eq!(run(limit, &["--max-stack", "16KiB"], 20_000).0, Some(134), "{limit}");
    }
    let (code, _, stderr) = run("8192", &["--max-stack", "16EiB"], 1);
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    let (code, _, stderr) = run("8192", &["--max-stack", "much"], 1);
    assert_eq!(code, Some(2), "{stderr}");
}

#[test]
fn a_program_is_stopped_after_its_time() {
    let scratch = Scratch::new("timeout");
    let spins = scratch.write("spins.wat", r#"(module (func (export "_start") (loop (br 0))))"#);
    let spins = done(["run", "--timeout", "50ms", &spins]);
    assert_eq!(spins.code, Some(124), "{spins:?}");
    assert!(spins.stderr.starts_with("error: "), "{spins:?}");
    assert!(spins.stderr.contains("spins.wat: deadline exceeded\n    0: "), "{spins:?}");
    let starts = scratch.write("starts.wat", "(module (func $f (loop (br 0))) (start $f))");
    assert_eq!(done(["run", "--timeout", "50ms", &starts]).code, Some(124));
    let ends = scratch.write("ends.wat", r#"(module (func (export "_start")))"#);
    assert_eq!(done(["run", "--timeout", "1h", &ends]).code, Some(0));
    let wrong = done(["run", "--timeout", "soon", &ends]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

/// Calls of WASI that wait: for input that does not come, and for a time that is far away.
#[test]
fn a_program_that_waits_in_wasi_is_stopped_after_its_time() {
    let scratch = Scratch::new("timeout-wasi");
    let reads = r#"(module
      (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (i32.store (i32.const 4) (i32.const 100))
        (i32.store (i32.const 0) (i32.const 64))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        unreachable))"#;
    let sleeps = r#"(module
      (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (i64.const 1000000000000))
        (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
        unreachable))"#;
    for (name, text) in [("reads.wat", reads), ("sleeps.wat", sleeps)] {
        let program = scratch.write(name, text);
        let mut child = precast(["run", "--timeout", "100ms", &program])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The pipe stays open, and nothing comes.
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(124), "{name}: {stderr}");
    }
}

#[test]
fn a_program_has_the_memory_and_the_tables_that_the_user_allows() {
    let scratch = Scratch::new("max-memory");
    let grows = scratch.write(
        "grows.wat",
        r#"(module (memory 2) (table 10 funcref)
             (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
             (func (export "grow_table") (param i32) (result i32)
               (table.grow (ref.null func) (local.get 0))))"#,
    );
    let run = |options: &[&str], function: &str, by: &str| {
        let mut args = vec!["run", "--invoke", function];
        args.extend(options);
        args.extend([grows.as_str(), by]);
        done(args)
    };
    assert_eq!(run(&["--max-memory", "256KiB"], "grow", "3").stdout, "-1\n");
    assert_eq!(run(&["--max-memory", "256KiB"], "grow", "2").stdout, "2\n");
    assert_eq!(run(&["--max-table", "11"], "grow_table", "2").stdout, "-1\n");
    assert_eq!(run(&["--max-table", "12"], "grow_table", "2").stdout, "10\n");
    let refused = run(&["--max-memory", "64KiB"], "grow", "0");
    assert_eq!((refused.code, refused.stderr.lines().count()), (Some(1), 1), "{refused:?}");
    let text = "131072 bytes of memories are more than the limit of 65536";
    assert!(refused.stderr.contains(text), "{refused:?}");
    assert_eq!(run(&["--max-table", "9"], "grow", "0").code, Some(1));
}

#[test]
fn a_program_has_the_fuel_that_the_user_gives() {
    let scratch = Scratch::new("fuel");
    let spins = scratch.write("spins.wat", r#"(module (func (export "_start") (loop (br 0))))"#);
    let spins_on = done(["run", "--fuel", "100000", &spins]);
    assert_eq!(spins_on.code, Some(134), "{spins_on:?}");
    assert!(spins_on.stderr.contains("all fuel consumed"), "{spins_on:?}");
    let numbers = file("numbers.wat");
    assert_eq!(stdout(["run", "--fuel", "1000", "--invoke", "add", &numbers, "1", "2"]), "3\n");
    // An artifact counts its operators, or not.
    let (with, without) = (scratch.name("with.precast"), scratch.name("without.precast"));
    let compile = |options: &[&str]| {
        let mut args = vec!["compile", spins.as_str()];
        args.extend(options);
        assert_eq!(done(args).code, Some(0));
    };
    compile(&["--fuel", "-o", &with]);
    compile(&["-o", &without]);
    let run = |file: &str| done(["run", "--allow-precompiled", "--fuel", "1000", file]);
    assert_eq!(run(&with).code, Some(134));
    let refused = run(&without);
    assert_eq!((refused.code, refused.stderr.lines().count()), (Some(1), 1), "{refused:?}");
    assert!(refused.stderr.contains("was compiled without"), "{refused:?}");
}
