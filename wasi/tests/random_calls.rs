//! Random calls with random arguments: nothing panics, nothing outside the preopened directories
//! changes, no descriptor leaks, and the host's memory stays bounded. There is only one test,
//! because it measures descriptors and memory of the process.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use fastrand::Rng;
use precast_wasi::{Builder, Errno, Input};

mod common;
use common::{FUNCTIONS, Guest, TempDir, open_descriptors};

/// The number of calls, smaller in a build without optimisation. The environment variable
/// `PRECAST_RANDOM_CALLS` overrides it.
const CALLS: u64 = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };

/// The number of calls after which a new guest is created, because most descriptors are closed.
const CALLS_OF_A_GUEST: u64 = 1000;

/// The most that the process's peak memory may grow.
const MEMORY: u64 = 64 << 20;

/// Paths, most of them hostile. Each has its own slot in guest memory.
const PATHS: [&str; 32] = [
    "a",
    "b",
    "d",
    "d/a",
    "d/b",
    "d/d",
    "d/d/a",
    "new",
    "new/",
    "d/",
    "d/.",
    ".",
    "./",
    "..",
    "../",
    "../outside",
    "../outside/secret",
    "../outside/new",
    "d/../..",
    "d/../../outside/secret",
    "/etc/passwd",
    "/",
    "up",
    "up/secret",
    "up/new",
    "up/",
    "absolute",
    "loop",
    "loop/x",
    "d/../up/../outside/secret",
    "a/",
    "a/..",
];
const FIRST_PATH: u64 = 1024;
const PATH_SLOT: u64 = 64;

/// The address of a table of iovecs. Every second one is valid.
const IOVECS: u64 = 4096;

fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

/// A random `i32`: a descriptor, an address, a length, flags, or an invalid value.
fn word(rng: &mut Rng) -> u64 {
    match rng.u64(..10) {
        0..=3 => rng.u64(..12),
        4 => rng.u64(..64),
        5 => IOVECS + 8 * rng.u64(..8),
        6 => rng.u64(..65536),
        7 => pick(rng, &[0, 65528, 65535, 65536, 65537, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]),
        8 => 1 << rng.u64(..32),
        _ => rng.u64(..),
    }
}

/// A random `i64`: rights, an offset or a time. Offsets are small, or larger than any file system
/// allows: with those in between, `fd_allocate` would use disk space.
fn long(rng: &mut Rng) -> u64 {
    match rng.u64(..6) {
        0 | 1 => rng.u64(..4096),
        2 => 0,
        3 => pick(rng, &[u64::MAX, 1 << 63, (1 << 63) - 1, 1 << 62]),
        4 => !0,
        _ => rng.u64(..) | 1 << 60,
    }
}

fn arguments(rng: &mut Rng, function: &str, params: &str) -> Vec<u64> {
    let mut arguments: Vec<u64> =
        params.chars().map(|c| if c == 'I' { long(rng) } else { word(rng) }).collect();
    // Most arguments that can be a path are a valid path, and rights are often valid.
    if function.starts_with("path_") {
        for i in 0..arguments.len().saturating_sub(1) {
            if i > 0 && rng.u64(..3) > 0 && params[i..].starts_with("ii") {
                let slot = rng.u64(..PATHS.len() as u64);
                arguments[i] = FIRST_PATH + slot * PATH_SLOT;
                arguments[i + 1] = PATHS[slot as usize].len() as u64;
            }
        }
        if rng.u64(..2) == 0 {
            arguments[0] = pick(rng, &[3, 3, 3, 4]);
        }
    }
    if function == "path_open" && rng.u64(..2) == 0 {
        let slot = rng.u64(..PATHS.len() as u64);
        arguments = vec![
            3 + rng.u64(..2),
            rng.u64(..2),
            FIRST_PATH + slot * PATH_SLOT,
            PATHS[slot as usize].len() as u64,
            rng.u64(..16),
            long(rng),
            !0,
            rng.u64(..32),
            128,
        ];
    }
    arguments
}

/// Writes paths, iovecs and random bytes to guest memory.
fn furnish_memory(rng: &mut Rng, guest: &mut Guest) {
    let memory = guest.memory();
    for _ in 0..64 {
        let at = rng.u64(..65536) as usize;
        memory[at] = rng.u8(..);
    }
    for (slot, path) in PATHS.iter().enumerate() {
        let at = FIRST_PATH as usize + slot * PATH_SLOT as usize;
        memory[at..][..path.len()].copy_from_slice(path.as_bytes());
    }
    for i in 0..16 {
        let (ptr, len) = if i % 2 == 0 {
            (8192 + rng.u64(..4096), rng.u64(..4096))
        } else {
            (word(rng), word(rng))
        };
        let at = IOVECS as usize + i * 8;
        memory[at..][..4].copy_from_slice(&(ptr as u32).to_le_bytes());
        memory[at + 4..][..4].copy_from_slice(&(len as u32).to_le_bytes());
    }
}

/// The files of a directory tree: contents, size, modification time and number of links.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u64, i64, u64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            let (size, time) = (metadata.size(), metadata.mtime_nsec());
            found.insert(path, (content, size, time, metadata.nlink()));
        }
    }
    found
}

/// The most memory this process has had, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<u64>().unwrap() << 10
}

fn furnish_tree(root: &Path) {
    for folder in ["outside", "inside/d/d", "read-only/d"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for file in ["outside/secret", "inside/a", "inside/d/a", "read-only/a", "read-only/d/a"] {
        fs::write(root.join(file), file).unwrap();
    }
    for folder in ["inside", "read-only"] {
        symlink("../outside", root.join(folder).join("up")).unwrap();
        symlink(root.join("outside"), root.join(folder).join("absolute")).unwrap();
        symlink("loop", root.join(folder).join("loop")).unwrap();
    }
}

/// A socket whose peer is closed: no operation on it blocks.
fn socket() -> UnixStream {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"some bytes").unwrap();
    ours
}

/// Makes the calls of one guest and returns the number that succeeded.
fn run(rng: &mut Rng, root: &Path, portable_paths: bool) -> u64 {
    let builder = Builder::new()
        .args(["prog", "argument"])
        .env("NAME", "value")
        .stdin(Input::bytes(*b"some input"))
        .dir(root.join("inside"), "/")
        .read_only_dir(root.join("read-only"), "/read-only")
        .socket(socket())
        // Sleeping takes no time.
        .fixed_clocks(Duration::from_secs(1_000_000_000))
        .portable_paths(portable_paths);
    let mut guest = Guest::new(&builder);
    let mut succeeded = 0;
    for i in 0..CALLS_OF_A_GUEST {
        if i % 16 == 0 {
            furnish_memory(rng, &mut guest);
        }
        let (function, params) = pick(rng, &FUNCTIONS);
        let arguments = arguments(rng, function, params);
        match guest.try_call(function, &arguments) {
            Ok(Errno::Success) => succeeded += 1,
            Ok(_) => {}
            // A signal that ends the guest. The next call works as in a new guest.
            Err(error) => assert!(error.exit_code().is_some(), "{function}{arguments:?}: {error}"),
        }
    }
    succeeded
}

#[test]
fn random_calls_do_no_harm() {
    let calls = env::var("PRECAST_RANDOM_CALLS").map_or(CALLS, |calls| calls.parse().unwrap());
    let temp = TempDir::new("random-calls");
    furnish_tree(temp.path());
    let outside = snapshot(&temp.path().join("outside"));
    let read_only = snapshot_of_files(&temp.path().join("read-only"));
    let mut rng = Rng::with_seed(0x5eed);
    // The first guest creates threads and caches that stay.
    run(&mut rng, temp.path(), false);
    let (descriptors, memory) = (open_descriptors(), peak_memory());

    let mut succeeded = 0;
    for i in 0..calls / CALLS_OF_A_GUEST {
        succeeded += run(&mut rng, temp.path(), i % 2 == 1);
    }

    assert_eq!(open_descriptors(), descriptors, "descriptors leaked");
    let grown = peak_memory() - memory;
    assert!(grown < MEMORY, "{grown} bytes more memory");
    assert_eq!(snapshot(&temp.path().join("outside")), outside, "a guest got out");
    assert_eq!(snapshot_of_files(&temp.path().join("read-only")), read_only);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 3, "a guest got out");
    println!("{succeeded} of {calls} calls succeeded");
    assert!(succeeded > calls / 20, "only {succeeded} of {calls} calls got anywhere");
}

/// The names and times in a directory with links that cannot be read.
fn snapshot_of_files(directory: &Path) -> Vec<(PathBuf, i64)> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let time = fs::symlink_metadata(&path).unwrap().mtime_nsec();
            (path, time)
        })
        .collect();
    names.sort();
    names
}
