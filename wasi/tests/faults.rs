//! A host in trouble: out of descriptors, out of disk, read-only, with pipes and directories that
//! are gone. The guest is told by the right errno, and the host stays whole.
//!
//! What changes the process itself is done in a child: this program again, told by the environment
//! which of the [`CHILDREN`] it is. So this is a test program with a `main` of its own.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use std::{env, fs, thread};

use libtest_mimic::{Arguments, Trial};
use precast_wasi::{Builder, Errno, Limits, Output};
use rustix::process::{Resource, Rlimit, Signal, getpid, kill_process, setrlimit};
use signal_hook::consts::SIGUSR1;

mod common;
use common::{ALLOCATE, CREAT, DIRECTORY, Guest, READ, READDIR, RESULT, TRUNC, TempDir, WRITE};

/// Where a child finds its name.
const CHILD: &str = "PRECAST_FAULTS_CHILD";

/// Where a child finds the directory made for it.
const PLACE: &str = "PRECAST_FAULTS_PLACE";

/// Names the emulator that runs this program, where one does.
const RUNNER: &str = "PRECAST_TEST_RUNNER";

/// What a child may be.
const CHILDREN: [(&str, fn()); 7] = [
    ("out of descriptors", child_out_of_descriptors),
    ("guests that open all they can", child_guests_that_open_all_they_can),
    ("out of disk", child_out_of_disk),
    ("files of limited size", child_files_of_limited_size),
    ("a disk that is read-only", child_a_disk_that_is_read_only),
    ("a pipe that is closed", child_a_pipe_that_is_closed),
    ("a wait that is interrupted", child_a_wait_that_is_interrupted),
];

fn main() -> ExitCode {
    if let Ok(name) = env::var(CHILD) {
        let (_, child) = CHILDREN.iter().find(|(known, _)| *known == name).expect("a known child");
        child();
        return ExitCode::SUCCESS;
    }
    let mounts = can_mount();
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = vec![
        trial("out_of_descriptors", out_of_descriptors),
        trial("a_guest_leaves_the_host_descriptors", a_guest_leaves_the_host_descriptors),
        trial("out_of_disk", out_of_disk).with_ignored_flag(!mounts),
        trial("a_device_that_is_full", a_device_that_is_full),
        trial("files_of_limited_size", files_of_limited_size),
        trial("a_disk_that_is_read_only", a_disk_that_is_read_only).with_ignored_flag(!mounts),
        trial("a_pipe_that_is_closed", a_pipe_that_is_closed),
        trial("a_preopen_that_is_deleted", a_preopen_that_is_deleted),
        trial("a_wait_that_is_interrupted", a_wait_that_is_interrupted),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The command that runs a child in `place`. `shell` is what happens before, with the directory as
/// `$PRECAST_FAULTS_PLACE` and the child as `"$@"`.
fn child(name: &str, place: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", shell, "sh"]);
    command.args(env::var_os(RUNNER).filter(|runner| !runner.is_empty()));
    command.arg(env::current_exe().unwrap()).env(CHILD, name).env(PLACE, place);
    command
}

fn run(mut command: Command) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{}{}", text[0], text[1]);
}

/// Where this child is to work.
fn place() -> String {
    env::var(PLACE).expect("a child is given a place")
}

/// Whether this process may mount file systems in a namespace of its own; says so if not.
fn can_mount() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).stderr(Stdio::null());
    let can = unshare.status().is_ok_and(|status| status.success());
    if !can {
        eprintln!("no right to mount a file system: two tests are ignored");
    }
    can
}

fn guest_in(directory: impl AsRef<Path>) -> Guest {
    Guest::new(&Builder::new().dir(directory, "/"))
}

fn out_of_descriptors() {
    let temp = TempDir::new("descriptors");
    fs::create_dir(temp.path().join("folder")).unwrap();
    fs::write(temp.path().join("folder/file"), "bytes").unwrap();
    run(child("out of descriptors", temp.path(), r#"ulimit -n 32; exec "$@""#));
}

fn child_out_of_descriptors() {
    // The first guest brings what stays.
    drop(Guest::new(&Builder::new()));
    let before = common::open_descriptors();
    // More than there are: the host says how many.
    let mut limits = Limits::default();
    limits.descriptors = 1000;
    let mut guest = Guest::new(&Builder::new().dir(place(), "/").limits(limits));
    let first = guest.open("folder/file", 0).unwrap();
    let mut last = first;
    let errno = loop {
        match guest.open("folder/file", 0) {
            Ok(fd) => last = fd,
            Err(errno) => break errno,
        }
    };
    assert_eq!(errno, Errno::Mfile);
    // What needs a descriptor on the way is told so; what needs none goes on.
    let path = "folder/file";
    guest.write(common::PATH, path.as_bytes());
    let stat = [3, 0, common::PATH.into(), path.len() as u64, RESULT.into()];
    assert_eq!(guest.call("path_filestat_get", &stat), Errno::Mfile);
    let list = [3, common::BUFFER.into(), 100, 0, RESULT.into()];
    assert_eq!(guest.call("fd_readdir", &list), Errno::Mfile);
    assert_eq!(guest.at_path("path_create_directory", "new"), Errno::Success);
    assert_eq!(guest.fd_write(first, 10), Errno::Success);
    assert_eq!(guest.call("fd_close", &[last]), Errno::Success);
    guest.write(common::PATH, path.as_bytes());
    assert_eq!(guest.call("path_filestat_get", &stat), Errno::Success);
    assert_eq!(guest.open("folder/file", 0), Ok(last));
    drop(guest);
    assert_eq!(common::open_descriptors(), before);
}

fn a_guest_leaves_the_host_descriptors() {
    let temp = TempDir::new("spared");
    fs::write(temp.path().join("file"), "bytes").unwrap();
    let name = "guests that open all they can";
    run(child(name, temp.path(), r#"ulimit -n 1024; exec "$@""#));
}

/// How many times a guest can open a file.
fn opens(guest: &mut Guest) -> usize {
    let mut opened = 0;
    let errno = loop {
        match guest.open("file", 0) {
            Ok(_) => opened += 1,
            Err(errno) => break errno,
        }
    };
    assert_eq!(errno, Errno::Mfile);
    opened
}

fn child_guests_that_open_all_they_can() {
    assert_eq!(Limits::default().descriptors, 256);
    let file = Path::new(&place()).join("file");
    let mut first = guest_in(place());
    assert_eq!(opens(&mut first), 256, "a quarter");
    let mut others: Vec<_> = (0..12).map(|_| guest_in(place())).collect();
    let opened: Vec<_> = others.iter_mut().map(opens).collect();
    assert!(opened.iter().all(|&opened| opened >= 16), "{opened:?}");
    assert!(opened.iter().sum::<usize>() <= 512, "{opened:?}");
    // The host still has a quarter, and a guest that is gone takes none.
    let spare: Vec<_> = (0..200).map(|_| fs::File::open(&file).unwrap()).collect();
    drop((others, first));
    let mut guest = guest_in(place());
    assert_eq!(opens(&mut guest), 256);
    // Closing is giving back.
    for fd in 4..4 + 200 {
        assert_eq!(guest.call("fd_close", &[fd]), Errno::Success);
    }
    assert!(opens(&mut guest_in(place())) > 150);
    drop((guest, spare));

    // What the embedder says holds.
    let mut limits = Limits::default();
    limits.descriptors = 900;
    let mut guest = Guest::new(&Builder::new().dir(place(), "/").limits(limits));
    assert_eq!(opens(&mut guest), 900 - 4);
    limits.descriptors = 10;
    let mut guest = Guest::new(&Builder::new().dir(place(), "/").limits(limits));
    assert_eq!(opens(&mut guest), 10 - 4);
}

fn out_of_disk() {
    let temp = TempDir::new("disk");
    let shell = r#"mount -t tmpfs -o size=64k,nr_inodes=8 none "$PRECAST_FAULTS_PLACE" &&
        exec "$@""#;
    run(in_namespace(&child("out of disk", temp.path(), shell)));
}

/// The command in a mount namespace of its own: what it mounts goes with it.
fn in_namespace(inner: &Command) -> Command {
    let mut command = Command::new("unshare");
    command.arg("-m").arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

fn child_out_of_disk() {
    let mut guest = guest_in(place());
    let file = guest.open_with("file", CREAT, WRITE | ALLOCATE).unwrap();
    let mut written = 0;
    let errno = loop {
        match guest.fd_write(file, 10_000) {
            Errno::Success => written += guest.u32_at(RESULT),
            errno => break errno,
        }
    };
    assert_eq!(errno, Errno::Nospc);
    assert_eq!(written, 64 << 10, "what there was room for was written");
    assert_eq!(guest.call("fd_allocate", &[file, 64 << 10, 4096]), Errno::Nospc);
    assert_eq!(fs::metadata(Path::new(&place()).join("file")).unwrap().len(), 64 << 10);
    let errno = (0..10)
        .map(|i| guest.at_path("path_create_directory", &format!("folder{i}")))
        .find(|&errno| errno != Errno::Success);
    assert_eq!(errno, Some(Errno::Nospc), "no more inodes");
    // And there is room again.
    assert_eq!(guest.at_path("path_unlink_file", "file"), Errno::Success);
    assert_eq!(guest.call("fd_close", &[file]), Errno::Success);
    let file = guest.open("file", CREAT).unwrap();
    assert_eq!(guest.fd_write(file, 10_000), Errno::Success);
}

fn a_device_that_is_full() {
    let mut guest = guest_in("/dev");
    let full = guest.open_with("full", 0, WRITE).unwrap();
    assert_eq!(guest.fd_write(full, 10), Errno::Nospc);
    assert_eq!(guest.fd_write(full, 10), Errno::Nospc, "told every time");
}

fn files_of_limited_size() {
    let temp = TempDir::new("size");
    // Ignored by the shell, the signal stays ignored in the test.
    let shell = r#"trap '' XFSZ; exec "$@""#;
    run(child("files of limited size", temp.path(), shell));
}

fn child_files_of_limited_size() {
    let mut guest = guest_in(place());
    let rights = WRITE | ALLOCATE | common::SEEK;
    let file = guest.open_with("file", CREAT, rights).unwrap();
    // Compiled code is a file too: the limit comes after it.
    setrlimit(Resource::Fsize, Rlimit { current: Some(1000), maximum: None }).unwrap();
    assert_eq!(guest.fd_write(file, 10_000), Errno::Success);
    assert_eq!(guest.u32_at(RESULT), 1000);
    assert_eq!(guest.fd_write(file, 1), Errno::Fbig);
    guest.iovec(1);
    let far = [file, common::IOVEC.into(), 1, 1 << 40, RESULT.into()];
    assert_eq!(guest.call("fd_pwrite", &far), Errno::Fbig);
    assert_eq!(guest.call("fd_allocate", &[file, 0, 1 << 40]), Errno::Fbig);
}

fn a_disk_that_is_read_only() {
    let temp = TempDir::new("read-only");
    let shell = r#"mount -t tmpfs none "$PRECAST_FAULTS_PLACE" &&
        echo bytes > "$PRECAST_FAULTS_PLACE/file" && mkdir "$PRECAST_FAULTS_PLACE/folder" &&
        mount -o remount,ro "$PRECAST_FAULTS_PLACE" && exec "$@""#;
    run(in_namespace(&child("a disk that is read-only", temp.path(), shell)));
}

fn child_a_disk_that_is_read_only() {
    let mut guest = guest_in(place());
    for (path, oflags) in [("new", CREAT), ("file", TRUNC), ("file", 0)] {
        assert_eq!(guest.open(path, oflags), Err(Errno::Rofs), "{path} {oflags}");
    }
    assert_eq!(guest.at_path("path_create_directory", "new"), Errno::Rofs);
    assert_eq!(guest.at_path("path_remove_directory", "folder"), Errno::Rofs);
    assert_eq!(guest.at_path("path_unlink_file", "file"), Errno::Rofs);
    let (path, len) = (common::PATH.into(), 4);
    guest.write(common::PATH, b"filelink");
    assert_eq!(guest.call("path_rename", &[3, path, len, 3, path + 4, len]), Errno::Rofs);
    assert_eq!(guest.call("path_link", &[3, 0, path, len, 3, path + 4, len]), Errno::Rofs);
    assert_eq!(guest.call("path_symlink", &[path, len, 3, path + 4, len]), Errno::Rofs);
    let times = [3, 0, path, len, 0, 0, 2];
    assert_eq!(guest.call("path_filestat_set_times", &times), Errno::Rofs);
    let file = guest.open_with("file", 0, READ).unwrap();
    guest.iovec(100);
    let read = [file, common::IOVEC.into(), 1, RESULT.into()];
    assert_eq!(guest.call("fd_read", &read), Errno::Success);
    assert_eq!(guest.u32_at(RESULT), 6);
}

fn a_pipe_that_is_closed() {
    let temp = TempDir::new("pipe");
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = child("a pipe that is closed", temp.path(), r#"exec "$@""#);
    command.stderr(writer);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);

    // An embedder's writer that fails the same way.
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut guest = Guest::new(&Builder::new().stdout(Output::writer(writer)));
    assert_eq!(guest.fd_write(1, 10), Errno::Pipe);

    // And a socket.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut guest = Guest::new(&Builder::new().socket(ours));
    drop(theirs);
    guest.iovec(10);
    let send = [3, common::IOVEC.into(), 1, 0, RESULT.into()];
    assert_eq!(guest.call("sock_send", &send), Errno::Pipe);
    assert_eq!(guest.fd_write(3, 10), Errno::Pipe);
}

fn child_a_pipe_that_is_closed() {
    let mut guest = Guest::new(&Builder::new().inherit_stdio());
    assert_eq!(guest.fd_write(2, 10), Errno::Pipe);
    assert_eq!(guest.fd_write(2, 10), Errno::Pipe, "told every time");
    assert_eq!(guest.call("fd_close", &[2]), Errno::Success);
}

fn a_preopen_that_is_deleted() {
    for portable_paths in [false, true] {
        let temp = TempDir::new(if portable_paths { "deleted-walk" } else { "deleted-kernel" });
        let directory = temp.path().join("preopen");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("file"), "bytes").unwrap();
        let builder = Builder::new().dir(&directory, "/").portable_paths(portable_paths);
        let mut guest = Guest::new(&builder);
        let file = guest.open("file", 0).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        // Another of the same name is not the guest's.
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("file"), "others' bytes").unwrap();

        assert_eq!(guest.open("file", 0), Err(Errno::Noent));
        assert_eq!(guest.open("file", CREAT), Err(Errno::Noent));
        assert_eq!(guest.at_path("path_create_directory", "new"), Errno::Noent);
        assert_eq!(guest.at_path("path_unlink_file", "file"), Errno::Noent);
        assert_eq!(guest.call("fd_filestat_get", &[3, RESULT.into()]), Errno::Success);
        assert_eq!(guest.open_with(".", DIRECTORY, READDIR).map(drop), Ok(()));
        // What was open stays so.
        assert_eq!(guest.fd_write(file, 10), Errno::Success);
        let mut text = String::new();
        fs::File::open(directory.join("file")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "others' bytes");
    }
}

fn a_wait_that_is_interrupted() {
    let temp = TempDir::new("interrupted");
    run(child("a wait that is interrupted", temp.path(), r#"exec "$@""#));
}

fn child_a_wait_that_is_interrupted() {
    // The handler does nothing: that there is one makes the signal interrupt system calls. Of a
    // process's threads the first is given its signals, and that is the one that waits.
    signal_hook::flag::register(SIGUSR1, Arc::new(AtomicBool::new(false))).unwrap();
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let mut guest = Guest::new(&Builder::new().socket(ours));
    let done = Arc::new(AtomicBool::new(false));
    let seen = done.clone();
    let signals = thread::spawn(move || {
        while !seen.load(Relaxed) {
            thread::sleep(Duration::from_millis(5));
            kill_process(getpid(), Signal::USR1).unwrap();
        }
    });
    // For something to read on 3, which never comes, and for an hour.
    let mut subscriptions = [0; 96];
    subscriptions[8] = 1;
    subscriptions[16] = 3;
    subscriptions[48 + 16] = 1;
    subscriptions[48 + 24..48 + 32].copy_from_slice(&3_600_000_000_000u64.to_le_bytes());
    guest.write(common::BUFFER, &subscriptions);
    let events = u64::from(common::BUFFER) + 512;
    let errno = guest.call("poll_oneoff", &[common::BUFFER.into(), events, 2, RESULT.into()]);
    assert_eq!(errno, Errno::Intr);
    done.store(true, Relaxed);
    signals.join().unwrap();
}
