//! Runs the scripts of `tests/regress`, which keep findings of fuzzing and reviews; every script
//! must pass.

use precast::Runtime;
use precast_wast::Options;
use std::fs;
use std::path::Path;

#[test]
fn every_script_passes() {
    let runtime = Runtime::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/regress");
    let mut scripts = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let report =
            precast_wast::run(&runtime, &fs::read_to_string(&path).unwrap(), Options::default());
        assert!(report.failures.is_empty(), "{}: {:#?}", path.display(), report.failures);
        assert!(report.passed > 0, "{} does nothing", path.display());
        scripts += 1;
    }
    assert!(scripts > 0);
}
