//! Runs the examples and checks their output. `cargo test` builds them first.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

#[path = "support/command.rs"]
#[allow(dead_code)]
mod command;

/// The path of an example's binary.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("a folder of the build");
    let path = profile.join("examples").join(name);
    assert!(path.exists(), "{name} is not built: `cargo build --examples` builds it");
    path
}

/// The output of an example.
#[track_caller]
fn output(name: &str) -> String {
    let output = command::program(example(name)).output().expect("the example starts");
    assert!(output.status.success(), "{name}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_first_three() {
    assert!(output("instantiate").contains("Hello from WebAssembly"));
    assert!(output("override_proc_exit").contains("ended with exit code 102"));
    assert_eq!(output("wasi_unstable"), "sched_yield gave 0\n");
}

#[test]
fn one_for_each_concern() {
    assert!(output("host_function").ends_with("squares up to that of 3: 14\n"));
    assert!(output("wasi_sandbox").contains("ended with Ok(()); the host reads"));
    assert!(output("compile_once").starts_with("20,000 instances in "));
    assert!(output("trace").starts_with("fd_write(fd=1, "));
    assert!(output("async").starts_with("1,000 guests slept 100 ms each, in "));
}

#[test]
fn every_example_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let this = include_str!("examples.rs");
    for entry in std::fs::read_dir(folder).expect("the examples") {
        let path = entry.expect("an example").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(this.contains(&format!("(\"{name}\")")), "{name} is not run");
    }
}

#[test]
fn the_server_answers_each_request_by_an_instance_of_its_own() {
    let cache = std::env::temp_dir().join(format!("precast-example-{}", std::process::id()));
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/stdin_upper.wasm");
    let mut server = command::program(example("server"))
        .args(["127.0.0.1:0".as_ref(), guest.as_os_str(), cache.as_os_str()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut line = String::new();
    let stdout = server.stdout.take().expect("its output");
    BufReader::new(stdout).read_line(&mut line).expect("its address");
    let address = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let address = address.clone();
            std::thread::spawn(move || {
                for i in 0..10 {
                    let request = format!("request {i} of thread {n}\n");
                    let answer = http(&address, "POST /", &request);
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
                    assert!(answer.contains(request.to_uppercase().trim()), "{answer:?}");
                }
            })
        })
        .collect();
    let served = threads.into_iter().map(std::thread::JoinHandle::join).filter(Result::is_ok);
    let served = served.count();
    let metrics = http(&address, "GET /metrics", "");
    let large = http(&address, "POST /", &"x".repeat((1 << 20) + 1));
    // The signal makes the server end.
    let pid = nix::unistd::Pid::from_raw(server.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("the signal");
    let ended = server.wait().expect("it ends");
    assert!(ended.success(), "{ended}");
    assert!(metrics.contains("\nprecast_requests_total 40\n"), "{metrics}");
    assert!(metrics.contains("\nprecast_failures_total 0\n"), "{metrics}");
    assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
    std::fs::remove_dir_all(cache).expect("its cache");
    assert_eq!(served, 4);
}

/// Sends a request on a connection of its own, and gives the answer with its head.
fn http(address: &str, what: &str, body: &str) -> String {
    let head = format!(
        "{what} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(head.as_bytes()).expect("the head");
    // A server that refuses a body does not read it.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}
