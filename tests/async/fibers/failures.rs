//! Traps, panics and exhausted stacks of calls that have waited.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use precast::{Config, Error, ErrorKind, HostError, Instance, Namespace, Runtime, TrapCode};

use super::{State, Yield, block_on, compile, host, host_with, poll_once, sum, typed, waits};

#[test]
fn a_trap_after_a_wait_has_its_backtrace() {
    let (mut ns, instance) = waits(&Runtime::new());
    let trap = typed::<(), ()>(&ns, instance, "trap");
    let mut call = Box::pin(trap.call_async(&mut ns, ()));
    assert!(poll_once(&mut call).is_pending());
    // The guest goes on on a thread that has never run one.
    let error = thread::scope(|scope| scope.spawn(|| block_on(call)).join().unwrap()).unwrap_err();
    let trap = error.trap().unwrap();
    assert_eq!(trap.code(), TrapCode::Unreachable);
    let names = trap.frames().iter().map(|frame| frame.func_name.as_deref().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["trap_inner", "trap"]);
    assert!(!instance.is_interrupted(&ns));
    let run = typed::<i32, i32>(&ns, instance, "sum");
    assert_eq!(block_on(run.call_async(&mut ns, 3)).unwrap(), sum(3));
}

/// How deep the function `deep` recurses before its stack is exhausted.
fn depth(ns: &mut Namespace, instance: Instance) -> i32 {
    let deep = typed::<i32, i32>(ns, instance, "deep");
    let (mut low, mut high) = (0, 1 << 20);
    while high - low > 1 {
        let middle = (low + high) / 2;
        match block_on(deep.call_async(ns, middle)) {
            Ok(result) => {
                assert_eq!(result, middle + 2);
                low = middle;
            }
            Err(error) => {
                assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow, "{error}");
                high = middle;
            }
        }
    }
    low
}

#[test]
fn a_guest_has_its_stack_on_a_thread_with_little() {
    let runtime = Runtime::new();
    let (mut ns, instance) = waits(&runtime);
    let least = (1 << 20) / 128;
    assert!(depth(&mut ns, instance) > least);
    let small = thread::Builder::new().stack_size(128 << 10);
    let found = small.spawn(move || depth(&mut ns, instance)).unwrap().join().unwrap();
    assert!(found > least, "{found}");
    // A stack in proportion to what the runtime allows.
    let runtime = Runtime::with_config(Config::new().max_stack(4 << 20));
    let (mut ns, instance) = waits(&runtime);
    assert!(depth(&mut ns, instance) > 3 * least);
}

#[test]
fn a_frame_larger_than_the_stack_overflows() {
    let runtime = Runtime::with_config(Config::new().max_stack(64 << 10).host_stack(0));
    // Locals that are alive across a call lie in the frame.
    const LOCALS: usize = 14_000;
    let sets: String = (0..LOCALS)
        .map(|n| format!("(local.set {n} (v128.load offset={} (i32.const 0)))", 16 * n))
        .collect();
    let sums: String = (0..LOCALS)
        .rev()
        .map(|n| format!("(v128.store offset={} (i32.const 0) (local.get {n}))", 16 * n))
        .collect();
    let text = format!(
        r#"(module
          (import "host" "yield" (func $yield (param i32) (result i32)))
          (memory 4)
          (func (export "run") (result i32) (local {})
            {sets} (drop (call $yield (i32.const 1))) {sums} (i32.const 1)))"#,
        "v128 ".repeat(LOCALS)
    );
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host().build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, &text)).unwrap();
    let run = typed::<(), i32>(&ns, instance, "run");
    let error = block_on(run.call_async(&mut ns, ())).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow, "{error}");
}

/// Uses so many bytes of stack.
#[inline(never)]
fn use_stack(bytes: usize) -> usize {
    let page = std::hint::black_box([1u8; 4096]);
    match bytes.checked_sub(2 * page.len()) {
        Some(bytes) => use_stack(bytes) + usize::from(page[bytes % page.len()]),
        None => usize::from(page[0]),
    }
}

#[test]
fn a_host_function_has_its_stack_at_any_depth() {
    const HOST_STACK: usize = 512 << 10;
    let runtime = Runtime::with_config(Config::new().host_stack(HOST_STACK));
    let host = host().func("use", || use_stack(HOST_STACK / 2) as u32);
    let text = r#"(module
      (import "host" "yield" (func $yield (param i32) (result i32)))
      (import "host" "use" (func $use (result i32)))
      (func $deep (export "deep") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
          (then (drop (call $use)) (call $yield (i32.const 1)))
          (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))))))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let found = depth(&mut ns, instance);
    assert!(found > (1 << 20) / 128, "{found}");
}

#[test]
fn endless_recursion_with_waits_overflows() {
    let (mut ns, instance) = waits(&Runtime::new());
    let endless = typed::<i64, i64>(&ns, instance, "endless");
    let error = block_on(endless.call_async(&mut ns, 0)).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow, "{error}");
    let run = typed::<i32, i32>(&ns, instance, "sum");
    assert_eq!(block_on(run.call_async(&mut ns, 3)).unwrap(), sum(3));
}

/// A guest that calls `fail`, which does what its argument says: 0 panics at once, 1 panics in a future,
/// 2 panics when the future is dropped, 3 gives an error, 4 exits, 5 traps.
fn failing(runtime: &Runtime, state: &State) -> (Box<Namespace>, Instance) {
    struct PanicOnDrop;
    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            panic!("panic of a drop");
        }
    }
    let host = host_with(state).func_async("fail", |mut caller, (how,): (i32,)| {
        let guard = caller.state().clone();
        assert!(how != 0, "panic at once");
        Box::pin(async move {
            let _guard = guard;
            Yield(false).await;
            let _panic = (how == 2).then(|| PanicOnDrop);
            Yield(false).await;
            match how {
                1 => panic!("panic of a future"),
                3 => Err(HostError::new("an error")),
                4 => Err(HostError::exit(7)),
                5 => Err(HostError::trap(TrapCode::IntegerOverflow)),
                _ => Ok(()),
            }
        })
    });
    let text = r#"(module
      (import "host" "fail" (func $fail (param i32)))
      (func $inner (param i32) (call $fail (local.get 0)))
      (func (export "run") (param i32) (call $inner (local.get 0))))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(runtime, text)).unwrap();
    (ns, instance)
}

#[test]
fn panics_of_host_functions_pass_through_the_guest() {
    let (runtime, state) = (Runtime::new(), State::default());
    let (mut ns, instance) = failing(&runtime, &state);
    let before = Arc::strong_count(&state);
    let run = typed::<i32, ()>(&ns, instance, "run");
    for (how, message) in
        [(0, "panic at once"), (1, "panic of a future"), (2, "panic of a drop"), (1, "future")]
    {
        let call = AssertUnwindSafe(|| block_on(run.call_async(&mut ns, how)));
        let payload = catch_unwind(call).unwrap_err();
        let text = payload.downcast_ref::<&str>().copied().map(str::to_owned);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap();
        assert!(text.contains(message), "{text}");
        assert_eq!(Arc::strong_count(&state), before, "the future was dropped");
        assert!(!thread::panicking());
    }
    block_on(run.call_async(&mut ns, 6)).unwrap();
}

#[test]
fn a_panic_of_a_future_that_is_dropped_passes_on() {
    let (runtime, state) = (Runtime::new(), State::default());
    let (mut ns, instance) = failing(&runtime, &state);
    let run = typed::<i32, ()>(&ns, instance, "run");
    let mut call = Box::pin(run.call_async(&mut ns, 2));
    (0..2).for_each(|_| assert!(poll_once(&mut call).is_pending()));
    let payload = catch_unwind(AssertUnwindSafe(|| drop(call))).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"panic of a drop"));
}

#[test]
fn errors_of_host_functions_end_the_call() {
    let (mut ns, instance) = failing(&Runtime::new(), &State::default());
    let run = typed::<i32, ()>(&ns, instance, "run");
    let mut fail = |how| -> Error { block_on(run.call_async(&mut ns, how)).unwrap_err() };
    let error = fail(3);
    assert!(matches!(error.kind(), ErrorKind::Host(_)), "{error}");
    assert_eq!(fail(4).exit_code(), Some(7));
    let error = fail(5);
    let trap = error.trap().unwrap();
    assert_eq!((trap.code(), trap.frames().len()), (TrapCode::IntegerOverflow, 2));
}

#[test]
fn a_call_whose_stack_cannot_be_mapped_fails() {
    // More than the address space has.
    let runtime = Runtime::with_config(Config::new().host_stack(usize::MAX));
    let (mut ns, instance) = waits(&runtime);
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let mut call = Box::pin(run.call_async(&mut ns, 1));
    let Poll::Ready(Err(error)) = poll_once(&mut call) else { panic!("a stack was mapped") };
    assert!(matches!(error.kind(), ErrorKind::System { .. }), "{error}");
}
