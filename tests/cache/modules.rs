//! Modules whose code and data differ from those of all others, and runtimes that compile them.

use fastrand::Rng;
use precast::cache::{Cache, Options};
use precast::{CompiledModule, Config, Runtime, Value};

use crate::scratch::Scratch;

/// A module whose `answer` returns `n`, with `size` bytes of data that are unique to this `n`.
pub(crate) fn module(n: u32, size: usize) -> Vec<u8> {
    let mut random = Rng::with_seed(u64::from(n) + 1);
    let digit = |nibble: usize| char::from(b"0123456789abcdef"[nibble]);
    let mut data = String::with_capacity(3 * size);
    for _ in 0..size {
        let byte = random.usize(..256);
        data.extend(['\\', digit(byte >> 4), digit(byte & 15)]);
    }
    let text = format!(
        r#"(module $m{n}
             (memory (export "memory") {pages})
             (data (i32.const 0) "{data}")
             (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
             (func (export "answer") (result i32)
               (i32.sub (call $twice (i32.const {n})) (i32.const {n})))
             (func (export "sum") (result i32) (local $at i32) (local $sum i32)
               (loop $next
                 (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31))
                                          (i32.load8_u (local.get $at))))
                 (local.set $at (i32.add (local.get $at) (i32.const 1)))
                 (br_if $next (i32.lt_u (local.get $at) (i32.const {size}))))
               (local.get $sum)))"#,
        pages = size.div_ceil(65536) + 1,
    );
    wat::parse_str(text).expect("the text of the module")
}

/// The result of `sum` of [`module`].
pub(crate) fn sum(n: u32, size: usize) -> i32 {
    let mut random = Rng::with_seed(u64::from(n) + 1);
    (0..size).fold(0, |sum: i32, _| sum.wrapping_mul(31).wrapping_add(random.usize(..256) as i32))
}

/// Runs a module of [`module`], and checks its code and data.
#[track_caller]
pub(crate) fn assert_answers(module: &CompiledModule, n: u32, size: usize) {
    let mut namespace = module.runtime().namespace();
    let instance = namespace.instantiate(module).expect("the instance");
    let answer = instance.call(&mut namespace, "answer", &[]).expect("an answer");
    assert_eq!(answer, [Value::I32(n as i32)]);
    let total = instance.call(&mut namespace, "sum", &[]).expect("a sum");
    assert_eq!(total, [Value::I32(sum(n, size))]);
}

/// A runtime with this cache. It compiles on one thread, because these modules are tiny.
pub(crate) fn runtime(cache: &Cache) -> Runtime {
    Runtime::with_config(Config::new().threads(1).cache(cache.clone()))
}

/// A runtime with a cache in this folder.
pub(crate) fn open(scratch: &Scratch, options: Options) -> (Cache, Runtime) {
    let cache = options.open(scratch.cache()).expect("the cache opens");
    let runtime = runtime(&cache);
    (cache, runtime)
}
