//! Measures async calls: what they cost more than plain ones, and what 10,000 guests take that wait.
//!
//! `cargo bench --bench async -- [FILTER]` prints rows of the kinds `call`, `wait` and `crowd`.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use precast::{Instance, InstancePre, Linker, Namespace, Runtime};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Calls that are timed together, and the number of times that they are.
const CALLS: u32 = 10_000;
const BATCHES: usize = 50;
/// Guests that wait at once.
const CROWD: usize = 10_000;

const GUEST: &str = r#"(module
  (import "host" "ready" (func $ready))
  (import "host" "yield" (func $yield))
  (import "host" "sleep" (func $sleep))
  (memory (export "memory") 1)
  (func (export "one") (result i32) (i32.const 1))
  (func (export "ready") (call $ready))
  (func (export "yield") (call $yield))
  (func (export "sleep") (i32.store (i32.const 0) (i32.const 1)) (call $sleep)))"#;

fn main() -> Result<()> {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let wanted = |kind: &str| kind.contains(&filter) || filter.is_empty();
    if wanted("call") || wanted("wait") {
        calls()?;
    }
    if wanted("crowd") {
        crowd()?;
    }
    Ok(())
}

/// A future that is ready when it is polled the second time.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

fn guest() -> Result<InstancePre> {
    let runtime = Runtime::new();
    let mut linker = Linker::new(&runtime);
    linker.func_async("host", "ready", |_, (): ()| Box::pin(async {}))?;
    linker.func_async("host", "yield", |_, (): ()| Box::pin(Yield(false)))?;
    linker.func_async("host", "sleep", |_, (): ()| {
        Box::pin(tokio::time::sleep(Duration::from_secs(5)))
    })?;
    Ok(linker.instantiate_pre(&runtime.compile(&wat::parse_str(GUEST)?)?)?)
}

/// Polls a future until it is ready.
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// The least time of a call, in nanoseconds.
fn least(mut call: impl FnMut()) -> f64 {
    let batch = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..BATCHES).map(batch).fold(f64::INFINITY, f64::min)
}

fn calls() -> Result<()> {
    let (mut namespace, instance) = guest()?.instantiate()?;
    let one = instance.typed::<(), i32>(&namespace, "one")?;
    let plain = least(|| assert!(one.call(&mut namespace, ()).is_ok()));
    println!("call/plain                                  {plain:9.1} ns");
    let never = least(|| assert!(finish(one.call_async(&mut namespace, ())).is_ok()));
    println!("call/async, never waits                     {never:9.1} ns");
    for (name, text) in [("ready", "wait/a future that is ready"), ("yield", "wait/one wait")] {
        let call = instance.typed::<(), ()>(&namespace, name)?;
        let time = least(|| assert!(finish(call.call_async(&mut namespace, ())).is_ok()));
        println!("{text:43} {time:9.1} ns");
    }
    Ok(())
}

async fn sleep(pre: InstancePre) -> Result<()> {
    let (mut namespace, instance): (Box<Namespace>, Instance) = pre.instantiate()?;
    let sleep = instance.typed::<(), ()>(&namespace, "sleep")?;
    sleep.call_async(&mut namespace, ()).await?;
    Ok(())
}

/// A field of `/proc/self/status`, in bytes.
fn status(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|line| line.strip_prefix(field));
    let number = found.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    number.unwrap_or_default() << 10
}

fn crowd() -> Result<()> {
    let pre = guest()?;
    let executor =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let measure = || {
        let (resident, tables) = (status("VmRSS"), status("VmPTE"));
        let mappings = std::fs::read_to_string("/proc/self/maps").map_or(0, |m| m.lines().count());
        println!(
            "crowd/resident, page tables, mappings       {:9.1} MB {:9.1} MB {mappings:9}",
            resident as f64 / 1e6,
            tables as f64 / 1e6,
        );
    };
    measure();
    let started = Instant::now();
    executor.block_on(async {
        let tasks: Vec<_> = (0..CROWD).map(|_| tokio::spawn(sleep(pre.clone()))).collect();
        tokio::time::sleep(Duration::from_secs(4)).await;
        println!("crowd/{CROWD} guests wait on two threads");
        measure();
        for task in tasks {
            task.await??;
        }
        println!("crowd/all have ended after {:.2} s", started.elapsed().as_secs_f64());
        Result::Ok(())
    })?;
    measure();
    Ok(())
}
