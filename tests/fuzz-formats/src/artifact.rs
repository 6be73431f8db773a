//! Artifacts with a valid checksum: `Artifact::check`, and all readers of an artifact that it
//! accepts.

use crate::patch::{Input, apply};
use precast_abi::artifact::{
    Artifact, HEADER_SIZE, Producer, Info, MemoryDesc, NONE, Section, TableDesc,
};
use precast_compiler::{Settings, compile, producer};
use precast_runtime::{Inspection, Runtime};
use std::sync::OnceLock;

/// The artifacts that inputs patch: together they have every section and every kind of record.
const MODULES: [&str; 4] = [
    r#"(module $m (memory (export "memory") 1 3) (data (i32.const 16) "hello") (data "more")
      (table (export "t") 4 8 funcref) (elem (i32.const 1) $a $b) (elem funcref (ref.func $a))
      (table 2 externref)
      (global (export "g") i32 (i32.add (i32.const 3) (i32.const 4)))
      (global (mut v128) (v128.const i64x2 1 2)) (global (mut i64) (i64.const -1))
      (global (mut funcref) (ref.func $b)) (global externref (ref.null extern))
      (func $a (export "f") (param i32) (result i32) (i32.load (local.get 0)))
      (func $b (param i64 f64) (result f64 i64) (local.get 1) (local.get 0))
      (func (export "grow") (table.set (i32.const 0) (ref.func $a)) (memory.init 1
        (i32.const 0) (i32.const 0) (i32.const 1)) (table.init 1 (i32.const 0) (i32.const 0)
        (i32.const 1))))"#,
    r#"(module (import "a" "f" (func $f (param i32) (result i64))) (import "a" "n" (func $n))
      (import "a" "t" (table 1 funcref)) (import "a" "x" (table 1 externref))
      (import "a" "m" (memory 1)) (import "a" "g" (global $g i32))
      (import "a" "r" (global $r externref)) (import "a" "w" (global $w (mut i64)))
      (elem (table 0) (global.get $g) func $f $own) (elem (table 1) (i32.const 0) externref
        (global.get $r) (ref.null extern))
      (data (global.get $g) "somewhere") (start $n)
      (global (export "sum") i32 (i32.mul (global.get $g) (i32.const 5)))
      (global (export "ref") (mut funcref) (ref.func $f))
      (func $own (export "own") (param i32) (result i32) (drop (call $f (local.get 0)))
        (global.set $w (i64.const 1)) (local.get 0)))"#,
    r#"(module (table 8 funcref) (elem (i32.const 0) $a $b $c $a) (type $t (func (result i32)))
      (func $a (type $t) (i32.const 1)) (func $b (type $t) (i32.const 2)) (func $c)
      (func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0))))"#,
    "(module)",
];

/// A larger table or memory takes time and covers no additional path.
const MOST: u64 = 1000;

struct Bases {
    producer: Producer,
    artifacts: Vec<Vec<u8>>,
}

fn bases() -> &'static Bases {
    static BASES: OnceLock<Bases> = OnceLock::new();
    BASES.get_or_init(|| {
        // The bytes are the same on every CPU of this architecture.
        let target = std::env::consts::ARCH.parse().expect("a machine that precast runs on");
        let settings = Settings { target, ..Settings::default() };
        let artifact = |text| {
            let wasm = wat::parse_str(text).expect("the text of a module");
            compile(&wasm, &settings).expect("the module is valid")
        };
        Bases { producer: producer(&settings), artifacts: MODULES.map(artifact).to_vec() }
    })
}

/// Sets a number of eight bytes, if it is within the bytes.
fn set(bytes: &mut [u8], at: usize, value: u64) {
    if let Some(place) = bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = value.to_le_bytes();
    }
}

/// Makes length and checksum valid, so that patches pass these checks.
fn make_whole(bytes: &mut [u8]) {
    const CHECKSUM: usize = 16;
    const HOT_END: usize = 24;
    const FILE_LEN: usize = 32;
    let len = bytes.len() as u64;
    set(bytes, FILE_LEN, len);
    set(bytes, CHECKSUM, 0);
    let hot_end = bytes.get(HOT_END..).and_then(<[u8]>::first_chunk);
    let hot_end = hot_end.map(|&bytes| u64::from_le_bytes(bytes)).unwrap_or_default();
    let hot = usize::try_from(hot_end).ok().and_then(|end| bytes.get(..end));
    if let Some(hot) = hot.filter(|hot| hot.len() >= HEADER_SIZE) {
        let checksum = Artifact::hash(hot);
        set(bytes, CHECKSUM, checksum);
    }
}

/// Bytes that are aligned like those of a mapped file.
struct Aligned(Vec<u128>, usize);

impl Aligned {
    fn new(bytes: &[u8]) -> Self {
        let words = bytes.chunks(16).map(|chunk| {
            let mut word = [0; 16];
            word[..chunk.len()].copy_from_slice(chunk);
            u128::from_ne_bytes(word)
        });
        Aligned(words.collect(), bytes.len())
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the words are so many bytes and more, and every byte of them is initialised.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.1) }
    }
}

/// Forges an artifact and reads it in every way.
///
/// # Panics
///
/// If a reader does: that is a finding.
pub fn run(input: &[u8]) {
    let mut input = Input(input);
    let bases = bases();
    let mut bytes = bases.artifacts[usize::from(input.byte()) % MODULES.len()].clone();
    apply(&mut bytes, &mut input);
    make_whole(&mut bytes);
    let inspected = Inspection::of(&bytes);
    let aligned = Aligned::new(&bytes);
    match Artifact::check(aligned.bytes(), &bases.producer) {
        Ok(artifact) => {
            assert!(inspected.is_ok(), "what is accepted can be shown: {inspected:?}");
            let deep = artifact.check_deep(aligned.bytes());
            assert!(deep.is_ok() || deep.is_err_and(|error| !error.to_string().is_empty()));
            load(&artifact, aligned.bytes());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Loads an accepted artifact, and makes an instance, but calls no function of it.
fn load(artifact: &Artifact, bytes: &[u8]) {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(Runtime::new);
    // SAFETY: no code of it is called: it is only instantiated if it has no start function.
    let Ok(module) = (unsafe { runtime.load_bytes(bytes) }) else { return };
    assert_eq!(module.serialize(), bytes);
    let _ = (module.name(), module.imports(), module.verify(), module.verify_metadata());
    for export in module.exports() {
        // Several exports may have the same name.
        assert!(module.export(&export.name).is_some() || !is_sorted(artifact, bytes));
    }
    let info: &Info = artifact.info(bytes);
    let tables: &[TableDesc] = artifact.records(bytes, Section::Tables);
    let memories: &[MemoryDesc] = artifact.records(bytes, Section::Memories);
    let small = tables.iter().all(|table| table.min <= MOST)
        && memories.iter().all(|memory| memory.min <= MOST)
        && tables.len() + memories.len() < 20
        && info.vmctx_size < 1 << 20;
    if small && info.start_func == NONE {
        let mut namespace = runtime.namespace();
        if let Ok(instance) = namespace.instantiate(&module) {
            let _ = instance.exports(&namespace);
        }
    }
}

/// Whether exports have the hashes of their names, which lookups use.
fn is_sorted(artifact: &Artifact, bytes: &[u8]) -> bool {
    let exports: &[precast_abi::artifact::ExportDesc] = artifact.records(bytes, Section::Exports);
    let hash = |at| Artifact::hash(artifact.string(bytes, at).as_bytes());
    exports.iter().all(|export| export.hash == hash(export.name))
}
