//! Bundles with a valid checksum and forged content: compiling with them never panics.

use super::store::{BundleBytes, FunctionStore, Lineage};
use crate::{Settings, compile, compile_with};
use std::sync::{Arc, Mutex};
use xxhash_rust::xxh3::xxh3_64;

/// A store of one bundle, which takes the first that it is given.
struct One(Mutex<Vec<u8>>);

impl FunctionStore for One {
    fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
        vec![Arc::new(self.0.lock().unwrap().clone())]
    }

    fn keep(&self, _: &Lineage, bundle: Vec<u8>) {
        let mut kept = self.0.lock().unwrap();
        if kept.is_empty() {
            *kept = bundle;
        }
    }
}

const MODULE: &str = r#"(module
  (type $t (func (param i32) (result i32)))
  (memory 1) (table 3 funcref) (elem (i32.const 0) func $a $b)
  (func $a (type $t) (i32.div_u (i32.const 7) (local.get 0)))
  (func $b (type $t) (call $a (call $a (i32.load (local.get 0)))))
  (func $c (export "c") (type $t) (memory.fill (local.get 0) (i32.const 0) (local.get 0))
    (call_indirect (type $t) (local.get 0) (local.get 0)))
  (func $d (export "d") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 1))))"#;

/// Offsets of the checksum, and of the bytes that it covers.
const CHECKSUM: usize = 8;
const CHECKED: usize = 16;

#[test]
fn forged_records() {
    let wasm = wat::parse_str(MODULE).expect("test module");
    let settings = Settings { threads: 1, ..Settings::default() };
    let cold = compile(&wasm, &settings).expect("it is valid");
    let store = One(Mutex::new(Vec::new()));
    compile_with(&wasm, &settings, Some(&store)).expect("it is valid");
    let bundle = store.0.into_inner().unwrap();
    let (mut taken, mut refused) = (0, 0);
    for at in (CHECKED..bundle.len()).step_by(3) {
        for value in [0, 1, 0x7f, 0xff, bundle[at] ^ 1, bundle[at].wrapping_add(4)] {
            let mut forged = bundle.clone();
            forged[at] = value;
            let hash = xxh3_64(&forged[CHECKED..]);
            forged[CHECKSUM..CHECKED].copy_from_slice(&hash.to_le_bytes());
            let store = One(Mutex::new(forged));
            match compile_with(&wasm, &settings, Some(&store)) {
                Ok(done) if done.found == done.functions => taken += 1,
                Ok(done) if done.artifact == cold => refused += 1,
                _ => {}
            }
        }
    }
    assert!(taken > 100 && refused > 100, "{taken} {refused}");
}
