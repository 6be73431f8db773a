//! A server: the program is compiled once per machine, and each request gets a fresh instance.
//!
//! `server ADDRESS FILE.wasm CACHE` passes the bytes of a client to the program as standard input,
//! until the client shuts its side down, and sends the output of the program back.

use precast::cache::Cache;
use precast::wasi::{Builder, Captured, Input, Limits};
use precast::{Config, InstancePre, Linker, ResourceLimits, Runtime};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;
use std::{env, thread};

/// The maximum size of a request and of an answer in bytes.
const MOST: usize = 1 << 20;
/// The time that the program has for a request.
const TIME: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn Error>> {
    let [address, file, cache] = &env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: server ADDRESS FILE.wasm CACHE".into());
    };
    let limits = ResourceLimits::new().memory_bytes(64 << 20).stack_bytes(512 << 10);
    let config = Config::new().cache(Cache::open(cache)?).limits(limits);
    let runtime = Runtime::with_config(config);
    let module = runtime.compile_file(file)?;
    let wasi = Builder::new().compile(&runtime)?;
    let pre = Linker::new(&runtime).host(&wasi)?.instantiate_pre(&module)?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (pre, stream) = (pre.clone(), stream?);
        thread::spawn(move || {
            if let Err(error) = serve(&pre, stream) {
                eprintln!("a request failed: {error}");
            }
        });
    }
    Ok(())
}

/// Answers one request with an instance that has its own WASI state.
fn serve(pre: &InstancePre, mut stream: TcpStream) -> Result<(), Box<dyn Error>> {
    let mut request = Vec::new();
    (&stream).take(MOST as u64).read_to_end(&mut request)?;
    let answer = Captured::with_limit(MOST);
    let mut limits = Limits::default();
    limits.descriptors = 8;
    let own = Builder::new().stdin(Input::bytes(request)).stdout(&answer).limits(limits);
    let own = own.compile(pre.module().runtime())?;
    let (mut namespace, instance) = pre.with_host(&own)?.instantiate()?;
    let start = instance.typed::<(), ()>(&namespace, "_start")?;
    let ended = namespace.with_timeout(TIME, |namespace| start.call(namespace, ()));
    match ended.map_err(|error| (error.exit_code(), error)) {
        Ok(()) | Err((Some(0), _)) => Ok(stream.write_all(&answer.take())?),
        Err((_, error)) => Err(error.into()),
    }
}
