//! Guests of async calls, and what the tests share that run them.

mod calls;
mod chaos;
mod drops;
mod executors;
mod failures;
mod stops;
mod wasi;

use precast::{CompiledModule, HostModuleBuilder, Instance, Linker, Namespace, Runtime, TypedFunc};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// Wakes a thread that waits in [`block_on`].
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once.
fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A future that is ready when it is polled the second time, and wakes its task at once.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Compiles a module from its text.
fn compile(runtime: &Runtime, text: &str) -> CompiledModule {
    runtime.compile(&wat::parse_str(text).expect("the text of the module")).expect("the module")
}

/// The state of [`host`]: as many references as there are futures, and one.
type State = Arc<()>;

/// The functions that guests of these tests import as `host`: `yield` waits for `n` polls and gives
/// `n + 1`, and `forever` waits until it is dropped. Their futures hold a reference to the state.
fn host() -> HostModuleBuilder<State> {
    host_with(&State::default())
}

/// [`host`] with a state.
fn host_with(state: &State) -> HostModuleBuilder<State> {
    let state = state.clone();
    HostModuleBuilder::with_state("host", move || state.clone())
        .func_async("yield", |mut caller, (n,): (i32,)| {
            let guard = caller.state().clone();
            Box::pin(async move {
                for _ in 0..n {
                    Yield(false).await;
                }
                drop(guard);
                n + 1
            })
        })
        .func_async("forever", |mut caller, (): ()| {
            let guard = caller.state().clone();
            Box::pin(async move {
                std::future::pending::<()>().await;
                drop(guard);
            })
        })
}

/// A guest that waits.
const WAITS: &str = r#"(module $guest
  (import "host" "yield" (func $yield (param i32) (result i32)))
  (import "host" "forever" (func $forever))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  ;; The sum of what `yield` gives for n, n - 1 and so on.
  (func $sum (export "sum") (param $n i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (result i32) (i32.eqz (local.get $n))
      (then (i32.const 0))
      (else (i32.add (call $yield (local.get $n))
                     (call $sum (i32.sub (local.get $n) (i32.const 1)))))))
  (func (export "calls") (result i32) (global.get $calls))
  (func $forever_inner (call $forever))
  (func $wait_forever (export "forever") (call $forever_inner))
  (func $spin (export "spin") (drop (call $yield (i32.const 1))) (loop (br 0)))
  (func $trap_inner (drop (call $yield (i32.const 2))) (unreachable))
  (func $trap (export "trap") (call $trap_inner))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (call $yield (i32.const 1)))
      (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
  (func $endless (export "endless") (param i64) (result i64)
    (drop (call $yield (i32.const 0)))
    (i64.add (call $endless (i64.add (local.get 0) (i64.const 1))) (i64.const 1)))
  (func (export "grow") (result i32)
    (drop (memory.grow (i32.const 2)))
    (drop (call $yield (i32.const 1)))
    (i32.store (i32.const 131072) (i32.const 42))
    (drop (call $yield (i32.const 1)))
    (drop (memory.grow (i32.const 2)))
    (i32.add (memory.size) (i32.load (i32.const 131072)))))"#;

/// A namespace with an instance of [`WAITS`].
fn waits(runtime: &Runtime) -> (Box<Namespace>, Instance) {
    waits_with(runtime, &State::default())
}

/// [`waits`] with a state of the host module.
fn waits_with(runtime: &Runtime, state: &State) -> (Box<Namespace>, Instance) {
    let mut linker = Linker::new(runtime);
    linker.host(&host_with(state).build(runtime).unwrap()).unwrap();
    linker.instantiate_pre(&compile(runtime, WAITS)).unwrap().instantiate().unwrap()
}

/// An exported function.
fn typed<P: precast::WasmParams, R: precast::WasmResults>(
    namespace: &Namespace,
    instance: Instance,
    name: &str,
) -> TypedFunc<P, R> {
    instance.typed(namespace, name).expect("the function")
}

/// What `sum` gives.
fn sum(n: i32) -> i32 {
    (1..=n).map(|n| n + 1).sum()
}
