//! Files that change without new times: a program's stores through a shared mapping take effect in
//! the next run.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::Duration;

use memmap2::{MmapMut, MmapOptions};

use crate::scratch::{Scratch, stdout};
use crate::{assert_answers, module, open};
use precast::cache::Options;

/// The variable with a folder on the file system to test.
const FOLDER: &str = "PRECAST_TEST_FOLDER";

/// Longer than the resolution of any file system's clock, and shorter than the time for which the
/// kernel leaves a stored page writable.
const STILL: Duration = Duration::from_secs(4);

/// A module file in a shared, writable mapping, as programs map their data. `answer` of the module
/// returns a number of three digits, so that all versions are equally long.
struct Mapped {
    path: PathBuf,
    map: MmapMut,
}

impl Mapped {
    fn new(folder: &Path, name: &str, n: u32) -> Mapped {
        let path = folder.join(name);
        fs::write(&path, module(n, 0)).unwrap();
        let map = Self::map(&path);
        Mapped { path, map }
    }

    /// The descriptor is closed: only the mapping keeps the file open.
    fn map(path: &Path) -> MmapMut {
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        // SAFETY: no reference into the mapping is kept while another process writes to the file.
        unsafe { MmapOptions::new().map_mut(&file).unwrap() }
    }

    fn store(&mut self, n: u32) {
        self.map.copy_from_slice(&module(n, 0));
    }
}

/// Every process, and a runtime that stays, must answer with the current bytes.
#[track_caller]
fn assert_present(scratch: &Scratch, runtime: &precast::Runtime, file: &Path, n: u32, when: &str) {
    let output = scratch.answer(file).output().unwrap();
    assert_eq!(stdout(&output), format!("{n}\n"), "{when}, {}", file.display());
    if let Some(module) = runtime.cached_file(file) {
        assert_answers(&module, n, 0);
    }
    assert_answers(&runtime.compile_file(file).unwrap(), n, 0);
}

/// Stores at every kind of moment, to files in `folder`.
fn stores_are_seen(scratch: &Scratch, folder: &Path) {
    let (_, runtime) = open(scratch, Options::new());
    let check = |file: &Path, n, when| assert_present(scratch, &runtime, file, n, when);
    let mut before = Mapped::new(folder, "before.wasm", 100);
    before.store(101);
    let mut synced = Mapped::new(folder, "synced.wasm", 200);
    synced.store(201);
    synced.map.flush().unwrap();
    synced.store(202);
    let mut idle = Mapped::new(folder, "idle.wasm", 300);
    let later = folder.join("later.wasm");
    fs::write(&later, module(400, 0)).unwrap();
    let mut open_file =
        File::options().write(true).create_new(true).open(folder.join("open")).unwrap();
    std::io::Write::write_all(&mut open_file, &module(500, 0)).unwrap();
    sleep(STILL);

    check(&before.path, 101, "stored before the first run");
    check(&synced.path, 202, "stored and synchronised before the first run");
    check(&idle.path, 300, "mapped, not stored to");
    check(&later, 400, "not mapped");
    check(&folder.join("open"), 500, "open for writing");
    for round in 1..4 {
        before.store(110 + round);
        check(&before.path, 110 + round, "stored again");
        synced.store(210 + round);
        check(&synced.path, 210 + round, "stored after synchronising");
        synced.map.flush().unwrap();
        check(&synced.path, 210 + round, "synchronised");
        idle.store(310 + round);
        check(&idle.path, 310 + round, "stored for the first time after a run");
        sleep(Duration::from_millis(300));
    }
    // A mapping that is read before it is written.
    let mut map = Mapped::map(&later);
    assert!(map.starts_with(b"\0asm"));
    check(&later, 400, "mapped and read");
    map.copy_from_slice(&module(401, 0));
    check(&later, 401, "stored after a read");
    sleep(STILL);
    check(&later, 401, "left alone while mapped");
    check(&before.path, 113, "left alone while mapped");
    map.copy_from_slice(&module(402, 0));
    check(&later, 402, "stored through an old mapping");
    before.store(120);
    check(&before.path, 120, "stored through an old mapping");
    drop((map, before));
    sleep(STILL);
    // No process writes to these two any more, so they are known until one does.
    let before = folder.join("before.wasm");
    check(&before, 120, "unmapped");
    check(&later, 402, "unmapped");
    check(&before, 120, "unmapped, a second time");
    let mut map = Mapped::map(&before);
    assert!(map.starts_with(b"\0asm"));
    check(&before, 120, "mapped anew");
    map.copy_from_slice(&module(121, 0));
    check(&before, 121, "stored through a new mapping");
    drop(map);
    check(&before, 121, "unmapped again");
}

#[test]
fn stores_through_a_shared_mapping_are_seen() {
    let scratch = Scratch::new("mapping");
    let folder = std::env::var_os(FOLDER).map_or(scratch.path().to_owned(), PathBuf::from);
    stores_are_seen(&scratch, &folder);
}

/// On tmpfs, a store through a mapping never changes a time.
#[test]
fn stores_on_tmpfs_are_seen() {
    let scratch = Scratch::new("tmpfs");
    let folder = Path::new("/dev/shm").join(scratch.path().file_name().unwrap());
    if fs::create_dir(&folder).is_err() {
        eprintln!("skipped: there is no /dev/shm");
        return;
    }
    stores_are_seen(&scratch, &folder);
    fs::remove_dir_all(&folder).unwrap();
}

/// On overlayfs a mapping belongs to a file of the file system below.
#[test]
fn stores_on_overlayfs_are_seen() {
    let scratch = Scratch::new("overlay");
    let script = r#"mount -t tmpfs none /mnt; mkdir /mnt/lower /mnt/upper /mnt/work /mnt/top "$1"
        cd "$1"; mkdir upper work top; mount -t overlay none -olowerdir=/mnt/lower,upperdir=upper,workdir=work top
        cd top; PRECAST_TEST_FOLDER="$PWD" exec "$2" --exact "$3""#;
    let mut probe = Command::new("unshare");
    probe.args(["-m", "sh", "-ec", &script.replace("exec", "true")]).args(["sh"]);
    probe.arg(scratch.path().join("probe")).args(["a", "b"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no right to mount a file system, or there is no overlayfs");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", script, "sh"]).arg(scratch.path().join("files"));
    command.arg(std::env::current_exe().unwrap());
    command.arg("unseen_changes::stores_through_a_shared_mapping_are_seen");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A process that opens the file for writing during the check succeeds, and the signal of the
/// broken lease ends no process.
#[test]
fn a_file_that_is_opened_for_writing_during_the_check() {
    let scratch = Scratch::new("opened");
    if !scratch.keeps_times() {
        return;
    }
    let file = scratch.write("m.wasm", module(100, 0));
    sleep(STILL);
    let (_, runtime) = open(&scratch, Options::new());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    drop(OpenOptions::new().append(true).open(&file).unwrap());
                }
            });
        }
        for _ in 0..3000 {
            precast::Source::of(&File::open(&file).unwrap()).unwrap();
        }
        done.store(true, Relaxed);
    });
    assert_answers(&runtime.compile_file(&file).unwrap(), 100, 0);
    assert!(runtime.cached_file(&file).is_some());
}
