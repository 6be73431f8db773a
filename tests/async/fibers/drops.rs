//! Futures that are dropped: before the first poll, at each wait, after the end, and on other threads.

use std::pin::Pin;
use std::sync::Arc;
use std::thread;

use precast::{Caller, ErrorKind, HostError, Instance, Namespace, Runtime};

use super::{State, Yield, block_on, compile, host_with, poll_once, sum, typed, waits, waits_with};

#[test]
fn a_call_that_was_never_polled_has_not_begun() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    drop(run.call_async(&mut ns, 5));
    assert!(!instance.is_interrupted(&ns));
    assert_eq!(typed::<(), i32>(&ns, instance, "calls").call(&mut ns, ()).unwrap(), 0);
    assert_eq!(block_on(run.call_async(&mut ns, 5)).unwrap(), sum(5));
}

#[test]
fn a_call_that_has_ended_is_as_any_other() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let mut call = Box::pin(run.call_async(&mut ns, 1));
    while poll_once(&mut call).is_pending() {}
    drop(call);
    assert!(!instance.is_interrupted(&ns));
}

#[test]
fn a_call_is_dropped_at_each_wait() {
    let (runtime, state) = (Runtime::new(), State::default());
    for polls in 1..=10 {
        let (mut ns, instance) = waits_with(&runtime, &state);
        let run = typed::<i32, i32>(&ns, instance, "sum");
        let before = Arc::strong_count(&state);
        let mut call = Box::pin(run.call_async(&mut ns, 4));
        (0..polls).for_each(|_| assert!(poll_once(&mut call).is_pending()));
        assert_eq!(Arc::strong_count(&state), before + 1);
        // On this thread and on another one.
        match polls % 2 {
            0 => drop(call),
            _ => thread::scope(|scope| scope.spawn(move || drop(call)).join().unwrap()),
        }
        assert_eq!(Arc::strong_count(&state), before, "the future was dropped");
        // As after an interrupt.
        assert!(instance.is_interrupted(&ns));
        let error = block_on(run.call_async(&mut ns, 1)).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
    }
    // Neither the stacks nor the threads remember anything.
    let (mut ns, instance) = waits_with(&runtime, &state);
    let run = typed::<i32, i32>(&ns, instance, "sum");
    assert_eq!(block_on(run.call_async(&mut ns, 4)).unwrap(), sum(4));
}

/// A guest whose host function calls back as often as its argument says.
fn nested(runtime: &Runtime, state: &State) -> (Box<Namespace>, Instance) {
    let host =
        host_with(state).func_async("back", |mut caller: Caller<'_, State>, (n,): (i32,)| {
            Box::pin(async move {
                let guard = caller.state().clone();
                let instance = caller.instance().unwrap();
                let ns = caller.namespace();
                Yield(false).await;
                if n > 0 {
                    let run = instance.typed::<i32, ()>(ns, "run")?;
                    run.call_async(ns, n - 1).await?;
                }
                Yield(false).await;
                drop(guard);
                Ok::<_, HostError>(())
            })
        });
    let text = r#"(module
      (import "host" "back" (func $back (param i32)))
      (func (export "run") (param i32) (call $back (local.get 0))))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(runtime, text)).unwrap();
    (ns, instance)
}

#[test]
fn nested_calls_are_dropped_at_each_wait() {
    let (runtime, state) = (Runtime::new(), State::default());
    for polls in 1..=8 {
        let (mut ns, instance) = nested(&runtime, &state);
        let before = Arc::strong_count(&state);
        let run = typed::<i32, ()>(&ns, instance, "run");
        let mut call = Box::pin(run.call_async(&mut ns, 3));
        (0..polls).for_each(|_| assert!(poll_once(&mut call).is_pending(), "{polls}"));
        assert!(Arc::strong_count(&state) > before);
        thread::scope(|scope| scope.spawn(move || drop(call)).join().unwrap());
        assert_eq!(Arc::strong_count(&state), before);
        assert!(instance.is_interrupted(&ns));
    }
    let (mut ns, instance) = nested(&runtime, &state);
    let run = typed::<i32, ()>(&ns, instance, "run");
    block_on(run.call_async(&mut ns, 3)).unwrap();
    assert!(!instance.is_interrupted(&ns));
}

/// A call that waits.
type PendingCall<'a> = Pin<Box<dyn Future<Output = Result<(), precast::Error>> + Send + 'a>>;

/// A host module whose function `back` calls `inner` of its caller, which waits, and then ends the call.
fn with_pending_call(state: &State, end: fn(PendingCall<'_>)) -> precast::HostModuleBuilder<State> {
    host_with(state).func_async("back", move |mut caller: Caller<'_, State>, (): ()| {
        Box::pin(async move {
            let instance = caller.instance().unwrap();
            let ns = caller.namespace();
            let inner = instance.typed::<(), ()>(ns, "inner")?;
            let mut call: PendingCall<'_> = Box::pin(inner.call_async(ns, ()));
            std::future::poll_fn(|context| {
                assert!(call.as_mut().poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
            end(call);
            Ok::<_, HostError>(())
        })
    })
}

#[test]
fn an_inner_call_that_is_dropped_stops_the_outer_one() {
    let (runtime, state) = (Runtime::new(), State::default());
    let host = with_pending_call(&state, |call| drop(call));
    let text = r#"(module
      (import "host" "forever" (func $forever))
      (import "host" "back" (func $back))
      (func (export "inner") (call $forever))
      (func (export "outer") (call $back)))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let outer = typed::<(), ()>(&ns, instance, "outer");
    let error = block_on(outer.call_async(&mut ns, ())).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), precast::TrapCode::Interrupted);
}

#[test]
fn a_forgotten_call_harms_nobody() {
    let (runtime, state) = (Runtime::new(), State::default());
    let host = with_pending_call(&state, |call| std::mem::forget(call));
    let text = r#"(module
      (import "host" "forever" (func $forever))
      (import "host" "back" (func $back))
      (func $deep (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
          (then (i32.const 0))
          (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
      (func (export "inner") (call $forever))
      (func (export "outer") (result i32) (call $back) (call $deep (i32.const 1000))))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let outer = typed::<(), i32>(&ns, instance, "outer");
    // The guest goes on with the limit of its own stack.
    for _ in 0..2 {
        assert_eq!(block_on(outer.call_async(&mut ns, ())).unwrap(), 1000);
    }
    let mut call = Box::pin(outer.call_async(&mut ns, ()));
    assert!(!poll_once(&mut call).is_pending());
    drop(call);
    let forever = typed::<(), ()>(&ns, instance, "inner");
    let mut call = Box::pin(forever.call_async(&mut ns, ()));
    assert!(poll_once(&mut call).is_pending());
    std::mem::forget(call);
    assert_eq!(block_on(outer.call_async(&mut ns, ())).unwrap(), 1000);
}

#[test]
#[should_panic(expected = "a call was polled after its end")]
fn a_call_is_not_polled_after_its_end() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let mut call = Box::pin(run.call_async(&mut ns, 0));
    assert!(poll_once(&mut call).is_ready());
    let _ = poll_once(&mut call);
}
