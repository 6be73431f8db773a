//! Snapshots: modules whose instances start in the state of an instance.

use precast::{
    CompiledModule, Error, ErrorKind, HostModuleBuilder, Instance, Linker, Namespace, Runtime,
    SealKey, SnapshotError, Value,
};
use precast_abi::artifact::{Artifact, Producer, host_target};

use super::density::tells_pages;
use super::state::{EVERYTHING, change, describe, everything, host};
use super::{compile, instantiate};

/// An instance of a module that may import from the host of [`EVERYTHING`], in a namespace of its own.
fn fresh(module: &CompiledModule) -> (Box<Namespace>, Instance) {
    let mut namespace = module.runtime().namespace();
    namespace.instantiate_host(&host(module.runtime())).unwrap();
    let instance = namespace.instantiate(module).unwrap();
    (namespace, instance)
}

/// What the records of a snapshot mean is what a verifier demands.
fn check_records(snapshot: &CompiledModule) {
    let bytes = snapshot.serialize();
    let artifact = Artifact::check(bytes, &Producer::for_target(&host_target())).unwrap();
    let code = artifact.check_deep(bytes).unwrap();
    assert!(!code.places().is_empty());
}

fn refused(result: Result<CompiledModule, Error>) -> SnapshotError {
    match result.map(|_| ()).map_err(Error::into_kind) {
        Err(ErrorKind::Snapshot(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Instances of the snapshot have the state of the captured instance, and go on as it does. Snapshots of
/// them do, too.
#[test]
fn all_state_is_captured() {
    for seed in 0..30 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut ns, instance) = everything();
        change(&mut ns, instance, &mut random, seed as usize);
        let before = describe(&mut ns, instance);
        let snapshot = instance.snapshot(&mut ns).unwrap();
        assert_eq!(describe(&mut ns, instance), before, "a snapshot changes nothing");
        check_records(&snapshot);
        let (mut other_ns, other) = fresh(&snapshot);
        assert_eq!(describe(&mut other_ns, other), before, "seed {seed}");
        let next = fastrand::Rng::with_seed(1000 + seed);
        let there = change(&mut other_ns, other, &mut next.clone(), 60);
        // Nothing of the first instance of the snapshot is seen by the second.
        let (mut third_ns, third) = fresh(&snapshot);
        let second = third.snapshot(&mut third_ns).unwrap();
        check_records(&second);
        let again = change(&mut third_ns, third, &mut next.clone(), 60);
        let here = change(&mut ns, instance, &mut next.clone(), 60);
        assert_eq!(here, there, "seed {seed}");
        assert_eq!(here, again, "seed {seed}");
        assert_eq!(describe(&mut ns, instance), describe(&mut other_ns, other));
        let (mut fourth_ns, fourth) = fresh(&second);
        assert_eq!(describe(&mut fourth_ns, fourth), before);
        assert_eq!(change(&mut fourth_ns, fourth, &mut next.clone(), 60), here);
        // A reset leads back to the state of the snapshot.
        other.reset(&mut other_ns).unwrap();
        assert_eq!(describe(&mut other_ns, other), before);
    }
}

#[test]
fn equal_states_have_equal_snapshots_and_are_loaded_from_bytes() {
    let artifact = || {
        let (mut ns, instance) = everything();
        change(&mut ns, instance, &mut fastrand::Rng::with_seed(5), 50);
        let snapshot = instance.snapshot(&mut ns).unwrap();
        snapshot.verify().unwrap();
        (describe(&mut ns, instance), snapshot.serialize().to_vec(), snapshot)
    };
    let (state, bytes, snapshot) = artifact();
    assert_eq!(artifact().1, bytes);
    // A seal proves its origin as it does that of a compiled module.
    let key = SealKey::new([7; 32]);
    let sealed = snapshot.serialize_sealed(&key);
    let runtime = Runtime::new();
    let loaded = runtime.load_sealed_bytes(&sealed, &key).unwrap();
    let (mut ns, instance) = fresh(&loaded);
    assert_eq!(describe(&mut ns, instance), state);
    assert_eq!(loaded.name(), compile(&runtime, EVERYTHING).name());
}

/// Pages far apart in a large memory: no image covers them all.
#[test]
fn a_sparse_memory_is_captured() {
    let (mut ns, instance) = instantiate(r#"(module (memory (export "memory") 10240))"#);
    let memory = instance.memory(&ns, "memory").unwrap();
    let places = [0, 5 << 20, (300 << 20) + 65_530, (301 << 20) - 1, (640 << 20) - 1];
    for (at, n) in places.iter().zip(1..) {
        memory.write(&mut ns, *at, &[n]).unwrap();
    }
    let snapshot = instance.snapshot(&mut ns).unwrap();
    assert!(snapshot.serialize().len() < 4 << 20, "{}", snapshot.serialize().len());
    let mut ns = snapshot.runtime().namespace();
    let instance = ns.instantiate(&snapshot).unwrap();
    let memory = instance.memory(&ns, "memory").unwrap();
    let data = memory.data(&ns).unwrap();
    assert_eq!(data.len(), 640 << 20);
    let around = |at: usize| data[at.saturating_sub(9)..(at + 9).min(data.len())].iter();
    for (at, n) in places.iter().zip(1..) {
        assert_eq!(data[*at as usize], n, "{at}");
        assert_eq!(around(*at as usize).map(|&n| u32::from(n)).sum::<u32>(), n.into());
    }
}

#[test]
fn a_memory_of_four_gigabytes_is_captured_to_its_last_byte() {
    let text = r#"(module (memory (export "memory") 65536))"#;
    let (mut ns, instance) = instantiate(text);
    let memory = instance.memory(&ns, "memory").unwrap();
    memory.write(&mut ns, (4 << 30) - 1, &[9]).unwrap();
    if !tells_pages() {
        // Every page would be read, and take memory.
        return;
    }
    let snapshot = instance.snapshot(&mut ns).unwrap();
    drop(ns);
    let mut ns = snapshot.runtime().namespace();
    let instance = ns.instantiate(&snapshot).unwrap();
    let memory = instance.memory(&ns, "memory").unwrap();
    assert_eq!(memory.data(&ns).unwrap().last(), Some(&9));
}

/// The start function and `_initialize` have run, and do not run again.
#[test]
fn instances_of_a_snapshot_are_initialised() {
    let text = r#"(module
        (global $starts (export "starts") (mut i32) (i32.const 0))
        (func $start (global.set $starts (i32.add (global.get $starts) (i32.const 1))))
        (start $start)
        (func (export "_initialize") (call $start))
        (func (export "f")))"#;
    let (mut ns, instance) = instantiate(text);
    instance.call(&mut ns, "_initialize", &[]).unwrap();
    let snapshot = instance.snapshot(&mut ns).unwrap();
    let names: Vec<String> = snapshot.exports().into_iter().map(|export| export.name).collect();
    assert!(names.contains(&"f".to_owned()) && !names.contains(&"_initialize".to_owned()));
    // A linker initialises what it links, if there is something to call.
    let runtime = snapshot.runtime();
    let user = r#"(module (import "lib" "starts" (global (mut i32)))
        (func (export "starts") (result i32) (global.get 0)))"#;
    let mut linker = Linker::new(runtime);
    linker.module("lib", &snapshot).unwrap();
    let mut ns = runtime.namespace();
    let user = linker.instantiate(&mut ns, &compile(runtime, user)).unwrap();
    assert_eq!(user.call(&mut ns, "starts", &[]).unwrap(), [Value::I32(2)]);
}

/// Tables without imports that never change become dispatch tables. They stay.
#[test]
fn dispatch_tables_stay() {
    let text = r#"(module (type $t (func (result i32)))
        (memory 1)
        (table 3 3 funcref)
        (elem (i32.const 0) $a $b $a)
        (func $a (result i32) (i32.const 10))
        (func $b (result i32) (i32.load (i32.const 0)))
        (func (export "set") (param i32) (i32.store (i32.const 0) (local.get 0)))
        (func (export "call") (param i32) (result i32)
          (call_indirect (type $t) (local.get 0))))"#;
    let (mut ns, instance) = instantiate(text);
    instance.call(&mut ns, "set", &[Value::I32(77)]).unwrap();
    let snapshot = instance.snapshot(&mut ns).unwrap();
    let mut ns = snapshot.runtime().namespace();
    let instance = ns.instantiate(&snapshot).unwrap();
    for (at, result) in [(0, 10), (1, 77), (2, 10)] {
        let got = instance.call(&mut ns, "call", &[Value::I32(at)]).unwrap();
        assert_eq!(got, [Value::I32(result)]);
    }
    assert!(instance.call(&mut ns, "call", &[Value::I32(3)]).unwrap_err().trap().is_some());
}

#[test]
fn a_trap_in_an_instance_of_a_snapshot_is_located() {
    let text =
        r#"(module (memory 1) (func $inner (unreachable)) (func (export "f") (call $inner)))"#;
    let (mut ns, instance) = instantiate(text);
    let snapshot = instance.snapshot(&mut ns).unwrap();
    let mut ns = snapshot.runtime().namespace();
    let instance = ns.instantiate(&snapshot).unwrap();
    let error = instance.call(&mut ns, "f", &[]).unwrap_err();
    let frames = error.trap().unwrap().frames();
    assert_eq!(frames[0].func_name.as_deref(), Some("inner"));
    assert_eq!(frames.len(), 2);
}

#[test]
fn what_cannot_be_captured_is_an_error() {
    // References to values of the host.
    let (mut ns, instance) = everything();
    let value = Value::ExternRef(Some(ns.extern_ref(5)));
    instance.call(&mut ns, "set_extern", &[Value::I32(2), value]).unwrap();
    let error = refused(instance.snapshot(&mut ns));
    assert_eq!(error.to_string(), "element 2 of table 1 refers to a value of the host");
    instance.reset(&mut ns).unwrap();
    let value = Value::ExternRef(Some(ns.extern_ref(5)));
    instance.call(&mut ns, "set_global_extern", &[value]).unwrap();
    let error = refused(instance.snapshot(&mut ns));
    assert_eq!(error.to_string(), "global 7 refers to a value of the host");
    // Functions of the host and of another instance, and one that the module never refers to.
    for (n, name) in ["add", "one", "trap"].into_iter().enumerate() {
        let (mut ns, instance) = everything();
        let text = r#"(module (func (export "one") (result i32) (i32.const 1)))"#;
        let other = compile(ns.runtime(), text);
        let other = ns.instantiate(&other).unwrap();
        let host = ns.instance("host").unwrap();
        let func = [host, other, instance][n].func(&ns, name).unwrap();
        let funcs = instance.table(&ns, "funcs").unwrap();
        funcs.set(&mut ns, 6, Value::FuncRef(Some(func))).unwrap();
        match refused(instance.snapshot(&mut ns)) {
            SnapshotError::Function(place) => assert_eq!(place, "element 6 of table 0"),
            other => panic!("{other:?}"),
        }
    }
    // State of others.
    let runtime = Runtime::new();
    let provider = compile(
        &runtime,
        r#"(module (memory (export "memory") 1) (table (export "table") 1 funcref)
            (global (export "variable") (mut i32) (i32.const 0))
            (global (export "constant") i32 (i32.const 0)))"#,
    );
    for (name, what, ty) in [
        ("memory", "memory", "(memory 1)"),
        ("table", "table", "(table 1 funcref)"),
        ("variable", "mutable global", "(global (mut i32))"),
        ("constant", "", "(global i32)"),
    ] {
        let mut ns = runtime.namespace();
        ns.instantiate_as("lib", &provider).unwrap();
        let user = compile(&runtime, &format!(r#"(module (import "lib" "{name}" {ty}))"#));
        let snapshot = ns.instantiate(&user).unwrap().snapshot(&mut ns);
        if what.is_empty() {
            snapshot.unwrap();
            continue;
        }
        let message = format!("it imports the {what} \"lib\" \"{name}\"");
        assert!(refused(snapshot).to_string().starts_with(&message));
    }
}

#[test]
fn a_host_module_can_refuse() {
    let runtime = Runtime::new();
    let host = HostModuleBuilder::with_state("host", Vec::<i32>::new)
        .check_snapshot(|open| match open.first() {
            None => Ok(()),
            Some(first) => Err(format!("number {first} is open")),
        })
        .func("open", |caller: &mut precast::Caller<'_, Vec<i32>>, n: i32| caller.state().push(n));
    let text = r#"(module (import "host" "open" (func $open (param i32)))
        (func (export "open") (param i32) (call $open (local.get 0))))"#;
    let module = compile(&runtime, text);
    let mut ns = runtime.namespace();
    let host = ns.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
    let instance = ns.instantiate(&module).unwrap();
    instance.snapshot(&mut ns).unwrap();
    instance.call(&mut ns, "open", &[Value::I32(4)]).unwrap();
    assert_eq!(refused(instance.snapshot(&mut ns)).to_string(), "number 4 is open");
    // An instance that does not import from it can be captured.
    let other = ns.instantiate(&compile(&runtime, "(module)")).unwrap();
    other.snapshot(&mut ns).unwrap();
    assert_eq!(refused(host.snapshot(&mut ns)).to_string(), "number 4 is open");
    host.reset(&mut ns).unwrap();
    instance.snapshot(&mut ns).unwrap();
    assert_eq!(refused(host.snapshot(&mut ns)), SnapshotError::HostModule);
    ns.remove(instance).unwrap();
    assert!(matches!(instance.snapshot(&mut ns).unwrap_err().kind(), ErrorKind::NotFound(_)));
    ns.close();
    assert!(matches!(other.snapshot(&mut ns).unwrap_err().kind(), ErrorKind::Closed(_)));
}
