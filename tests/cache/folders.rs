//! Folders: their owners, who can write to them, and the behaviour if nobody can.

use precast::cache::{Cache, OpenError, Options};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::place::{Place, stdout};
use crate::{assert_answers, module, open, runtime};

/// The ID of another user.
const STRANGER: u32 = 54321;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn is_superuser(place: &Place) -> bool {
    let superuser = fs::metadata(place.path()).unwrap().uid() == 0;
    if !superuser {
        eprintln!("skipped: only the superuser can give files away");
    }
    superuser
}

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
    let place = Place::new("new");
    let folder = place.path().join("a/b/cache");
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
    let place = Place::new("shared");
    let file = place.write("m.wasm", module(7, 0));
    fs::create_dir(place.cache()).unwrap();
    for mode in [0o770, 0o702, 0o777, 0o1777] {
        set_mode(&place.cache(), mode);
        let error = Cache::open(place.cache()).unwrap_err();
        assert!(
            matches!(error, OpenError::WritableByOthers { mode: m, .. } if m == mode),
            "{error}"
        );
        let line = refusal(&place.answer(&file).output().unwrap());
        assert!(line.contains("others can write") && line.contains("chmod go-w"), "{line}");
        assert!(fs::read_dir(place.cache()).unwrap().next().is_none(), "it is left alone");
        // With a key others may write to the folder.
        let (_, runtime) = open(&place, Options::new().key([1; 32]));
        assert_answers(&runtime.compile(&module(7, 0)).unwrap(), 7, 0);
        fs::remove_dir_all(place.cache()).unwrap();
        fs::create_dir(place.cache()).unwrap();
    }
    // Others may read the folder.
    set_mode(&place.cache(), 0o755);
    Cache::open(place.cache()).unwrap();
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let place = Place::new("foreign");
    if !is_superuser(&place) {
        return;
    }
    let file = place.write("m.wasm", module(7, 0));
    fs::create_dir(place.cache()).unwrap();
    set_mode(&place.cache(), 0o700);
    chown(place.cache(), Some(STRANGER), None).unwrap();
    let error = Cache::open(place.cache()).unwrap_err();
    assert!(matches!(error, OpenError::OwnedByOther { owner: STRANGER, user: 0, .. }), "{error}");
    let line = refusal(&place.answer(&file).output().unwrap());
    assert!(line.contains("belongs to user 54321"), "{line}");
    // If the user did not choose the folder, the program runs without it.
    let mut command = place.answer(&file);
    command.env_remove("PRECAST_CACHE_DIR").env("XDG_CACHE_HOME", place.path());
    fs::rename(place.cache(), place.path().join("precast")).unwrap();
    let line = warning(&command.output().unwrap(), "7\n");
    assert!(line.contains("belongs to user 54321"), "{line}");
}

#[test]
fn a_link_of_somebody_else_is_refused() {
    let place = Place::new("link");
    let target = place.path().join("target");
    Cache::open(&target).unwrap();
    symlink(&target, place.cache()).unwrap();
    Cache::open(place.cache()).unwrap();
    if is_superuser(&place) {
        lchown(place.cache(), Some(STRANGER), None).unwrap();
        let error = Cache::open(place.cache()).unwrap_err();
        assert!(error.is_unsafe(), "{error}");
    }
}

#[test]
fn an_entry_of_somebody_else_is_refused() {
    let place = Place::new("entry");
    let (cache, runtime) = open(&place, Options::new());
    let wasm = module(7, 0);
    runtime.compile(&wasm).unwrap();
    let mut expected = 1;
    set_mode(&place.entry(), 0o622);
    assert_answers(&runtime.compile(&wasm).unwrap(), 7, 0);
    if is_superuser(&place) {
        chown(place.entry(), Some(STRANGER), None).unwrap();
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
    let place = Place::new("readonly");
    let (_, first) = open(&place, Options::new());
    first.compile(&module(1, 0)).unwrap();
    let (one, two) = (place.write("1.wasm", module(1, 0)), place.write("2.wasm", module(2, 0)));
    set_mode(&place.cache(), 0o500);

    let told = Arc::new(AtomicUsize::new(0));
    let tell = told.clone();
    let options = Options::new().on_warning(move |_| _ = tell.fetch_add(1, Relaxed));
    let (cache, runtime) = open(&place, options);
    assert_answers(&runtime.compile(&module(1, 0)).unwrap(), 1, 0);
    assert_eq!((cache.counts().hits, told.load(Relaxed)), (1, 0));
    for n in [2, 3, 2] {
        assert_answers(&runtime.compile(&module(n, 0)).unwrap(), n, 0);
    }
    assert_eq!((cache.counts().misses, told.load(Relaxed)), (3, 1));
    assert_eq!(place.files("modules").len(), 1);

    assert_eq!(stdout(&place.answer(&one).output().unwrap()), "1\n");
    let line = warning(&place.answer(&two).output().unwrap(), "2\n");
    assert!(line.contains("is not written"), "{line}");
}

#[test]
fn a_folder_that_cannot_be() {
    let place = Place::new("nowhere");
    let file = place.write("m.wasm", module(7, 0));
    place.write("cache", "a file");
    warning(&place.answer(&file).output().unwrap(), "7\n");
    let mut below = place.answer(&file);
    below.env("PRECAST_CACHE_DIR", place.cache().join("below"));
    warning(&below.output().unwrap(), "7\n");
    let mut nowhere = place.answer(&file);
    nowhere.env_remove("PRECAST_CACHE_DIR");
    assert_eq!(stdout(&nowhere.output().unwrap()), "7\n");
}

/// A folder that is removed while a process has it open.
#[test]
fn a_folder_that_is_removed() {
    let place = Place::new("removed");
    let (cache, runtime) = open(&place, Options::new());
    runtime.compile(&module(1, 0)).unwrap();
    fs::remove_dir_all(place.cache()).unwrap();
    for n in [1, 2, 1] {
        assert_answers(&runtime.compile(&module(n, 0)).unwrap(), n, 0);
    }
    assert_eq!((cache.clean().entries, cache.verify().unwrap().whole), (0, 0));
}

/// Runs a script in a separate mount namespace, with the command for a module's answer as `"$@"`.
/// None if that is not permitted.
fn in_namespace(place: &Place, script: &str, file: &Path) -> Option<Output> {
    let mut probe = Command::new("unshare");
    probe.args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: no right to mount a file system");
        return None;
    }
    let inner = place.answer(file);
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env("PRECAST_CACHE_DIR", place.cache()).env_remove("HOME");
    Some(command.output().unwrap())
}

#[test]
fn a_read_only_file_system_is_read() {
    let place = Place::new("rofs");
    let (_, runtime) = open(&place, Options::new());
    runtime.compile(&module(1, 0)).unwrap();
    let (one, two) = (place.write("1.wasm", module(1, 0)), place.write("2.wasm", module(2, 0)));
    let script = r#"mount --bind "$PRECAST_CACHE_DIR" "$PRECAST_CACHE_DIR"
        mount -o remount,bind,ro "$PRECAST_CACHE_DIR"; exec "$@""#;
    if let Some(output) = in_namespace(&place, script, &one) {
        assert_eq!(stdout(&output), "1\n");
        let output = in_namespace(&place, script, &two).unwrap();
        let line = warning(&output, "2\n");
        assert!(line.contains("Read-only file system"), "{line}");
    }
}

#[test]
fn a_full_disk_is_no_failure() {
    let place = Place::new("full");
    fs::create_dir(place.cache()).unwrap();
    let file = place.write("m.wasm", module(7, 100_000));
    // An entry that does not fit is removed, and a later one that fits is kept.
    let script = r#"mount -t tmpfs -o size=80k,mode=700 none "$PRECAST_CACHE_DIR"
        "$@"; ls "$PRECAST_CACHE_DIR/tmp"; mount -o remount,size=800k "$PRECAST_CACHE_DIR"
        "$@"; ls "$PRECAST_CACHE_DIR/modules/"* | wc -l; ls "$PRECAST_CACHE_DIR/tmp""#;
    if let Some(output) = in_namespace(&place, script, &file) {
        let line = warning(&output, "7\n7\n1\n");
        assert!(line.contains("No space left"), "{line}");
    }
    let script = r#"mount -t tmpfs -o nr_inodes=3,mode=700 none "$PRECAST_CACHE_DIR"; exec "$@""#;
    if let Some(output) = in_namespace(&place, script, &file) {
        warning(&output, "7\n");
    }
}
