//! Runs a thousand guests on one thread. Each sleeps for 100 ms.

use precast::{InstancePre, Linker, Runtime, wasi};
use std::time::{Duration, Instant};

/// Sleeps for 100 ms: a subscription at 0 to the monotonic clock.
const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "host" "slept" (func $slept))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 100_000_000))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))
    (call $slept)))"#;

async fn run(guest: InstancePre) -> Result<(), precast::Error> {
    let (mut namespace, instance) = guest.instantiate_async().await?;
    let start = instance.typed::<(), ()>(&namespace, "_start")?;
    let call = async |namespace: &mut precast::Namespace| start.call_async(namespace, ()).await;
    namespace.with_timeout_async(Duration::from_secs(60), call).await
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new();
    let mut linker = Linker::new(&runtime);
    // The guests wait for timers of tokio.
    linker.host(&wasi::Builder::new().events(wasi::Tokio).compile(&runtime)?)?;
    // A host function that returns a future.
    linker.func_async("host", "slept", |_, (): ()| Box::pin(tokio::task::yield_now()))?;
    let guest = linker.instantiate_pre(&runtime.compile(&wat::parse_str(GUEST)?)?)?;

    let started = Instant::now();
    let executor = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    executor.block_on(async {
        let guests: Vec<_> = (0..1000).map(|_| tokio::spawn(run(guest.clone()))).collect();
        for guest in guests {
            guest.await??;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    println!(
        "1,000 guests slept 100 ms each, in {:.2} s on one thread",
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
