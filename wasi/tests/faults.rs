//! Tests of failures of the host: no descriptors, no disk space, a read-only file system, closed
//! pipes, deleted directories. The guest gets the right errno, and the host is not harmed.
//!
//! Tests that change process-wide state run in a child process: this program again, with the name
//! of one of the [`CHILDREN`] in the environment. The program therefore has its own `main`.

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

/// The environment variable with the name of a child.
const CHILD: &str = "PRECAST_FAULTS_CHILD";

/// The environment variable with the working directory of a child.
const PLACE: &str = "PRECAST_FAULTS_PLACE";

/// The environment variable with the emulator that runs this program, if there is one.
const RUNNER: &str = "PRECAST_TEST_RUNNER";

/// The children by name.
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

/// The command that runs a child in `place`. `shell` is a script that runs the child as `"$@"`; it
/// has the directory in `$PRECAST_FAULTS_PLACE`.
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

/// The working directory of this child.
fn place() -> String {
    env::var(PLACE).expect("a child has a working directory")
}

/// Whether this process may mount file systems in its own namespace. Prints a message if not.
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
    // The first guest opens descriptors that stay open.
    drop(Guest::new(&Builder::new()));
    let before = common::open_descriptors();
    // The limit is larger than the host's, which applies.
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
    // Calls that need a descriptor on the host fail; calls that need none succeed.
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

/// The number of times that a guest can open a file.
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
    // A quarter is left for the host. A guest that was dropped uses none.
    let spare: Vec<_> = (0..200).map(|_| fs::File::open(&file).unwrap()).collect();
    drop((others, first));
    let mut guest = guest_in(place());
    assert_eq!(opens(&mut guest), 256);
    // Closing releases descriptors.
    for fd in 4..4 + 200 {
        assert_eq!(guest.call("fd_close", &[fd]), Errno::Success);
    }
    assert!(opens(&mut guest_in(place())) > 150);
    drop((guest, spare));

    // A limit that the embedder sets is exact.
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

/// The command in its own mount namespace, which ends with it.
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
    assert_eq!(written, 64 << 10, "as much as fits is written");
    assert_eq!(guest.call("fd_allocate", &[file, 64 << 10, 4096]), Errno::Nospc);
    assert_eq!(fs::metadata(Path::new(&place()).join("file")).unwrap().len(), 64 << 10);
    let errno = (0..10)
        .map(|i| guest.at_path("path_create_directory", &format!("folder{i}")))
        .find(|&errno| errno != Errno::Success);
    assert_eq!(errno, Some(Errno::Nospc), "no more inodes");
    // Removing the file frees space.
    assert_eq!(guest.at_path("path_unlink_file", "file"), Errno::Success);
    assert_eq!(guest.call("fd_close", &[file]), Errno::Success);
    let file = guest.open("file", CREAT).unwrap();
    assert_eq!(guest.fd_write(file, 10_000), Errno::Success);
}

fn a_device_that_is_full() {
    let mut guest = guest_in("/dev");
    let full = guest.open_with("full", 0, WRITE).unwrap();
    assert_eq!(guest.fd_write(full, 10), Errno::Nospc);
    assert_eq!(guest.fd_write(full, 10), Errno::Nospc, "the error repeats");
}

fn files_of_limited_size() {
    let temp = TempDir::new("size");
    // The child inherits from the shell that the signal is ignored.
    let shell = r#"trap '' XFSZ; exec "$@""#;
    run(child("files of limited size", temp.path(), shell));
}

fn child_files_of_limited_size() {
    let mut guest = guest_in(place());
    let rights = WRITE | ALLOCATE | common::SEEK;
    let file = guest.open_with("file", CREAT, rights).unwrap();
    // Compiled code is in a file too, so the limit is set after compilation.
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

    // The same error from a writer of the embedder.
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut guest = Guest::new(&Builder::new().stdout(Output::writer(writer)));
    assert_eq!(guest.fd_write(1, 10), Errno::Pipe);

    // The same error from a socket.
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
    assert_eq!(guest.fd_write(2, 10), Errno::Pipe, "the error repeats");
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
        // A new directory of the same name is not granted.
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("file"), "others' bytes").unwrap();

        assert_eq!(guest.open("file", 0), Err(Errno::Noent));
        assert_eq!(guest.open("file", CREAT), Err(Errno::Noent));
        assert_eq!(guest.at_path("path_create_directory", "new"), Errno::Noent);
        assert_eq!(guest.at_path("path_unlink_file", "file"), Errno::Noent);
        assert_eq!(guest.call("fd_filestat_get", &[3, RESULT.into()]), Errno::Success);
        assert_eq!(guest.open_with(".", DIRECTORY, READDIR).map(drop), Ok(()));
        // The open file can still be used.
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
    // The handler does nothing; its presence makes the signal interrupt system calls. The kernel
    // prefers the first thread of a process for signals, and this thread waits.
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
    // Waits for data on descriptor 3, which never comes, and for an hour.
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
