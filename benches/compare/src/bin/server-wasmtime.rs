//! The server of `examples/server.rs`, on wasmtime: the artifact is kept in a folder, and each request
//! gets a fresh instance with a WASI state, limits and a deadline of its own.
//!
//! `server-wasmtime ADDRESS FILE.wasm CACHE [pooling]` gives the body of a POST request to the program as
//! standard input, and answers with its output. With `pooling`, instances come from wasmtime's pooling
//! allocator.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::{Router, routing};
use std::path::Path;
use std::time::Duration;
use std::{env, fs, thread};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module, Store, StoreLimits,
    StoreLimitsBuilder,
};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

/// The most bytes of a request, and of an answer.
const MOST: usize = 1 << 20;

/// The time between two epochs, and the epochs that the program has for a request: two seconds.
const EPOCH: Duration = Duration::from_millis(10);
const EPOCHS: u64 = 200;

/// What a store has.
struct Own {
    /// The state of WASI.
    wasi: WasiP1Ctx,
    /// The limits of memories.
    limits: StoreLimits,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<_> = env::args().skip(1).collect();
    let (address, file, cache, pooling) =
        match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [address, file, cache] => (address, file, cache, false),
            [address, file, cache, "pooling"] => (address, file, cache, true),
            _ => return Err("usage: server-wasmtime ADDRESS FILE.wasm CACHE [pooling]".into()),
        };
    let mut config = Config::new();
    config.max_wasm_stack(512 << 10).epoch_interruption(true);
    if pooling {
        config.allocation_strategy(InstanceAllocationStrategy::pooling());
    }
    let engine = Engine::new(&config)?;
    let module = cached(&engine, file, cache)?;
    let mut linker = Linker::new(&engine);
    p1::add_to_linker_async(&mut linker, |own: &mut Own| &mut own.wasi)?;
    let pre = linker.instantiate_pre(&module)?;
    thread::spawn(move || {
        loop {
            thread::sleep(EPOCH);
            engine.increment_epoch();
        }
    });
    tokio::runtime::Runtime::new()?.block_on(async {
        let app = Router::new()
            .route("/", routing::post(answer))
            .layer(DefaultBodyLimit::max(MOST))
            .with_state(pre);
        let listener = tokio::net::TcpListener::bind(address).await?;
        println!("listening on {}", listener.local_addr()?);
        Ok(axum::serve(listener, app).await?)
    })
}

/// The module, compiled unless the folder has its artifact.
fn cached(engine: &Engine, file: &str, cache: &str) -> Result<Module, Box<dyn std::error::Error>> {
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

/// Answers a request.
async fn answer(
    State(pre): State<InstancePre<Own>>,
    request: Bytes,
) -> Result<Vec<u8>, StatusCode> {
    run(&pre, request).await.map_err(|error| {
        eprintln!("a request failed: {error}");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

/// Runs an instance whose WASI state is its own.
async fn run(pre: &InstancePre<Own>, request: Bytes) -> wasmtime::Result<Vec<u8>> {
    let answer = MemoryOutputPipe::new(MOST);
    let wasi = WasiCtxBuilder::new()
        .stdin(MemoryInputPipe::new(request))
        .stdout(answer.clone())
        .build_p1();
    let limits = StoreLimitsBuilder::new().memory_size(64 << 20).build();
    let mut store = Store::new(pre.module().engine(), Own { wasi, limits });
    store.limiter(|own| &mut own.limits);
    store.set_epoch_deadline(EPOCHS);
    let instance = pre.instantiate_async(&mut store).await?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match start.call_async(&mut store, ()).await {
        Err(error) if error.downcast_ref::<I32Exit>().map(|exit| exit.0) != Some(0) => Err(error),
        _ => Ok(answer.contents().to_vec()),
    }
}
