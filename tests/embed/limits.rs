//! Limits of a namespace and its instances, and the limiter of the host.

use precast::{
    Config, ErrorKind, Growth, GrowthRefused, HostModuleBuilder, Limits, Memory, MemoryType,
    RefusedBy, Resource, ResourceLimiter, ResourceLimits, Runtime, TrapCode, Value,
};

use super::compile;

const PAGE: u64 = 65536;

/// A memory and a table that grow.
const GROWS: &str = r#"(module
  (memory (export "memory") 1 100)
  (table (export "table") 10 1000 externref)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow (ref.null extern) (local.get 0)))
  (func $deep (export "deep") (param i32)
    (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))))))"#;

fn message(result: Result<impl Sized, precast::Error>) -> String {
    match result {
        Ok(_) => panic!("it is allowed"),
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Limit(_)), "{error}");
            error.to_string()
        }
    }
}

#[test]
fn growth_beyond_a_limit_gives_minus_one() {
    let limits = ResourceLimits::new().memory_bytes(3 * PAGE).table_elements(12);
    let runtime = Runtime::with_config(Config::new().limits(limits));
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&compile(&runtime, GROWS)).unwrap();
    let mut grow = |name: &str, by: i32| {
        let grow = instance.typed::<i32, i32>(&ns, name).unwrap();
        grow.call(&mut ns, by).unwrap()
    };
    assert_eq!(grow("grow", 3), -1);
    assert_eq!(grow("grow", 2), 1);
    assert_eq!(grow("grow", 1), -1);
    assert_eq!(grow("grow", 0), 3);
    assert_eq!(grow("grow", -1), -1);
    assert_eq!(grow("grow_table", 3), -1);
    assert_eq!(grow("grow_table", 2), 10);
    assert_eq!(grow("grow_table", 1), -1);
    assert_eq!((ns.memory_bytes(), ns.table_elements()), (3 * PAGE, 12));
    // The host has the same limits.
    let memory = instance.memory(&ns, "memory").unwrap();
    let text = message(memory.grow(&mut ns, 1));
    assert!(text.starts_with("a memory of 3 pages"), "{text}");
    let table = instance.table(&ns, "table").unwrap();
    assert!(table.grow(&mut ns, 1, Value::ExternRef(None)).is_err());
    // Other limits hold from now on.
    ns.set_limits(ResourceLimits::new());
    assert_eq!(memory.grow(&mut ns, 1).unwrap(), 3);
}

#[test]
fn an_instantiation_beyond_a_limit_creates_nothing() {
    let runtime = Runtime::new();
    let module = compile(&runtime, GROWS);
    let none = ResourceLimits::new();
    for (limits, text) in [
        (none.memory_bytes(PAGE - 1), "65536 bytes of memories are more than the limit of 65535"),
        (
            none.instance_memory_bytes(0),
            "65536 bytes of memories of an instance are more than the limit of 0",
        ),
        (none.table_elements(9), "10 elements of tables are more than the limit of 9"),
        (
            none.instance_table_elements(9),
            "10 elements of tables of an instance are more than the limit of 9",
        ),
        (none.instances(0), "more than 0 instances"),
    ] {
        let mut ns = runtime.namespace();
        ns.set_limits(limits);
        for _ in 0..2 {
            assert_eq!(message(ns.instantiate(&module)), text);
        }
        assert_eq!((ns.memory_bytes(), ns.table_elements()), (0, 0));
        ns.set_limits(none);
        ns.instantiate(&module).unwrap();
        assert_eq!((ns.memory_bytes(), ns.table_elements()), (PAGE, 10));
    }
}

#[test]
fn the_limit_of_a_namespace_is_shared_and_that_of_an_instance_is_not() {
    let runtime = Runtime::new();
    let module = compile(&runtime, GROWS);
    let mut ns = runtime.namespace();
    ns.set_limits(ResourceLimits::new().memory_bytes(9 * PAGE).instance_memory_bytes(4 * PAGE));
    let [a, b, c] = [(); 3].map(|()| ns.instantiate(&module).unwrap());
    let mut grow = |instance: precast::Instance, by: i32| {
        instance.typed::<i32, i32>(&ns, "grow").unwrap().call(&mut ns, by).unwrap()
    };
    assert_eq!(grow(a, 4), -1);
    assert_eq!(grow(a, 3), 1);
    assert_eq!(grow(b, 3), 1);
    assert_eq!(grow(c, 0), 1);
    assert_eq!(grow(c, 1), -1);
    // An instance that is removed gives back what it had.
    ns.remove(a).unwrap();
    assert_eq!(ns.memory_bytes(), 5 * PAGE);
    let grow = c.typed::<i32, i32>(&ns, "grow").unwrap();
    assert_eq!(grow.call(&mut ns, 3).unwrap(), 1);
    assert_eq!(ns.memory_bytes(), 8 * PAGE);
    ns.instantiate(&module).unwrap();
    let text = "655360 bytes of memories are more than the limit of 589824";
    assert_eq!(message(ns.instantiate(&module)), text);
}

#[test]
fn memories_of_the_host_count_too() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    ns.set_limits(ResourceLimits::new().memory_bytes(4 * PAGE).instance_memory_bytes(0));
    let host = HostModuleBuilder::new("env")
        .memory("memory", MemoryType::new(Limits::new(1, None)))
        .build(&runtime)
        .unwrap();
    ns.instantiate_host(&host).unwrap();
    Memory::new(&mut ns, MemoryType::new(Limits::new(1, None))).unwrap();
    assert_eq!(ns.memory_bytes(), 2 * PAGE);
    let text = r#"(module (import "env" "memory" (memory 1))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let instance = ns.instantiate(&compile(&runtime, text)).unwrap();
    let grow = instance.typed::<i32, i32>(&ns, "grow").unwrap();
    assert_eq!(grow.call(&mut ns, 3).unwrap(), -1);
    assert_eq!(grow.call(&mut ns, 2).unwrap(), 1);
}

#[test]
fn removed_instances_leave_room_for_others() {
    let runtime = Runtime::new();
    let module = compile(&runtime, GROWS);
    let mut ns = runtime.namespace();
    ns.set_limits(ResourceLimits::new().instances(2).memory_bytes(2 * PAGE));
    for _ in 0..10 {
        let [a, b] = [(); 2].map(|()| ns.instantiate(&module).unwrap());
        assert_eq!(message(ns.instantiate(&module)), "more than 2 instances");
        ns.remove(a).unwrap();
        ns.remove(b).unwrap();
        ns.remove(b).unwrap();
        ns.set_limits(ResourceLimits::new().instances(2).memory_bytes(2 * PAGE));
        assert_eq!(ns.memory_bytes(), 0);
    }
}

/// Allows growth up to a size, and keeps what it was asked and told.
#[derive(Default)]
struct Keeper {
    most: u64,
    asked: Vec<Growth>,
    refused: Vec<GrowthRefused>,
}

impl ResourceLimiter for Keeper {
    fn may_grow(&mut self, growth: &Growth) -> bool {
        self.asked.push(*growth);
        growth.desired <= self.most
    }

    fn refused(&mut self, refused: &GrowthRefused) {
        self.refused.push(*refused);
    }
}

#[test]
fn a_limiter_decides_and_is_told() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    ns.set_limits(ResourceLimits::new().memory_bytes(50 * PAGE).instance_table_elements(500));
    ns.set_limiter(Keeper { most: 10 * PAGE, ..Keeper::default() });
    let instance = ns.instantiate(&compile(&runtime, GROWS)).unwrap();
    let grow = instance.typed::<i32, i32>(&ns, "grow").unwrap();
    let grow_table = instance.typed::<i32, i32>(&ns, "grow_table").unwrap();
    assert_eq!(grow.call(&mut ns, 9).unwrap(), 1);
    assert_eq!(grow.call(&mut ns, 1).unwrap(), -1);
    assert_eq!(grow.call(&mut ns, 41).unwrap(), -1);
    assert_eq!(grow.call(&mut ns, 91).unwrap(), -1);
    assert_eq!(grow_table.call(&mut ns, 491).unwrap(), -1);
    assert_eq!(grow_table.call(&mut ns, 490).unwrap(), 10);
    let keeper = ns.limiter::<Keeper>().unwrap();
    let sizes: Vec<_> = keeper.asked.iter().map(|g| (g.resource, g.current, g.desired)).collect();
    let memory = Resource::Memory;
    let asked =
        [(memory, PAGE, 10 * PAGE), (memory, 10 * PAGE, 11 * PAGE), (Resource::Table, 10, 500)];
    assert_eq!(sizes, asked);
    assert_eq!(keeper.asked[0].maximum, Some(100 * PAGE));
    let by: Vec<_> = keeper.refused.iter().map(|refused| refused.by).collect();
    let expected =
        [RefusedBy::Limiter, RefusedBy::NamespaceLimit, RefusedBy::Type, RefusedBy::InstanceLimit];
    assert_eq!(by, expected);
    ns.limiter_mut::<Keeper>().unwrap().most = 20 * PAGE;
    assert_eq!(grow.call(&mut ns, 10).unwrap(), 10);
}

struct Panics;

impl ResourceLimiter for Panics {
    fn may_grow(&mut self, _: &Growth) -> bool {
        panic!("the limiter fails")
    }

    fn refused(&mut self, _: &GrowthRefused) {
        panic!("the limiter fails again")
    }
}

#[test]
fn a_limiter_that_panics_refuses() {
    let runtime = Runtime::new();
    let mut ns = runtime.namespace();
    ns.set_limiter(Panics);
    let instance = ns.instantiate(&compile(&runtime, GROWS)).unwrap();
    let grow = instance.typed::<i32, i32>(&ns, "grow").unwrap();
    assert_eq!(grow.call(&mut ns, 1).unwrap(), -1);
    assert!(ns.limiter::<Keeper>().is_none());
}

#[test]
fn the_memory_of_an_instance_is_known() {
    let runtime = Runtime::new();
    let text = r#"(module (memory (export "memory") 16) (table 100 200 externref)
      (table (export "funcs") 10 funcref)
      (global (mut i64) (i64.const 1)) (data (i32.const 70000) "data")
      (func (export "touch") (param i32 i32)
        (memory.fill (local.get 0) (i32.const 1) (local.get 1))))"#;
    let module = compile(&runtime, text);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate(&module).unwrap();
    let usage = instance.memory_usage(&ns);
    assert_eq!(usage.memories, 16 * PAGE);
    // 8 bytes for a reference to the host, 32 for a function.
    assert!(usage.tables >= 10 * 32, "{usage:?}");
    assert!(usage.context > 64 && usage.context < 4096, "{usage:?}");
    let touch = instance.typed::<(i32, i32), ()>(&ns, "touch").unwrap();
    touch.call(&mut ns, (4 * PAGE as i32, 8 * PAGE as i32)).unwrap();
    let after = instance.memory_usage(&ns);
    if let (Some(before), Some(after)) = (usage.resident, after.resident) {
        assert!(after <= 16 * PAGE && after >= before, "{before} {after}");
        assert!(after >= 8 * PAGE, "{after}");
    }
    ns.close();
    assert_eq!(instance.memory_usage(&ns), precast::MemoryUsage::default());
}

#[test]
fn a_namespace_has_a_stack_of_its_own() {
    let runtime = Runtime::new();
    let module = compile(&runtime, GROWS);
    for (bytes, depth, fits) in [(64 << 10, 10_000, false), (512 << 10, 2_000, true)] {
        let mut ns = runtime.namespace();
        ns.set_limits(ResourceLimits::new().stack_bytes(bytes));
        let instance = ns.instantiate(&module).unwrap();
        let result = instance.typed::<i32, ()>(&ns, "deep").unwrap().call(&mut ns, depth);
        assert_eq!(result.is_ok(), fits, "{bytes}");
        if let Err(error) = result {
            assert_eq!(error.trap().unwrap().code(), TrapCode::StackOverflow);
        }
    }
}
