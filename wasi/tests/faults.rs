//! A host in trouble: out of descriptors, out of disk, read-only, with pipes and directories that
//! are gone. The guest is told by the right errno, and the host stays whole.
//!
//! What changes the process itself is done in a child: the same test program, asked for one test
//! that is ignored otherwise.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use precast_wasi::{Builder, Errno, Output};
use rustix::process::{Resource, Rlimit, setrlimit};

mod common;
use common::{ALLOCATE, CREAT, DIRECTORY, Guest, READ, READDIR, RESULT, TRUNC, TempDir, WRITE};

/// Where a child finds the directory made for it.
const PLACE: &str = "PRECAST_FAULTS_PLACE";

/// Names the emulator that runs this program, where one does.
const RUNNER: &str = "PRECAST_TEST_RUNNER";

/// The command that runs one ignored test of this program. `shell` is what happens before, with
/// the directory as `$PRECAST_FAULTS_PLACE` and the test as `"$@"`.
fn child(test: &str, place: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", shell, "sh"])
        .args(env::var_os(RUNNER).filter(|runner| !runner.is_empty()))
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(PLACE, place);
    command
}

fn run(mut command: Command) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{}{}", text[0], text[1]);
    assert!(text[0].contains("1 passed"), "{}{}", text[0], text[1]);
}

/// Where this child is to work.
fn place() -> String {
    env::var(PLACE).expect("run by another test of this program")
}

/// Whether this process may mount file systems in a namespace of its own; says so if not.
fn can_mount() -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).stderr(Stdio::null());
    let can = unshare.status().is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: no right to mount a file system");
    }
    can
}

fn guest_in(directory: impl AsRef<Path>) -> Guest {
    Guest::new(&Builder::new().dir(directory, "/"))
}

#[test]
fn out_of_descriptors() {
    let temp = TempDir::new("descriptors");
    fs::create_dir(temp.path().join("folder")).unwrap();
    fs::write(temp.path().join("folder/file"), "bytes").unwrap();
    run(child("child_out_of_descriptors", temp.path(), r#"ulimit -n 32; exec "$@""#));
}

#[test]
#[ignore = "run by `out_of_descriptors`"]
fn child_out_of_descriptors() {
    // The first guest brings what stays.
    drop(Guest::new(&Builder::new()));
    let before = common::open_descriptors();
    let mut guest = guest_in(place());
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

#[test]
fn out_of_disk() {
    if can_mount() {
        let temp = TempDir::new("disk");
        let shell = r#"mount -t tmpfs -o size=64k,nr_inodes=8 none "$PRECAST_FAULTS_PLACE"
            exec "$@""#;
        let inner = child("child_out_of_disk", temp.path(), shell);
        run(in_namespace(&inner));
    }
}

/// The command in a mount namespace of its own: what it mounts goes with it.
fn in_namespace(inner: &Command) -> Command {
    let mut command = Command::new("unshare");
    command.arg("-m").arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
#[ignore = "run by `out_of_disk`"]
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

#[test]
fn a_device_that_is_full() {
    let mut guest = guest_in("/dev");
    let full = guest.open_with("full", 0, WRITE).unwrap();
    assert_eq!(guest.fd_write(full, 10), Errno::Nospc);
    assert_eq!(guest.fd_write(full, 10), Errno::Nospc, "told every time");
}

#[test]
fn files_of_limited_size() {
    let temp = TempDir::new("size");
    // Ignored by the shell, the signal stays ignored in the test.
    let shell = r#"trap '' XFSZ; exec "$@""#;
    run(child("child_files_of_limited_size", temp.path(), shell));
}

#[test]
#[ignore = "run by `files_of_limited_size`"]
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

#[test]
fn a_disk_that_is_read_only() {
    if can_mount() {
        let temp = TempDir::new("read-only");
        let shell = r#"mount -t tmpfs none "$PRECAST_FAULTS_PLACE" &&
            echo bytes > "$PRECAST_FAULTS_PLACE/file" && mkdir "$PRECAST_FAULTS_PLACE/folder" &&
            mount -o remount,ro "$PRECAST_FAULTS_PLACE" && exec "$@""#;
        run(in_namespace(&child("child_a_disk_that_is_read_only", temp.path(), shell)));
    }
}

#[test]
#[ignore = "run by `a_disk_that_is_read_only`"]
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

#[test]
fn a_pipe_that_is_closed() {
    let temp = TempDir::new("pipe");
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = child("child_a_pipe_that_is_closed", temp.path(), r#"exec "$@""#);
    command.stderr(writer);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");

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

#[test]
#[ignore = "run by `a_pipe_that_is_closed`"]
fn child_a_pipe_that_is_closed() {
    let mut guest = Guest::new(&Builder::new().inherit_stdio());
    assert_eq!(guest.fd_write(2, 10), Errno::Pipe);
    assert_eq!(guest.fd_write(2, 10), Errno::Pipe, "told every time");
    assert_eq!(guest.call("fd_close", &[2]), Errno::Success);
}

#[test]
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
