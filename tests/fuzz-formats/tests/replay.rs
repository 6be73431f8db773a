//! The corpus of every target, and with it every case that once failed, read again.

use precast_fuzz_formats::wasi;
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
fn calls_of_wasi() {
    replay("wasi", wasi::run);
}
