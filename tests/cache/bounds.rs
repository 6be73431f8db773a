//! Bounds: bytes and entries stay within them, the least recently used entries go first, and
//! readers are not disturbed.

use precast::cache::{Cache, Fingerprint, Options};
use std::fs;
use std::time::Duration;

use crate::scratch::{Scratch, set_mode, size_of};
use crate::{assert_answers, module, open, runtime};

fn has(cache: &Cache, n: u32) -> bool {
    let fingerprint = runtime(cache).fingerprint();
    let content = precast::cache::Content::of(&module(n, 0));
    let found = cache.find(&precast::cache::Key::new(&fingerprint, content));
    found.is_ok_and(|found| found.is_some())
}

#[test]
fn the_least_recently_used_goes_first() {
    let scratch = Scratch::new("lru");
    let (cache, runtime) = open(&scratch, Options::new().max_entries(3));
    let pause = || std::thread::sleep(Duration::from_millis(150));
    for n in [1, 2, 3, 1, 2, 4] {
        runtime.compile(&module(n, 0)).unwrap();
        pause();
    }
    let there: Vec<u32> = (1..5).filter(|&n| has(&cache, n)).collect();
    assert_eq!(there, [1, 2, 4]);
    assert_eq!(cache.counts().evicted, 1);
}

/// This holds also if an entry is copied before it is used, because others can write to the folder.
#[test]
fn the_least_recently_used_goes_first_in_a_shared_folder() {
    let scratch = Scratch::new("sharedlru");
    fs::create_dir(scratch.cache()).unwrap();
    set_mode(&scratch.cache(), 0o777);
    let (cache, runtime) = open(&scratch, Options::new().max_entries(3).key([3; 32]));
    for n in [1, 2, 3, 1, 2, 4] {
        runtime.compile(&module(n, 0)).unwrap();
        std::thread::sleep(Duration::from_millis(150));
    }
    let there: Vec<u32> = (1..5).filter(|&n| has(&cache, n)).collect();
    assert_eq!(there, [1, 2, 4]);
}

#[test]
fn bytes_are_bounded() {
    let scratch = Scratch::new("bytes");
    // The artifact's pages are as large as its machine may have.
    let one = precast::Runtime::new().precompile(&module(0, 20_000)).unwrap().len();
    let bound = 6 * one;
    let (cache, runtime) = open(&scratch, Options::new().max_bytes(bound as u64));
    for n in 0..20 {
        assert_answers(&runtime.compile(&module(n, 20_000)).unwrap(), n, 20_000);
        assert!(size_of(&scratch.cache()) <= bound as u64);
    }
    let before = scratch.files("modules");
    assert!(before.len() > 2);
    // An entry above the bound is not kept, and nothing is evicted for it.
    assert_answers(&runtime.compile(&module(99, bound)).unwrap(), 99, bound);
    assert_eq!(scratch.files("modules"), before);
    assert_eq!(cache.counts().published, 20);
}

#[test]
fn other_builds_go_first() {
    let scratch = Scratch::new("builds");
    let (cache, runtime) = open(&scratch, Options::new().max_entries(3));
    runtime.compile(&module(1, 0)).unwrap();
    let other = Fingerprint::new("an older build", "");
    let key = precast::cache::Key::new(&other, precast::cache::Content::of(b"module"));
    drop(cache.publish(&key, b"artifact").expect("it is published"));
    runtime.compile(&module(2, 0)).unwrap();
    let fingerprint = runtime.fingerprint();
    let usage = cache.usage(Some(&fingerprint));
    assert_eq!((usage.entries, usage.old_entries), (3, 1));
    runtime.compile(&module(3, 0)).unwrap();
    assert_eq!(cache.usage(Some(&fingerprint)).old_entries, 0);
    assert!((1..4).all(|n| has(&cache, n)));
    // Pruning removes them even if there is room.
    drop(cache.publish(&key, b"artifact"));
    assert_eq!(cache.usage(Some(&fingerprint)).old_entries, 1);
    assert_eq!(cache.prune(Some(&fingerprint)).entries, 1);
    assert_eq!(cache.usage(None).entries, 2);
}

/// Files are added and removed without the ledger, and the ledger is damaged.
#[test]
fn a_wrong_ledger_is_corrected() {
    let scratch = Scratch::new("ledger");
    let (cache, runtime) = open(&scratch, Options::new().max_entries(4));
    (0..4).for_each(|n| drop(runtime.compile(&module(n, 0)).unwrap()));
    let ledger = scratch.cache().join("ledger");
    for damage in [&b""[..], b"x", &[0; 48], &[0xff; 48]] {
        fs::write(&ledger, damage).unwrap();
        runtime.compile(&module(100 + damage.len() as u32, 0)).unwrap();
        runtime.compile(&module(200 + damage.len() as u32, 0)).unwrap();
        assert_eq!(scratch.files("modules").len(), 4);
    }
    scratch.files("modules").iter().for_each(|path| fs::remove_file(path).unwrap());
    (0..4).for_each(|n| drop(runtime.compile(&module(n, 0)).unwrap()));
    assert_eq!(scratch.files("modules").len(), 4, "none had to go");
    assert_eq!(cache.usage(None).entries, 4);
}
