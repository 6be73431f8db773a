//! Runs every case that once failed, and the corpus of every target.

use precast_fuzz_formats::{artifact, bundle, cache_index, cache_trailer, wasi};
use std::fs;
use std::sync::{Mutex, PoisonError};

/// One target at a time, because the WASI target counts the descriptors of the process.
static ONE: Mutex<()> = Mutex::new(());

fn replay(target: &str, run: fn(&[u8])) {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = |kind: &str| format!("{}/{kind}/{target}", env!("CARGO_MANIFEST_DIR"));
    // A target without failed cases has no folder of cases.
    let read = |kind| fs::read_dir(folder(kind)).into_iter().flatten();
    let files = |kind| read(kind).map(|file| file.unwrap().path());
    let mut cases: Vec<_> = files("cases").chain(files("corpus")).collect();
    cases.sort();
    assert!(!cases.is_empty(), "no cases of {target}");
    for case in cases {
        println!("{}", case.display());
        run(&fs::read(case).unwrap());
    }
}

#[test]
fn artifacts() {
    replay("artifact", artifact::run);
}

#[test]
fn bundles() {
    replay("bundle", bundle::run);
}

#[test]
fn indexes_of_caches() {
    replay("cache_index", cache_index::run);
}

#[test]
fn trailers_of_caches() {
    replay("cache_trailer", cache_trailer::run);
}

#[test]
fn calls_of_wasi() {
    replay("wasi", wasi::run);
}
