//! Calls between host and WebAssembly.

use crate::Result;
use crate::clock::Clock;
use crate::compare::Compare;
use crate::timing::in_batches;
use std::hint::black_box;

/// The number of host calls in one call of a loop.
const LOOP: u32 = 1_000_000;

/// Functions to call, and loops that call the host. The host uses the memory.
const MODULE: &str = r#"(module
  (import "host" "plain" (func $plain (param i32) (result i32)))
  (import "host" "state" (func $state (param i32) (result i32)))
  (import "host" "memory" (func $memory (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "loop plain") (param $n i32)
    (loop $again
      (drop (call $plain (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "loop state") (param $n i32)
    (loop $again
      (drop (call $state (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "loop memory") (param $n i32)
    (loop $again
      (drop (call $memory (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"#;

/// Measures the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    typed(compare);
    untyped(compare);
    lent_results(compare);
    from_wasm(compare, "call/wasm to host", "loop plain");
    from_wasm(compare, "call/wasm to host, its state", "loop state");
    from_wasm(compare, "call/wasm to host, guest memory", "loop memory");
    Ok(())
}

/// The module instantiated in precast.
fn precast() -> Result<(Box<precast::Namespace>, precast::Instance)> {
    let runtime = precast::Runtime::new();
    let host = precast::HostModuleBuilder::with_state("host", || 0u32)
        .func("plain", |n: u32| n.wrapping_add(1))
        .func("state", |caller: &mut precast::Caller<'_, u32>, n: u32| {
            let sum = caller.state();
            *sum = sum.wrapping_add(n);
            *sum
        })
        .func("memory", |caller: &mut precast::Caller<'_, u32>, n: u32| {
            let memory = caller.memory().expect("it exports one");
            let byte = &mut memory[n as usize % 65536];
            *byte = byte.wrapping_add(1);
            u32::from(*byte)
        })
        .build(&runtime)?;
    let mut namespace = runtime.namespace();
    namespace.instantiate_host(&host)?;
    let instance = namespace.instantiate(&runtime.compile(&wat::parse_str(MODULE)?)?)?;
    Ok((namespace, instance))
}

/// The module instantiated in wasmtime.
fn wasmtime() -> Result<(wasmtime::Store<u32>, wasmtime::Instance)> {
    let engine = wasmtime::Engine::default();
    let mut linker = wasmtime::Linker::new(&engine);
    linker.func_wrap("host", "plain", |n: u32| n.wrapping_add(1))?;
    linker.func_wrap("host", "state", |mut caller: wasmtime::Caller<'_, u32>, n: u32| {
        let sum = caller.data_mut();
        *sum = sum.wrapping_add(n);
        *sum
    })?;
    linker.func_wrap("host", "memory", |mut caller: wasmtime::Caller<'_, u32>, n: u32| {
        let memory = caller.get_export("memory").and_then(wasmtime::Extern::into_memory);
        let memory = memory.expect("it exports one").data_mut(&mut caller);
        let byte = &mut memory[n as usize % 65536];
        *byte = byte.wrapping_add(1);
        u32::from(*byte)
    })?;
    let mut store = wasmtime::Store::new(&engine, 0);
    let module = wasmtime::Module::new(&engine, wat::parse_str(MODULE)?)?;
    let instance = linker.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

/// A function whose type is known when the host is compiled.
fn typed(compare: &mut Compare) {
    compare.times("call/host to wasm, typed", |clock| {
        let (mut namespace, instance) = precast()?;
        let add = instance.typed::<(i32, i32), i32>(&namespace, "add")?;
        let ours = in_batches(clock, move || {
            black_box(add.call(&mut namespace, black_box((1, 2)))?);
            Ok(())
        });
        let (mut store, instance) = wasmtime()?;
        let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add")?;
        let theirs = in_batches(clock, move || {
            black_box(add.call(&mut store, black_box((1, 2)))?);
            Ok(())
        });
        Ok((ours, theirs))
    });
}

/// A function whose type is known when the host runs.
fn untyped(compare: &mut Compare) {
    compare.times("call/host to wasm, untyped", |clock| {
        let (mut namespace, instance) = precast()?;
        let add = instance.func(&namespace, "add").ok_or("no add")?;
        let ours = in_batches(clock, move || {
            let args = [precast::Value::I32(1), precast::Value::I32(2)];
            black_box(add.call(&mut namespace, black_box(&args))?);
            Ok(())
        });
        Ok((ours, wasmtime_untyped(clock)?))
    });
}

/// As [`untyped`], where both write the results to a slice of the caller.
fn lent_results(compare: &mut Compare) {
    compare.times("call/untyped call, lent results", |clock| {
        let (mut namespace, instance) = precast()?;
        let add = instance.func(&namespace, "add").ok_or("no add")?;
        let ours = in_batches(clock, move || {
            let args = [precast::Value::I32(1), precast::Value::I32(2)];
            let mut results = [precast::Value::I32(0)];
            add.call_into(&mut namespace, black_box(&args), &mut results)?;
            black_box(&results);
            Ok(())
        });
        Ok((ours, wasmtime_untyped(clock)?))
    });
}

/// The untyped call in wasmtime, which has results lent in any case.
fn wasmtime_untyped(clock: Clock) -> Result<impl FnMut() -> Result<f64>> {
    let (mut store, instance) = wasmtime()?;
    let add = instance.get_func(&mut store, "add").ok_or("no add")?;
    Ok(in_batches(clock, move || {
        let args = [wasmtime::Val::I32(1), wasmtime::Val::I32(2)];
        let mut results = [wasmtime::Val::I32(0)];
        add.call(&mut store, black_box(&args), &mut results)?;
        black_box(&results);
        Ok(())
    }))
}

/// A host function, called by the loop with this name.
fn from_wasm(compare: &mut Compare, row: &str, name: &str) {
    compare.times(row, |clock| {
        let (mut namespace, instance) = precast()?;
        let run = instance.typed::<(u32,), ()>(&namespace, name)?;
        let ours = per_iteration(clock, move || Ok(run.call(&mut namespace, (LOOP,))?));
        let (mut store, instance) = wasmtime()?;
        let run = instance.get_typed_func::<u32, ()>(&mut store, name)?;
        let theirs = per_iteration(clock, move || Ok(run.call(&mut store, LOOP)?));
        Ok((ours, theirs))
    });
}

/// The time of one iteration of a loop.
fn per_iteration(clock: Clock, mut run: impl FnMut() -> Result<()>) -> impl FnMut() -> Result<f64> {
    move || {
        let watch = clock.start();
        run()?;
        Ok(watch.seconds() / f64::from(LOOP))
    }
}
