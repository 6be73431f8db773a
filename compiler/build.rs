//! Gives the compiler a hash of its own sources, so that one build does not reuse code that another
//! build kept.

use std::fs;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut hash = Xxh3::new();
    // A published crate has no `Cargo.lock` beside it; in the repository it fixes the versions of
    // dependencies.
    for path in ["src", "../abi/src", "Cargo.toml", "../Cargo.lock"] {
        let path = root.join(path);
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
            add(&mut hash, &path);
        }
    }
    println!("cargo::rustc-env=PRECAST_SOURCES={:016x}", hash.digest());
}

/// Adds a file, or all files below a folder in the order of their names.
fn add(hash: &mut Xxh3, path: &Path) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("sources can be read");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("sources can be read").path()).collect();
        paths.sort();
        paths.iter().for_each(|path| add(hash, path));
    } else {
        let bytes = fs::read(path).expect("sources can be read");
        hash.update(path.file_name().expect("a file has a name").as_encoded_bytes());
        hash.update(&bytes.len().to_le_bytes());
        hash.update(&bytes);
    }
}
