//! Runs eight processes with a thousand modules in a cache that has room for less than half of
//! them.

#[path = "support/binary.rs"]
mod binary;
// This test uses only a part of the cache tests' helpers.
#[allow(dead_code)]
#[path = "cache/modules.rs"]
mod modules;
#[allow(dead_code)]
#[path = "cache/scratch.rs"]
mod scratch;

use binary::program;
use fastrand::Rng;
use libtest_mimic::{Arguments, Trial};
use modules::{assert_answers, module, open, runtime};
use precast::cache::Options;
use scratch::{Scratch, size_of};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

/// The variable that tells a child the folder of the cache.
const FOLDER: &str = "PRECAST_TEST_FOLDER";
/// The variable that tells a child its number.
const NUMBER: &str = "PRECAST_TEST_NUMBER";

const BOUND: u64 = 50 << 20;
const MODULES: usize = 1000;
const PROCESSES: usize = 8;
/// Bytes of data in each module. The total is more than twice the bound.
const DATA: usize = 100 << 10;

fn main() -> ExitCode {
    if let Ok(number) = env::var(NUMBER) {
        child(number.parse().expect("a number"));
        return ExitCode::SUCCESS;
    }
    let trial = Trial::test("a_crowd_stays_within_the_bound", || {
        stays_within_the_bound();
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![trial]).exit_code()
}

fn stays_within_the_bound() {
    let scratch = Scratch::new("crowd");
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|n| {
            program(env::current_exe().unwrap())
                .env(FOLDER, scratch.cache())
                .env(NUMBER, n.to_string())
                .spawn()
                .unwrap()
        })
        .collect();
    let (mut largest, mut entry) = (0, 0);
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        // One scan takes a while. A file that is removed during it counts together with the file
        // that replaces it.
        let size = (0..5).map(|_| size_of(&scratch.cache())).min().unwrap();
        largest = size.max(largest);
        let entries = scratch.files("modules");
        let sizes = entries.iter().filter_map(|path| Some(fs::metadata(path).ok()?.len()));
        entry = sizes.max().unwrap_or(0).max(entry);
        std::thread::sleep(Duration::from_millis(3));
    }
    for mut child in children {
        assert!(child.wait().unwrap().success(), "a load failed");
    }
    assert!(largest <= BOUND + entry, "{largest} bytes were there");
    assert!(largest > BOUND * 9 / 10, "{largest} bytes are too few to show anything");
    let all = size_of(&scratch.cache());
    assert!(all <= BOUND, "{all} bytes are left");
    assert_eq!(scratch.temporaries(), 0);
    let (cache, _) = open(&scratch, Options::new());
    assert_eq!(cache.verify().unwrap().damaged.len(), 0);
    assert!(cache.usage(None).evicted as usize > MODULES / 4);
}

/// The work of one child.
fn child(number: usize) {
    let folder = env::var_os(FOLDER).unwrap();
    let cache = Options::new().max_bytes(BOUND).open(folder).unwrap();
    let (runtime, mut random) = (runtime(&cache), Rng::with_seed(number as u64));
    let mut loaded = Vec::new();
    // Each child begins with its own eighth, then requests modules of the others.
    for step in 0..MODULES / PROCESSES + 40 {
        let own = number * MODULES / PROCESSES + step;
        let n = if step < MODULES / PROCESSES { own } else { random.usize(..MODULES) } as u32;
        let compiled = runtime.compile(&module(n, DATA)).unwrap();
        assert_answers(&compiled, n, DATA);
        loaded.push((n, compiled));
        if loaded.len() > 20 {
            // Its entry has long been evicted, and is still mapped.
            let (n, old) = loaded.swap_remove(random.usize(..20));
            assert_answers(&old, n, DATA);
        }
    }
    assert_eq!(cache.counts().refused, 0);
}
