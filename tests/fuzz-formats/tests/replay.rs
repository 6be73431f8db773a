//! The corpus of every target, and with it every case that once failed, read again.

use precast_fuzz_formats::{artifact, bundle, cache_index, cache_trailer, wasi};
use std::fs;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = format!("{}/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
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
