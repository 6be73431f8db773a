//! Interrupts, deadlines and closing, while guests wait and while they run.

use std::thread;
use std::time::{Duration, Instant};

use precast::{Caller, Error, ErrorKind, HostError, Runtime, TrapCode};

use super::{State, Yield, block_on, compile, host, poll_once, sum, typed, waits, waits_with};

/// Time after which a call that should stop is stopped.
const SOON: Duration = Duration::from_millis(20);

fn code(error: &Error) -> Option<TrapCode> {
    error.trap().map(precast::Trap::code)
}

fn functions(error: &Error) -> Vec<String> {
    let frames = error.trap().unwrap().frames().iter();
    frames.map(|frame| frame.func_name.clone().unwrap_or_default()).collect()
}

#[test]
fn a_deadline_stops_a_guest_that_waits() {
    let state = State::default();
    let (mut ns, instance) = waits_with(&Runtime::new(), &state);
    let forever = typed::<(), ()>(&ns, instance, "forever");
    let (before, started) = (std::sync::Arc::strong_count(&state), Instant::now());
    let call = ns.with_timeout_async(SOON, async |ns| forever.call_async(ns, ()).await);
    let error = block_on(call).unwrap_err();
    assert!(started.elapsed() >= SOON);
    assert_eq!(code(&error), Some(TrapCode::DeadlineExceeded), "{error}");
    assert_eq!(functions(&error), ["forever_inner", "wait_forever"]);
    assert!(instance.is_interrupted(&ns));
    assert_eq!(std::sync::Arc::strong_count(&state), before, "the future was dropped");
    let error = block_on(forever.call_async(&mut ns, ())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
}

#[test]
fn a_deadline_stops_a_guest_that_has_waited_and_loops() {
    let (mut ns, instance) = waits(&Runtime::new());
    let spin = typed::<(), ()>(&ns, instance, "spin");
    let call = ns.with_timeout_async(SOON, async |ns| spin.call_async(ns, ()).await);
    let error = block_on(call).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::DeadlineExceeded), "{error}");
    assert_eq!(functions(&error), ["spin"]);
}

#[test]
fn a_deadline_that_does_not_pass_changes_nothing() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let hour = Duration::from_secs(3600);
    let call = ns.with_timeout_async(hour, async |ns| run.call_async(ns, 5).await);
    assert_eq!(block_on(call).unwrap(), sum(5));
    let passed = ns.with_timeout_async(Duration::ZERO, async |ns| run.call_async(ns, 5).await);
    assert_eq!(code(&block_on(passed).unwrap_err()), Some(TrapCode::DeadlineExceeded));
    assert_eq!(block_on(run.call_async(&mut ns, 5)).unwrap(), sum(5));
}

#[test]
fn a_handle_stops_a_guest_that_waits() {
    let (mut ns, instance) = waits(&Runtime::new());
    let forever = typed::<(), ()>(&ns, instance, "forever");
    let handle = ns.interrupt_handle();
    let error = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(SOON);
            handle.interrupt();
        });
        block_on(forever.call_async(&mut ns, ())).unwrap_err()
    });
    assert_eq!(code(&error), Some(TrapCode::Interrupted), "{error}");
    assert_eq!(functions(&error), ["forever_inner", "wait_forever"]);
}

#[test]
fn a_handle_stops_a_guest_that_has_waited_and_loops() {
    let (mut ns, instance) = waits(&Runtime::new());
    let spin = typed::<(), ()>(&ns, instance, "spin");
    let handle = ns.interrupt_handle();
    let mut call = Box::pin(spin.call_async(&mut ns, ()));
    // The guest goes on on another thread than that on which it began.
    assert!(poll_once(&mut call).is_pending());
    let error = thread::scope(|scope| {
        let loops = scope.spawn(|| block_on(call).unwrap_err());
        thread::sleep(SOON);
        handle.interrupt();
        loops.join().unwrap()
    });
    assert_eq!(code(&error), Some(TrapCode::Interrupted), "{error}");
    assert_eq!(functions(&error), ["spin"]);
}

#[test]
fn an_interrupt_between_polls_stops_the_call_at_the_next() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let handle = ns.interrupt_handle();
    let mut call = Box::pin(run.call_async(&mut ns, 5));
    assert!(poll_once(&mut call).is_pending());
    handle.interrupt();
    let std::task::Poll::Ready(Err(error)) = poll_once(&mut call) else { panic!("it goes on") };
    assert_eq!(code(&error), Some(TrapCode::Interrupted), "{error}");
}

#[test]
fn an_interrupt_before_the_first_poll_refuses_the_call() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let handle = ns.interrupt_handle();
    let call = run.call_async(&mut ns, 5);
    handle.interrupt();
    assert_eq!(code(&block_on(call).unwrap_err()), Some(TrapCode::Interrupted));
    assert!(!instance.is_interrupted(&ns));
    assert_eq!(block_on(run.call_async(&mut ns, 5)).unwrap(), sum(5));
}

#[test]
fn a_closed_runtime_stops_all_guests_that_wait() {
    let runtime = Runtime::new();
    let mut guests: Vec<_> = (0..3).map(|_| waits(&runtime)).collect();
    let calls = guests.iter_mut().map(|(ns, instance)| {
        let forever = typed::<(), ()>(ns, *instance, "forever");
        let mut call = Box::pin(forever.call_async(ns, ()));
        assert!(poll_once(&mut call).is_pending());
        call
    });
    let calls: Vec<_> = calls.collect();
    let errors: Vec<Error> = thread::scope(|scope| {
        let calls = calls.into_iter();
        let waiting = calls.map(|call| scope.spawn(move || block_on(call).unwrap_err()));
        let waiting: Vec<_> = waiting.collect();
        thread::sleep(SOON);
        runtime.close();
        waiting.into_iter().map(|waiting| waiting.join().unwrap()).collect()
    });
    for error in errors {
        assert!(matches!(error.kind(), ErrorKind::Closed("runtime")), "{error}");
    }
}

#[test]
fn a_namespace_that_is_closed_by_its_host_function_ends_its_calls() {
    let runtime = Runtime::new();
    let host = host().func_async("close", |mut caller, (): ()| {
        Box::pin(async move {
            Yield(false).await;
            caller.namespace().close();
            Yield(false).await;
        })
    });
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let text = r#"(module
      (import "host" "close" (func $close))
      (func (export "run") (result i32) (call $close) (i32.const 3)))"#;
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let run = typed::<(), i32>(&ns, instance, "run");
    assert_eq!(block_on(run.call_async(&mut ns, ())).unwrap(), 3);
    let error = block_on(run.call_async(&mut ns, ())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Closed("namespace")), "{error}");
}

#[test]
fn a_deadline_in_a_host_function_does_not_stop_its_caller() {
    let runtime = Runtime::new();
    let host = host().func_async("timeout", |mut caller: Caller<'_, State>, (): ()| {
        Box::pin(async move {
            // The deadline passes while the function waits for something that is not a call.
            let wait = async |_: &mut precast::Namespace| {
                let started = Instant::now();
                while started.elapsed() < 2 * SOON {
                    Yield(false).await;
                }
            };
            caller.namespace().with_timeout_async(SOON, wait).await;
        })
    });
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let text = r#"(module
      (import "host" "timeout" (func $timeout))
      (func (export "run") (result i32) (call $timeout) (i32.const 3)))"#;
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let run = typed::<(), i32>(&ns, instance, "run");
    assert_eq!(block_on(run.call_async(&mut ns, ())).unwrap(), 3);
    // The deadline of the call itself does.
    let call = ns.with_timeout_async(SOON / 2, async |ns| run.call_async(ns, ()).await);
    assert_eq!(code(&block_on(call).unwrap_err()), Some(TrapCode::DeadlineExceeded));
}

/// A guest whose host function calls back.
const NESTED: &str = r#"(module
  (import "host" "forever" (func $forever))
  (import "host" "back" (func $back (param i32)))
  (func (export "inner") (call $forever))
  (func (export "outer") (param i32) (call $back (local.get 0))))"#;

/// A namespace with that guest. The host function calls `inner` with a deadline in milliseconds.
fn nested(runtime: &Runtime) -> (Box<precast::Namespace>, precast::Instance) {
    let host = host().func_async("back", |mut caller: Caller<'_, State>, (ms,): (i32,)| {
        Box::pin(async move {
            let instance = caller.instance().unwrap();
            let ns = caller.namespace();
            let inner = instance.typed::<(), ()>(ns, "inner")?;
            let timeout = Duration::from_millis(ms as u64);
            ns.with_timeout_async(timeout, async |ns| inner.call_async(ns, ()).await).await?;
            Ok::<_, HostError>(())
        })
    });
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(runtime, NESTED)).unwrap();
    (ns, instance)
}

#[test]
fn a_deadline_of_an_inner_call_stops_the_calls_of_its_instance() {
    let (mut ns, instance) = nested(&Runtime::new());
    let outer = typed::<i32, ()>(&ns, instance, "outer");
    let error = block_on(outer.call_async(&mut ns, 20)).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::DeadlineExceeded), "{error}");
    assert!(instance.is_interrupted(&ns));
}

#[test]
fn a_deadline_of_an_outer_call_stops_the_inner_call_that_waits() {
    let (mut ns, instance) = nested(&Runtime::new());
    let outer = typed::<i32, ()>(&ns, instance, "outer");
    let call = ns.with_timeout_async(SOON, async |ns| outer.call_async(ns, 100_000).await);
    let error = block_on(call).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::DeadlineExceeded), "{error}");
    assert_eq!(functions(&error), [""], "the outer function has no name");
}

#[test]
fn a_host_function_that_the_host_calls_stops_too() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let env = ns.instantiate_host(&host().build(&runtime).unwrap()).unwrap();
    let forever = typed::<(), ()>(&ns, env, "forever");
    let call = ns.with_timeout_async(SOON, async |ns| forever.call_async(ns, ()).await);
    assert_eq!(code(&block_on(call).unwrap_err()), Some(TrapCode::DeadlineExceeded));
    let handle = ns.interrupt_handle();
    let mut call = Box::pin(forever.call_async(&mut ns, ()));
    assert!(poll_once(&mut call).is_pending());
    handle.interrupt();
    assert_eq!(code(&block_on(call).unwrap_err()), Some(TrapCode::Interrupted));
    // The request was for that call.
    let run = typed::<i32, i32>(&ns, env, "yield");
    assert_eq!(block_on(run.call_async(&mut ns, 2)).unwrap(), 3);
}
