//! `precast run --listen` and `--trace`, and paths that `--dir` refuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::scratch::Scratch;
use crate::{done, error, file, precast, stdout};

/// The lines of a trace without the times, which differ.
fn untimed(trace: &str) -> Vec<&str> {
    let lines = trace.lines().map(|line| match line.rsplit_once(" <") {
        Some((call, time)) => {
            assert!(time.ends_with(" us>"), "{line}");
            call
        }
        None => line,
    });
    lines.collect()
}

#[test]
fn a_trace_shows_every_call() {
    const LINES: [&str; 3] = [
        "args_sizes_get(argc=2, argv_buf_size=12) = 0",
        "environ_sizes_get(count=0, size=0) = 0",
        "proc_exit(code=0) = ?",
    ];
    let guest = file("trace.wat");
    let scratch = Scratch::new("trace");
    let path = scratch.name("calls.txt");
    let option = format!("--trace={path}");
    assert_eq!(stdout(["run", "--argv0", "me", &option, &guest, "argument"]), "");
    let trace = std::fs::read_to_string(&path).unwrap();
    assert_eq!(untimed(&trace), LINES);

    let done = done(["run", "--argv0", "me", "--trace", &guest, "argument"]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    assert_eq!(untimed(&done.stderr), LINES);

    let missing = error(["run", "--trace=/does/not/exist", &guest]);
    assert!(missing.starts_with("/does/not/exist: "), "{missing}");
}

#[test]
fn a_server_on_a_listener() {
    let http = format!("{}/../tests/guests/http.wasm", env!("CARGO_MANIFEST_DIR"));
    let mut server = precast(["run", "--dir", ".", "--listen", "127.0.0.1:0", &http, "4", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
    let mut connection = TcpStream::connect(address).unwrap();
    for path in ["/one", "/two"] {
        write!(connection, "GET {path} HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = vec![0; 512];
        let n = connection.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..n]);
        assert!(answer.ends_with(&format!("{path}\n")), "{answer}");
    }
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2 requests\n");
}

#[test]
fn an_invalid_address() {
    let message = error(["run", "--listen", "nowhere", &file("args.wat")]);
    assert!(message.starts_with("nowhere: "), "{message}");
}

#[test]
fn a_file_system_of_the_kernel_is_refused() {
    for directory in ["/proc", "/proc/self/fd", "/sys", "/proc::/data:ro"] {
        let refusal = error(["run", "--dir", directory, &file("trace.wat")]);
        let path = directory.split("::").next().unwrap();
        assert!(refusal.starts_with(&format!("{path}: no guest is granted ")), "{refusal}");
    }
}
