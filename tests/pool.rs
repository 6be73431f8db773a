//! The pools of address space: what they keep, within their bounds. The bounds are those of the process, so
//! this test has a process of its own.

use precast::{CompiledModule, Instance, Namespace, Pool, PoolLimits, Runtime};

/// A memory of which a call dirties so many pages of 4 KiB.
const GUEST: &str = r#"(module (memory (export "memory") 20)
  (func (export "write") (param i32)
    (loop $again
      (i32.store (i32.mul (local.get 0) (i32.const 4096)) (i32.const 1))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

/// Instances that have written so many pages and are alive.
fn instances(module: &CompiledModule, count: usize, pages: i32) -> Vec<Box<Namespace>> {
    let make = |_| {
        let mut namespace = module.runtime().namespace();
        let instance: Instance = namespace.instantiate(module).unwrap();
        let write = instance.typed::<i32, ()>(&namespace, "write").unwrap();
        write.call(&mut namespace, pages).unwrap();
        namespace
    };
    (0..count).map(make).collect()
}

#[test]
fn a_pool_stays_within_its_bounds() {
    let runtime = Runtime::new();
    let module = runtime.compile(&wat::parse_str(GUEST).unwrap()).unwrap();
    let other = runtime.compile(&wat::parse_str("(module (memory 1))").unwrap()).unwrap();
    assert_eq!(Pool::limits(), PoolLimits::new());
    assert_eq!(Pool::stats().kept, 0);

    // As many as the default allows are kept, and used again.
    let most = PoolLimits::new().memories;
    drop(instances(&module, most + 3, 1));
    let stats = Pool::stats();
    assert_eq!((stats.kept, stats.made, stats.reused), (most as u64, most as u64 + 3, 0));
    assert_eq!(stats.unmapped_when_full, 3);
    assert!(stats.reserved_bytes >= (most as u64) << 32);
    drop(instances(&module, 2, 1));
    runtime.namespace().instantiate(&other).unwrap();
    let stats = Pool::stats();
    assert_eq!((stats.kept, stats.reused, stats.reused_as_they_were), (most as u64, 3, 2));

    // A lower number holds from the next drop on.
    Pool::set_limits(PoolLimits::new().memories(5));
    drop(instances(&module, 6, 1));
    assert_eq!(Pool::stats().kept, 5);
    Pool::clear();
    let stats = Pool::stats();
    assert_eq!((stats.kept, stats.resident_bytes), (0, 0));

    // Pages beyond the bytes are given back. Where the kernel does not tell which pages are dirty, all
    // are.
    Pool::set_limits(PoolLimits::new().resident_bytes(250 << 10));
    let before = Pool::stats();
    drop(instances(&module, 4, 25));
    let stats = Pool::stats();
    assert_eq!(stats.kept, 4);
    assert!(stats.resident_bytes <= 250 << 10, "{stats:?}");
    let emptied = stats.emptied_when_full - before.emptied_when_full;
    let told = stats.resident_bytes > 0;
    assert_eq!(emptied, if told { 2 } else { 0 }, "{stats:?}");
    let memory_is_clean = |mut namespace: Box<Namespace>| {
        let instance = namespace.instantiate(&module).unwrap();
        let memory = instance.memory(&namespace, "memory").unwrap();
        memory.data(&namespace).unwrap().iter().all(|&byte| byte == 0)
    };
    assert!((0..5).all(|_| memory_is_clean(runtime.namespace())));

    // Another thread has a pool of its own, which it gives back when it ends.
    let before = Pool::stats();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            drop(instances(&module, 3, 1));
            assert_eq!(Pool::stats().kept, before.kept + 3);
        });
        thread.join().unwrap();
    });
    // A scope may end a little before its threads have dropped what they keep.
    for _ in 0..1000 {
        if Pool::stats().kept == before.kept {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let stats = Pool::stats();
    assert_eq!((stats.kept, stats.made), (before.kept, before.made + 3));

    // Nothing is kept, if that is the limit.
    Pool::set_limits(PoolLimits::new().memories(0));
    drop(instances(&module, 5, 1));
    assert_eq!(Pool::stats().kept, 0);
}
