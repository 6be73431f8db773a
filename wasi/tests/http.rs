//! Test of an HTTP server that runs as a guest, on a listener that the host grants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Duration;

use precast_runtime::Runtime;
use precast_wasi::{Builder, Captured};

/// The number of requests of all clients together.
const REQUESTS: usize = 10_000;

/// The number of concurrent clients.
const CLIENTS: usize = 4;

/// A client fails if it waits longer for a response.
const TIMEOUT: Duration = Duration::from_secs(30);

#[test]
fn no_request_is_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stdout = Captured::new();
    let output = stdout.clone();
    // Descriptors 0 to 2 are the standard streams; there is no directory; 3 is the listener.
    let server = thread::spawn(move || {
        let runtime = Runtime::new();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/guests/http.wasm");
        let module = runtime.compile(&std::fs::read(path).unwrap()).unwrap();
        let mut namespace = runtime.namespace();
        Builder::new()
            .args(["http", "3", &REQUESTS.to_string()])
            .stdout(&output)
            .stderr(&output)
            .socket(listener)
            .instantiate(&mut namespace)
            .unwrap();
        let instance = namespace.instantiate(&module).unwrap();
        match instance.call(&mut namespace, "_start", &[]) {
            Ok(_) => 0,
            Err(error) => error.exit_code().unwrap_or_else(|| panic!("{error}")),
        }
    });

    let answered: usize = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| scope.spawn(move || send_requests(address, client)))
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert_eq!(answered, REQUESTS);
    assert_eq!(server.join().unwrap(), 0, "{stdout:?}");
    assert_eq!(stdout.contents(), format!("{REQUESTS} requests\n").as_bytes());
}

/// Makes the requests of one client. Most of them use one connection, every eighth a new one. Some
/// have a body that is sent after the head.
fn send_requests(address: SocketAddr, client: usize) -> usize {
    let mut answered = 0;
    let mut kept = connect(address);
    for i in 0..REQUESTS / CLIENTS {
        let path = format!("/client/{client}/request/{i}");
        let mut new;
        let connection = if i % 8 == 7 {
            new = connect(address);
            &mut new
        } else {
            &mut kept
        };
        let body = if i % 16 == 3 { format!("body {i}") } else { String::new() };
        let stream = connection.get_mut();
        let length = body.len();
        let method = if body.is_empty() { "GET" } else { "POST" };
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        assert_eq!(read_response(connection), format!("{path}\n{body}"));
        answered += 1;
    }
    answered
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::new(stream)
}

/// Reads one response and returns its body.
fn read_response(connection: &mut BufReader<TcpStream>) -> String {
    let mut length = 0;
    let mut line = String::new();
    connection.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    loop {
        line.clear();
        connection.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim_end().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
