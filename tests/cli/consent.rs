//! Native code runs only if this user's `precast compile` made it, or with consent.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::scratch::Scratch;
use crate::{Done, file, one_error_line, precast};

/// A user with a separate state folder and files.
struct User(Scratch);

impl User {
    fn new(test: &str) -> Self {
        User(Scratch::new(&format!("consent-{test}")))
    }

    /// The index of artifacts whose seal was checked, if it exists.
    fn index(&self) -> Option<PathBuf> {
        let mut files = fs::read_dir(self.state().join("known")).ok()?.map(|entry| entry.unwrap());
        let index = files.find(|file| file.file_name().to_string_lossy().starts_with("index"))?;
        Some(index.path())
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    fn key(&self) -> PathBuf {
        self.state().join("key")
    }

    fn precast(&self, args: &[&str]) -> Command {
        let mut command = precast(args);
        command.env("PRECAST_STATE_DIR", self.state());
        command
    }

    fn done(&self, args: &[&str]) -> Done {
        self.precast(args).output().expect("the process").into()
    }

    /// Compiles `numbers.wat` to a file with this name.
    fn compile(&self, name: &str) -> String {
        let output = self.0.name(name);
        let done = self.done(&["compile", &file("numbers.wat"), "-o", &output]);
        assert_eq!(done, Done { code: Some(0), stdout: String::new(), stderr: String::new() });
        output
    }

    fn add(&self, options: &[&str], artifact: &str) -> Done {
        let args = [&["run"], options, &["--invoke", "add", artifact, "20", "22"]].concat();
        self.done(&args)
    }

    #[track_caller]
    fn assert_runs(&self, options: &[&str], artifact: &str) {
        let expected = Done { code: Some(0), stdout: "42\n".into(), stderr: String::new() };
        assert_eq!(self.add(options, artifact), expected);
    }

    #[track_caller]
    fn assert_refused(&self, artifact: &str, why: &str) {
        assert_says(&self.add(&[], artifact), artifact, why);
    }
}

/// One line says what kind of file it is, why it does not run, and what consent means.
#[track_caller]
fn assert_says(done: &Done, artifact: &str, why: &str) {
    let line = one_error_line(done);
    for words in [
        &format!("{artifact} is an artifact: native code that runs without a sandbox"),
        why,
        "--allow-precompiled",
    ] {
        assert!(line.contains(words), "no {words:?} in: {line}");
    }
}

const CHANGED: &str = "its seal was made with another key, or it was changed after it was sealed";

/// An artifact by another user, without a seal, under an innocent name.
fn game(user: &User) -> String {
    let runtime = precast::Runtime::new();
    let wasm = wat::parse_file(file("numbers.wat")).unwrap();
    user.0.write("game.wasm", runtime.precompile(&wasm).unwrap())
}

#[test]
fn an_artifact_called_game_wasm_is_not_run() {
    let user = User::new("game");
    let game = game(&user);
    user.assert_refused(&game, "there is no key in ");
    user.compile("own");
    user.assert_refused(&game, "it has no seal");
    assert_says(&user.done(&["run", "--no-cache", &game]), &game, "it has no seal");
}

#[test]
fn an_artifact_called_game_wasm_is_not_preloaded() {
    let user = User::new("preload");
    let game = game(&user);
    user.compile("own");
    let program = file("uses_numbers.wat");
    let preload = format!("numbers={game}");
    let args = ["run", "--preload", &preload, "--invoke", "triple", &program, "7"];
    assert_says(&user.done(&args), &game, "it has no seal");
    let allowed = [&args[..1], &["--allow-precompiled"], &args[1..]].concat();
    assert_eq!(user.done(&allowed).stdout, "21\n");
    let own = format!("numbers={}", user.compile("own.wasm"));
    let args = ["run", "--preload", &own, "--invoke", "triple", &program, "7"];
    assert_eq!(user.done(&args).stdout, "21\n");
}

#[test]
fn consent_is_a_flag_or_a_variable() {
    let user = User::new("given");
    let game = game(&user);
    user.assert_runs(&["--allow-precompiled"], &game);
    for (value, allowed) in [("1", true), ("0", false), ("", false), ("true", false)] {
        let mut command = user.precast(&["run", "--invoke", "add", &game, "20", "22"]);
        let done: Done = command.env("PRECAST_ALLOW_PRECOMPILED", value).output().unwrap().into();
        if allowed {
            assert_eq!(done.stdout, "42\n", "{done:?}");
        } else {
            assert_says(&done, &game, "there is no key");
        }
    }
    // After the file name, the argument belongs to the program.
    let done = user.done(&["run", &game, "--allow-precompiled"]);
    assert_says(&done, &game, "there is no key");
    // Consent is for running, and no other command takes it.
    assert_eq!(user.done(&["inspect", "--allow-precompiled", &game]).code, Some(2));
}

#[test]
fn no_other_command_runs_an_artifact() {
    let user = User::new("others");
    let own = user.compile("own.wast");
    let wast = user.done(&["wast", &own]);
    assert_eq!((wast.code, wast.stdout.as_str()), (Some(1), ""), "{wast:?}");
    let bytes: String = fs::read(&own).unwrap().iter().map(|b| format!("\\{b:02x}")).collect();
    let script = format!("(module binary \"{bytes}\")\n(assert_return (invoke \"zero\"))");
    let script = user.0.write("binary.wast", script);
    let wast = user.done(&["wast", &script]);
    assert!(wast.code == Some(1) && wast.stdout.contains("0 passed"), "{wast:?}");
    let line = one_error_line(&user.done(&["compile", &own, "-o", "/dev/null"]));
    assert!(line.contains("already an artifact"), "{line}");
}

#[test]
fn artifacts_of_the_user_need_no_flag() {
    let user = User::new("own");
    let own = user.compile("own");
    user.assert_runs(&[], &own);
    user.assert_runs(&["--no-cache"], &own);
    user.assert_runs(&["--allow-precompiled"], &own);
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!((mode(&user.state()), mode(&user.key())), (0o700, 0o600));
    assert_eq!(fs::metadata(user.key()).unwrap().len(), 32);
    // The key stays, so earlier artifacts remain valid.
    let key = fs::read(user.key()).unwrap();
    user.compile("second");
    assert_eq!(fs::read(user.key()).unwrap(), key);
    user.assert_runs(&[], &own);
    // A renamed or copied artifact stays valid.
    let copy = user.0.name("copy.wasm");
    fs::copy(&own, &copy).unwrap();
    user.assert_runs(&[], &copy);
}

#[test]
fn a_patched_byte_of_a_sealed_artifact_is_found() {
    let user = User::new("patched");
    let own = user.compile("own");
    let whole = fs::read(&own).unwrap();
    let seal = whole.len() - 64;
    let text = precast::Inspection::of(&whole).unwrap();
    let text = text.sections.iter().find(|part| part.name == "text").unwrap().offset as usize;
    // Positions after the magic number, which makes it an artifact: header, metadata, code,
    // padding, and all of the seal.
    let places = (9..seal).step_by(431).chain([text, text + 1, seal - 1]).chain(seal..whole.len());
    for at in places {
        let mut patched = whole.clone();
        patched[at] ^= 1;
        let path = user.0.write("patched", &patched);
        let done = user.add(&[], &path);
        let line = one_error_line(&done);
        assert!(line.contains(CHANGED) || line.contains("has no seal"), "byte {at}: {line}");
        fs::remove_file(path).unwrap();
    }
    // Seventy bytes of code, which no checksum covers.
    let mut patched = whole.clone();
    patched[text..text + 70].fill(0xcc);
    user.assert_refused(&user.0.write("code", &patched), CHANGED);
    for len in [9, 4096, seal - 1, seal, seal + 1, whole.len() - 1] {
        user.assert_refused(&user.0.write("short", &whole[..len]), "it has no seal");
    }
    let longer = [&whole[..], &[0]].concat();
    user.assert_refused(&user.0.write("longer", longer), "it has no seal");
    let moved = [&whole[..seal], &[0; 16], &whole[seal..]].concat();
    user.assert_refused(&user.0.write("moved", moved), "it has no seal");
}

#[test]
fn a_seal_of_another_key_is_not_valid() {
    let (user, other) = (User::new("one"), User::new("other"));
    let theirs = other.compile("theirs");
    user.assert_refused(&theirs, "there is no key");
    user.compile("own");
    user.assert_refused(&theirs, CHANGED);
    user.assert_runs(&["--allow-precompiled"], &theirs);
    other.assert_runs(&[], &theirs);
    // The key decides, and not its path.
    fs::copy(other.key(), user.key()).unwrap();
    user.assert_runs(&[], &theirs);
}

#[test]
fn a_key_that_others_could_know_or_choose_is_refused() {
    let user = User::new("modes");
    let own = user.compile("own");
    let again =
        |user: &User| user.done(&["compile", &file("numbers.wat"), "-o", &user.0.name("again")]);
    for mode in [0o644, 0o640, 0o660, 0o602, 0o610] {
        fs::set_permissions(user.key(), Permissions::from_mode(mode)).unwrap();
        user.assert_refused(&own, "is accessible to others");
        assert!(one_error_line(&again(&user)).contains("is accessible to others"));
        user.assert_runs(&["--allow-precompiled"], &own);
    }
    fs::set_permissions(user.key(), Permissions::from_mode(0o600)).unwrap();
    for mode in [0o777, 0o770, 0o702] {
        fs::set_permissions(user.state(), Permissions::from_mode(mode)).unwrap();
        user.assert_refused(&own, "can be written by others");
        assert!(one_error_line(&again(&user)).contains("can be written by others"));
    }
    fs::set_permissions(user.state(), Permissions::from_mode(0o755)).unwrap();
    user.assert_runs(&[], &own);
    let key = fs::read(user.key()).unwrap();
    for no_key in [&key[..31], &[&key[..], &[0]].concat(), &[]] {
        fs::write(user.key(), no_key).unwrap();
        user.assert_refused(&own, "is not a key");
    }
    fs::remove_file(user.key()).unwrap();
    fs::create_dir(user.key()).unwrap();
    fs::set_permissions(user.key(), Permissions::from_mode(0o700)).unwrap();
    user.assert_refused(&own, "is not a key");
    fs::remove_dir(user.key()).unwrap();
    symlink("/dev/zero", user.key()).unwrap();
    assert!(one_error_line(&user.add(&[], &own)).contains("artifact"));
    assert_eq!(fs::read_dir(user.state()).unwrap().count(), 2, "the key, and what is known");
}

#[test]
fn a_link_of_the_user_leads_to_the_key() {
    let user = User::new("link");
    let own = user.compile("own");
    let elsewhere = user.0.path().join("elsewhere");
    fs::rename(user.state(), &elsewhere).unwrap();
    symlink(&elsewhere, user.state()).unwrap();
    user.assert_runs(&[], &own);
    fs::rename(elsewhere.join("key"), elsewhere.join("key2")).unwrap();
    symlink("key2", elsewhere.join("key")).unwrap();
    user.assert_runs(&[], &own);
}

/// Needs the superuser, who alone can create files of other users.
#[test]
fn a_key_of_another_user_is_refused() {
    let user = User::new("owner");
    let own = user.compile("own");
    if std::os::unix::fs::chown(user.key(), Some(1), None).is_err() {
        return;
    }
    user.assert_refused(&own, "belongs to user 1, not to user 0");
    std::os::unix::fs::chown(user.key(), Some(0), None).unwrap();
    std::os::unix::fs::chown(user.state(), Some(1), None).unwrap();
    user.assert_refused(&own, "belongs to user 1, not to user 0");
    std::os::unix::fs::chown(user.state(), Some(0), None).unwrap();
    user.assert_runs(&[], &own);
    let elsewhere = user.0.path().join("elsewhere");
    fs::rename(user.state(), &elsewhere).unwrap();
    symlink(&elsewhere, user.state()).unwrap();
    std::os::unix::fs::lchown(user.state(), Some(1), None).unwrap();
    user.assert_refused(&own, "belongs to user 1, not to user 0");
    // An artifact that another user owns is copied, then checked, then run.
    std::os::unix::fs::lchown(user.state(), Some(0), None).unwrap();
    std::os::unix::fs::chown(&own, Some(1), None).unwrap();
    user.assert_runs(&[], &own);
}

#[test]
fn without_a_home_nothing_is_sealed() {
    let user = User::new("homeless");
    let out = user.0.name("out");
    let run = |args: &[&str]| -> Done {
        let mut command = precast(args);
        command.env_remove("PRECAST_STATE_DIR").output().unwrap().into()
    };
    let numbers = file("numbers.wat");
    let done = run(&["compile", &numbers, "-o", &out]);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    let why = "none of PRECAST_STATE_DIR, XDG_STATE_HOME and HOME is set";
    assert!(done.stderr.starts_with("warning: ") && done.stderr.contains(why), "{done:?}");
    assert_eq!(done.stderr.lines().count(), 1, "{done:?}");
    assert_says(&run(&["run", "--invoke", "add", &out, "1", "2"]), &out, why);
    let allowed = run(&["run", "--allow-precompiled", "--invoke", "add", &out, "1", "2"]);
    assert_eq!(allowed.stdout, "3\n", "{allowed:?}");
    assert_eq!(run(&["run", "--invoke", "add", &numbers, "1", "2"]).stdout, "3\n");
}

#[test]
fn the_key_is_in_the_home_of_its_user() {
    let user = User::new("home");
    let (home, out) = (user.0.path().join("home"), user.0.name("out"));
    for (name, value, key) in [
        ("HOME", &home, home.join(".local/state/precast/key")),
        ("XDG_STATE_HOME", &home, home.join("precast/key")),
    ] {
        let run = |args: &[&str]| -> Done {
            let mut command = precast(args);
            command.env_remove("PRECAST_STATE_DIR").env(name, value);
            command.output().unwrap().into()
        };
        let done = run(&["compile", &file("numbers.wat"), "-o", &out]);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
        assert!(key.exists(), "{key:?}");
        assert_eq!(run(&["run", "--invoke", "add", &out, "1", "2"]).stdout, "3\n");
        // If the user did not name the folder, `compile` succeeds without it.
        fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
        let done = run(&["compile", &file("numbers.wat"), "-o", &out]);
        assert!(
            done.code == Some(0) && done.stderr.contains("is accessible to others"),
            "{done:?}"
        );
    }
}

#[test]
fn concurrent_first_compilations_share_one_key() {
    let user = User::new("race");
    let outputs: Vec<_> = (0..8).map(|n| user.0.name(&format!("out{n}"))).collect();
    let children: Vec<_> = outputs
        .iter()
        .map(|output| {
            let mut command = user.precast(&["compile", &file("numbers.wat"), "-o", output]);
            command.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    outputs.iter().for_each(|output| user.assert_runs(&[], output));
    assert_eq!(
        fs::read_dir(user.state())
            .unwrap()
            .filter(|f| { f.as_ref().unwrap().file_name().to_string_lossy().contains("tmp") })
            .count(),
        0
    );
}

/// The index of known files saves the hash, and has no other effect.
#[test]
fn a_known_file_that_changes_is_checked_again() {
    let user = User::new("known");
    let own = user.compile("own");
    let whole = fs::read(&own).unwrap();
    std::thread::sleep(Duration::from_secs(5));
    for _ in 0..3 {
        user.assert_runs(&[], &own);
    }
    let index = user.index().expect("the artifact is known");
    // The change is in place and keeps the times.
    let times = fs::metadata(&own).unwrap();
    let mut patched = whole.clone();
    let middle = whole.len() - 65;
    patched[middle] ^= 1;
    fs::write(&own, &patched).unwrap();
    let file = fs::File::options().write(true).open(&own).unwrap();
    let set = fs::FileTimes::new()
        .set_accessed(times.accessed().unwrap())
        .set_modified(times.modified().unwrap());
    file.set_times(set).unwrap();
    user.assert_refused(&own, CHANGED);
    // A forged index has no effect: its records are checked with the key.
    fs::write(&own, &whole).unwrap();
    let slots = fs::read(&index).unwrap();
    fs::write(&index, slots.iter().map(|byte| byte ^ 1).collect::<Vec<_>>()).unwrap();
    user.assert_runs(&[], &own);
    fs::write(&own, &patched).unwrap();
    user.assert_refused(&own, CHANGED);
}

#[test]
fn a_file_that_others_can_write_to_is_copied_and_checked() {
    let user = User::new("exposed");
    let own = user.compile("own");
    fs::set_permissions(&own, Permissions::from_mode(0o666)).unwrap();
    std::thread::sleep(Duration::from_secs(5));
    for _ in 0..2 {
        user.assert_runs(&[], &own);
    }
    // The file is never known, because a user who may write to it could do so at any time.
    let index = user.index().map(|index| fs::read(index).unwrap()).unwrap_or_default();
    assert!(index.iter().all(|&byte| byte == 0));
    let mut patched = fs::read(&own).unwrap();
    patched[5000] ^= 1;
    fs::write(&own, patched).unwrap();
    user.assert_refused(&own, CHANGED);
}

/// A file mode creation mask that lets a group write is common. Artifacts are as safe as programs
/// all the same.
#[test]
fn compile_makes_a_file_that_others_cannot_write_to() {
    let user = User::new("umask");
    let compile = user.precast(&["compile", &file("numbers.wat"), "-o", &user.0.name("out")]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("umask 0 && exec \"$0\" \"$@\"");
    shell.arg(compile.get_program()).args(compile.get_args());
    shell.env("PRECAST_STATE_DIR", user.state());
    assert!(shell.status().unwrap().success());
    let mode = |path: PathBuf| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(user.0.name("out").into()), 0o644);
    assert_eq!((mode(user.state()), mode(user.key())), (0o700, 0o600));
}

#[test]
fn an_artifact_written_to_a_pipe_is_sealed() {
    let user = User::new("pipe");
    let compile = user.precast(&["compile", &file("numbers.wat"), "-o", "/dev/stdout"]);
    let mut compile = compile;
    let output = compile.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    let piped = user.0.write("piped", &output.stdout);
    user.assert_runs(&[], &piped);
    assert!(output.stdout == fs::read(user.compile("file")).unwrap());
}

#[test]
fn inspect_shows_whether_the_seal_is_the_users() {
    let (user, other) = (User::new("seen"), User::new("seen-other"));
    let (own, theirs, game) = (user.compile("own"), other.compile("theirs"), game(&user));
    let seal = |artifact: &str| {
        let text = user.done(&["inspect", artifact]).stdout;
        let json = user.done(&["inspect", "--json", artifact]).stdout;
        let line = text.lines().find_map(|line| line.strip_prefix("seal      "));
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        (line.unwrap().to_owned(), json["seal"].as_str().unwrap().to_owned())
    };
    assert_eq!(seal(&own), ("yours".into(), "own".into()));
    assert_eq!(seal(&theirs), ("not yours, or invalid".into(), "other".into()));
    assert_eq!(seal(&game), ("none".into(), "none".into()));
    fs::remove_file(user.key()).unwrap();
    assert_eq!(seal(&own).1, "unknown");
}
