//! Names this build of the compiler by the sources that decide its output, so that no other
//! build's code is taken for this one's.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let crate_folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    // A packaged crate has no neighbours; there `precast-abi` is a release, named by its version.
    for folder in ["src", "Cargo.toml", "../abi/src", "../Cargo.lock"] {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(&crate_folder.join(folder), &mut files);
        files.sort();
        for file in files {
            let name = file.strip_prefix(&crate_folder).unwrap_or(&file);
            hasher.update(name.to_string_lossy().as_bytes());
            hasher.update(&fs::read(&file).unwrap_or_default());
        }
    }
    println!("cargo::rustc-env=PRECAST_COMPILER_BUILD={:032x}", hasher.digest128());
}

/// Every file at or under a path; none when there is nothing.
fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        collect(&entry.path(), files);
    }
}
