//! The guest whose loops are timed: one exported function per row, which makes one WASI call (or
//! two that belong together) per iteration.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

/// Creates the files that the guest's descriptor 3, a directory, must contain. Descriptor 4 is
/// `/dev`.
///
/// # Errors
///
/// Those of the file system.
pub(crate) fn furnish(directory: &Path) -> io::Result<()> {
    fs::write(directory.join("file"), [7; 8192])?;
    fs::create_dir_all(directory.join("many"))?;
    for i in 0..ENTRIES {
        fs::write(directory.join(format!("many/entry-{i:03}")), [])?;
    }
    Ok(())
}

/// The number of entries that `fd_readdir` lists, besides `.` and `..`.
pub(crate) const ENTRIES: usize = 100;

/// The program's arguments.
pub(crate) const ARGS: [&str; 4] = ["guest.wasm", "--verbose", "input.txt", "output.txt"];

/// The program's environment.
pub(crate) const ENV: [(&str, &str); 4] =
    [("HOME", "/home/user"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin"), ("USER", "user")];

/// The loop around every call.
pub(crate) const EMPTY: &str = "empty loop";

/// A row: its name, and the expression of one iteration, whose value is the errno.
pub(crate) const ROWS: [(&str, &str); 28] = [
    (
        "clock_time_get monotonic",
        "(call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 1024))",
    ),
    (
        "clock_time_get realtime",
        "(call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 1024))",
    ),
    ("random_get 16 B", "(call $random_get (i32.const 1024) (i32.const 16))"),
    ("random_get 32 B", "(call $random_get (i32.const 1024) (i32.const 32))"),
    ("random_get 4 KiB", "(call $random_get (i32.const 4096) (i32.const 4096))"),
    ("args_sizes_get", "(call $args_sizes_get (i32.const 1024) (i32.const 1028))"),
    ("args_get", "(call $args_get (i32.const 1024) (i32.const 2048))"),
    ("environ_sizes_get", "(call $environ_sizes_get (i32.const 1024) (i32.const 1028))"),
    ("environ_get", "(call $environ_get (i32.const 1024) (i32.const 2048))"),
    ("sched_yield", "(call $sched_yield)"),
    (
        "fd_read 1 B",
        "(call $fd_read (global.get $zero) (i32.const 64) (i32.const 1) (i32.const 1024))",
    ),
    (
        "fd_read 4 KiB",
        "(call $fd_read (global.get $zero) (i32.const 72) (i32.const 1) (i32.const 1024))",
    ),
    (
        "fd_write 1 B",
        "(call $fd_write (global.get $null) (i32.const 64) (i32.const 1) (i32.const 1024))",
    ),
    (
        "fd_write 4 KiB",
        "(call $fd_write (global.get $null) (i32.const 72) (i32.const 1) (i32.const 1024))",
    ),
    (
        "fd_write 2 x 2 KiB",
        "(call $fd_write (global.get $null) (i32.const 80) (i32.const 2) (i32.const 1024))",
    ),
    (
        "fd_pread 1 B",
        "(call $fd_pread (global.get $file) (i32.const 64) (i32.const 1) (i64.const 9) (i32.const 1024))",
    ),
    (
        "fd_pread 4 KiB",
        "(call $fd_pread (global.get $file) (i32.const 72) (i32.const 1) (i64.const 0) (i32.const 1024))",
    ),
    (
        "fd_pwrite 1 B",
        "(call $fd_pwrite (global.get $file) (i32.const 64) (i32.const 1) (i64.const 9) (i32.const 1024))",
    ),
    (
        "fd_pwrite 4 KiB",
        "(call $fd_pwrite (global.get $file) (i32.const 72) (i32.const 1) (i64.const 0) (i32.const 1024))",
    ),
    ("fd_seek", "(call $fd_seek (global.get $file) (i64.const 9) (i32.const 0) (i32.const 1024))"),
    ("fd_tell", "(call $fd_tell (global.get $file) (i32.const 1024))"),
    ("fd_fdstat_get", "(call $fd_fdstat_get (global.get $file) (i32.const 1024))"),
    ("fd_filestat_get", "(call $fd_filestat_get (global.get $file) (i32.const 1024))"),
    (
        "path_filestat_get",
        "(call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 256) (i32.const 4) (i32.const 1024))",
    ),
    (
        "path_open + fd_close",
        "(i32.or (call $open (i32.const 3) (i32.const 256) (i32.const 0) (i64.const 6))
        (call $fd_close (i32.load (i32.const 1024))))",
    ),
    (
        "path_open + fd_close, folder",
        "(i32.or (call $open (i32.const 3) (i32.const 268) (i32.const 2) (i64.const 0x4000))
        (call $fd_close (i32.load (i32.const 1024))))",
    ),
    (
        "fd_readdir 100 entries",
        "(call $fd_readdir (global.get $many) (i32.const 16384) (i32.const 16384) (i64.const 0) (i32.const 1024))",
    ),
    (
        "poll_oneoff no time",
        "(call $poll_oneoff (i32.const 128) (i32.const 1024) (i32.const 1) (i32.const 1100))",
    ),
];

/// The imports of every guest, and the setup of its descriptors.
const HEAD: &str = r#"(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_tell" (func $fd_tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get" (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $file (mut i32) (i32.const -1))
  (global $zero (mut i32) (i32.const -1))
  (global $null (mut i32) (i32.const -1))
  (global $many (mut i32) (i32.const -1))
  ;; iovecs: one byte; a page; a page in two halves
  (data (i32.const 64) "\00\10\00\00\01\00\00\00" "\00\10\00\00\00\10\00\00")
  (data (i32.const 80) "\00\10\00\00\00\08\00\00" "\00\18\00\00\00\08\00\00")
  ;; a subscription: the monotonic clock, in no time
  (data (i32.const 144) "\01")
  (data (i32.const 256) "filezeronullmany")
  ;; Opens a name of four letters; the descriptor is stored at 1024.
  (func $open (param $directory i32) (param $path i32) (param $oflags i32) (param $rights i64)
    (result i32)
    (call $path_open (local.get $directory) (i32.const 1) (local.get $path) (i32.const 4)
      (local.get $oflags) (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 1024)))
  (func $opened (param i32 i32 i32 i64) (result i32)
    (if (call $open (local.get 0) (local.get 1) (local.get 2) (local.get 3)) (then unreachable))
    (i32.load (i32.const 1024)))
  (func (export "setup")
    ;; FD_READ | FD_SEEK | FD_TELL | FD_WRITE | FD_FILESTAT_GET
    (global.set $file (call $opened (i32.const 3) (i32.const 256) (i32.const 0) (i64.const 0x200066)))
    (global.set $zero (call $opened (i32.const 4) (i32.const 260) (i32.const 0) (i64.const 2)))
    (global.set $null (call $opened (i32.const 4) (i32.const 264) (i32.const 0) (i64.const 64)))
    ;; FD_READDIR
    (global.set $many (call $opened (i32.const 3) (i32.const 268) (i32.const 2) (i64.const 0x4000))))
"#;

/// The guest's text: `setup`, and for each row a function that takes the number of calls and
/// returns the bitwise or of all errnos.
pub(crate) fn text() -> String {
    let mut text = HEAD.to_owned();
    for (name, body) in [(EMPTY, "(i32.const 0)")].into_iter().chain(ROWS) {
        write!(
            text,
            r#"  (func (export "{name}") (param $n i32) (result i32)
    (local $errno i32)
    (loop $again
      (local.set $errno (i32.or (local.get $errno) {body}))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $errno))
"#
        )
        .expect("a string takes everything");
    }
    text.push(')');
    text
}
