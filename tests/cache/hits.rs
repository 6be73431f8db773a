//! Hits and misses: entries that are found, and entries that must not be.

use precast::cache::{Counts, Options, Verify};
use precast::{Config, Features, Runtime};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;

use crate::scratch::{Scratch, set_mode};
use crate::{assert_answers, module, open, runtime};

fn counts(hits: u64, misses: u64, refused: u64) -> Counts {
    let mut counts = Counts::default();
    (counts.hits, counts.misses, counts.refused) = (hits, misses, refused);
    counts.published = misses;
    counts
}

#[test]
fn a_second_compilation_maps_the_entry() {
    let scratch = Scratch::new("second");
    for level in [Verify::Full, Verify::Header] {
        let (cache, first) = open(&scratch, Options::new().verify(level));
        cache.clean();
        let wasm = module(7, 1000);
        let compiled = first.compile(&wasm).unwrap();
        assert_answers(&compiled, 7, 1000);
        assert_eq!(cache.counts(), counts(0, 1, 0));
        let (other, second) = open(&scratch, Options::new().verify(level));
        let mapped = second.compile(&wasm).unwrap();
        assert_answers(&mapped, 7, 1000);
        assert_eq!(other.counts(), counts(1, 0, 0));
        assert!(mapped.serialize() == compiled.serialize());
        mapped.verify().unwrap();
        // Instances continue after their entry is removed.
        cache.clean();
        assert_answers(&mapped, 7, 1000);
        assert_eq!(scratch.files("modules").len(), 0);
    }
}

#[test]
fn a_module_without_code_or_data() {
    let scratch = Scratch::new("empty");
    let (cache, runtime) = open(&scratch, Options::new());
    for _ in 0..2 {
        let module = runtime.compile(b"\0asm\x01\0\0\0").unwrap();
        let mut namespace = runtime.namespace();
        namespace.instantiate(&module).unwrap();
    }
    assert_eq!(cache.counts(), counts(1, 1, 0));
}

#[test]
fn settings_that_change_code_have_entries_of_their_own() {
    let scratch = Scratch::new("settings");
    let (cache, _) = open(&scratch, Options::new());
    let wasm = module(7, 0);
    let configs = [
        Config::new(),
        Config::new().optimize(false),
        Config::new().features(Features::WASM1),
        Config::new().spectre_guards(false),
        // These two settings change no code.
        Config::new().threads(1),
        Config::new().verify(true),
    ];
    for config in configs {
        Runtime::with_config(config.cache(cache.clone())).compile(&wasm).unwrap();
    }
    assert_eq!(cache.counts(), counts(2, 4, 0));
    assert_eq!(scratch.files("modules").len(), 4);
}

/// A module that one version of WebAssembly accepts and another refuses must not come from the
/// cache.
#[test]
fn validation_is_not_skipped() {
    let scratch = Scratch::new("validation");
    let (cache, runtime) = open(&scratch, Options::new());
    let wasm = wat::parse_str("(module (func (result i32 i32) i32.const 1 i32.const 2))").unwrap();
    runtime.compile(&wasm).unwrap();
    let config = Config::new().features(Features::WASM1).cache(cache.clone());
    assert!(Runtime::with_config(config).compile(&wasm).is_err());
    assert!(runtime.compile(&wasm[..wasm.len() - 1]).is_err());
    assert_eq!(scratch.files("modules").len(), 1);
}

#[test]
fn a_known_file_is_not_read() {
    let scratch = Scratch::new("known");
    if !scratch.keeps_times() {
        return;
    }
    let file = scratch.write_settled("m.wasm", module(7, 100));
    let (cache, runtime) = open(&scratch, Options::new());
    assert!(runtime.cached_file(&file).is_none());
    assert_answers(&runtime.compile_file(&file).unwrap(), 7, 100);
    assert_answers(&runtime.cached_file(&file).expect("it is known"), 7, 100);
    // Only the superuser could read the file now.
    set_mode(&file, 0o000);
    // This is a change too: of the time of the last change.
    assert!(runtime.cached_file(&file).is_none());
    set_mode(&file, 0o600);
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_answers(&runtime.compile_file(&file).unwrap(), 7, 100);
    let (others, other) = open(&scratch, Options::new());
    assert_answers(&other.cached_file(&file).expect("others know it"), 7, 100);
    assert_eq!((cache.counts().misses, others.counts()), (1, counts(1, 0, 0)));
    // Only with the same settings.
    let config = Config::new().optimize(false).cache(cache);
    assert!(Runtime::with_config(config).cached_file(&file).is_none());
}

/// A file that changes repeatedly, faster than its times do, is never served from an old entry.
#[test]
fn a_changing_file_is_not_known() {
    let scratch = Scratch::new("racy");
    let (cache, runtime) = open(&scratch, Options::new());
    let file = scratch.write("m.wasm", module(0, 0));
    for n in 0..40 {
        // The change is in place and keeps the size.
        fs::write(&file, module(100 + n, 0)).unwrap();
        assert_answers(&runtime.compile_file(&file).unwrap(), 100 + n, 0);
        assert_answers(&runtime.compile_file(&file).unwrap(), 100 + n, 0);
    }
    assert_eq!(cache.counts().misses, 40);
}

#[test]
fn a_damaged_index_gives_no_wrong_module() {
    let scratch = Scratch::new("index");
    if !scratch.keeps_times() {
        return;
    }
    let one = scratch.write("one.wasm", module(1, 0));
    let two = scratch.write_settled("two.wasm", module(2, 0));
    let (cache, runtime) = open(&scratch, Options::new());
    runtime.compile_file(&one).unwrap();
    runtime.compile_file(&two).unwrap();
    assert!(runtime.cached_file(&one).is_some() && runtime.cached_file(&two).is_some());
    let index = scratch.cache().join("index");
    let whole = fs::read(&index).unwrap();
    let used: Vec<usize> = (0..whole.len()).filter(|&at| whole[at] != 0).collect();
    for &at in &used {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&index, bytes).unwrap();
        // A new cache, because this one remembers its lookups.
        let (_, other) = open(&scratch, Options::new());
        for (file, n) in [(&one, 1), (&two, 2)] {
            if let Some(module) = other.cached_file(file) {
                assert_answers(&module, n, 0);
            }
        }
    }
    for bytes in [&whole[..whole.len() / 2], &whole[..1], &[]] {
        fs::write(&index, bytes).unwrap();
        let (_, other) = open(&scratch, Options::new());
        assert_answers(&other.compile_file(&two).unwrap(), 2, 0);
    }
    let (_, runtime) = open(&scratch, Options::new());
    assert_answers(&runtime.cached_file(&two).expect("known again"), 2, 0);
    assert_eq!(cache.counts().misses, 2);
}

#[test]
fn renamed_entries_are_foreign() {
    let scratch = Scratch::new("renamed");
    let (cache, runtime) = open(&scratch, Options::new());
    let (one, two) = (module(1, 0), module(2, 0));
    runtime.compile(&one).unwrap();
    let first = scratch.entry();
    runtime.compile(&two).unwrap();
    let second = scratch.files("modules").into_iter().find(|path| *path != first).unwrap();
    fs::rename(&first, &second).unwrap();
    assert_answers(&runtime.compile(&two).unwrap(), 2, 0);
    assert_answers(&runtime.compile(&one).unwrap(), 1, 0);
    assert_eq!(cache.counts(), counts(0, 4, 1));
    assert_eq!(cache.verify().unwrap().whole, 2);
}

/// No kind of file under an entry's name makes loading wait, fail or read elsewhere.
#[test]
fn entries_that_are_not_files() {
    let scratch = Scratch::new("nofile");
    let (cache, runtime) = open(&scratch, Options::new());
    let wasm = module(1, 0);
    runtime.compile(&wasm).unwrap();
    let entry = scratch.entry();
    let whole = scratch.path().join("elsewhere");
    fs::rename(&entry, &whole).unwrap();
    let pipe = || mknodat(CWD, &entry, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let link = || std::os::unix::fs::symlink(&whole, &entry).unwrap();
    for make in [&pipe as &dyn Fn(), &link] {
        make();
        assert_answers(&runtime.compile(&wasm).unwrap(), 1, 0);
        assert!(fs::symlink_metadata(&entry).unwrap().is_file(), "it was replaced");
        fs::remove_file(&entry).unwrap();
    }
    // Renaming cannot replace a folder: it stays, and nothing is cached for the module.
    fs::create_dir(&entry).unwrap();
    assert_answers(&runtime.compile(&wasm).unwrap(), 1, 0);
    assert_eq!((cache.counts().hits, scratch.temporaries()), (0, 0));
}

#[test]
fn authenticated_entries() {
    let scratch = Scratch::new("key");
    let wasm = module(9, 500);
    let open = |key: Option<u8>| {
        let options = Options::new().verify(Verify::Header);
        open(&scratch, key.map_or(options.clone(), |key| options.key([key; 32])))
    };
    let (ours, with_key) = open(Some(1));
    with_key.compile(&wasm).unwrap();
    assert_answers(&with_key.compile(&wasm).unwrap(), 9, 500);
    assert_eq!(ours.counts(), counts(1, 1, 0));
    // An entry by a holder of another key, or without a key, is not used.
    for key in [Some(2), Some(1)] {
        let (cache, runtime) = open(key);
        assert_answers(&runtime.compile(&wasm).unwrap(), 9, 500);
        assert_eq!(cache.counts(), counts(0, 1, 1), "{key:?}");
    }
    // In a folder that everybody can write to, a valid entry that belongs to another user is
    // copied.
    set_mode(&scratch.cache(), 0o777);
    let entry = scratch.entry();
    set_mode(&entry, 0o666);
    let (cache, shared) = open(Some(1));
    let module = shared.compile(&wasm).unwrap();
    let mut bytes = fs::read(&entry).unwrap();
    bytes.fill(0xcc);
    fs::write(&entry, &bytes).unwrap();
    assert_answers(&module, 9, 500);
    assert_eq!(cache.counts(), counts(1, 0, 0));
    assert_answers(&shared.compile(&wasm).unwrap(), 9, 500);
    assert_eq!(cache.counts(), counts(1, 1, 1));
    drop(runtime(&cache));
}

#[test]
fn a_snapshot_is_made_once() {
    let scratch = Scratch::new("snapshots");
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1)
             (global $state (mut i32) (i32.const 1))
             (func (export "set") (param i32) (global.set $state (local.get 0)))
             (func (export "get") (result i32) (global.get $state)))"#,
    )
    .unwrap();
    let mut made = 0;
    let mut state = |label: &str, set: i32| {
        let (cache, runtime) = open(&scratch, Options::new());
        let module = runtime.compile(&wasm).unwrap();
        let snapshot = module.cached_snapshot(label, || {
            made += 1;
            let mut namespace = runtime.namespace();
            let instance = namespace.instantiate(&module)?;
            instance.typed::<i32, ()>(&namespace, "set")?.call(&mut namespace, set)?;
            instance.snapshot(&mut namespace)
        });
        let snapshot = snapshot.unwrap();
        let mut namespace = runtime.namespace();
        let instance = namespace.instantiate(&snapshot).unwrap();
        let get = instance.typed::<(), i32>(&namespace, "get").unwrap();
        (get.call(&mut namespace, ()).unwrap(), cache.counts().hits, made)
    };
    assert_eq!(state("five", 5), (5, 0, 1));
    assert_eq!(state("six", 6), (6, 1, 2));
    // The same labels: found.
    assert_eq!(state("five", 7), (5, 2, 2));
    assert_eq!(state("six", 7), (6, 2, 2));
    // Without a cache it is made each time, and an error is that of the closure.
    let runtime = Runtime::new();
    let module = runtime.compile(&wasm).unwrap();
    let failed = module.cached_snapshot("five", || Err(precast::ErrorKind::Interrupted.into()));
    assert!(matches!(failed.unwrap_err().kind(), precast::ErrorKind::Interrupted));
}
