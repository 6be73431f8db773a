//! Artifacts and bundles with a seal: safe code loads these and no others.

use precast::{
    BundleBytes, Config, ErrorKind, FunctionMemory, FunctionStore, Lineage, MemoryStore, Runtime,
    SealError, SealKey, Target, Value,
};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{compile, load};

const MODULE: &str = r#"(module (memory 1) (data (i32.const 0) "data")
  (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "f") (param i32) (result i32) (call $twice (call $twice (local.get 0)))))"#;

fn key() -> SealKey {
    SealKey::new([3; 32])
}

fn sealed() -> Vec<u8> {
    compile(&Runtime::new(), MODULE).serialize_sealed(&key())
}

fn answer(module: &precast::CompiledModule) -> Vec<Value> {
    let mut namespace = module.runtime().namespace();
    let instance = namespace.instantiate(module).unwrap();
    instance.call(&mut namespace, "f", &[Value::I32(5)]).unwrap()
}

fn why(error: precast::Error) -> SealError {
    match error.kind() {
        ErrorKind::Seal(why) => *why,
        other => panic!("{other}"),
    }
}

/// A file of one test, removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str, bytes: &[u8]) -> Self {
        let name = format!("precast-embed-{}-{test}", std::process::id());
        let scratch = Scratch(std::env::temp_dir().join(name));
        fs::write(&scratch.0, bytes).unwrap();
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_sealed_artifact_loads_with_its_key() {
    let (runtime, bytes) = (Runtime::new(), sealed());
    let scratch = Scratch::new("sealed", &bytes);
    let module = runtime.load_sealed_bytes(&bytes, &key()).unwrap();
    assert_eq!(answer(&module), [Value::I32(20)]);
    let module = runtime.load_sealed(&scratch.0, &key()).unwrap();
    assert_eq!(answer(&module), [Value::I32(20)]);
    // The seal is no part of the artifact, and may be made again.
    assert_eq!(module.serialize().len() + 64, bytes.len());
    assert!(module.serialize_sealed(&key()) == bytes);
    let wasm = wat::parse_str(MODULE).unwrap();
    assert!(runtime.precompile_sealed(&wasm, Target::Host, &key()).unwrap() == bytes);
    // Bytes that the caller vouches for may have a seal or none.
    assert_eq!(answer(&load(&runtime, &bytes).unwrap()), [Value::I32(20)]);
    let misaligned = [&[0][..], &bytes].concat();
    let module = runtime.load_sealed_bytes(&misaligned[1..], &key()).unwrap();
    assert_eq!(answer(&module), [Value::I32(20)]);
}

#[test]
fn artifacts_without_the_seal_of_the_key_are_refused() {
    let (runtime, bytes) = (Runtime::new(), sealed());
    let artifact = &bytes[..bytes.len() - 64];
    let refused = |bytes: &[u8], key: &SealKey| {
        let scratch = Scratch::new("unsealed", bytes);
        let why_file = why(runtime.load_sealed(&scratch.0, key).unwrap_err());
        let why_bytes = why(runtime.load_sealed_bytes(bytes, key).unwrap_err());
        assert_eq!(why_file, why_bytes);
        why_file
    };
    assert_eq!(refused(artifact, &key()), SealError::Missing);
    assert_eq!(refused(&[], &key()), SealError::Missing);
    assert_eq!(refused(&bytes, &SealKey::new([4; 32])), SealError::Mismatch);
    for at in (0..artifact.len()).step_by(997).chain(artifact.len()..bytes.len()) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        refused(&changed, &key());
    }
    let folder = std::env::temp_dir();
    let error = runtime.load_sealed(folder, &key()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::File { .. }), "{error}");
    // A seal proves the origin, and not that the artifact can be used here.
    let other = if std::env::consts::ARCH == "x86_64" { "aarch64" } else { "x86_64" };
    let wasm = wat::parse_str(MODULE).unwrap();
    let foreign = runtime.precompile_sealed(&wasm, other.parse().unwrap(), &key()).unwrap();
    let error = runtime.load_sealed_bytes(&foreign, &key()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Format(_)), "{error}");
}

/// Safe code may do this, so it must have no effect.
#[test]
fn a_file_that_changes_after_loading_changes_nothing() {
    let runtime = Runtime::new();
    let bytes = sealed();
    let scratch = Scratch::new("changes", &bytes);
    let module = runtime.load_sealed(&scratch.0, &key()).unwrap();
    let mut file = File::options().write(true).open(&scratch.0).unwrap();
    file.write_all(&vec![0xcc; bytes.len()]).unwrap();
    assert_eq!(answer(&module), [Value::I32(20)]);
    file.set_len(0).unwrap();
    assert_eq!(answer(&module), [Value::I32(20)]);
}

/// A store that returns given bundles and records those that it receives.
#[derive(Default)]
struct Store {
    bundle: Mutex<Vec<u8>>,
    kept: AtomicUsize,
}

impl FunctionStore for Store {
    fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
        vec![Arc::new(self.bundle.lock().unwrap().clone())]
    }

    fn keep(&self, _: &Lineage, bundle: Vec<u8>) {
        *self.bundle.lock().unwrap() = bundle;
        self.kept.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_sealed_store_returns_only_bundles_that_were_kept() {
    let store = Arc::new(Store::default());
    let config = || Config::new().functions_sealed(store.clone(), &key());
    let runtime = Runtime::with_config(config());
    let expected = compile(&Runtime::new(), MODULE).serialize().to_vec();
    // Everything is kept once, and found afterwards.
    for _ in 0..3 {
        assert!(compile(&runtime, MODULE).serialize() == expected);
        assert_eq!(store.kept.load(Ordering::Relaxed), 1);
    }
    let bundle = store.bundle.lock().unwrap().clone();
    let forge = |bytes: &[u8]| {
        *store.bundle.lock().unwrap() = bytes.to_vec();
        let before = store.kept.load(Ordering::Relaxed);
        assert!(compile(&runtime, MODULE).serialize() == expected);
        assert_eq!(store.kept.load(Ordering::Relaxed), before + 1, "it was not found");
    };
    // A bundle with replaced code and a matching checksum; and one without a seal.
    for at in 16..bundle.len() {
        let mut forged = bundle.clone();
        forged[at] ^= 1;
        let end = bundle.len() - 64;
        let hash = xxhash_rust::xxh3::xxh3_64(&forged[16..end]);
        forged[8..16].copy_from_slice(&hash.to_le_bytes());
        forge(&forged);
    }
    forge(&bundle[..bundle.len() - 64]);
    forge(&[]);
    // A seal by another key is not accepted, nor is the seal of an artifact.
    let other = Arc::new(Store::default());
    let config = Config::new().functions_sealed(other.clone(), &SealKey::new([9; 32]));
    compile(&Runtime::with_config(config), MODULE);
    forge(&other.bundle.lock().unwrap().clone());
    forge(&sealed());
}

/// A store whose bundle is good at the first read and different at the next.
struct Fickle(Vec<u8>, Vec<u8>, AtomicUsize);

impl AsRef<[u8]> for Fickle {
    fn as_ref(&self) -> &[u8] {
        if self.2.fetch_add(1, Ordering::Relaxed) == 0 { &self.0 } else { &self.1 }
    }
}

struct Lender(Vec<u8>, Vec<u8>);

impl FunctionStore for Lender {
    fn find(&self, _: &Lineage) -> Vec<BundleBytes> {
        vec![Arc::new(Fickle(self.0.clone(), self.1.clone(), AtomicUsize::new(0)))]
    }

    fn keep(&self, _: &Lineage, _: Vec<u8>) {
        panic!("everything is found");
    }
}

#[test]
fn a_bundle_that_changes_while_it_is_lent_is_the_one_that_was_checked() {
    let store = Arc::new(Store::default());
    let runtime = Runtime::with_config(Config::new().functions_sealed(store.clone(), &key()));
    let expected = compile(&runtime, MODULE).serialize().to_vec();
    let good = store.bundle.lock().unwrap().clone();
    let lender = Arc::new(Lender(good.clone(), vec![0xcc; good.len()]));
    let runtime = Runtime::with_config(Config::new().functions_sealed(lender, &key()));
    assert!(compile(&runtime, MODULE).serialize() == expected);
}

#[test]
fn memory_that_only_compilations_fill_needs_no_key() {
    let memory = FunctionMemory::new();
    let runtime = Runtime::with_config(Config::new().functions_in_memory(&memory));
    compile(&runtime, MODULE);
    assert!(memory.size() > 0);
    // The caller may vouch for any store.
    let store = Arc::new(MemoryStore::new());
    // SAFETY: only compilations put bundles into this store.
    let config = unsafe { Config::new().functions(store.clone()) };
    compile(&Runtime::with_config(config), MODULE);
    assert_eq!(store.size(), memory.size());
}
