//! The server of `examples/server.rs`, on wasmtime: the artifact is kept in a folder, and each
//! request gets a fresh instance with a WASI state of its own.
//!
//! `server-wasmtime ADDRESS FILE.wasm CACHE [pooling]` gives the bytes that a client sends, until it
//! shuts its side down, to the program as standard input, and sends back the bytes that the program
//! writes. With `pooling`, instances come from wasmtime's pooling allocator.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::{env, fs, thread};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

/// Any failure of a request or of the start.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The most bytes of a request, and of an answer.
const MOST: usize = 1 << 20;

fn main() -> Result<()> {
    let args: Vec<_> = env::args().skip(1).collect();
    let (address, file, cache, pooling) =
        match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [address, file, cache] => (address, file, cache, false),
            [address, file, cache, "pooling"] => (address, file, cache, true),
            _ => return Err("usage: server-wasmtime ADDRESS FILE.wasm CACHE [pooling]".into()),
        };
    let mut config = Config::new();
    config.max_wasm_stack(512 << 10);
    if pooling {
        config.allocation_strategy(InstanceAllocationStrategy::pooling());
    }
    let engine = Engine::new(&config)?;
    let module = cached(&engine, file, cache)?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |wasi: &mut WasiP1Ctx| wasi)?;
    let pre = linker.instantiate_pre(&module)?;
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

/// The module, compiled unless the folder has its artifact.
fn cached(engine: &Engine, file: &str, cache: &str) -> Result<Module> {
    let artifact = Path::new(cache).join("server.cwasm");
    if artifact.exists() {
        // SAFETY: the file is the one written below, in a folder that only this server writes to.
        return Ok(unsafe { Module::deserialize_file(engine, &artifact) }?);
    }
    let module = Module::new(engine, fs::read(file)?)?;
    fs::create_dir_all(cache)?;
    fs::write(artifact, module.serialize()?)?;
    Ok(module)
}

/// Answers one request by an instance whose WASI state is its own.
fn serve(pre: &InstancePre<WasiP1Ctx>, mut stream: TcpStream) -> Result<()> {
    let mut request = Vec::new();
    (&stream).take(MOST as u64).read_to_end(&mut request)?;
    let answer = MemoryOutputPipe::new(MOST);
    let own = WasiCtxBuilder::new()
        .stdin(MemoryInputPipe::new(request))
        .stdout(answer.clone())
        .allow_blocking_current_thread(true)
        .build_p1();
    let mut store = Store::new(pre.module().engine(), own);
    let instance = pre.instantiate(&mut store)?;
    let ended = instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ());
    match ended.map_err(|error| (error.downcast_ref::<I32Exit>().map(|exit| exit.0), error)) {
        Ok(()) | Err((Some(0), _)) => Ok(stream.write_all(&answer.contents())?),
        Err((_, error)) => Err(error.into()),
    }
}
