//! Bundles of functions with a valid checksum, which a store returns to a compilation.

use crate::patch::{Input, apply};
use precast_abi::artifact::Artifact;
use precast_compiler::{
    BundleBytes, FunctionStore, Lineage, Settings, compile, compile_with, producer,
};
use precast_runtime::Inspection;
use std::sync::{Arc, Mutex, OnceLock};

/// The module that is compiled: it has every kind of relocation, traps, and a function whose code
/// depends on elements of a table.
const MODULE: &str = r#"(module
  (type $t (func (param i32) (result i32)))
  (import "host" "f" (func $f (type $t)))
  (memory 1) (table 3 funcref) (elem (i32.const 0) func $a $b $f)
  (func $a (type $t) (i32.div_u (i32.const 7) (local.get 0)))
  (func $b (type $t) (call $a (call $f (i32.load (local.get 0)))))
  (func (export "c") (type $t) (memory.fill (local.get 0) (i32.const 0) (local.get 0))
    (call_indirect (type $t) (local.get 0) (local.get 0)))
  (func (export "d") (type $t) (call_indirect (type $t) (local.get 0) (i32.const 1))))"#;

/// The offset of the checksum, and of the bytes that it covers.
const CHECKSUM: usize = 8;
const CHECKED: usize = 16;

/// A store with one bundle: returns it, or takes one if it is empty.
struct One(Mutex<Vec<u8>>);

impl FunctionStore for One {
    fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
        vec![Arc::new(self.0.lock().expect("nobody panicked").clone())]
    }

    fn keep(&self, _: &Lineage, bundle: Vec<u8>) {
        let mut kept = self.0.lock().expect("nobody panicked");
        if kept.is_empty() {
            *kept = bundle;
        }
    }
}

struct Base {
    settings: Settings,
    wasm: Vec<u8>,
    artifact: Vec<u8>,
    bundle: Vec<u8>,
}

fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let target = std::env::consts::ARCH.parse().expect("a machine that precast runs on");
        let settings = Settings { target, ..Settings::default() };
        let wasm = wat::parse_str(MODULE).expect("the text of a module");
        let artifact = compile(&wasm, &settings).expect("the module is valid");
        let store = One(Mutex::new(Vec::new()));
        compile_with(&wasm, &settings, Some(&store)).expect("the module is valid");
        let bundle = store.0.into_inner().expect("nobody panicked");
        Base { settings, wasm, artifact, bundle }
    })
}

/// Forges a bundle and compiles with it.
///
/// # Panics
///
/// If the compiler does, or makes an invalid artifact: that is a finding.
pub fn run(input: &[u8]) {
    let base = base();
    let mut bytes = base.bundle.clone();
    apply(&mut bytes, &mut Input(input));
    if bytes.len() >= CHECKED {
        let checksum = Artifact::hash(&bytes[CHECKED..]);
        bytes[CHECKSUM..CHECKED].copy_from_slice(&checksum.to_le_bytes());
    }
    let store = One(Mutex::new(bytes));
    let Ok(done) = compile_with(&base.wasm, &base.settings, Some(&store)) else { return };
    let artifact = &done.artifact;
    if done.found == 0 {
        assert!(*artifact == base.artifact, "what is not found is compiled");
    }
    Inspection::of(artifact).expect("an artifact");
    let producer = producer(&base.settings);
    let checked = Artifact::check(artifact, &producer).expect("an artifact that can be loaded");
    assert!(precast_abi::artifact::Section::ALL.iter().all(|&section| {
        section.place() == precast_abi::artifact::Place::Hot || checked.is_whole(artifact, section)
    }));
}
