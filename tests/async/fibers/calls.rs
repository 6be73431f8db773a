//! Calls that wait: their results, their types, and which calls can wait.

use precast::{
    Caller, ErrorKind, ExternRef, Func, HostError, HostModuleBuilder, Linker, Runtime, TrapCode,
    Value,
};

use super::{Yield, block_on, compile, poll_once, sum, typed, waits};

/// Futures of calls can be sent.
fn assert_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn a_call_that_never_waits_is_ready_at_once() {
    let (mut ns, instance) = waits(&Runtime::new());
    let sum = typed::<i32, i32>(&ns, instance, "sum");
    let mut call = Box::pin(assert_send(sum.call_async(&mut ns, 0)));
    assert!(matches!(poll_once(&mut call), std::task::Poll::Ready(Ok(0))));
    drop(call);
    let func = instance.func(&ns, "sum").unwrap();
    let results = block_on(assert_send(func.call_async(&mut ns, &[Value::I32(0)])));
    assert_eq!(results.unwrap(), [Value::I32(0)]);
    let results = block_on(assert_send(instance.call_async(&mut ns, "sum", &[Value::I32(2)])));
    assert_eq!(results.unwrap(), [Value::I32(super::sum(2))]);
    let error = block_on(instance.call_async(&mut ns, "none", &[])).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotFound(_)), "{error}");
}

#[test]
fn a_call_waits_as_often_as_its_guest_does() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    let mut call = Box::pin(run.call_async(&mut ns, 4));
    let mut polls = 0;
    let result = loop {
        polls += 1;
        if let std::task::Poll::Ready(result) = poll_once(&mut call) {
            break result;
        }
    };
    assert_eq!((result.unwrap(), polls), (sum(4), 1 + 4 + 3 + 2 + 1));
    drop(call);
    // The next call and a plain one find everything as usual.
    assert_eq!(block_on(run.call_async(&mut ns, 3)).unwrap(), sum(3));
    let calls = typed::<(), i32>(&ns, instance, "calls");
    assert_eq!(calls.call(&mut ns, ()).unwrap(), 5 + 4);
}

#[test]
fn a_memory_grows_between_waits() {
    let (mut ns, instance) = waits(&Runtime::new());
    let grow = typed::<(), i32>(&ns, instance, "grow");
    assert_eq!(block_on(grow.call_async(&mut ns, ())).unwrap(), 5 + 42);
}

#[test]
fn values_of_every_type_cross_a_wait() {
    let runtime = Runtime::new();
    type All = (i32, i64, f32, f64, u128, Option<ExternRef>, Option<Func>);
    let host = HostModuleBuilder::new("host")
        .func_async("mix", |_, values: All| {
            Box::pin(async move {
                Yield(false).await;
                values
            })
        })
        .func_async("pair", |_, (a, b): (i32, f64)| {
            Box::pin(async move {
                Yield(false).await;
                Ok::<_, HostError>((b, a))
            })
        });
    let all = "i32 i64 f32 f64 v128 externref funcref";
    let text = format!(
        r#"(module
          (import "host" "mix" (func $mix (param {all}) (result {all})))
          (import "host" "pair" (func $pair (param i32 f64) (result f64 i32)))
          (func (export "mix") (param {all}) (result {all})
            (call $mix (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
                       (local.get 5) (local.get 6)))
          (func (export "pair") (param i32 f64) (result f64 i32)
            (call $pair (local.get 0) (local.get 1))))"#
    );
    let mut ns = runtime.namespace();
    let env = ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, &text)).unwrap();
    let value = ns.extern_ref("value");
    let func = instance.func(&ns, "pair").unwrap();
    let args: All = (-1, i64::MIN, 0.5, f64::MAX, 1 << 127, Some(value), Some(func));
    // Called by the guest, and by the host.
    for from in [instance, env] {
        let mix = typed::<All, All>(&ns, from, "mix");
        assert_eq!(block_on(mix.call_async(&mut ns, args)).unwrap(), args);
        let pair = typed::<(i32, f64), (f64, i32)>(&ns, from, "pair");
        assert_eq!(block_on(pair.call_async(&mut ns, (7, -1.5))).unwrap(), (-1.5, 7));
    }
}

#[test]
fn a_plain_call_cannot_wait() {
    let (mut ns, instance) = waits(&Runtime::new());
    let run = typed::<i32, i32>(&ns, instance, "sum");
    assert_eq!(run.call(&mut ns, 0).unwrap(), 0);
    let error = run.call(&mut ns, 1).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NeedsAsync), "{error}");
    assert_eq!(block_on(run.call_async(&mut ns, 1)).unwrap(), sum(1));
}

/// A guest `outer` calls a host function, which calls `inner`, which waits.
const NESTED: &str = r#"(module
  (import "host" "yield" (func $yield (param i32) (result i32)))
  (import "host" "back" (func $back (param i32) (result i32)))
  (func (export "inner") (param i32) (result i32) (call $yield (local.get 0)))
  (func (export "outer") (param i32) (result i32)
    (i32.add (call $yield (local.get 0)) (call $back (local.get 0)))))"#;

#[test]
fn a_plain_call_in_a_host_function_cannot_wait_either() {
    let runtime = Runtime::new();
    let host = super::host().func("back", |caller: &mut Caller<'_, super::State>, n: i32| {
        let instance = caller.instance().unwrap();
        let inner = instance.typed::<i32, i32>(caller.namespace(), "inner")?;
        inner.call(caller.namespace(), n)
    });
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, NESTED)).unwrap();
    let outer = typed::<i32, i32>(&ns, instance, "outer");
    let error = block_on(outer.call_async(&mut ns, 2)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NeedsAsync), "{error}");
}

#[test]
fn an_async_host_function_calls_back() {
    let runtime = Runtime::new();
    let host = super::host().func_async("back", |mut caller, (n,): (i32,)| {
        Box::pin(async move {
            let instance = caller.instance().unwrap();
            let ns = caller.namespace();
            if n == 0 {
                return Ok(0);
            }
            let outer = instance.typed::<i32, i32>(ns, "outer")?;
            let inner = instance.typed::<i32, i32>(ns, "inner")?;
            let result = outer.call_async(ns, n - 1).await?;
            Yield(false).await;
            // A plain call is made on the executor's stack, and cannot wait.
            let error = inner.call(ns, 1).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::NeedsAsync), "{error}");
            Ok::<_, HostError>(result + inner.call_async(ns, 1).await?)
        })
    });
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, NESTED)).unwrap();
    let outer = typed::<i32, i32>(&ns, instance, "outer");
    let expected = (1..=5).map(|n| n + 1 + 2).sum::<i32>() + 1;
    assert_eq!(block_on(outer.call_async(&mut ns, 5)).unwrap(), expected);
}

#[test]
fn start_functions_wait() {
    let runtime = Runtime::new();
    let text = r#"(module
      (import "host" "yield" (func $yield (param i32) (result i32)))
      (global $started (mut i32) (i32.const 0))
      (func $start (global.set $started (call $yield (i32.const 3))))
      (start $start)
      (func (export "started") (result i32) (global.get $started)))"#;
    let library = r#"(module
      (import "host" "yield" (func $yield (param i32) (result i32)))
      (global (export "value") (mut i32) (i32.const 0))
      (func (export "_initialize") (global.set 0 (call $yield (i32.const 6)))))"#;
    let user = r#"(module
      (import "library" "value" (global (mut i32)))
      (func (export "value") (result i32) (global.get 0)))"#;
    let host = super::host().build(&runtime).unwrap();
    let module = compile(&runtime, text);

    let mut ns = runtime.namespace();
    ns.instantiate_host(&host).unwrap();
    let error = ns.instantiate(&module).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NeedsAsync), "{error}");
    let instance = block_on(assert_send(ns.instantiate_async(&module))).unwrap();
    assert_eq!(typed::<(), i32>(&ns, instance, "started").call(&mut ns, ()).unwrap(), 4);

    let mut linker = Linker::new(&runtime);
    linker.host(&host).unwrap().module("library", &compile(&runtime, library)).unwrap();
    let user = compile(&runtime, user);
    let pre = linker.instantiate_pre(&user).unwrap();
    let (mut ns, instance) = block_on(assert_send(pre.instantiate_async())).unwrap();
    assert_eq!(typed::<(), i32>(&ns, instance, "value").call(&mut ns, ()).unwrap(), 7);
    // The library's instance exists, so nothing waits.
    let again = block_on(linker.instantiate_async(&mut ns, &user)).unwrap();
    assert_eq!(typed::<(), i32>(&ns, again, "value").call(&mut ns, ()).unwrap(), 7);
}

#[test]
fn a_linker_has_async_functions() {
    let runtime = Runtime::new();
    let mut linker = Linker::new(&runtime);
    linker
        .func_async("host", "double", |_, (n,): (i32,)| {
            Box::pin(async move {
                Yield(false).await;
                2 * n
            })
        })
        .unwrap();
    let text = r#"(module
      (import "host" "double" (func $double (param i32) (result i32)))
      (table funcref (elem $double))
      (func (export "run") (param i32) (result i32)
        (call_indirect (param i32) (result i32) (call $double (local.get 0)) (i32.const 0))))"#;
    let pre = linker.instantiate_pre(&compile(&runtime, text)).unwrap();
    let (mut ns, instance) = pre.instantiate().unwrap();
    let run = typed::<i32, i32>(&ns, instance, "run");
    assert_eq!(block_on(run.call_async(&mut ns, 5)).unwrap(), 20);
}

#[test]
fn fuel_is_counted_across_waits() {
    let runtime = Runtime::with_config(precast::Config::new().fuel(true));
    let (mut ns, instance) = waits(&runtime);
    let run = typed::<i32, i32>(&ns, instance, "sum");
    ns.set_fuel(1000);
    assert_eq!(block_on(run.call_async(&mut ns, 5)).unwrap(), sum(5));
    let used = 1000 - ns.fuel();
    assert!(used > 0);
    ns.set_fuel(used / 2);
    let error = block_on(run.call_async(&mut ns, 5)).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::OutOfFuel);
}
