//! An HTTP server: the program is compiled once per machine, and each request gets a fresh instance.
//!
//! `server ADDRESS FILE.wasm CACHE` gives the body of a POST request to the program as standard input,
//! and answers with its output. `/metrics` has counts for Prometheus. SIGTERM ends the server when all
//! requests are answered.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::{Router, routing};
use precast::cache::Cache;
use precast::wasi::{Builder, Captured, Input, Limits, Tokio};
use precast::{Config, Error, InstancePre, Linker, Pool, ResourceLimits, Runtime, TrapCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The maximum size of a request and of an answer in bytes.
const MOST: usize = 1 << 20;
/// The time that the program has for a request.
const TIME: Duration = Duration::from_secs(2);

struct Server {
    program: InstancePre,
    requests: AtomicU64,
    failures: AtomicU64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [address, file, cache] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("usage: server ADDRESS FILE.wasm CACHE".into());
    };
    let limits = ResourceLimits::new().memory_bytes(64 << 20).stack_bytes(512 << 10);
    let config = Config::new().cache(Cache::open(cache)?).limits(limits);
    let runtime = Runtime::with_config(config);
    let wasi = Builder::new().events(Tokio).compile(&runtime)?;
    let module = runtime.compile_file(file)?;
    let program = Linker::new(&runtime).host(&wasi)?.instantiate_pre(&module)?;
    let server = Server { program, requests: AtomicU64::new(0), failures: AtomicU64::new(0) };
    tokio::runtime::Runtime::new()?.block_on(async {
        let app = Router::new()
            .route("/", routing::post(answer))
            .route("/metrics", routing::get(metrics))
            .layer(DefaultBodyLimit::max(MOST))
            .with_state(Arc::new(server));
        let listener = tokio::net::TcpListener::bind(address).await?;
        println!("listening on {}", listener.local_addr()?);
        let mut end = signal(SignalKind::terminate())?;
        let end = async move { end.recv().await.unwrap_or(()) };
        Ok(axum::serve(listener, app).with_graceful_shutdown(end).await?)
    })
}

/// Answers a request.
async fn answer(State(server): State<Arc<Server>>, request: Bytes) -> Result<Vec<u8>, StatusCode> {
    server.requests.fetch_add(1, Relaxed);
    run(&server.program, request).await.map_err(|error| {
        server.failures.fetch_add(1, Relaxed);
        eprintln!("a request failed: {error}");
        match error.trap().map(|trap| trap.code()) {
            Some(TrapCode::DeadlineExceeded) => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    })
}

/// Runs an instance that has its own WASI state. While it waits, it holds no thread.
async fn run(program: &InstancePre, request: Bytes) -> Result<Vec<u8>, Error> {
    let answer = Captured::with_limit(MOST);
    let mut limits = Limits::default();
    limits.descriptors = 8;
    let own = Builder::new().stdin(Input::bytes(request)).stdout(&answer).limits(limits);
    let own = own.events(Tokio).compile(program.module().runtime())?;
    let (mut namespace, instance) = program.with_host(&own)?.instantiate_async().await?;
    let start = instance.typed::<(), ()>(&namespace, "_start")?;
    let call = async |namespace: &mut precast::Namespace| start.call_async(namespace, ()).await;
    match namespace.with_timeout_async(TIME, call).await {
        Err(error) if error.exit_code() != Some(0) => Err(error),
        _ => Ok(answer.take()),
    }
}

/// Counts, as text for Prometheus.
async fn metrics(State(server): State<Arc<Server>>) -> String {
    let pool = Pool::stats();
    [
        ("requests_total", "counter", server.requests.load(Relaxed)),
        ("failures_total", "counter", server.failures.load(Relaxed)),
        ("pool_made_total", "counter", pool.made),
        ("pool_reused_total", "counter", pool.reused),
        ("pool_full_total", "counter", pool.unmapped_when_full + pool.emptied_when_full),
        ("pool_kept", "gauge", pool.kept),
        ("pool_resident_bytes", "gauge", pool.resident_bytes),
        ("reserved_bytes", "gauge", pool.reserved_bytes),
    ]
    .map(|(name, kind, n)| format!("# TYPE precast_{name} {kind}\nprecast_{name} {n}\n"))
    .concat()
}
