//! Removal of instances from a namespace.

use std::fs::File;
use std::os::unix::fs::FileExt;

use precast::{ErrorKind, Runtime, Value};

use super::compile;

/// Writes to all of 16 MiB, of which 64 KiB are there at first.
const LARGE: &str = r#"(module
  (memory (export "memory") 1 256)
  (data (i32.const 8) "first")
  (func (export "fill") (drop (memory.grow (i32.const 255)))
    (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x1000000)))
  (func (export "first") (result i32) (i32.load8_u (i32.const 8)))
  (func (export "far") (result i32) (i32.load8_u (i32.const 0xff0000)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1))))"#;

/// KiB of pages that the process has at these addresses; none where they are not all there although
/// all were written: an emulator's list has other addresses, and a sandbox's kernel may have none.
/// Mappings are no measure, because the kernel merges them with neighbours.
fn resident(start: usize, len: usize) -> Option<usize> {
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;
    let page = rustix::param::page_size();
    let mut entries = vec![0; len / page * 8];
    let list = File::open("/proc/self/pagemap").ok()?;
    list.read_exact_at(&mut entries, (start / page * 8) as u64).ok()?;
    let entries = entries.chunks(8).map(|entry| u64::from_ne_bytes(entry.try_into().unwrap()));
    let pages = entries.filter(|entry| entry & (PRESENT | SWAPPED) != 0).count();
    Some(pages * page / 1024)
}

#[test]
fn a_removed_instance_gives_its_memory_back() {
    let runtime = Runtime::new();
    let module = compile(&runtime, LARGE);
    let mut ns = runtime.namespace();
    for _ in 0..3 {
        let instance = ns.instantiate_as("large", &module).unwrap();
        instance.call(&mut ns, "fill", &[]).unwrap();
        let memory = instance.memory(&ns, "memory").unwrap();
        let start = memory.data(&ns).unwrap().as_ptr() as usize;
        let before = resident(start, 16 << 20).filter(|kib| *kib == 16 << 10);
        ns.remove(instance).unwrap();
        assert!(ns.instance("large").is_none());
        if let Some(before) = before {
            let after = resident(start, 16 << 20).unwrap_or(0);
            assert!(after < 1 << 10, "{before} KiB before, {after} after");
        }
    }
}

#[test]
fn what_is_held_of_a_removed_instance_stays_sound() {
    let runtime = Runtime::new();
    let module = compile(&runtime, LARGE);
    let mut ns = runtime.namespace();
    let instance = ns.instantiate_as("large", &module).unwrap();
    let [first, far, grow] = ["first", "far", "grow"].map(|f| instance.func(&ns, f).unwrap());
    let memory = instance.memory(&ns, "memory").unwrap();
    instance.call(&mut ns, "fill", &[]).unwrap();
    assert_eq!(far.call(&mut ns, &[]).unwrap(), [Value::I32(7)]);
    ns.remove(instance).unwrap();
    ns.remove(instance).unwrap();

    assert!(instance.func(&ns, "first").is_none() && instance.exports(&ns).is_empty());
    let error = instance.call(&mut ns, "first", &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotFound(_)), "{error}");
    // The memory is as it was first.
    assert_eq!(memory.size(&ns).unwrap(), 1);
    assert_eq!(memory.data(&ns).unwrap()[8..13], *b"first");
    assert_eq!(first.call(&mut ns, &[]).unwrap(), [Value::I32(b'f'.into())]);
    assert!(far.call(&mut ns, &[]).unwrap_err().trap().is_some());
    assert_eq!(grow.call(&mut ns, &[]).unwrap(), [Value::I32(-1)]);

    // The name is free, and the next instance is as new.
    let next = ns.instantiate_as("large", &module).unwrap();
    assert_eq!(next.call(&mut ns, "first", &[]).unwrap(), [Value::I32(b'f'.into())]);
    next.call(&mut ns, "fill", &[]).unwrap();
    assert_eq!(next.call(&mut ns, "far", &[]).unwrap(), [Value::I32(7)]);
}

#[test]
fn an_imported_memory_stays_until_its_last_user_is_removed() {
    let runtime = Runtime::new();
    let large = compile(&runtime, LARGE);
    let user = compile(
        &runtime,
        r#"(module (import "large" "memory" (memory 1))
             (func (export "far") (result i32) (i32.load8_u (i32.const 0xff0000))))"#,
    );
    let mut ns = runtime.namespace();
    let owner = ns.instantiate_as("large", &large).unwrap();
    let [one, two] = [(); 2].map(|()| ns.instantiate(&user).unwrap());
    let memory = owner.memory(&ns, "memory").unwrap();
    owner.call(&mut ns, "fill", &[]).unwrap();
    ns.remove(owner).unwrap();
    ns.remove(one).unwrap();
    assert_eq!(two.call(&mut ns, "far", &[]).unwrap(), [Value::I32(7)]);
    assert_eq!(memory.size(&ns).unwrap(), 256);
    ns.remove(two).unwrap();
    assert_eq!(memory.size(&ns).unwrap(), 1);
}
