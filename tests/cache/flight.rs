//! Single flight and crashes: one process compiles, all get the answer, and nothing is left behind.

use fastrand::Rng;
use precast::cache::Options;
use std::process::Child;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::scratch::{Scratch, stdout};
use crate::{assert_answers, module, open};

/// A module that takes a while to compile.
fn large(n: u32) -> Vec<u8> {
    let body =
        "(i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.rotl (local.get 0) (i32.const 5)))"
            .to_owned();
    let body = (0..40).fold("(local.get 0)".to_owned(), |inner, k| {
        format!("(i32.xor (i32.add {inner} (i32.const {k})) {body})")
    });
    let functions: String = (0..60)
        .map(|k| format!("(func (param i32) (result i32) (i32.add (i32.const {k}) {body}))"))
        .collect();
    let text =
        format!(r#"(module (func (export "answer") (result i32) (i32.const {n})) {functions})"#);
    wat::parse_str(text).expect("the text of the module")
}

#[test]
fn sixteen_processes_compile_once() {
    let scratch = Scratch::new("sixteen");
    let file = scratch.write("m.wasm", large(42));
    let children: Vec<Child> = (0..16).map(|_| scratch.answer(&file).spawn().unwrap()).collect();
    for child in children {
        assert_eq!(stdout(&child.wait_with_output().unwrap()), "42\n");
    }
    let (cache, _) = open(&scratch, Options::new());
    assert_eq!(cache.usage(None).published, 1);
    assert_eq!((scratch.files("modules").len(), scratch.temporaries()), (1, 0));
}

#[test]
fn sixteen_threads_compile_once() {
    let scratch = Scratch::new("threads");
    let (cache, runtime) = open(&scratch, Options::new());
    let (wasm, barrier) = (module(5, 10), Barrier::new(16));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                barrier.wait();
                assert_answers(&runtime.compile(&wasm).unwrap(), 5, 10);
            });
        }
    });
    let counts = cache.counts();
    assert_eq!((counts.published, counts.misses, counts.hits), (1, 1, 15), "{counts:?}");
}

#[test]
fn killed_while_compiling() {
    let scratch = Scratch::new("killed");
    let (cache, _) = open(&scratch, Options::new());
    let mut random = Rng::with_seed(3);
    // The time of one run from start to end.
    let file = scratch.write("m.wasm", large(1000));
    let start = Instant::now();
    stdout(&scratch.answer(&file).output().unwrap());
    let whole = start.elapsed().as_micros() as usize;
    for n in 0..20 {
        let file = scratch.write("m.wasm", large(n));
        let mut victim = scratch.answer(&file).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random.usize(..whole) as u64));
        let waiters: Vec<Child> = (0..3).map(|_| scratch.answer(&file).spawn().unwrap()).collect();
        std::thread::sleep(Duration::from_micros(random.usize(..whole / 4) as u64));
        victim.kill().unwrap();
        victim.wait().unwrap();
        for waiter in waiters {
            assert_eq!(stdout(&waiter.wait_with_output().unwrap()), format!("{n}\n"));
        }
        assert_eq!(stdout(&scratch.answer(&file).output().unwrap()), format!("{n}\n"));
        let verified = cache.verify().unwrap();
        assert_eq!((verified.whole, verified.damaged.len()), (cache.usage(None).entries, 0));
        assert_eq!(scratch.files("modules").len() as u32, n + 2);
    }
    cache.prune(None);
    assert_eq!(scratch.temporaries(), 0);
}

/// A holder of the lock that is stopped, but alive, delays others no longer than the settings
/// allow.
#[test]
fn waiting_has_a_limit() {
    let scratch = Scratch::new("limit");
    let (one, two) =
        (open(&scratch, Options::new()), Options::new().wait(Duration::from_millis(50)));
    let wasm = module(5, 0);
    let fingerprint = one.1.fingerprint();
    let key = precast::cache::Key::new(&fingerprint, precast::cache::Content::of(&wasm));
    let flight = one.0.flight(&key);
    assert!(!flight.waited());
    let (cache, runtime) = open(&scratch, two);
    assert_answers(&runtime.compile(&wasm).unwrap(), 5, 0);
    assert_eq!(cache.counts().published, 1);
    drop(flight);
}

/// A file of a dead writer is removed and does not count.
#[test]
fn leftovers_are_removed() {
    let scratch = Scratch::new("leftovers");
    let (cache, runtime) = open(&scratch, Options::new());
    runtime.compile(&module(1, 0)).unwrap();
    std::fs::write(scratch.cache().join("tmp/1-1"), [0; 5000]).unwrap();
    runtime.compile(&module(2, 0)).unwrap();
    assert_eq!(scratch.temporaries(), 0);
    assert_eq!(cache.verify().unwrap().damaged.len(), 0);
}
