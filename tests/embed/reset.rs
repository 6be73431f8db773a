//! Reset: an instance is as it was right after instantiation.

use std::time::Duration;

use precast::{
    Caller, ErrorKind, HostModuleBuilder, Limits, MemoryType, ResourceLimits, Runtime, TrapCode,
    Value,
};

use super::state::{change, describe, everything};
use super::{compile, instantiate};

#[test]
fn all_state_comes_back() {
    let (mut ns, instance) = everything();
    let fresh = describe(&mut ns, instance);
    let usage = (ns.memory_bytes(), ns.table_elements());
    let mut random = fastrand::Rng::with_seed(1);
    for round in 0..60 {
        let changes = change(&mut ns, instance, &mut random, round);
        let value = ns.extern_ref(round);
        let args = [Value::I32(2), Value::ExternRef(Some(value))];
        instance.call(&mut ns, "set_extern", &args).unwrap();
        instance.call(&mut ns, "set_global_extern", &args[1..]).unwrap();
        assert_ne!(describe(&mut ns, instance), fresh);
        instance.reset(&mut ns).unwrap();
        assert_eq!(describe(&mut ns, instance), fresh, "{changes:#?}");
        assert_eq!((ns.memory_bytes(), ns.table_elements()), usage);
    }
}

/// What is done after a reset gives what it gives in a new instance.
#[test]
fn an_instance_behaves_like_a_new_one_after_a_reset() {
    let (mut ns, instance) = everything();
    for seed in 0..40 {
        change(&mut ns, instance, &mut fastrand::Rng::with_seed(seed), 40);
        instance.reset(&mut ns).unwrap();
        let (mut other_ns, other) = everything();
        let again = |seed| fastrand::Rng::with_seed(1000 + seed);
        let here = change(&mut ns, instance, &mut again(seed), 40);
        let there = change(&mut other_ns, other, &mut again(seed), 40);
        assert_eq!(here, there, "seed {seed}");
        assert_eq!(describe(&mut ns, instance), describe(&mut other_ns, other));
    }
}

#[test]
fn handles_stay_valid() {
    let (mut ns, instance) = everything();
    let memory = instance.memory(&ns, "memory").unwrap();
    let funcs = instance.table(&ns, "funcs").unwrap();
    let grow = instance.typed::<i32, i32>(&ns, "grow_funcs").unwrap();
    let one = funcs.get(&ns, 2).unwrap().unwrap();
    assert_eq!(grow.call(&mut ns, 500).unwrap(), 20);
    memory.grow(&mut ns, 3).unwrap();
    instance.reset(&mut ns).unwrap();
    assert_eq!((memory.size(&ns).unwrap(), funcs.size(&ns).unwrap()), (4, 20));
    assert_eq!(grow.call(&mut ns, 0).unwrap(), 20);
    let Value::FuncRef(Some(one)) = one else { panic!("{one:?}") };
    assert_eq!(one.call(&mut ns, &[]).unwrap(), [Value::I32(1)]);
    assert_eq!(memory.grow(&mut ns, 60).unwrap(), 4);
    assert!(memory.grow(&mut ns, 1).is_err());
}

/// A memory that has grown, with more dirty pages than are written back.
#[test]
fn a_large_memory_is_reset() {
    let text = r#"(module (memory (export "memory") 1) (data (i32.const 9) "data")
        (func (export "fill") (result i32)
          (drop (memory.grow (i32.const 1000)))
          (memory.fill (i32.const 0) (i32.const 7) (i32.const 60000000))
          (memory.size)))"#;
    let (mut ns, instance) = instantiate(text);
    for _ in 0..3 {
        assert_eq!(instance.call(&mut ns, "fill", &[]).unwrap(), [Value::I32(1001)]);
        instance.reset(&mut ns).unwrap();
        let memory = instance.memory(&ns, "memory").unwrap();
        let bytes = memory.data(&ns).unwrap();
        assert_eq!((bytes.len(), &bytes[8..14]), (65536, b"\0data\0".as_slice()));
        assert!(bytes[14..].iter().all(|&byte| byte == 0));
    }
}

#[test]
fn an_imported_memory_keeps_its_bytes_but_for_segments() {
    let runtime = Runtime::new();
    let provider = r#"(module (memory (export "memory") 1) (table (export "table") 3 funcref))"#;
    let user = r#"(module
        (import "provider" "memory" (memory 1))
        (import "provider" "table" (table 3 funcref))
        (data (i32.const 0) "segment")
        (elem (i32.const 1) $f)
        (func $f)
        (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
        (func (export "clear") (table.set (i32.const 1) (ref.null func))))"#;
    let mut ns = runtime.namespace();
    let provider = ns.instantiate_as("provider", &compile(&runtime, provider)).unwrap();
    let user = ns.instantiate(&compile(&runtime, user)).unwrap();
    let store = user.typed::<(i32, i32), ()>(&ns, "store").unwrap();
    for at in [0, 100] {
        store.call(&mut ns, (at, 0x2a2a2a2a)).unwrap();
    }
    user.call(&mut ns, "clear", &[]).unwrap();
    user.reset(&mut ns).unwrap();
    let memory = provider.memory(&ns, "memory").unwrap();
    assert_eq!(&memory.data(&ns).unwrap()[..7], b"segment");
    assert_eq!(&memory.data(&ns).unwrap()[100..104], b"****");
    let table = provider.table(&ns, "table").unwrap();
    assert_ne!(table.get(&ns, 1).unwrap(), Some(Value::FuncRef(None)));
    // The provider's reset leaves the handles of its user valid.
    provider.reset(&mut ns).unwrap();
    assert_eq!(memory.data(&ns).unwrap()[100], 0);
    store.call(&mut ns, (100, 1)).unwrap();
    assert_eq!(memory.data(&ns).unwrap()[100], 1);
}

#[test]
fn host_modules_get_new_states() {
    let runtime = Runtime::new();
    let count = |caller: &mut Caller<'_, Vec<i32>>, n: i32| {
        caller.state().push(n);
        caller.state().len() as i32
    };
    let other = HostModuleBuilder::with_state("other", Vec::new).func("count", count);
    let captured = 100;
    let host = HostModuleBuilder::with_state("host", || vec![0])
        .func("count", count)
        .func("more", move |caller: &mut Caller<'_, Vec<i32>>| {
            caller.state().len() as i32 + captured
        });
    let text = r#"(module
        (import "host" "count" (func $count (param i32) (result i32)))
        (import "host" "more" (func $more (result i32)))
        (func (export "count") (param i32) (result i32) (call $count (local.get 0)))
        (func (export "more") (result i32) (call $more)))"#;
    let mut ns = runtime.namespace();
    let other = ns.instantiate_host(&other.build(&runtime).unwrap()).unwrap();
    let host = ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let mut count = |instance: precast::Instance| {
        let value = instance.call(&mut ns, "count", &[Value::I32(1)]).unwrap();
        value[0].as_i32().unwrap()
    };
    assert_eq!((count(instance), count(instance), count(other)), (2, 3, 1));
    instance.reset(&mut ns).unwrap();
    assert_eq!(instance.call(&mut ns, "more", &[]).unwrap(), [Value::I32(101)]);
    let mut count = |instance: precast::Instance| {
        let value = instance.call(&mut ns, "count", &[Value::I32(1)]).unwrap();
        value[0].as_i32().unwrap()
    };
    // The other module's state is not the instance's.
    assert_eq!((count(instance), count(other)), (2, 2));
    // An instance of a host module has its state alone.
    host.reset(&mut ns).unwrap();
    assert_eq!(host.call(&mut ns, "count", &[Value::I32(1)]).unwrap(), [Value::I32(2)]);
}

#[test]
fn an_interrupted_instance_can_be_used_again() {
    let runtime = Runtime::new();
    let provider = r#"(module (memory (export "memory") 1)
        (func (export "loop") (i32.store (i32.const 0) (i32.const 5)) (loop (br 0)))
        (func (export "get") (result i32) (i32.load (i32.const 0))))"#;
    let user = r#"(module
        (import "provider" "get" (func $get (result i32)))
        (func (export "get") (result i32) (call $get)))"#;
    let mut ns = runtime.namespace();
    let provider = ns.instantiate_as("provider", &compile(&runtime, provider)).unwrap();
    let user = ns.instantiate(&compile(&runtime, user)).unwrap();
    for _ in 0..3 {
        let mut timeout = Duration::from_millis(2);
        // A deadline that passes before the guest begins does not interrupt it.
        while !provider.is_interrupted(&ns) {
            let stopped =
                ns.with_timeout(timeout, |ns| provider.call(ns, "loop", &[]).unwrap_err());
            assert_eq!(stopped.trap().unwrap().code(), TrapCode::DeadlineExceeded);
            timeout *= 2;
        }
        assert!(user.is_interrupted(&ns));
        // The one that imports from the other is reset last.
        let error = user.reset(&mut ns).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
        provider.reset(&mut ns).unwrap();
        assert_eq!(provider.call(&mut ns, "get", &[]).unwrap(), [Value::I32(0)]);
        assert!(matches!(
            user.call(&mut ns, "get", &[]).unwrap_err().kind(),
            ErrorKind::Interrupted
        ));
        user.reset(&mut ns).unwrap();
        assert_eq!(user.call(&mut ns, "get", &[]).unwrap(), [Value::I32(0)]);
    }
}

#[test]
fn an_instance_whose_reset_fails_cannot_be_used() {
    let runtime = Runtime::new();
    let allowed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let asked = allowed.clone();
    let host = HostModuleBuilder::new("host").func("start", move || {
        match asked.load(std::sync::atomic::Ordering::Relaxed) {
            true => Ok(()),
            false => Err(precast::HostError::new("not now")),
        }
    });
    let text = r#"(module (import "host" "start" (func $start)) (start $start)
        (func (export "f") (result i32) (i32.const 3)))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    allowed.store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(instance.reset(&mut ns).unwrap_err().to_string(), "not now");
    let error = instance.call(&mut ns, "f", &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
    allowed.store(true, std::sync::atomic::Ordering::Relaxed);
    instance.reset(&mut ns).unwrap();
    assert_eq!(instance.call(&mut ns, "f", &[]).unwrap(), [Value::I32(3)]);
}

#[test]
fn what_cannot_be_reset_is_an_error() {
    let runtime = Runtime::new();
    let host = HostModuleBuilder::new("host").func(
        "reset",
        |caller: &mut Caller<'_, ()>| -> Result<(), precast::HostError> {
            let instance = caller.instance().expect("a caller");
            Ok(instance.reset(caller.namespace())?)
        },
    );
    let text = r#"(module (import "host" "reset" (func $reset))
        (memory (export "memory") 1)
        (func (export "f") (call $reset)))"#;
    let mut ns = runtime.namespace();
    ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let error = instance.call(&mut ns, "f", &[]).unwrap_err();
    assert_eq!(error.to_string(), "a call is running in the namespace");
    // That did no harm.
    instance.reset(&mut ns).unwrap();
    ns.remove(instance).unwrap();
    let error = instance.reset(&mut ns).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotFound(_)), "{error}");
    ns.close();
    assert!(matches!(instance.reset(&mut ns).unwrap_err().kind(), ErrorKind::Closed(_)));
}

/// The sizes after a reset count for the limits.
#[test]
fn a_reset_gives_back_what_the_instance_grew_by() {
    let (mut ns, instance) = everything();
    ns.set_limits(ResourceLimits::new().memory_bytes(5 << 16).table_elements(40));
    let grow = instance.typed::<i32, i32>(&ns, "grow").unwrap();
    let grow_funcs = instance.typed::<i32, i32>(&ns, "grow_funcs").unwrap();
    for _ in 0..5 {
        assert_eq!((grow.call(&mut ns, 1).unwrap(), grow.call(&mut ns, 1).unwrap()), (4, -1));
        assert_eq!(grow_funcs.call(&mut ns, 11).unwrap(), 20);
        assert_eq!(grow_funcs.call(&mut ns, 1).unwrap(), -1);
        instance.reset(&mut ns).unwrap();
    }
    // An own memory of the host beside it.
    let memory = precast::Memory::new(&mut ns, MemoryType::new(Limits::new(0, None))).unwrap();
    assert_eq!(memory.grow(&mut ns, 1).unwrap(), 0);
}
