//! Folders that others can write to, or could in the past: files that they plant there do no harm.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::flock;
use precast::Runtime;
use precast::cache::{Cache, OpenError, Options, Verify};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::scratch::{Scratch, set_mode, stdout};
use crate::{assert_answers, module, open, runtime};

/// The ID of another user.
const STRANGER: u32 = 54321;

/// Every name that the cache uses at the top of its folder.
const FILES: [&str; 7] =
    ["ledger", "ledger.new", "index", "index-0", "lock", "CACHEDIR.TAG", "index.new"];
const FOLDERS: [&str; 3] = ["modules", "functions", "tmp"];

/// A folder that everybody can write to, for a cache with a key.
fn shared(scratch: &Scratch) -> Options {
    fs::create_dir_all(scratch.cache()).unwrap();
    set_mode(&scratch.cache(), 0o777);
    Options::new().key([7; 32])
}

/// Performs every operation of a cache: find, compile, remember, count, check and remove.
fn use_all(scratch: &Scratch, options: &Options) {
    let file = scratch.write("used.wasm", module(1, 20_000));
    let old = std::time::SystemTime::now() - Duration::from_secs(100);
    fs::File::open(&file).unwrap().set_times(fs::FileTimes::new().set_modified(old)).unwrap();
    std::thread::sleep(Duration::from_millis(3100));
    for _ in 0..3 {
        let (cache, runtime) = open(scratch, options.clone());
        assert_answers(&runtime.compile(&module(2, 0)).unwrap(), 2, 0);
        for _ in 0..2 {
            assert_answers(&runtime.compile_file(&file).unwrap(), 1, 20_000);
        }
        cache.usage(None);
        cache.verify().unwrap();
        cache.prune(Some(&runtime.fingerprint()));
        assert_answers(&runtime.compile_file(&file).unwrap(), 1, 20_000);
        cache.clean();
    }
}

/// The contents and metadata of a file.
fn state(path: &Path) -> (Vec<u8>, u64, i64, u32) {
    let stat = fs::metadata(path).unwrap();
    let nanos = |seconds: i64, nanos: i64| seconds * 1_000_000_000 + nanos;
    let modified = nanos(stat.mtime(), stat.mtime_nsec());
    (fs::read(path).unwrap(), stat.size(), modified, stat.mode())
}

/// Files of a victim under the names to which the cache writes, by other hard links.
#[test]
fn planted_hard_links_are_not_written() {
    let scratch = Scratch::new("hardlinks");
    let options = shared(&scratch);
    for bytes in [&b"precious"[..], b"", &[0; 4096]] {
        for name in FILES {
            let victim = scratch.write("victim", bytes);
            let before = state(&victim);
            let _ = fs::remove_file(scratch.cache().join(name));
            fs::hard_link(&victim, scratch.cache().join(name)).unwrap();
            let (_, runtime) = open(&scratch, options.clone());
            let file = scratch.write("m.wasm", module(3, 0));
            assert_answers(&runtime.compile_file(&file).unwrap(), 3, 0);
            drop((runtime, file));
            assert_eq!(state(&victim), before, "{name}");
            fs::remove_file(&victim).unwrap();
        }
        // All of them at once, and every operation of a cache.
        let victim = scratch.write("victim", bytes);
        let before = state(&victim);
        for name in FILES {
            let _ = fs::remove_file(scratch.cache().join(name));
            fs::hard_link(&victim, scratch.cache().join(name)).unwrap();
        }
        use_all(&scratch, &options);
        assert_eq!(state(&victim), before);
        fs::remove_file(&victim).unwrap();
    }
}

/// The name of an entry, and that of a bundle, linked to a victim's file.
#[test]
fn planted_entries_are_not_written() {
    let scratch = Scratch::new("entrylinks");
    let options = shared(&scratch);
    let (_, runtime) = open(&scratch, options.clone());
    runtime.compile(&module(3, 60_000)).unwrap();
    for kind in ["modules", "functions"] {
        for entry in scratch.files(kind) {
            let victim = scratch.write("victim", b"precious");
            let before = state(&victim);
            fs::remove_file(&entry).unwrap();
            fs::hard_link(&victim, &entry).unwrap();
            assert_answers(&runtime.compile(&module(3, 60_000)).unwrap(), 3, 60_000);
            assert_eq!(state(&victim), before, "{kind}");
        }
    }
}

/// Symbolic links in place of files and folders: nothing is created or removed at their targets.
#[test]
fn planted_symbolic_links_are_not_followed() {
    let scratch = Scratch::new("symlinks");
    let options = shared(&scratch);
    let build = {
        open(&scratch, options.clone()).1.compile(&module(1, 0)).unwrap();
        scratch.entry().parent().unwrap().file_name().unwrap().to_owned()
    };
    let home = scratch.path().join("home");
    let prepare = |names: &[&str]| {
        let _ = fs::remove_dir_all(&home);
        let _ = fs::remove_dir_all(scratch.cache());
        shared(&scratch);
        fs::create_dir_all(home.join(&build)).unwrap();
        fs::create_dir_all(home.join("empty")).unwrap();
        fs::write(home.join("1-1"), b"mine").unwrap();
        fs::write(home.join(&build).join("a".repeat(64)), b"mine").unwrap();
        for name in names {
            let name = name.replace("BUILD", build.to_str().unwrap());
            let at = scratch.cache().join(&name);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            set_mode(at.parent().unwrap(), 0o777);
            let to = if FILES.contains(&&*name) { home.join("1-1") } else { home.clone() };
            symlink(to, at).unwrap();
        }
    };
    let list = || {
        let mut all: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        let mut folders = vec![home.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                all.push((path.clone(), fs::read(&path).unwrap_or_default()));
            }
        }
        all.sort();
        all
    };
    let all = [&FILES[..], &FOLDERS[..]].concat();
    let builds = ["modules/BUILD", "functions/BUILD"];
    for names in [&FILES[..], &FOLDERS[..1], &FOLDERS[1..2], &FOLDERS[2..], &builds, &all] {
        prepare(names);
        let before = list();
        use_all(&scratch, &options);
        assert!(list() == before, "{names:?}");
    }
    // Dangling links create nothing at their targets.
    prepare(&[]);
    for name in all {
        symlink(home.join("new"), scratch.cache().join(name)).unwrap();
    }
    let before = list();
    use_all(&scratch, &options);
    assert!(list() == before);
}

/// Pipes, folders and sockets under every name: nothing waits, and every answer is right.
#[test]
fn planted_pipes_folders_and_sockets() {
    let scratch = Scratch::new("pipes");
    let options = shared(&scratch);
    let pipe = |path: &Path| mknodat(CWD, path, FileType::Fifo, Mode::from(0o666), 0).unwrap();
    let folder = |path: &Path| fs::create_dir(path).unwrap();
    let socket = |path: &Path| drop(UnixListener::bind(path).unwrap());
    for plant in [&pipe as &dyn Fn(&Path), &folder, &socket] {
        let _ = fs::remove_dir_all(scratch.cache());
        shared(&scratch);
        let start = Instant::now();
        for name in FILES.iter().chain(&FOLDERS) {
            plant(&scratch.cache().join(name));
        }
        use_all(&scratch, &options);
        for name in FOLDERS {
            let _ = fs::remove_file(scratch.cache().join(name));
        }
        fs::create_dir_all(scratch.cache().join("tmp")).unwrap();
        plant(&scratch.cache().join("tmp/1-1"));
        use_all(&scratch, &options);
        open(&scratch, options.clone()).1.compile(&module(1, 0)).unwrap();
        for entry in scratch.files("modules") {
            fs::remove_file(&entry).unwrap();
            plant(&entry);
            plant(&entry.with_file_name("b".repeat(64)));
        }
        use_all(&scratch, &options);
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    }
}

/// A file of ours that another user still has open for writing, in a folder where they can put it.
/// It is copied before the check, because it may change or shrink afterwards.
#[test]
fn an_entry_that_changes_while_it_is_used() {
    let scratch = Scratch::new("changes");
    let options = shared(&scratch).verify(Verify::Header);
    let (cache, runtime) = open(&scratch, options);
    for size in [0, 300_000] {
        let wasm = module(9, size);
        cache.clean();
        drop(runtime.compile(&wasm).unwrap());
        let entry = scratch.entry();
        set_mode(&entry, 0o600);
        let writer = fs::OpenOptions::new().write(true).open(&entry).unwrap();
        set_mode(&entry, 0o444);
        for damage in [true, false] {
            let before = cache.counts().hits;
            let module = runtime.compile(&wasm).unwrap();
            assert_eq!(cache.counts().hits, before + 1);
            let len = fs::metadata(&entry).unwrap().len();
            let whole = fs::read(&entry).unwrap();
            if damage {
                std::os::unix::fs::FileExt::write_all_at(&writer, &vec![0xcc; len as usize], 0)
            } else {
                writer.set_len(0)
            }
            .unwrap();
            assert_answers(&module, 9, size);
            module.verify().unwrap();
            std::os::unix::fs::FileExt::write_all_at(&writer, &whole, 0).unwrap();
        }
    }
}

/// A sparse file that claims to be an entry of a terabyte.
#[test]
fn a_huge_entry_takes_no_memory() {
    let scratch = Scratch::new("huge");
    let options = shared(&scratch);
    let (cache, runtime) = open(&scratch, options);
    runtime.compile(&module(1, 0)).unwrap();
    let entry = scratch.entry();
    let whole = fs::read(&entry).unwrap();
    let mut trailer = whole[whole.len() - 128..].to_vec();
    let size = 1u64 << 40;
    trailer[16..24].copy_from_slice(&size.to_le_bytes());
    set_mode(&entry, 0o600);
    let file = fs::OpenOptions::new().write(true).open(&entry).unwrap();
    file.set_len(size + 128).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &trailer, size).unwrap();
    assert_answers(&runtime.compile(&module(1, 0)).unwrap(), 1, 0);
    assert_eq!(cache.verify().unwrap().whole, 1);
    // Ledgers with numbers of every size: no sum overflows.
    for n in 0..4 {
        let huge = scratch.cache().join("modules").join("ab".repeat(8));
        let _ = fs::create_dir(&huge);
        let file = fs::File::create(huge.join(format!("{n:x}").repeat(64))).unwrap();
        file.set_len(1 << 42).unwrap();
        fs::remove_file(scratch.cache().join("ledger")).unwrap();
        assert_answers(&runtime.compile(&module(10 + n, 0)).unwrap(), 10 + n, 0);
    }
}

/// Writes a ledger with a valid check, which anybody can compute.
#[test]
fn a_planted_ledger_overflows_nothing() {
    let scratch = Scratch::new("planted");
    let (cache, runtime) = open(&scratch, shared(&scratch));
    for n in 0..4 {
        let mut ledger = [[0xff; 40].as_slice(), &[0; 8]].concat();
        ledger[0..8].fill(if n < 2 { 0 } else { 0xff });
        ledger[8..16].fill(if n % 2 == 0 { 0 } else { 0xff });
        let check = xxh3_with_seed_1(&ledger[..40]);
        ledger[40..].copy_from_slice(&check.to_le_bytes());
        let _ = fs::remove_file(scratch.cache().join("ledger"));
        fs::write(scratch.cache().join("ledger"), &ledger).unwrap();
        assert_answers(&runtime.compile(&module(n, 0)).unwrap(), n, 0);
        cache.usage(None);
        cache.prune(None);
        cache.clean();
    }
}

fn xxh3_with_seed_1(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(bytes, 1)
}

/// A user who can write to the folder can hold every lock in it. That costs one wait, but not one
/// for every module.
#[test]
fn locks_that_are_held_for_ever() {
    let scratch = Scratch::new("heldlocks");
    let (_, runtime) = open(&scratch, shared(&scratch).wait(Duration::from_millis(100)));
    runtime.compile(&module(1, 0)).unwrap();
    let lock = fs::OpenOptions::new().write(true).open(scratch.cache().join("lock")).unwrap();
    // The lock belongs to an open file and not to this process, which closes that file more than
    // once.
    let range = flock { l_type: 1, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
    fcntl(&lock, FcntlArg::F_OFD_SETLK(&range)).unwrap();
    let start = Instant::now();
    for n in 0..4 {
        assert_answers(&runtime.compile(&module(100 + n, 0)).unwrap(), 100 + n, 0);
    }
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
}

fn unsafe_above(error: &OpenError) -> bool {
    matches!(error, OpenError::ReplaceableByOthers { .. }) && error.is_unsafe()
}

/// A folder above is writable by others: they can replace the cache folder by any folder of ours.
#[test]
fn a_folder_below_one_that_others_can_write_to() {
    let scratch = Scratch::new("above");
    let above = scratch.path().join("above");
    fs::create_dir(&above).unwrap();
    let cache = above.join("cache");
    let file = scratch.write("m.wasm", module(7, 0));
    // A folder that they had us unpack. Every file in it is ours.
    let unpacked = above.join("unpacked");
    runtime(&Cache::open(&unpacked).unwrap()).compile(&module(7, 0)).unwrap();
    set_mode(&unpacked, 0o755);
    let strangers: &[Option<u32>] =
        if scratch.is_superuser() { &[None, Some(STRANGER)] } else { &[None] };
    for &owner in strangers {
        set_mode(&above, if owner.is_none() { 0o777 } else { 0o755 });
        chown(&above, owner, None).unwrap();
        // A new folder may be used, now and later.
        for _ in 0..2 {
            let mut command = scratch.answer(&file);
            let output = command.env("PRECAST_CACHE_DIR", &cache).output().unwrap();
            assert_eq!(stdout(&output), "7\n");
        }
        assert!(cache.join("modules").exists());
        fs::remove_dir_all(&cache).unwrap();
        // A folder that existed before may not be used.
        fs::rename(&unpacked, &cache).unwrap();
        let error = Cache::open(&cache).unwrap_err();
        assert!(unsafe_above(&error) && !error.to_string().contains('\n'), "{error}");
        let mut command = scratch.answer(&file);
        let output = command.env("PRECAST_CACHE_DIR", &cache).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        fs::rename(&cache, &unpacked).unwrap();
        // A folder to which a link leads may not be used either.
        symlink(&unpacked, &cache).unwrap();
        assert!(Cache::open(&cache).unwrap_err().is_unsafe());
        fs::remove_file(&cache).unwrap();
    }
    // With the sticky bit, others can change only their own files.
    chown(&above, Some(fs::metadata(scratch.path()).unwrap().uid()), None).unwrap();
    set_mode(&above, 0o1777);
    Cache::open(&unpacked).unwrap();
}

/// A symbolic link of another user anywhere on the path.
#[test]
fn a_link_of_another_user_on_the_path_is_refused() {
    let scratch = Scratch::new("waylink");
    if !scratch.is_superuser() {
        return;
    }
    let (real, link) = (scratch.path().join("real"), scratch.path().join("link"));
    fs::create_dir(&real).unwrap();
    symlink(&real, &link).unwrap();
    Cache::open(link.join("cache")).unwrap();
    std::os::unix::fs::lchown(&link, Some(STRANGER), None).unwrap();
    let error = Cache::open(link.join("cache")).unwrap_err();
    assert!(matches!(error, OpenError::OwnedByOther { owner: STRANGER, .. }), "{error}");
    // A relative path with every kind of component.
    Cache::open(real.join("../real/./cache")).unwrap();
    assert!(Cache::open(real.join("../link/cache")).unwrap_err().is_unsafe());
    symlink("loop", scratch.path().join("loop")).unwrap();
    assert!(!Cache::open(scratch.path().join("loop/cache")).unwrap_err().is_unsafe());
}

/// A folder was writable by others in the past and is safe now: files that they left there are not
/// used.
#[test]
fn files_that_others_left_are_not_used() {
    let scratch = Scratch::new("left");
    if !scratch.keeps_times() {
        return;
    }
    if !scratch.is_superuser() {
        return;
    }
    let file = scratch.write_settled("m.wasm", module(7, 30_000));
    let fresh = |options: &Options| -> (Cache, Runtime) { open(&scratch, options.clone()) };
    let options = Options::new();
    let lived = || {
        let (_, runtime) = fresh(&options);
        assert_answers(&runtime.compile_file(&file).unwrap(), 7, 30_000);
        assert!(runtime.cached_file(&file).is_some());
    };
    // The index and the ledger, owned by another user or writable by one.
    for name in ["index", "ledger", "lock"] {
        for (owner, mode) in [(STRANGER, 0o644), (0, 0o666), (0, 0o620)] {
            lived();
            let path = scratch.cache().join(name);
            chown(&path, Some(owner), None).unwrap();
            set_mode(&path, mode);
            let (_, runtime) = fresh(&options);
            if name == "index" {
                assert!(runtime.cached_file(&file).is_none(), "{owner} {mode:o}");
            }
            assert_answers(&runtime.compile_file(&file).unwrap(), 7, 30_000);
            assert_answers(&runtime.compile(&module(8, 0)).unwrap(), 8, 0);
            let (cache, runtime) = fresh(&options);
            assert!(runtime.cached_file(&file).is_some(), "it is replaced: {name}");
            cache.clean();
        }
    }
    // Folders in which others could replace files.
    lived();
    let build = scratch.entry().parent().unwrap().to_owned();
    for (owner, mode) in [(STRANGER, 0o755), (0, 0o777), (0, 0o1777)] {
        for folder in [&build, build.parent().unwrap()] {
            chown(folder, Some(owner), None).unwrap();
            set_mode(folder, mode);
            let (cache, runtime) = fresh(&options.clone().on_warning(|line| {
                assert!(line.contains("others can write to"), "{line}");
            }));
            assert!(runtime.cached_file(&file).is_none(), "{}", folder.display());
            assert_answers(&runtime.compile_file(&file).unwrap(), 7, 30_000);
            assert_eq!(cache.counts().hits, 0);
            chown(folder, Some(0), None).unwrap();
            set_mode(folder, 0o700);
            lived();
        }
    }
    // A bundle of functions.
    let lineage = [1; 32];
    let (cache, runtime) = fresh(&options);
    let functions = cache.functions(&runtime.fingerprint());
    functions.keep(&lineage, b"code");
    let bundle =
        scratch.files("functions").into_iter().find(|path| path.ends_with("01".repeat(32)));
    assert!(functions.find(&lineage).is_some());
    set_mode(&bundle.unwrap(), 0o666);
    assert!(functions.find(&lineage).is_none());
}

/// In a folder with other files, only files that the cache made are ever removed.
#[test]
fn files_that_the_cache_did_not_make_stay() {
    let scratch = Scratch::new("others");
    let keep = ["tmp/notes.txt", "tmp/1-a", "modules/readme", "modules/v1/a.js", "functions/x/y"];
    for path in keep {
        let path = scratch.cache().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }
    set_mode(&scratch.cache(), 0o700);
    use_all(&scratch, &Options::new());
    let (cache, runtime) = open(&scratch, Options::new().max_entries(1));
    for n in 0..3 {
        runtime.compile(&module(n, 0)).unwrap();
    }
    assert_eq!(cache.prune(Some(&runtime.fingerprint())).entries, 0);
    for path in keep {
        assert_eq!(fs::read(scratch.cache().join(path)).unwrap(), b"mine", "{path}");
    }
    assert!(cache.verify().unwrap().damaged.is_empty());
}

/// A damaged entry to which a file's stamp leads is refused once.
#[test]
fn a_refusal_is_counted_once() {
    let scratch = Scratch::new("once");
    if !scratch.keeps_times() {
        return;
    }
    let file = scratch.write_settled("m.wasm", module(7, 100));
    let (cache, runtime) = open(&scratch, Options::new());
    runtime.compile_file(&file).unwrap();
    let entry = scratch.entry();
    let mut bytes = fs::read(&entry).unwrap();
    bytes[5000] ^= 1;
    crate::scratch::replace(&entry, &bytes);
    assert_answers(&runtime.compile_file(&file).unwrap(), 7, 100);
    let counts = cache.counts();
    assert_eq!((counts.refused, counts.misses, counts.published), (1, 2, 2));
    assert_eq!(cache.usage(None).refused, 1);
}
