//! Sequences of WASI calls with hostile arguments, on directories of the host and in memory.
//!
//! The first bytes of an input say what the guest is granted. Each call takes one byte for the
//! function and one or more for each argument. No call may panic or change files that the guest may
//! not change, and after the guest its descriptors must be closed.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;
use std::{fs, thread};

use precast_wasi::fs::FileSystem;
use precast_wasi::{Builder, Input, Limits, MemoryFs, Output};

use crate::common::{FUNCTIONS, Guest, TempDir, open_descriptors};

/// The maximum number of calls in a case.
const CALLS: usize = 64;

/// The limit of a file system in memory.
const MEMORY: u64 = 1 << 20;

/// Names of which paths are made, including hostile ones.
const NAMES: [&[u8]; 24] = [
    b"a",
    b"b",
    b"d",
    b"d/a",
    b"d/d",
    b"mnt",
    b"d/mnt",
    b"d/mnt/hidden",
    b"x/mnt/hidden",
    b"read-only",
    b"read-only/a",
    b"memory",
    b"memory/a",
    b"..",
    b"../outside",
    b"../outside/secret",
    b".",
    b"/",
    b"up",
    b"absolute",
    b"loop",
    b"new",
    b"\xff\0",
    b"",
];

/// The addresses of paths, of tables of buffers, and of buffers.
const PATHS: u32 = 0x1000;
const SLOT: u32 = 0x100;
const IOVECS: u32 = 0x4000;
const BUFFERS: u32 = 0x8000;

/// Addresses and lengths at the ends of a memory of one page, and at the limits of the numbers.
const EDGES: [u64; 14] = [
    0,
    1,
    0xfff8,
    0xffff,
    0x1_0000,
    0x1_0001,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
    IOVECS as u64,
    BUFFERS as u64,
    PATHS as u64,
    (PATHS + SLOT) as u64,
];

/// The rest of an input; zeros after its end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes([0; 8].map(|_: u8| self.next()))
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.next()) % of.len()]
    }

    /// A descriptor, an address, a length or flags.
    fn word(&mut self) -> u64 {
        let kind = self.next();
        match kind % 8 {
            0..=2 => u64::from(kind >> 3),
            3 => self.one_of(&EDGES),
            4 => u64::from(PATHS) + u64::from(SLOT) * u64::from(kind >> 3),
            5 => u64::from(self.next()),
            6 => 1 << (kind >> 3),
            _ => self.u64() & 0xffff_ffff,
        }
    }

    /// Rights, an offset or a time. Offsets are small or beyond any file system, because
    /// `fd_allocate` would allocate the blocks for those between.
    fn long(&mut self) -> u64 {
        let kind = self.next();
        match kind % 6 {
            0 => u64::from(kind),
            1 => !0,
            2 => self.one_of(&[0, 1, (1 << 63) - 1, 1 << 63, 1 << 62, !0 - 1, 4096, 4095, 1 << 16]),
            3 => self.u64() | 1 << 60,
            // Rights that open files and directories.
            4 => self.one_of(&[!0, !0 & !(1 << 6), 1 << 1, 1 << 6, 1 << 14 | 1 << 13, 0x1bf]),
            _ => self.u64() & 0xf_ffff,
        }
    }

    /// Writes a path into memory at `slot` and returns its address and length.
    fn path(&mut self, guest: &mut Guest, slot: u32) -> [u64; 2] {
        let at = PATHS + SLOT * slot;
        let shape = self.next();
        let mut path = Vec::new();
        for i in 0..=shape % 3 {
            if i > 0 {
                path.push(b'/');
            }
            path.extend_from_slice(self.one_of(&NAMES));
        }
        if shape & 0x40 != 0 {
            path.push(b'/');
        }
        if shape & 0x80 != 0 {
            // A part of the name, or more than its length.
            path.truncate(usize::from(self.next()) % (path.len() + 1));
        }
        path.truncate(SLOT as usize);
        guest.write(at, &path);
        [at.into(), path.len() as u64]
    }
}

/// The state of a tree, file by file: contents, time of change, number of names.
fn snapshot(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, i64, i64, u64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let mut content = Vec::new();
            if metadata.is_dir() {
                folders.push(path.clone());
            } else if metadata.is_file() {
                content = fs::read(&path).unwrap();
            }
            let value = (content, metadata.mtime(), metadata.mtime_nsec(), metadata.nlink());
            found.insert(path, value);
        }
    }
    found
}

fn furnish(root: &Path) {
    for folder in ["outside", "inside/d/d", "inside/d/mnt", "inside/x/mnt", "read-only/d"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    for file in ["outside/secret", "inside/a", "inside/d/a", "read-only/a", "read-only/d/a"] {
        fs::write(root.join(file), file).unwrap();
    }
    for folder in ["inside/d/mnt", "inside/x/mnt"] {
        fs::write(root.join(folder).join("hidden"), "hidden").unwrap();
    }
    for folder in ["inside", "read-only"] {
        symlink("../outside", root.join(folder).join("up")).unwrap();
        symlink(root.join("outside"), root.join(folder).join("absolute")).unwrap();
        symlink("loop", root.join(folder).join("loop")).unwrap();
    }
}

/// A socket whose peer is closed, so that no call on it waits.
fn socket() -> UnixStream {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"some bytes").unwrap();
    ours
}

/// Grants the guest its files and directories.
fn builder(root: &Path, choice: u8) -> Builder {
    let mut limits = Limits::default();
    (limits.memory_bytes, limits.memory_entries, limits.descriptors) = (MEMORY, 64, 40);
    let builder = Builder::new()
        .args(["prog", "argument"])
        .env("NAME", "value")
        .stdin(Input::bytes(*b"some input"))
        .socket(socket())
        // Sleeping takes no time.
        .fixed_clocks(Duration::from_secs(1_000_000_000))
        .limits(limits)
        .portable_paths(choice & 1 != 0);
    let (inside, read_only) = (root.join("inside"), root.join("read-only"));
    let builder = match choice & 2 {
        0 => builder,
        _ => builder.trace(Output::null()),
    };
    match choice >> 2 & 3 {
        0 => builder.dir(inside, "/").read_only_dir(read_only, "other").memory_dir("third"),
        1 => builder
            .dir(inside, "/")
            .read_only_dir(read_only, "/d/mnt")
            .memory_dir("/x/mnt")
            .memory_dir("/memory"),
        2 => builder.memory_dir("/").read_only_dir(read_only, "/read-only").dir(inside, "/d/mnt"),
        _ => {
            let files = MemoryFs::with_limits(&limits);
            files.write("d/d/a", b"file").unwrap();
            files.symlink("../..", "d/up").unwrap();
            builder
                .file_system(std::sync::Arc::new(files.clone()), "/")
                .read_only_file_system(std::sync::Arc::new(files), "/read-only")
                .dir(inside, "/d/host")
                .read_only_dir(read_only, "/d/host/d/mnt")
        }
    }
}

fn call(guest: &mut Guest, input: &mut Bytes<'_>) {
    let (function, params) = input.one_of(&FUNCTIONS);
    let mut arguments = Vec::new();
    let mut slot = 0;
    for (i, kind) in params.chars().enumerate() {
        // The second half of a path came with the first.
        if arguments.len() > i {
            continue;
        }
        let pair = params[i..].starts_with("ii");
        let is_path = function.starts_with("path_") && i > 0 && pair && slot < 2;
        let is_table = matches!(function, "fd_read" | "fd_write" | "fd_pread" | "fd_pwrite")
            || function.starts_with("sock_");
        match kind {
            'I' => arguments.push(input.long()),
            _ if is_path && input.next() % 4 > 0 => {
                arguments.extend(input.path(guest, slot));
                slot += 1;
            }
            _ if is_table && i == 1 && params.len() > 2 => {
                let shape = input.next();
                let count = u32::from(shape % 5);
                for j in 0..count {
                    let (ptr, len) = match shape & 0x80 {
                        0 => (BUFFERS + 64 * j, u32::from(shape)),
                        _ => (input.word() as u32, input.word() as u32),
                    };
                    guest.write(IOVECS + 8 * j, &ptr.to_le_bytes());
                    guest.write(IOVECS + 8 * j + 4, &len.to_le_bytes());
                }
                let count = if shape & 0x40 == 0 { count.into() } else { input.word() };
                arguments.extend([IOVECS.into(), count]);
            }
            _ => arguments.push(input.word()),
        }
    }
    arguments.truncate(params.len());
    if let Err(error) = guest.try_call(function, &arguments) {
        // A signal that ends the guest.
        assert!(error.exit_code().is_some(), "{function}{arguments:?}: {error}");
    }
}

/// Runs an input.
pub fn run(data: &[u8]) {
    // The first guest creates permanent state: threads, code.
    static FIRST: Once = Once::new();
    FIRST.call_once(|| drop(Guest::new(&Builder::new())));

    let mut input = Bytes(data);
    let choice = input.next();
    let temp = TempDir::new(&format!("fuzz-{:?}", thread::current().id()));
    let root = temp.path();
    furnish(root);
    let mut kept = vec!["outside", "read-only"];
    match choice >> 2 & 3 {
        1 => kept.extend(["inside/d/mnt", "inside/x/mnt"]),
        3 => kept.push("inside/d/mnt"),
        _ => {}
    }
    let look = || kept.iter().map(|kept| snapshot(&root.join(kept))).collect::<Vec<_>>();
    let (before, descriptors) = (look(), open_descriptors());

    let mut guest = Guest::new(&builder(root, choice));
    for _ in 0..CALLS {
        if input.0.is_empty() {
            break;
        }
        call(&mut guest, &mut input);
    }
    drop(guest);

    assert_eq!(open_descriptors(), descriptors, "descriptors leaked");
    assert!(look() == before, "something changed that must not: {kept:?}");
    assert_eq!(fs::read_dir(root).unwrap().count(), 3, "a guest got out");
}
