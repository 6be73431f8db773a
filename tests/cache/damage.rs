//! Damage to an entry, at every position: it is never executed and always replaced.

use fastrand::Rng;
use precast::cache::{Cache, Options, Verify};
use precast::{CompiledModule, Runtime, Value};
use std::fs;
use std::path::{Path, PathBuf};

use crate::scratch::{Scratch, replace, write_over};
use crate::{module, open};

/// A module with every kind of record that an artifact has.
const MODULE: &str = r#"(module $m
  (import "host" "note" (func $note (param i32)))
  (memory (export "memory") 2) (data (i32.const 16) "hello") (data $passive "bytes")
  (table $t (export "t") 3 funcref) (elem (i32.const 0) $f $g)
  (table $static 2 funcref) (elem (table $static) (i32.const 0) func $f $g)
  (global (export "g") (mut i64) (i64.const 3))
  (func $f (export "f") (param i32) (result i32)
    (call $note (local.get 0))
    (i32.div_u (i32.load8_u (local.get 0)) (i32.const 1)))
  (func $g (export "answer") (param i32) (result i32)
    (memory.init $passive (i32.const 32) (i32.const 0) (i32.const 5))
    (call_indirect $static (param i32) (result i32) (local.get 0) (i32.const 0))))"#;

fn assert_right(module: &CompiledModule) {
    let runtime = module.runtime();
    let mut namespace = runtime.namespace();
    let host = precast::HostModuleBuilder::new("host").func("note", |_: i32| ()).build(runtime);
    namespace.instantiate_host(&host.unwrap()).unwrap();
    let instance = namespace.instantiate(module).unwrap();
    let result = instance.call(&mut namespace, "answer", &[Value::I32(17)]).unwrap();
    assert_eq!(result, [Value::I32(i32::from(b'e'))]);
}

/// A cache with one entry, of a known file.
struct Cached {
    scratch: Scratch,
    file: PathBuf,
    cache: Cache,
    runtime: Runtime,
    entry: PathBuf,
    whole: Vec<u8>,
}

impl Cached {
    fn new(test: &str, level: Verify) -> Cached {
        let scratch = Scratch::new(test);
        let file = scratch.write_settled("m.wasm", wat::parse_str(MODULE).unwrap());
        let (cache, runtime) = open(&scratch, Options::new().verify(level));
        runtime.compile_file(&file).unwrap();
        let entry = scratch.entry();
        let whole = fs::read(&entry).unwrap();
        Cached { scratch, file, cache, runtime, entry, whole }
    }

    /// Whether the entry is used with these bytes: it is read, and not compiled again.
    fn accepts(&self, bytes: &[u8], write: fn(&Path, &[u8])) -> bool {
        write(&self.entry, bytes);
        let before = self.cache.counts().refused;
        let accepted = self.runtime.cached_file(&self.file).is_some();
        assert_eq!(self.cache.counts().refused - before, u64::from(!accepted));
        accepted
    }

    /// Compiles after damage: that succeeds, and the entry is whole again.
    #[track_caller]
    fn assert_heals(&self) {
        let before = self.cache.counts();
        assert_right(&self.runtime.compile_file(&self.file).unwrap());
        assert_eq!(self.cache.counts().published, before.published + 1);
        self.assert_whole();
        assert_right(&self.runtime.cached_file(&self.file).expect("it is there"));
        assert_eq!(self.scratch.temporaries(), 0);
    }

    fn assert_whole(&self) {
        let now = fs::read(&self.entry).unwrap();
        // The trailer contains the time of writing.
        let end = self.whole.len() - 128;
        assert!(now[..end] == self.whole[..end]);
    }

    fn flipped(&self, at: usize, bit: usize) -> Vec<u8> {
        let mut bytes = self.whole.clone();
        bytes[at] ^= 1 << bit;
        bytes
    }

    /// The end of header and metadata.
    fn end_of_metadata(&self) -> usize {
        u64::from_le_bytes(self.whole[24..32].try_into().unwrap()) as usize
    }
}

#[test]
fn flips_are_refused_at_full() {
    if !Scratch::new("times-flips_are_refused_at_full").keeps_times() {
        return;
    }
    let cached = Cached::new("damage-full", Verify::Full);
    assert!(cached.accepts(&cached.whole, replace));
    let (metadata, len) = (cached.end_of_metadata(), cached.whole.len());
    let mut random = Rng::with_seed(1);
    for at in (0..metadata).chain(len - 128..len) {
        let bytes = cached.flipped(at, random.usize(..8));
        assert!(!cached.accepts(&bytes, replace), "a flip at {at} is accepted");
        if random.usize(..400) == 0 {
            cached.assert_heals();
        }
    }
    for _ in 0..10_000 {
        let (at, bit) = (random.usize(..len), random.usize(..8));
        assert!(!cached.accepts(&cached.flipped(at, bit), replace), "bit {bit} of {at}");
        if random.usize(..1000) == 0 {
            cached.assert_heals();
        }
    }
    cached.assert_heals();
}

#[test]
fn truncations_are_refused() {
    if !Scratch::new("times-truncations_are_refused").keeps_times() {
        return;
    }
    for level in [Verify::Full, Verify::Header] {
        let cached = Cached::new(&format!("truncated-{level:?}"), level);
        for len in (0..cached.whole.len()).step_by(4096).chain([1, cached.whole.len() - 1]) {
            let bytes = &cached.whole[..len];
            assert!(!cached.accepts(bytes, replace), "{len} bytes are accepted");
            cached.assert_heals();
            // And with a trailer, of the same or another length.
            let trailer = &cached.whole[cached.whole.len() - 128..];
            let bytes = [bytes, trailer].concat();
            assert!(!cached.accepts(&bytes, replace), "{len} bytes and a trailer are accepted");
        }
        let longer = [&cached.whole[..], &[0]].concat();
        assert!(!cached.accepts(&longer, replace));
    }
}

/// At level `header`, every write to the file is noticed. Of silent damage, only that of text and
/// data is missed, which loading does not read.
#[test]
fn flips_are_refused_at_header() {
    if !Scratch::new("times-flips_are_refused_at_header").keeps_times() {
        return;
    }
    let cached = Cached::new("damage-header", Verify::Header);
    assert!(cached.accepts(&cached.whole, replace));
    let (metadata, len) = (cached.end_of_metadata(), cached.whole.len());
    let mut random = Rng::with_seed(2);
    for at in (0..metadata).chain(len - 128..len) {
        let bytes = cached.flipped(at, random.usize(..8));
        assert!(!cached.accepts(&bytes, replace), "a flip at {at} is accepted");
    }
    for _ in 0..2000 {
        let (at, bit) = (random.usize(..len), random.usize(..8));
        let accepted = cached.accepts(&cached.flipped(at, bit), write_over);
        assert!(!accepted, "bit {bit} of {at}, by writing");
    }
    assert!(cached.accepts(&cached.whole, write_over), "a copy is checked, and whole");
    cached.accepts(&cached.flipped(0, 0), replace);
    cached.assert_heals();
}

/// Silent damage to a table that only traps read is found when a trap reads it. The guest is
/// stopped all the same, and the entry is removed.
#[test]
fn a_trap_finds_damage_of_its_tables() {
    let scratch = Scratch::new("trap");
    let (cache, runtime) = open(&scratch, Options::new().verify(Verify::Header));
    let wasm = wat::parse_str("(module (func $f (export \"f\") unreachable))").unwrap();
    runtime.compile(&wasm).unwrap();
    let entry = scratch.entry();
    let whole = fs::read(&entry).unwrap();
    let parts = precast::Inspection::of(&whole[..whole.len() - 128]).unwrap().sections;
    let at = |name: &str| parts.iter().find(|part| part.name == name).unwrap().offset as usize;
    for name in ["funcs", "trap offsets", "trap codes", "trap locations", "names", "name bytes"] {
        // The current entry, since each has its own time of publication.
        let mut bytes = fs::read(&entry).unwrap();
        bytes[at(name)] ^= 1;
        replace(&entry, &bytes);
        let before = cache.counts();
        let module = runtime.compile(&wasm).unwrap();
        assert_eq!(cache.counts().hits, before.hits + 1);
        let mut namespace = runtime.namespace();
        let instance = namespace.instantiate(&module).unwrap();
        let error = instance.call(&mut namespace, "f", &[]).unwrap_err();
        assert_eq!(error.trap().unwrap().code(), precast::TrapCode::Unreachable, "{name}");
        assert_eq!(cache.counts().refused, before.refused + 1, "{name}");
        assert!(!entry.exists(), "{name}");
        runtime.compile(&wasm).unwrap();
        assert!(runtime.compile(&wasm).unwrap().verify().is_ok());
    }
}

#[test]
fn files_that_are_not_entries_are_replaced() {
    if !Scratch::new("times-files_that_are_not_entries_are_replaced").keeps_times() {
        return;
    }
    let cached = Cached::new("damage-foreign", Verify::Full);
    let other = Scratch::new("foreign-other");
    let (_, runtime) = open(&other, Options::new());
    runtime.compile(&module(1, 0)).unwrap();
    let foreign = fs::read(other.entry()).unwrap();
    let zeros = vec![0; cached.whole.len()];
    for bytes in [&foreign[..], b"", b"text", &zeros] {
        assert!(!cached.accepts(bytes, replace));
        cached.assert_heals();
    }
    // An entry with another version of the format and a matching trailer.
    let healed = cached.cache.usage(None).refused;
    assert!(healed >= 4, "{healed} are counted");
}

#[test]
fn verify_removes_what_is_damaged() {
    if !Scratch::new("times-verify_removes_what_is_damaged").keeps_times() {
        return;
    }
    let cached = Cached::new("damage-verify", Verify::Header);
    assert_eq!(cached.cache.verify().unwrap().whole, 1);
    replace(&cached.entry, &cached.flipped(cached.end_of_metadata() + 5000, 3));
    let verified = cached.cache.verify().unwrap();
    assert_eq!((verified.whole, verified.damaged.len()), (0, 1));
    assert!(!cached.entry.exists());
    cached.assert_heals();
}
