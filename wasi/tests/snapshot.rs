//! Resets and snapshots of guests of WASI: their descriptors and directories.

use precast_runtime::{Error, ErrorKind, Instance, Namespace, Runtime};
use precast_wasi::{Builder, Captured};

mod common;
use common::TempDir;

/// Functions that call those of WASI, with the path "file" in memory.
const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory"
    (func $create (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "file")
  (func (export "open") (result i32)
    (if (result i32)
      (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 1)
        (i64.const 0x42) (i64.const 0) (i32.const 0) (i32.const 16))
      (then (i32.const -1))
      (else (i32.load (i32.const 16)))))
  (func (export "create") (result i32)
    (call $create (i32.const 3) (i32.const 0) (i32.const 4)))
  (func (export "close") (param i32) (result i32) (call $close (local.get 0)))
  (func (export "renumber") (param i32 i32) (result i32)
    (call $renumber (local.get 0) (local.get 1))))"#;

fn guest(builder: &Builder) -> (Box<Namespace>, Instance) {
    let runtime = Runtime::new();
    let module = runtime.compile(&wat::parse_str(GUEST).unwrap()).unwrap();
    let mut namespace = runtime.namespace();
    builder.instantiate(&mut namespace).unwrap();
    let instance = namespace.instantiate(&module).unwrap();
    (namespace, instance)
}

fn call(namespace: &mut Namespace, instance: Instance, name: &str) -> i32 {
    let function = instance.typed::<(), i32>(namespace, name).unwrap();
    function.call(namespace, ()).unwrap()
}

fn close(namespace: &mut Namespace, instance: Instance, fd: i32) -> i32 {
    instance.typed::<i32, i32>(namespace, "close").unwrap().call(namespace, fd).unwrap()
}

/// The message of a snapshot that is refused; none if it is not.
fn refusal(namespace: &mut Namespace, instance: Instance) -> Option<String> {
    match instance.snapshot(namespace).map_err(Error::into_kind) {
        Ok(_) => None,
        Err(ErrorKind::Snapshot(error)) => Some(error.to_string()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_reset_closes_what_the_guest_opened() {
    let dir = TempDir::new("reset");
    let (mut ns, guest) = guest(&Builder::new().dir(dir.path(), "/").stdout(Captured::new()));
    let file = dir.path().join("file");
    // Other tests of the process have descriptors of their own.
    let is_file =
        |entry: &std::fs::DirEntry| std::fs::read_link(entry.path()).ok() == Some(file.clone());
    let open_files = || {
        let all = std::fs::read_dir("/proc/self/fd").unwrap();
        all.map(Result::unwrap).filter(is_file).count()
    };
    for _ in 0..3 {
        for fd in 4..8 {
            assert_eq!(call(&mut ns, guest, "open"), fd);
        }
        assert_eq!((close(&mut ns, guest, 3), close(&mut ns, guest, 0)), (0, 0));
        assert!(call(&mut ns, guest, "open") < 0);
        assert_eq!(open_files(), 4);
        guest.reset(&mut ns).unwrap();
        assert_eq!(open_files(), 0);
        assert_eq!(call(&mut ns, guest, "open"), 4);
        guest.reset(&mut ns).unwrap();
    }
}

#[test]
fn a_reset_empties_a_directory_in_memory() {
    let (mut ns, guest) = guest(&Builder::new().memory_dir("/"));
    for _ in 0..3 {
        assert_eq!(call(&mut ns, guest, "create"), 0);
        assert_ne!(call(&mut ns, guest, "create"), 0);
        guest.reset(&mut ns).unwrap();
    }
}

#[test]
fn a_snapshot_needs_the_descriptors_that_were_granted() {
    let dir = TempDir::new("snapshot");
    let (mut ns, guest) = guest(&Builder::new().dir(dir.path(), "/"));
    assert_eq!(refusal(&mut ns, guest), None);
    assert_eq!(call(&mut ns, guest, "open"), 4);
    let open = "descriptor 4 is open, and was not granted";
    assert_eq!(refusal(&mut ns, guest).unwrap(), open);
    assert_eq!(close(&mut ns, guest, 4), 0);
    assert_eq!(refusal(&mut ns, guest), None);
    // A number that was granted, and stands for something else now.
    assert_eq!(call(&mut ns, guest, "open"), 4);
    let renumber = guest.typed::<(i32, i32), i32>(&ns, "renumber").unwrap();
    assert_eq!(renumber.call(&mut ns, (4, 1)).unwrap(), 0);
    let lost = "descriptor 1, which was granted, was closed";
    assert_eq!(refusal(&mut ns, guest).unwrap(), lost);
    guest.reset(&mut ns).unwrap();
    assert_eq!(refusal(&mut ns, guest), None);
    assert_eq!(close(&mut ns, guest, 2), 0);
    assert_eq!(call(&mut ns, guest, "open"), 2);
    let lost = "descriptor 2, which was granted, was closed";
    assert_eq!(refusal(&mut ns, guest).unwrap(), lost);
}

#[test]
fn a_snapshot_has_no_files_in_memory() {
    let (mut ns, guest) = guest(&Builder::new().memory_dir("/"));
    assert_eq!(refusal(&mut ns, guest), None);
    assert_eq!(call(&mut ns, guest, "create"), 0);
    let files = "the directory \"/\" in memory has files";
    assert_eq!(refusal(&mut ns, guest).unwrap(), files);
}

/// A new instance of a snapshot has the directories that its own module grants.
#[test]
fn a_snapshot_finds_its_directory() {
    let (dir, other) = (TempDir::new("snapshot-one"), TempDir::new("snapshot-other"));
    let (mut ns, instance) = guest(&Builder::new().dir(dir.path(), "/"));
    let snapshot = instance.snapshot(&mut ns).unwrap();
    let mut ns = snapshot.runtime().namespace();
    Builder::new().dir(other.path(), "/").instantiate(&mut ns).unwrap();
    let instance = ns.instantiate(&snapshot).unwrap();
    assert_eq!(call(&mut ns, instance, "open"), 4);
    assert!(other.path().join("file").exists() && !dir.path().join("file").exists());
}
