//! Versions of one module: only the changed function is compiled again, and the result is the same.

use fastrand::Rng;
use precast::cache::Options;
use precast::{Config, Runtime};
use std::fs;

use crate::open;
use crate::scratch::{Scratch, replace};

/// A module with many functions, one of which contains `edit`.
fn version(edit: u32) -> Vec<u8> {
    let function = |n: u32| {
        let constant = if n == 77 { edit } else { n };
        format!(
            "(func (param i32) (result i32)
               (if (result i32) (i32.eqz (local.get 0)) (then (i32.const {constant}))
                 (else (call {callee} (i32.sub (local.get 0) (i32.const 1))))))",
            callee = (n * 7 + 1) % 200
        )
    };
    let functions: String = (0..200).map(function).collect();
    wat::parse_str(format!("(module $versions {functions} (export \"f\" (func 77)))")).unwrap()
}

fn plain() -> Runtime {
    Runtime::with_config(Config::new().threads(1))
}

#[test]
fn an_edit_gives_the_same_artifact_as_a_full_compilation() {
    let scratch = Scratch::new("edit");
    let (cache, runtime) = open(&scratch, Options::new());
    for edit in 0..4 {
        let wasm = version(edit);
        let expected = plain().precompile(&wasm).unwrap();
        assert!(runtime.compile(&wasm).unwrap().serialize() == expected, "version {edit}");
        // The versions share one bundle; each has an entry.
        assert_eq!(scratch.files("functions").len(), 1);
        assert_eq!(scratch.files("modules").len() as u32, edit + 1);
    }
    assert_eq!((cache.counts().published, cache.counts().refused), (4, 0));
    assert_eq!(cache.verify().unwrap().whole, 5);
    // Compiling a tiny module takes less time than writing a bundle.
    runtime.compile(&crate::module(1, 0)).unwrap();
    assert_eq!(scratch.files("functions").len(), 1);
}

#[test]
fn a_damaged_bundle_is_not_used() {
    let scratch = Scratch::new("bundle");
    let (cache, runtime) = open(&scratch, Options::new());
    runtime.compile(&version(0)).unwrap();
    let [bundle] = <[_; 1]>::try_from(scratch.files("functions")).unwrap();
    let whole = fs::read(&bundle).unwrap();
    let wasm = version(1);
    let expected = plain().precompile(&wasm).unwrap();
    let mut random = Rng::with_seed(5);
    for n in 0..30 {
        let mut bytes = whole.clone();
        bytes[random.usize(..whole.len())] ^= 1 << random.usize(..8);
        replace(&bundle, &bytes);
        assert!(runtime.compile(&wasm).unwrap().serialize() == expected);
        assert_eq!(cache.counts().refused, n + 1);
        // The next one compiles too: only the bundle is left.
        scratch.files("modules").iter().for_each(|path| fs::remove_file(path).unwrap());
    }
}
