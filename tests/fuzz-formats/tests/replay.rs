//! Every input of the corpus once more, without the fuzzer.

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).expect("the corpus of the target") {
        run(&fs::read(entry.expect("an entry").path()).expect("an input"));
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn cache_trailer() {
    replay("cache_trailer", precast_fuzz_formats::cache_trailer::run);
}

#[test]
fn cache_index() {
    replay("cache_index", precast_fuzz_formats::cache_index::run);
}
