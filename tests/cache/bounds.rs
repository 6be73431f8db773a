//! Bounds: bytes and entries, the least recently used go first, and nobody who loads notices.

use precast::cache::{Cache, Fingerprint, Options};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use crate::place::Place;
use crate::{Random, assert_answers, module, open, runtime};

/// Where a child finds the cache.
const FOLDER: &str = "PRECAST_TEST_FOLDER";
/// Which of the children it is.
const NUMBER: &str = "PRECAST_TEST_NUMBER";

const BOUND: u64 = 50 << 20;
const MODULES: usize = 1000;
const PROCESSES: usize = 8;
/// Bytes of data in each module: all of them are more than twice the bound.
const DATA: usize = 100 << 10;

/// Bytes of the files below a folder, each once though it be renamed while we look.
fn size_of(folder: &Path) -> u64 {
    let mut files = HashMap::new();
    for part in ["tmp", "modules", "functions"] {
        collect(&folder.join(part), &mut files);
    }
    files.values().sum()
}

fn collect(path: &Path, files: &mut HashMap<u64, u64>) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            collect(&entry.path(), files);
        } else {
            files.insert(metadata.ino(), metadata.len());
        }
    }
}

#[test]
fn a_crowd_stays_within_the_bound() {
    let place = Place::new("crowd");
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|n| {
            Command::new(env::current_exe().unwrap())
                .args(["--exact", "bounds::child_of_the_crowd", "--ignored", "--nocapture"])
                .env(FOLDER, place.cache())
                .env(NUMBER, n.to_string())
                .spawn()
                .unwrap()
        })
        .collect();
    let (mut largest, mut entry) = (0, 0);
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        // One look takes a while, and what is removed meanwhile counts with what replaces it.
        let size = (0..5).map(|_| size_of(&place.cache())).min().unwrap();
        largest = size.max(largest);
        let entries = place.files("modules");
        let sizes = entries.iter().filter_map(|path| Some(fs::metadata(path).ok()?.len()));
        entry = sizes.max().unwrap_or(0).max(entry);
        std::thread::sleep(Duration::from_millis(3));
    }
    for mut child in children {
        assert!(child.wait().unwrap().success(), "a load failed");
    }
    assert!(largest <= BOUND + entry, "{largest} bytes were there");
    assert!(largest > BOUND * 9 / 10, "{largest} bytes are too few to show anything");
    let all = size_of(&place.cache());
    assert!(all <= BOUND, "{all} bytes are left");
    assert_eq!(place.temporaries(), 0);
    let (cache, _) = open(&place, Options::new());
    assert_eq!(cache.verify().unwrap().damaged.len(), 0);
    assert!(cache.usage(None).evicted as usize > MODULES / 4);
}

#[test]
#[ignore = "run by `a_crowd_stays_within_the_bound`"]
fn child_of_the_crowd() {
    let number: usize = env::var(NUMBER).expect("run by another test").parse().unwrap();
    let folder = env::var_os(FOLDER).unwrap();
    let cache = Options::new().max_bytes(BOUND).open(folder).unwrap();
    let (runtime, mut random) = (runtime(&cache), Random(number as u64));
    let mut loaded = Vec::new();
    // Each begins with its own eighth, and then asks for what others have made.
    for step in 0..MODULES / PROCESSES + 40 {
        let own = number * MODULES / PROCESSES + step;
        let n = if step < MODULES / PROCESSES { own } else { random.below(MODULES) } as u32;
        let compiled = runtime.compile(&module(n, DATA)).unwrap();
        assert_answers(&compiled, n, DATA);
        loaded.push((n, compiled));
        if loaded.len() > 20 {
            // It has long been evicted, and is still mapped.
            let (n, old) = loaded.swap_remove(random.below(20));
            assert_answers(&old, n, DATA);
        }
    }
    assert_eq!(cache.counts().refused, 0);
}

fn has(cache: &Cache, n: u32) -> bool {
    let fingerprint = runtime(cache).fingerprint();
    let content = precast::cache::Content::of(&module(n, 0));
    let found = cache.find(&precast::cache::Key::new(&fingerprint, content));
    found.is_ok_and(|found| found.is_some())
}

#[test]
fn the_least_recently_used_goes_first() {
    let place = Place::new("lru");
    let (cache, runtime) = open(&place, Options::new().max_entries(3));
    let pause = || std::thread::sleep(Duration::from_millis(150));
    for n in [1, 2, 3, 1, 2, 4] {
        runtime.compile(&module(n, 0)).unwrap();
        pause();
    }
    let there: Vec<u32> = (1..5).filter(|&n| has(&cache, n)).collect();
    assert_eq!(there, [1, 2, 4]);
    assert_eq!(cache.counts().evicted, 1);
}

#[test]
fn bytes_are_bounded() {
    let place = Place::new("bytes");
    let (cache, runtime) = open(&place, Options::new().max_bytes(200_000));
    for n in 0..20 {
        assert_answers(&runtime.compile(&module(n, 20_000)).unwrap(), n, 20_000);
        assert!(size_of(&place.cache()) <= 200_000);
    }
    let before = place.files("modules");
    assert!(before.len() > 2);
    // What alone is too large is not kept, and nothing makes room for it.
    assert_answers(&runtime.compile(&module(99, 210_000)).unwrap(), 99, 210_000);
    assert_eq!(place.files("modules"), before);
    assert_eq!(cache.counts().published, 20);
}

#[test]
fn other_builds_go_first() {
    let place = Place::new("builds");
    let (cache, runtime) = open(&place, Options::new().max_entries(3));
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
    // And pruning removes them without need.
    drop(cache.publish(&key, b"artifact"));
    assert_eq!(cache.usage(Some(&fingerprint)).old_entries, 1);
    assert_eq!(cache.prune(Some(&fingerprint)).entries, 1);
    assert_eq!(cache.usage(None).entries, 2);
}

/// Files that come and go behind the ledger's back, and a ledger that is damaged.
#[test]
fn the_ledger_is_no_authority() {
    let place = Place::new("ledger");
    let (cache, runtime) = open(&place, Options::new().max_entries(4));
    (0..4).for_each(|n| drop(runtime.compile(&module(n, 0)).unwrap()));
    let ledger = place.cache().join("ledger");
    for damage in [&b""[..], b"x", &[0; 48], &[0xff; 48]] {
        fs::write(&ledger, damage).unwrap();
        runtime.compile(&module(100 + damage.len() as u32, 0)).unwrap();
        runtime.compile(&module(200 + damage.len() as u32, 0)).unwrap();
        assert_eq!(place.files("modules").len(), 4);
    }
    place.files("modules").iter().for_each(|path| fs::remove_file(path).unwrap());
    (0..4).for_each(|n| drop(runtime.compile(&module(n, 0)).unwrap()));
    assert_eq!(place.files("modules").len(), 4, "none had to go");
    assert_eq!(cache.usage(None).entries, 4);
}
