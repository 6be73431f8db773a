//! Tests of the trace: a line for every call.

use std::fs;

use precast_wasi::{Builder, Captured, Errno, Input};

mod common;
use common::{BUFFER, CREAT, DIRECTORY, Guest, IOVEC, PATH, READ, READDIR, RESULT, TempDir, WRITE};

/// A traced guest, and its trace.
fn traced(builder: Builder) -> (Guest, Captured) {
    let trace = Captured::new();
    (Guest::new(&builder.trace(&trace)), trace)
}

/// The lines since the last call, without the times, which vary.
fn lines(trace: &Captured) -> Vec<String> {
    let text = String::from_utf8(trace.take()).unwrap();
    let untimed = |line: &str| {
        let (call, time) = line.rsplit_once(" <").unwrap_or_else(|| panic!("no time: {line}"));
        let time = time.strip_suffix(" us>").unwrap_or_else(|| panic!("no time: {line}"));
        assert!(time.parse::<f64>().is_ok(), "{line}");
        call.to_owned()
    };
    text.lines().map(untimed).collect()
}

#[test]
fn only_transferred_data_is_shown() {
    let input = Input::bytes(*b"some input");
    let stdout = Captured::new();
    let (mut guest, trace) = traced(Builder::new().stdin(input).stdout(&stdout));
    guest.iovec(16);
    let call = [0, IOVEC.into(), 1, RESULT.into()];
    assert_eq!(guest.call("fd_read", &call), Errno::Success);
    assert_eq!(lines(&trace), [r#"fd_read(fd=0, iovs=[{"some input", 16}], nread=10) = 0"#]);

    guest.write(BUFFER, &[b'x'; 50]);
    guest.write(BUFFER, b"a \"quote\"\n\xff");
    guest.write(IOVEC + 8, &BUFFER.to_le_bytes());
    guest.write(IOVEC + 12, &50u32.to_le_bytes());
    let call = [1, IOVEC.into(), 2, RESULT.into()];
    assert_eq!(guest.call("fd_write", &call), Errno::Success);
    assert_eq!(
        lines(&trace),
        [concat!(
            r#"fd_write(fd=1, iovs=[{"a \"quote\"\n\xffxxxxx", 16}, "#,
            r#"{"a \"quote\"\n\xffxxxxxxxxxxxxxxxxxxxxx"..., 50}], nwritten=66) = 0"#
        )]
    );
    assert_eq!(stdout.contents().len(), 66);

    assert_eq!(guest.call("fd_read", &[1, IOVEC.into(), 1, RESULT.into()]), Errno::Badf);
    let line = r#"fd_read(fd=1, iovs=[{"", 16}], nread=0x80) = EBADF (bad file descriptor)"#;
    assert_eq!(lines(&trace), [line]);
    assert_eq!(guest.call("fd_write", &[1, 0xffff_fff0, 1, RESULT.into()]), Errno::Fault);
    let line = "fd_write(fd=1, iovs=0xfffffff0, nwritten=0x80) = EFAULT (bad address)";
    assert_eq!(lines(&trace), [line]);
}

#[test]
fn flags_paths_and_records_are_decoded() {
    let temp = TempDir::new("trace");
    let (mut guest, trace) = traced(Builder::new().dir(temp.path(), "/"));
    let file = guest.open_with("ä\n", CREAT, READ | WRITE | 1 << 40).unwrap();
    assert_eq!(file, 4);
    assert_eq!(guest.open_with("no", DIRECTORY, READDIR), Err(Errno::Noent));
    assert_eq!(
        lines(&trace),
        [
            concat!(
                r#"path_open(fd=3, dirflags=SYMLINK_FOLLOW, path="ä\n", oflags=CREAT, "#,
                "base=FD_READ|FD_WRITE|0x10000000000, inheriting=~0, fdflags=0, opened=4) = 0"
            ),
            concat!(
                r#"path_open(fd=3, dirflags=SYMLINK_FOLLOW, path="no", oflags=DIRECTORY, "#,
                "base=FD_READDIR, inheriting=~0, fdflags=0, opened=0x80) ",
                "= ENOENT (no such file or directory)"
            ),
        ]
    );

    let result = u64::from(RESULT);
    guest.call("fd_fdstat_get", &[file, result]);
    guest.call("fd_prestat_get", &[3, result]);
    guest.call("fd_prestat_dir_name", &[3, result, 1]);
    guest.call("fd_seek", &[file, -1i64 as u64, 1, result]);
    guest.call("clock_res_get", &[7, result]);
    guest.call("path_symlink", &[PATH.into(), 2, 3, u64::from(PATH) + 1, 1]);
    guest.call("path_readlink", &[3, u64::from(PATH) + 1, 1, BUFFER.into(), 8, result]);
    guest.call("sched_yield", &[]);
    let lines = lines(&trace);
    let fdstat = "fd_fdstat_get(fd=4, stat={REGULAR_FILE, flags=0, base=FD_READ|FD_WRITE, inher";
    assert!(lines[0].starts_with(fdstat), "{}", lines[0]);
    assert_eq!(
        lines[1..],
        [
            "fd_prestat_get(fd=3, buf={DIR, 1}) = 0",
            r#"fd_prestat_dir_name(fd=3, path="/") = 0"#,
            concat!(
                "fd_seek(fd=4, offset=-1, whence=CUR, newoffset=0x80) ",
                "= ENOTCAPABLE (capabilities insufficient)"
            ),
            "clock_res_get(id=7, resolution=0x80) = EINVAL (invalid argument)",
            r#"path_symlink(old_path="no", fd=3, new_path="o") = 0"#,
            r#"path_readlink(fd=3, path="o", buf="no", buf_len=8, bufused=2) = 0"#,
            "sched_yield() = 0",
        ]
    );
    assert_eq!(fs::read_link(temp.path().join("o")).unwrap().to_str(), Some("no"));
}

#[test]
fn subscriptions_and_events() {
    let (mut guest, trace) = traced(Builder::new());
    let mut subscriptions = [0u8; 96];
    subscriptions[0] = 7;
    subscriptions[16] = 1;
    subscriptions[24..32].copy_from_slice(&60_000_000_000u64.to_le_bytes());
    subscriptions[48] = 8;
    subscriptions[56] = 1;
    guest.write(BUFFER, &subscriptions);
    let call = [BUFFER.into(), 1024, 2, RESULT.into()];
    assert_eq!(guest.call("poll_oneoff", &call), Errno::Success);
    assert_eq!(
        lines(&trace),
        [concat!(
            "poll_oneoff(subscriptions=[",
            "{userdata=0x7, CLOCK, MONOTONIC, timeout=60.000000000, flags=0}, ",
            "{userdata=0x8, FD_READ, fd=0}], ",
            "events=[{userdata=0x8, FD_READ, nbytes=0, flags=0}], nsubscriptions=2, nevents=1) = 0"
        )]
    );
}

#[test]
fn a_signal_that_ends_the_guest_is_its_last_line() {
    let (mut guest, trace) = traced(Builder::new());
    assert_eq!(guest.try_call("proc_raise", &[6]).unwrap_err().exit_code(), Some(134));
    assert_eq!(trace.contents(), b"proc_raise(signal=abrt) = ?\n");
}

/// A guest may pass a path as long as its memory. The trace shows only the start.
#[test]
fn a_long_path_is_cut_off() {
    let trace = Captured::new();
    let mut guest = Guest::new(&Builder::new().trace(&trace));
    let filled = 60_000;
    guest.write(0, &vec![1; filled]);
    let arguments = [3, 0, 0, filled as u64, 0, 0, 0, 0, 0];
    assert_eq!(guest.call("path_open", &arguments), Errno::Nametoolong);
    let text = String::from_utf8(trace.take()).unwrap();
    // Each byte is shown as six.
    assert!(text.contains("...") && text.len() < 4096 * 6 + 300, "{}", text.len());
}
