//! Clients that send requests to a server and time each answer.

use crate::Result;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A request. The server answers with the same text in upper case.
const REQUEST: &str = "the quick brown fox jumps over the lazy dog\n";

/// Time after which a server that does not answer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Times of a number of requests, in seconds.
pub(crate) struct Times {
    /// Time from the first request to the last answer, divided by the number of requests.
    pub(crate) per_request: f64,
    /// Time from connecting to the end of the answer, of each request, in ascending order.
    latencies: Vec<f64>,
}

impl Times {
    /// The latency that so many percent of the requests do not exceed.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        self.latencies[(self.latencies.len() * percent).div_ceil(100) - 1]
    }
}

/// Sends so many requests from each of so many threads. A thread sends the next request when it has
/// the answer to the last one.
pub(crate) fn run(server: SocketAddr, threads: usize, requests: usize) -> Result<Times> {
    let start = Instant::now();
    let results: Vec<_> = thread::scope(|scope| {
        let client = || (0..requests).map(|_| request(server)).collect::<Result<Vec<f64>>>();
        let clients: Vec<_> = (0..threads).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut latencies = results.into_iter().collect::<Result<Vec<_>>>()?.concat();
    latencies.sort_by(f64::total_cmp);
    Ok(Times { per_request: seconds / latencies.len() as f64, latencies })
}

/// Sends one request on a connection of its own, and gives the seconds until the end of its answer.
fn request(server: SocketAddr) -> Result<f64> {
    let len = REQUEST.len();
    let text = format!(
        "POST / HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Length: {len}\r\n\r\n{REQUEST}"
    );
    let start = Instant::now();
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(text.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let seconds = start.elapsed().as_secs_f64();
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) if body == REQUEST.to_uppercase() => Ok(seconds),
        _ => Err(format!("the server answered {answer:?}").into()),
    }
}
