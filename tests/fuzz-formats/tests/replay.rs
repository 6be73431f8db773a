//! Every case that once failed, and the corpus of every target, read again.

use precast_fuzz_formats::{artifact, bundle};
use std::fs;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = |kind: &str| format!("{}/{kind}/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = |kind| fs::read_dir(folder(kind)).unwrap().map(|file| file.unwrap().path());
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
