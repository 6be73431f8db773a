//! Interruption: calls that are stopped from other threads and at deadlines, and what is left.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use precast::{
    Caller, Error, ErrorKind, HostError, HostModuleBuilder, Instance, Namespace, Runtime, TrapCode,
    Value,
};

use super::{compile, instantiate, instantiate_with_host};

/// Time after which a call that should be stopped is.
const SOON: Duration = Duration::from_millis(5);
/// Time in which a call begins, however busy the machine is.
const AGES: Duration = Duration::from_millis(300);

/// Endless loops of every kind.
const LOOPS: &str = include_str!("loops.wat");

/// Its function `f` gives 1.
const ONE: &str = r#"(module (func (export "f") (result i32) (i32.const 1)))"#;

fn code(error: &Error) -> Option<TrapCode> {
    error.trap().map(precast::Trap::code)
}

fn loops() -> (Box<Namespace>, Instance) {
    instantiate_with_host(HostModuleBuilder::new("host").func("nop", || {}), LOOPS)
}

fn names() -> Vec<String> {
    let (ns, instance) = loops();
    let mut names: Vec<String> = instance.exports(&ns).into_iter().map(|(name, _)| name).collect();
    names.retain(|name| name != "global" && name != "call entry");
    names
}

#[test]
fn a_deadline_stops_every_kind_of_loop() {
    for name in names() {
        let (mut ns, instance) = loops();
        // On a busy machine the deadline may pass before the call begins.
        loop {
            let started = Instant::now();
            let result = ns.with_timeout(SOON, |ns| instance.call(ns, &name, &[]));
            let error = result.unwrap_err();
            assert_eq!(code(&error), Some(TrapCode::DeadlineExceeded), "{name}: {error}");
            assert!(started.elapsed() >= SOON, "{name}");
            if !error.trap().unwrap().frames().is_empty() {
                break;
            }
            assert!(!instance.is_interrupted(&ns), "{name}");
        }
        assert!(instance.is_interrupted(&ns));
        let again = instance.call(&mut ns, &name, &[]).unwrap_err();
        assert!(matches!(again.kind(), ErrorKind::Interrupted), "{name}: {again}");
    }
}

#[test]
fn a_handle_stops_every_kind_of_loop() {
    for name in names() {
        let (mut ns, instance) = loops();
        let handle = ns.interrupt_handle();
        let error = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(SOON);
                handle.clone().interrupt();
            });
            instance.call(&mut ns, &name, &[]).unwrap_err()
        });
        assert_eq!(code(&error), Some(TrapCode::Interrupted), "{name}: {error}");
    }
}

#[test]
fn the_backtrace_says_where_the_guest_was() {
    let (mut ns, instance) = instantiate(
        r#"(module $app (func $spin (loop (br 0))) (func (export "run") (call $spin)))"#,
    );
    let result = ns.with_timeout(AGES, |ns| instance.call(ns, "run", &[]));
    let error = result.unwrap_err();
    let names: Vec<_> = error.trap().unwrap().frames().iter().map(|f| f.func_index).collect();
    // The inner function may have been inlined.
    assert!(names.ends_with(&[1]), "{names:?}");
}

#[test]
fn a_call_that_ends_in_time_is_not_disturbed() {
    let (mut ns, instance) = loops();
    let fib = ns.with_timeout(Duration::from_secs(3600), |ns| {
        ns.with_timeout(Duration::MAX, |ns| instance.call(ns, "call entry", &[Value::I32(1)]))
    });
    assert_eq!(code(&fib.unwrap_err()), Some(TrapCode::UninitializedElement));
    assert!(!instance.is_interrupted(&ns));
}

#[test]
fn a_deadline_that_has_passed_refuses_calls() {
    let (mut ns, instance) = instantiate(ONE);
    let f = instance.typed::<(), i32>(&ns, "f").unwrap();
    let past = Instant::now();
    for _ in 0..3 {
        let result = ns.with_deadline(past, |ns| f.call(ns, ()));
        assert_eq!(code(&result.unwrap_err()), Some(TrapCode::DeadlineExceeded));
        // It did not begin, so the instance is whole.
        assert_eq!(f.call(&mut ns, ()).unwrap(), 1);
    }
}

#[test]
fn an_interrupt_of_no_call_refuses_the_next_one() {
    let (mut ns, instance) = instantiate(ONE);
    let f = instance.typed::<(), i32>(&ns, "f").unwrap();
    let handle = ns.interrupt_handle();
    for _ in 0..3 {
        assert_eq!(f.call(&mut ns, ()).unwrap(), 1);
        handle.interrupt();
        handle.interrupt();
        assert_eq!(code(&f.call(&mut ns, ()).unwrap_err()), Some(TrapCode::Interrupted));
    }
    assert_eq!(f.call(&mut ns, ()).unwrap(), 1);
    drop(ns);
    handle.interrupt();
}

/// Calls `host.wait`, and then sets a global.
const WAITS: &str = r#"(module
  (import "host" "wait" (func $wait))
  (global $after (export "after") (mut i32) (i32.const 0))
  (func (export "run") (call $wait) (global.set $after (i32.const 1))))"#;

#[test]
fn a_guest_in_a_host_function_stops_when_it_returns() {
    let (entered, enters) = mpsc::channel();
    let (interrupted, waits) = mpsc::channel();
    let waits = Mutex::new(waits);
    let host = HostModuleBuilder::new("host").func("wait", move || {
        entered.send(()).unwrap();
        // The standard library continues a wait that a signal interrupts.
        waits.lock().unwrap().recv().unwrap();
    });
    let (mut ns, instance) = instantiate_with_host(host, WAITS);
    let handle = ns.interrupt_handle();
    let error = thread::scope(|scope| {
        scope.spawn(move || {
            enters.recv().unwrap();
            handle.interrupt();
            interrupted.send(()).unwrap();
        });
        instance.call(&mut ns, "run", &[]).unwrap_err()
    });
    assert_eq!(code(&error), Some(TrapCode::Interrupted));
    let after = instance.global(&ns, "after").unwrap();
    assert_eq!(after.get(&ns).unwrap(), Value::I32(0));
}

#[test]
fn a_host_function_can_interrupt_its_own_guest() {
    let host = HostModuleBuilder::new("host").func("wait", |caller: &mut Caller<'_, ()>| {
        caller.namespace().interrupt_handle().interrupt();
    });
    let (mut ns, instance) = instantiate_with_host(host, WAITS);
    let error = instance.call(&mut ns, "run", &[]).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::Interrupted));
    let after = instance.global(&ns, "after").unwrap();
    assert_eq!(after.get(&ns).unwrap(), Value::I32(0));
    // Nothing is left of the request.
    let (mut ns, instance) = instantiate(ONE);
    assert_eq!(instance.call(&mut ns, "f", &[]).unwrap(), [Value::I32(1)]);
}

/// `run` calls `host.enter`, and then adds 1 to the result.
const OUTER: &str = r#"(module
  (import "host" "enter" (func $enter (result i32)))
  (func (export "run") (result i32) (i32.add (call $enter) (i32.const 1)))
  (func (export "spin") (loop (br 0))))"#;
const SPIN: &str = r#"(module (func (export "spin") (loop (br 0))))"#;

/// A namespace with a spinning instance named "inner" and an instance of [`OUTER`] named "outer", whose
/// host function is `enter`.
fn with_inner(
    enter: impl Fn(&mut Namespace) -> Result<i32, HostError> + Send + Sync + 'static,
) -> (Box<Namespace>, Instance) {
    let runtime = Runtime::new();
    let host = HostModuleBuilder::new("host")
        .func("enter", move |caller: &mut Caller<'_, ()>| enter(caller.namespace()))
        .build(&runtime)
        .unwrap();
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host).unwrap();
    ns.instantiate_as("inner", &compile(&runtime, SPIN)).unwrap();
    let outer = ns.instantiate_as("outer", &compile(&runtime, OUTER)).unwrap();
    (ns, outer)
}

/// As [`with_inner`]: the host function calls `spin` of `callee` until a deadline and gives 10 if that
/// stopped it.
fn nested(callee: &'static str) -> (Box<Namespace>, Instance) {
    with_inner(move |ns| {
        let inner = ns.instance(callee).unwrap();
        let result = ns.with_timeout(AGES, |ns| inner.call(ns, "spin", &[]));
        let stopped = code(&result.unwrap_err()) == Some(TrapCode::DeadlineExceeded);
        Ok(if stopped { 10 } else { 0 })
    })
}

#[test]
fn the_deadline_of_an_inner_call_stops_that_call_alone() {
    let (mut ns, outer) = nested("inner");
    assert_eq!(outer.call(&mut ns, "run", &[]).unwrap(), [Value::I32(11)]);
    assert!(ns.instance("inner").unwrap().is_interrupted(&ns));
    assert!(!outer.is_interrupted(&ns));
}

#[test]
fn a_guest_whose_own_instance_was_stopped_in_an_inner_call_stops_too() {
    let (mut ns, outer) = nested("outer");
    let error = outer.call(&mut ns, "run", &[]).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::Interrupted), "{error}");
    assert!(outer.is_interrupted(&ns));
    assert!(!ns.instance("inner").unwrap().is_interrupted(&ns));
}

#[test]
fn the_deadline_of_an_outer_call_stops_the_inner_ones() {
    let (mut ns, outer) = with_inner(|ns| {
        let inner = ns.instance("inner").unwrap();
        inner.call(ns, "spin", &[])?;
        Ok(0)
    });
    let result = ns.with_timeout(SOON, |ns| outer.call(ns, "run", &[]));
    assert_eq!(code(&result.unwrap_err()), Some(TrapCode::DeadlineExceeded));
}

#[test]
fn other_namespaces_on_the_same_thread_are_left_alone() {
    // The guest of the outer namespace waits for one of an inner namespace, which goes on after the
    // outer one is interrupted.
    let inner_runtime = Runtime::new();
    let text = r#"(module (import "host" "nop" (func $nop))
      (func (export "run") (param i32) (result i32)
        (loop (call $nop) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const 10)))"#;
    let module = compile(&inner_runtime, text);
    let finished = Arc::new(AtomicBool::new(false));
    let enter = {
        let finished = finished.clone();
        move |caller: &mut Caller<'_, ()>| {
            let handle = caller.namespace().interrupt_handle();
            let calls = AtomicU32::new(0);
            let nop = move || {
                if calls.fetch_add(1, Ordering::Relaxed) == 50 {
                    handle.interrupt();
                }
            };
            let nop = HostModuleBuilder::new("host").func("nop", nop);
            let mut ns = inner_runtime.namespace();
            ns.instantiate_host(&nop.build(&inner_runtime).unwrap()).unwrap();
            let instance = ns.instantiate(&module).unwrap();
            let result = instance.call(&mut ns, "run", &[Value::I32(100_000)]).unwrap();
            finished.store(result == [Value::I32(10)], Ordering::Relaxed);
            10i32
        }
    };
    let (mut ns, outer) =
        instantiate_with_host(HostModuleBuilder::new("host").func("enter", enter), OUTER);
    let error = outer.call(&mut ns, "run", &[]).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::Interrupted));
    assert!(finished.load(Ordering::Relaxed));
    assert!(outer.is_interrupted(&ns));
}

#[test]
fn instances_that_are_linked_to_the_stopped_one_are_unusable_and_others_are_whole() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    let shared = r#"(module (memory (export "memory") 1) (table (export "table") 1 funcref)
      (global (export "global") (mut i32) (i32.const 0)) (func (export "f")))"#;
    ns.instantiate_as("shared", &compile(&runtime, shared)).unwrap();
    let spin =
        r#"(module (import "shared" "memory" (memory 1)) (func (export "spin") (loop (br 0))))"#;
    let spinning = ns.instantiate(&compile(&runtime, spin)).unwrap();
    let linked: Vec<Instance> = ["(memory 1)", "(table 1 funcref)", "(global (mut i32))", "(func)"]
        .iter()
        .zip(["memory", "table", "global", "f"])
        .map(|(ty, name)| {
            let text = format!(r#"(module (import "shared" "{name}" {ty}) (func (export "g")))"#);
            ns.instantiate(&compile(&runtime, &text)).unwrap()
        })
        .collect();
    let alone = ns.instantiate(&compile(&runtime, r#"(module (memory 1) (func (export "g")))"#));
    let alone = alone.unwrap();
    let result = ns.with_timeout(AGES, |ns| spinning.call(ns, "spin", &[]));
    assert!(result.is_err());
    for instance in linked {
        let error = instance.call(&mut ns, "g", &[]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
    }
    assert!(ns.instance("shared").unwrap().is_interrupted(&ns));
    alone.call(&mut ns, "g", &[]).unwrap();
    // What the stopped instance had can still be read.
    let memory = ns.instance("shared").unwrap().memory(&ns, "memory").unwrap();
    assert_eq!(memory.size(&ns).unwrap(), 1);
}

#[test]
fn a_start_function_has_a_deadline_too() {
    let runtime = Runtime::new();
    let module = compile(&runtime, "(module (func $run (loop (br 0))) (start $run))");
    let mut ns = runtime.namespace();
    let error = ns.with_timeout(SOON, |ns| ns.instantiate(&module)).unwrap_err();
    assert_eq!(code(&error), Some(TrapCode::DeadlineExceeded));
}

#[test]
fn closing_a_runtime_stops_the_guests_that_run() {
    let runtime = Runtime::new();
    let module = compile(&runtime, SPIN);
    let other = Runtime::new();
    let text = r#"(module (func (export "run") (param i32) (result i32)
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 7)))"#;
    let finite = compile(&other, text);
    let (began, begins) = mpsc::channel();
    thread::scope(|scope| {
        let guests: Vec<_> = (0..4)
            .map(|_| {
                let began = began.clone();
                let (runtime, module) = (&runtime, &module);
                scope.spawn(move || {
                    let mut ns = runtime.namespace();
                    let instance = ns.instantiate(module).unwrap();
                    began.send(()).unwrap();
                    instance.call(&mut ns, "spin", &[]).unwrap_err()
                })
            })
            .collect();
        let unharmed = scope.spawn(|| {
            let mut ns = other.namespace();
            let instance = ns.instantiate(&finite).unwrap();
            instance.call(&mut ns, "run", &[Value::I32(30_000_000)]).unwrap()
        });
        (0..4).for_each(|_| begins.recv().unwrap());
        thread::sleep(SOON);
        runtime.close();
        for guest in guests {
            let error = guest.join().unwrap();
            assert!(matches!(error.kind(), ErrorKind::Closed("runtime")), "{error}");
        }
        assert_eq!(unharmed.join().unwrap(), [Value::I32(7)]);
    });
}

#[test]
fn an_inner_call_on_another_thread_is_stopped_with_its_outer_call() {
    let (mut ns, outer) = with_inner(|ns| {
        let inner = ns.instance("inner").unwrap();
        let result =
            thread::scope(|scope| scope.spawn(|| inner.call(ns, "spin", &[])).join().unwrap());
        // The guest is given a result, as if nothing had happened, but it must not go on.
        Ok(i32::from(result.is_err()))
    });
    let result = ns.with_timeout(AGES, |ns| outer.call(ns, "run", &[]));
    assert_eq!(code(&result.unwrap_err()), Some(TrapCode::DeadlineExceeded));
}

/// Threads whose calls are stopped at random moments: whatever the moment, a call gives its result,
/// or the error of its deadline.
#[test]
fn interrupts_at_any_moment_do_no_harm() {
    const ROUNDS: u32 = 300;
    let stopped = AtomicU32::new(0);
    let names = names();
    thread::scope(|scope| {
        for thread in 0..4u64 {
            let (stopped, names) = (&stopped, &names);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                let runtime = Runtime::new();
                let host = HostModuleBuilder::new("host").func("nop", || {});
                let host = host.build(&runtime).unwrap();
                let module = compile(&runtime, LOOPS);
                for _ in 0..ROUNDS {
                    let mut ns = runtime.namespace();
                    ns.instantiate_host(&host).unwrap();
                    let instance = ns.instantiate(&module).unwrap();
                    let name = &names[random.usize(..names.len())];
                    let timeout = Duration::from_micros(random.u64(..300));
                    let result = ns.with_timeout(timeout, |ns| instance.call(ns, name, &[]));
                    let error = result.unwrap_err();
                    assert_eq!(code(&error), Some(TrapCode::DeadlineExceeded), "{name}: {error}");
                    stopped.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(stopped.load(Ordering::Relaxed), 4 * ROUNDS);
}

/// An entry of a table that is interrupted while it is written is never a mixture of two functions.
#[test]
fn an_entry_that_was_being_written_is_old_or_new_or_traps() {
    let runtime = Runtime::new();
    let owner = r#"(module (table (export "table") 8 funcref))"#;
    let writer = r#"(module
      (import "owner" "table" (table $t 8 funcref))
      (elem declare func $a $b)
      (func $a (result i64) (i64.const 5))
      (func $b (param f64 f64) (result i32) (i32.const 6))
      (func (export "run") (loop
        (table.set $t (i32.const 0) (ref.func $a))
        (table.set $t (i32.const 0) (ref.func $b))
        (table.set $t (i32.const 0) (ref.null func)) (br 0))))"#;
    let (owner, writer) = (compile(&runtime, owner), compile(&runtime, writer));
    for _ in 0..200 {
        let mut ns = runtime.namespace();
        let owner = ns.instantiate_as("owner", &owner).unwrap();
        let instance = ns.instantiate(&writer).unwrap();
        let timeout = Duration::from_micros(fastrand::u64(20..120));
        assert!(ns.with_timeout(timeout, |ns| instance.call(ns, "run", &[])).is_err());
        let table = owner.table(&ns, "table").unwrap();
        let Value::FuncRef(entry) = table.get(&ns, 0).unwrap().unwrap() else {
            panic!("a function")
        };
        if let Some(func) = entry {
            let results = func.ty(&ns).unwrap().results().len();
            assert_eq!(results, 1);
        }
    }
}

/// A thread calls guests while its thread-local values are dropped: it cannot be interrupted any more,
/// and the calls do no harm.
#[test]
fn a_thread_that_ends_can_call_guests() {
    struct Calls(Arc<AtomicU32>);

    impl Drop for Calls {
        fn drop(&mut self) {
            let (mut ns, instance) = instantiate(ONE);
            let result = ns.with_timeout(Duration::from_secs(60), |ns| instance.call(ns, "f", &[]));
            assert_eq!(result.unwrap(), [Value::I32(1)]);
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    thread_local! {
        static FIRST: std::cell::RefCell<Option<Calls>> = const { std::cell::RefCell::new(None) };
        static LAST: std::cell::RefCell<Option<Calls>> = const { std::cell::RefCell::new(None) };
    }
    let calls = Arc::new(AtomicU32::new(0));
    for ready_before in [true, false] {
        let calls = calls.clone();
        let thread = thread::spawn(move || {
            FIRST.with(|cell| *cell.borrow_mut() = Some(Calls(calls.clone())));
            if ready_before {
                let (mut ns, instance) = loops();
                assert!(instance.call(&mut ns, "call entry", &[Value::I32(1)]).is_err());
                LAST.with(|cell| *cell.borrow_mut() = Some(Calls(calls.clone())));
            }
        });
        thread.join().unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}
