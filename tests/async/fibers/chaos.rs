//! Many guests on two threads, which are interrupted, dropped and timed out at random times.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use precast::{ErrorKind, InterruptHandle, Runtime, TrapCode};

use super::{State, sum, typed, waits_with};

/// The handles of guests that are to be interrupted, each after so many microseconds.
type Handles = Arc<Mutex<Vec<(InterruptHandle, u64)>>>;

/// What happens to a guest.
#[derive(Clone, Copy, Debug)]
enum End {
    None,
    Handle,
    Deadline,
    Drop,
}

async fn run(runtime: Runtime, state: State, seed: u64, send: Handles) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut ns, instance) = waits_with(&runtime, &state);
    let end = [End::None, End::Handle, End::Deadline, End::Drop][random.usize(0..4)];
    let (n, micros) = (random.i32(0..30), random.u64(1..20_000));
    let name = match end {
        End::None => "sum",
        _ => ["sum", "spin", "forever"][random.usize(0..3)],
    };
    // A guest that loops holds its thread, so only a handle or a deadline ends it.
    let name = if matches!(end, End::Drop) && name == "spin" { "forever" } else { name };
    let handle = ns.interrupt_handle();
    if matches!(end, End::Handle) {
        send.lock().unwrap().push((handle, micros));
    }
    let timeout = match end {
        End::Deadline => Duration::from_micros(micros),
        _ => Duration::from_secs(600),
    };
    let call = async |ns: &mut precast::Namespace| match name {
        "sum" => {
            let run = typed::<i32, i32>(ns, instance, name);
            let result = run.call_async(ns, n).await;
            if let Ok(result) = result {
                assert_eq!(result, sum(n));
            }
            result.map(drop)
        }
        _ => typed::<(), ()>(ns, instance, name).call_async(ns, ()).await,
    };
    let call = ns.with_timeout_async(timeout, call);
    let result = match end {
        End::Drop => match tokio::time::timeout(Duration::from_micros(micros), call).await {
            Ok(result) => result,
            Err(_) => {
                assert!(name == "forever" || instance.is_interrupted(&ns));
                return;
            }
        },
        _ => call.await,
    };
    let Err(error) = result else {
        assert_eq!(name, "sum");
        return;
    };
    let code = error.trap().map(precast::Trap::code);
    match end {
        End::Handle => assert_eq!(code, Some(TrapCode::Interrupted), "{error}"),
        End::Deadline => assert_eq!(code, Some(TrapCode::DeadlineExceeded), "{error}"),
        End::None | End::Drop => panic!("{end:?}: {error}"),
    }
    let again = typed::<i32, i32>(&ns, instance, "sum").call_async(&mut ns, 1).await;
    if let Err(error) = again {
        assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
    }
}

#[test]
fn guests_end_at_random_times() {
    const GUESTS: u64 = 1000;
    let (runtime, state) = (Runtime::new(), State::default());
    let handles: Handles = Arc::default();
    let executor = super::executors::tokio_with_two_threads();
    let all = async {
        let tasks: Vec<_> = (0..GUESTS)
            .map(|seed| tokio::spawn(run(runtime.clone(), state.clone(), seed, handles.clone())))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    };
    let ended = AtomicBool::new(false);
    let interrupts = || loop {
        let next = handles.lock().unwrap().pop();
        match next {
            Some((handle, micros)) => {
                std::thread::sleep(Duration::from_micros(micros % 1000));
                InterruptHandle::interrupt(&handle);
            }
            None if ended.load(Ordering::Relaxed) => return,
            None => std::thread::yield_now(),
        }
    };
    std::thread::scope(|scope| {
        let interrupts = scope.spawn(interrupts);
        // A guest that fails ends the interrupts too.
        let all = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| executor.block_on(all)));
        ended.store(true, Ordering::Relaxed);
        interrupts.join().unwrap();
        all.unwrap();
    });
    assert_eq!(Arc::strong_count(&state), 1, "all futures were dropped");
}
