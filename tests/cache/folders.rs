//! Folders: their owners, who can write to them, and the behaviour if nobody can.

use precast::cache::{Cache, OpenError, Options};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::scratch::{Scratch, set_mode, stdout};
use crate::{assert_answers, module, open, runtime};

/// The ID of another user.
const STRANGER: u32 = 54321;

/// Checks that a process gave one warning, continued, and gave the answer.
#[track_caller]
fn warning(output: &Output, answer: &str) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), answer, "{output:?}");
    assert!(output.status.success(), "{output:?}");
    assert!(stderr.starts_with("warning: ") && stderr.lines().count() == 1, "{stderr}");
    stderr
}

#[track_caller]
fn refusal(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{output:?}");
    assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
    stderr
}

#[test]
fn a_new_folder_is_for_its_owner_alone() {
    let scratch = Scratch::new("new");
    let folder = scratch.path().join("a/b/cache");
    let cache = Cache::open(&folder).unwrap();
    runtime(&cache).compile(&module(1, 0)).unwrap();
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o7777, 0o700);
    let tag = fs::read_to_string(folder.join("CACHEDIR.TAG")).unwrap();
    assert!(tag.starts_with("Signature: 8a477f597d28d172789f06886806bc55"));
    for path in ["modules", "tmp", "lock", "ledger"] {
        let mode = fs::metadata(folder.join(path)).unwrap().mode() & 0o077;
        assert_eq!(mode, 0, "{path}");
    }
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let scratch = Scratch::new("shared");
    let file = scratch.write("m.wasm", module(7, 0));
    fs::create_dir(scratch.cache()).unwrap();
    for mode in [0o770, 0o702, 0o777, 0o1777] {
        set_mode(&scratch.cache(), mode);
        let error = Cache::open(scratch.cache()).unwrap_err();
        assert!(
            matches!(error, OpenError::WritableByOthers { mode: m, .. } if m == mode),
            "{error}"
        );
        let line = refusal(&scratch.answer(&file).output().unwrap());
        assert!(line.contains("others can write") && line.contains("chmod go-w"), "{line}");
        assert!(fs::read_dir(scratch.cache()).unwrap().next().is_none(), "it is left alone");
        // With a key others may write to the folder.
        let (_, runtime) = open(&scratch, Options::new().key([1; 32]));
        assert_answers(&runtime.compile(&module(7, 0)).unwrap(), 7, 0);
        fs::remove_dir_all(scratch.cache()).unwrap();
        fs::create_dir(scratch.cache()).unwrap();
    }
    // Others may read the folder.
    set_mode(&scratch.cache(), 0o755);
    Cache::open(scratch.cache()).unwrap();
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let scratch = Scratch::new("foreign");
    if !scratch.is_superuser() {
        return;
    }
    let file = scratch.write("m.wasm", module(7, 0));
    fs::create_dir(scratch.cache()).unwrap();
    set_mode(&scratch.cache(), 0o700);
    chown(scratch.cache(), Some(STRANGER), None).unwrap();
    let error = Cache::open(scratch.cache()).unwrap_err();
    assert!(matches!(error, OpenError::OwnedByOther { owner: STRANGER, user: 0, .. }), "{error}");
    let line = refusal(&scratch.answer(&file).output().unwrap());
    assert!(line.contains("belongs to user 54321"), "{line}");
    // If the user did not choose the folder, the program runs without it.
    let mut command = scratch.answer(&file);
    command.env_remove("PRECAST_CACHE_DIR").env("XDG_CACHE_HOME", scratch.path());
    fs::rename(scratch.cache(), scratch.path().join("precast")).unwrap();
    let line = warning(&command.output().unwrap(), "7\n");
    assert!(line.contains("belongs to user 54321"), "{line}");
}

#[test]
fn a_link_of_another_user_is_refused() {
    let scratch = Scratch::new("link");
    let target = scratch.path().join("target");
    Cache::open(&target).unwrap();
    symlink(&target, scratch.cache()).unwrap();
    Cache::open(scratch.cache()).unwrap();
    if scratch.is_superuser() {
        lchown(scratch.cache(), Some(STRANGER), None).unwrap();
        let error = Cache::open(scratch.cache()).unwrap_err();
        assert!(error.is_unsafe(), "{error}");
    }
}

#[test]
fn an_entry_of_another_user_is_refused() {
    let scratch = Scratch::new("entry");
    let (cache, runtime) = open(&scratch, Options::new());
    let wasm = module(7, 0);
    runtime.compile(&wasm).unwrap();
    let mut expected = 1;
    set_mode(&scratch.entry(), 0o622);
    assert_answers(&runtime.compile(&wasm).unwrap(), 7, 0);
    if scratch.is_superuser() {
        chown(scratch.entry(), Some(STRANGER), None).unwrap();
        assert_answers(&runtime.compile(&wasm).unwrap(), 7, 0);
        expected += 1;
    }
    // The folder is read once more after a wait for the lock: a process that another test starts
    // inherits a copy of the lock's file until it executes its program.
    let refused = cache.counts().refused;
    assert!((expected..=2 * expected).contains(&refused), "{refused} of {expected}");
    assert_answers(&runtime.compile(&wasm).unwrap(), 7, 0);
    assert_eq!(cache.counts().refused, refused);
}

#[test]
fn a_read_only_folder_is_read() {
    let scratch = Scratch::new("readonly");
    let (_, first) = open(&scratch, Options::new());
    first.compile(&module(1, 0)).unwrap();
    let (one, two) = (scratch.write("1.wasm", module(1, 0)), scratch.write("2.wasm", module(2, 0)));
    set_mode(&scratch.cache(), 0o500);

    let told = Arc::new(AtomicUsize::new(0));
    let tell = told.clone();
    let options = Options::new().on_warning(move |_| _ = tell.fetch_add(1, Relaxed));
    let (cache, runtime) = open(&scratch, options);
    assert_answers(&runtime.compile(&module(1, 0)).unwrap(), 1, 0);
    assert_eq!((cache.counts().hits, told.load(Relaxed)), (1, 0));
    for n in [2, 3, 2] {
        assert_answers(&runtime.compile(&module(n, 0)).unwrap(), n, 0);
    }
    assert_eq!((cache.counts().misses, told.load(Relaxed)), (3, 1));
    assert_eq!(scratch.files("modules").len(), 1);

    assert_eq!(stdout(&scratch.answer(&one).output().unwrap()), "1\n");
    let line = warning(&scratch.answer(&two).output().unwrap(), "2\n");
    assert!(line.contains("is not written"), "{line}");
}

#[test]
fn a_folder_that_cannot_be_created() {
    let scratch = Scratch::new("nowhere");
    let file = scratch.write("m.wasm", module(7, 0));
    scratch.write("cache", "a file");
    warning(&scratch.answer(&file).output().unwrap(), "7\n");
    let mut below = scratch.answer(&file);
    below.env("PRECAST_CACHE_DIR", scratch.cache().join("below"));
    warning(&below.output().unwrap(), "7\n");
    let mut nowhere = scratch.answer(&file);
    nowhere.env_remove("PRECAST_CACHE_DIR");
    assert_eq!(stdout(&nowhere.output().unwrap()), "7\n");
}

/// A folder that is removed while a process has it open.
#[test]
fn a_folder_that_is_removed() {
    let scratch = Scratch::new("removed");
    let (cache, runtime) = open(&scratch, Options::new());
    runtime.compile(&module(1, 0)).unwrap();
    fs::remove_dir_all(scratch.cache()).unwrap();
    for n in [1, 2, 1] {
        assert_answers(&runtime.compile(&module(n, 0)).unwrap(), n, 0);
    }
    assert_eq!((cache.clean().entries, cache.verify().unwrap().whole), (0, 0));
}

/// Runs a script in a separate mount namespace, with the command for a module's answer as `"$@"`.
/// None if that is not permitted.
fn in_namespace(scratch: &Scratch, script: &str, file: &Path) -> Option<Output> {
    let mut probe = Command::new("unshare");
    probe.args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no right to mount a file system");
        return None;
    }
    let inner = scratch.answer(file);
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env("PRECAST_CACHE_DIR", scratch.cache()).env_remove("HOME");
    Some(command.output().unwrap())
}

#[test]
fn a_read_only_file_system_is_read() {
    let scratch = Scratch::new("rofs");
    let (_, runtime) = open(&scratch, Options::new());
    runtime.compile(&module(1, 0)).unwrap();
    let (one, two) = (scratch.write("1.wasm", module(1, 0)), scratch.write("2.wasm", module(2, 0)));
    let script = r#"mount --bind "$PRECAST_CACHE_DIR" "$PRECAST_CACHE_DIR"
        mount -o remount,bind,ro "$PRECAST_CACHE_DIR"; exec "$@""#;
    if let Some(output) = in_namespace(&scratch, script, &one) {
        assert_eq!(stdout(&output), "1\n");
        let output = in_namespace(&scratch, script, &two).unwrap();
        let line = warning(&output, "2\n");
        assert!(line.contains("Read-only file system"), "{line}");
    }
}

#[test]
fn a_full_disk_is_no_failure() {
    let scratch = Scratch::new("full");
    fs::create_dir(scratch.cache()).unwrap();
    let file = scratch.write("m.wasm", module(7, 100_000));
    // An entry that does not fit is removed, and a later one that fits is kept.
    let script = r#"mount -t tmpfs -o size=80k,mode=700 none "$PRECAST_CACHE_DIR"
        "$@"; ls "$PRECAST_CACHE_DIR/tmp"; mount -o remount,size=800k "$PRECAST_CACHE_DIR"
        "$@"; ls "$PRECAST_CACHE_DIR/modules/"* | wc -l; ls "$PRECAST_CACHE_DIR/tmp""#;
    if let Some(output) = in_namespace(&scratch, script, &file) {
        let line = warning(&output, "7\n7\n1\n");
        assert!(line.contains("No space left"), "{line}");
    }
    let script = r#"mount -t tmpfs -o nr_inodes=3,mode=700 none "$PRECAST_CACHE_DIR"; exec "$@""#;
    if let Some(output) = in_namespace(&scratch, script, &file) {
        warning(&output, "7\n");
    }
}
