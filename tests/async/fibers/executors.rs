//! Executors: calls that go on on other threads, tokio, and what many calls leave behind.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use precast::{Error, HostModuleBuilder, Instance, InstancePre, Linker, Namespace, Runtime};

use super::{Yield, block_on, compile, poll_once, sum, typed, waits};

#[test]
fn a_call_goes_on_on_other_threads() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let n = 40;
    let result = thread::scope(|scope| {
        let mut call = Box::pin(run.call_async(&mut ns, n));
        let ((to_other, from_one), (to_one, from_other)) = (mpsc::channel(), mpsc::channel());
        // Two threads poll in turn. Each has calls of its own in between.
        let other = scope.spawn(move || {
            let (mut own, instance) = waits(&Runtime::new());
            let run = typed::<i32, i32>(&own, instance, "sum");
            for mut call in from_one {
                if let Poll::Ready(result) = poll_once(&mut call) {
                    return Some(result);
                }
                assert_eq!(block_on(run.call_async(&mut own, 2)).unwrap(), sum(2));
                to_one.send(call).unwrap();
            }
            None
        });
        loop {
            if let Poll::Ready(result) = poll_once(&mut call) {
                return result;
            }
            to_other.send(call).unwrap();
            match from_other.recv() {
                Ok(next) => call = next,
                Err(_) => return other.join().unwrap().expect("the result"),
            }
        }
    });
    assert_eq!(result.unwrap(), sum(n));
}

#[test]
fn calls_are_made_while_others_wait() {
    let runtime = Runtime::new();
    let mut guests: Vec<_> = (0..10).map(|_| waits(&runtime)).collect();
    let calls = guests.iter_mut().zip(1..).map(|((ns, instance), n)| {
        let run = typed::<i32, i32>(ns, *instance, "sum");
        (n, Box::pin(run.call_async(ns, n)))
    });
    let mut calls: Vec<_> = calls.collect();
    // In turn, so that each fiber goes on among activations of others.
    while !calls.is_empty() {
        calls.retain_mut(|(n, call)| match poll_once(call) {
            Poll::Ready(result) => {
                assert_eq!(result.unwrap(), sum(*n));
                false
            }
            Poll::Pending => true,
        });
    }
}

#[test]
fn an_executor_runs_in_a_host_function() {
    let runtime = Runtime::new();
    let inner = runtime.clone();
    // A plain host function on a fiber, which blocks on a call on another fiber.
    let host = HostModuleBuilder::new("host").func("block", move |n: i32| {
        let (mut ns, instance) = waits(&inner);
        let run = typed::<i32, i32>(&ns, instance, "sum");
        block_on(run.call_async(&mut ns, n))
    });
    let host = host.func_async("yield", |_, (n,): (i32,)| {
        Box::pin(async move {
            Yield(false).await;
            n
        })
    });
    let text = r#"(module
      (import "host" "block" (func $block (param i32) (result i32)))
      (import "host" "yield" (func $yield (param i32) (result i32)))
      (func (export "run") (param i32) (result i32)
        (i32.add (call $yield (local.get 0))
          (i32.add (call $block (local.get 0)) (call $yield (local.get 0))))))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let run = typed::<i32, i32>(&ns, instance, "run");
    assert_eq!(block_on(run.call_async(&mut ns, 4)).unwrap(), 8 + sum(4));
}

/// A guest whose function `sleep` sleeps for milliseconds on tokio and gives them.
fn sleeper(runtime: &Runtime) -> InstancePre {
    let mut linker = Linker::new(runtime);
    linker
        .func_async("host", "sleep", |_, (ms,): (i32,)| {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(ms as u64)).await;
                ms
            })
        })
        .unwrap();
    let text = r#"(module
      (import "host" "sleep" (func $sleep (param i32) (result i32)))
      (memory 1)
      (func (export "sleep") (param i32) (result i32)
        (i32.store (i32.const 0) (local.get 0))
        (call $sleep (local.get 0))
        (i32.add (i32.load (i32.const 0)))))"#;
    linker.instantiate_pre(&compile(runtime, text)).unwrap()
}

async fn sleep(pre: &InstancePre, ms: i32) -> Result<i32, Error> {
    let (mut ns, instance): (Box<Namespace>, Instance) = pre.instantiate_async().await?;
    let sleep = instance.typed::<i32, i32>(&ns, "sleep")?;
    sleep.call_async(&mut ns, ms).await
}

pub(super) fn tokio_with_two_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_thousand_guests_sleep_on_two_threads() {
    let runtime = Runtime::new();
    let pre = sleeper(&runtime);
    let started = std::time::Instant::now();
    tokio_with_two_threads().block_on(async {
        let tasks: Vec<_> = (0..1000)
            .map(|n| {
                let pre = pre.clone();
                tokio::spawn(async move { sleep(&pre, 200 + n % 100).await.map(|ms| (n, ms)) })
            })
            .collect();
        for task in tasks {
            let (n, ms) = task.await.unwrap().unwrap();
            assert_eq!(ms, 2 * (200 + n % 100));
        }
    });
    // One after another they would take longer, however slow the machine is.
    assert!(started.elapsed() < Duration::from_secs(200), "they slept one after another");
}

#[test]
fn guests_move_between_the_threads_of_tokio() {
    let runtime = Runtime::new();
    tokio_with_two_threads().block_on(async {
        let tasks: Vec<_> = (0..50)
            .map(|n| {
                let runtime = runtime.clone();
                tokio::spawn(async move {
                    let (mut ns, instance) = waits(&runtime);
                    let run = typed::<i32, i32>(&ns, instance, "sum");
                    for _ in 0..5 {
                        assert_eq!(run.call_async(&mut ns, n % 20).await.unwrap(), sum(n % 20));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Mappings, descriptors and threads of the process.
fn held() -> [usize; 3] {
    let mappings = std::fs::read_to_string("/proc/self/maps").unwrap().lines().count();
    let entries = |path| std::fs::read_dir(path).unwrap().count();
    [mappings, entries("/proc/self/fd"), entries("/proc/self/task")]
}

/// In a process of its own, as other tests change what is counted.
#[test]
#[ignore = "run by `dropped_futures_leave_nothing_behind`"]
fn churn_of_dropped_futures() {
    let runtime = Runtime::new();
    let pre = sleeper(&runtime);
    let polled = AtomicU32::new(0);
    let round = |count: usize| {
        for n in 0..count {
            let calls: Vec<_> = (0..10).map(|_| Box::pin(sleep(&pre, 10_000))).collect();
            for (at, mut call) in calls.into_iter().enumerate() {
                if at % 4 != 0 {
                    assert!(poll_once(&mut call).is_pending());
                    polled.fetch_add(1, Ordering::Relaxed);
                }
                if n % 10 == 0 && at == 1 {
                    // Dropped on another thread.
                    thread::scope(|scope| scope.spawn(move || drop(call)).join().unwrap());
                }
            }
        }
    };
    let executor = tokio_with_two_threads();
    let _guard = executor.enter();
    round(100);
    let (before, memory) = (held(), status("VmRSS:"));
    round(900);
    let (after, memory) = (held(), status("VmRSS:").saturating_sub(memory));
    assert!(polled.load(Ordering::Relaxed) > 5000);
    for (before, after) in before.into_iter().zip(after) {
        assert!(after <= before + 4, "mappings, descriptors or threads: {before}, then {after}");
    }
    assert!(memory < 8 << 20, "{memory} bytes are left behind");
}

/// A field of `/proc/self/status`, in bytes.
fn status(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

/// In a process of its own, whose memory is measured.
#[test]
#[ignore = "run by `ten_thousand_guests_wait_in_a_gigabyte`"]
fn crowd_of_waiting_guests() {
    const GUESTS: i32 = 10_000;
    let runtime = Runtime::new();
    let pre = sleeper(&runtime);
    let executor = tokio_with_two_threads();
    executor.block_on(async {
        let tasks: Vec<_> = (0..GUESTS)
            .map(|_| {
                let pre = pre.clone();
                // Until they are dropped.
                tokio::spawn(async move { sleep(&pre, i32::MAX).await })
            })
            .collect();
        while held()[0] < 2 * GUESTS as usize {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The last ones have a stack already, and touch it soon.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let bytes = status("VmRSS:") + status("VmPTE:");
        assert!(bytes < 1 << 30, "{bytes} bytes");
        assert!(held()[2] < 10, "threads");
        for task in tasks {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
    });
    let bytes = status("VmRSS:");
    assert!(bytes < 128 << 20, "{bytes} bytes after the guests were dropped");
}

/// Runs an ignored test of this file in a process of its own. Not under emulation, where what the process
/// holds is not the guest's alone.
fn in_child(test: &str) {
    if std::env::var_os("PRECAST_TEST_RUNNER").is_some_and(|runner| !runner.is_empty()) {
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", &format!("fibers::executors::{test}")]);
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn dropped_futures_leave_nothing_behind() {
    in_child("churn_of_dropped_futures");
}

#[test]
fn ten_thousand_guests_wait_in_a_gigabyte() {
    in_child("crowd_of_waiting_guests");
}

#[test]
fn a_waker_of_a_call_is_forgotten_when_it_ends() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<(), ()>(&ns, instance, "forever");
    let _handle = ns.interrupt_handle();
    struct Quiet;
    impl std::task::Wake for Quiet {
        fn wake(self: Arc<Self>) {}
    }
    let quiet = Arc::new(Quiet);
    let waker = std::task::Waker::from(quiet.clone());
    let mut call = Box::pin(run.call_async(&mut ns, ()));
    assert!(call.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    assert!(Arc::strong_count(&quiet) > 2, "it is woken when it has to stop");
    drop(call);
    assert_eq!(Arc::strong_count(&quiet), 2);
}
