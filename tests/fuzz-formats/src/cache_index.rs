//! Forged indexes and ledgers: no operation of the cache panics, and the key of a file is the one
//! that was remembered for it, or none.

use crate::scratch::{Input, Scratch};
use precast_cache::{Content, FileStamp, Fingerprint, Key, Options};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

/// Two files that have been unchanged for so long that they may be known by their stamps.
fn files() -> &'static [FileStamp; 2] {
    static FILES: OnceLock<[FileStamp; 2]> = OnceLock::new();
    FILES.get_or_init(|| {
        let paths = ["a", "b"].map(|name| {
            let name = format!("precast-fuzz-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::write(&path, "module").expect("a file");
            path
        });
        std::thread::sleep(std::time::Duration::from_secs(4));
        paths.map(|path| {
            let file = File::open(&path).expect("the file");
            let _ = fs::remove_file(path);
            std::thread::sleep(std::time::Duration::from_secs(4));
            // No other process knows of it. It stays open, so that its inode number is not reused.
            let stamp = FileStamp::before_reading(&file, |_| true).expect("a file");
            std::mem::forget(file);
            stamp
        })
    })
}

/// One case.
pub fn run(input: &[u8]) {
    let [a, b] = files();
    let scratch = Scratch::new("index");
    let mut input = Input(input);
    let flags = input.byte();
    let keyed = flags & 1 != 0;
    let open = || {
        let options = Options::new().max_bytes(1 << 20).max_entries(4).on_warning(|_| ());
        let options = if keyed { options.key([7; 32]) } else { options };
        options.open(&scratch.0).expect("a folder of our own")
    };
    let fingerprint = Fingerprint::new("fuzz", "");
    let [one, two] = [&b"one"[..], b"two"].map(|of| Key::new(&fingerprint, Content::of(of)));
    let cache = open();
    cache.remember(a, &fingerprint, &one);
    drop(cache.publish(&one, b"artifact one"));

    let user = fs::metadata(&scratch.0).expect("the folder").uid();
    let name = if keyed { format!("index-{user}") } else { "index".to_owned() };
    damage_index(&mut input, &scratch.0.join(name));
    damage_ledger(&mut input, &scratch.0.join("ledger"));

    let cache = if flags & 2 != 0 { open() } else { cache };
    let right = |known: Option<Key>, key: &Key| known.is_none_or(|known| known == *key);
    assert!(right(cache.known(a, &fingerprint), &one));
    assert!(cache.known(b, &fingerprint).is_none(), "nobody said so");
    cache.remember(b, &fingerprint, &two);
    assert!(right(cache.known(b, &fingerprint), &two));
    assert!(right(cache.known(a, &fingerprint), &one));
    assert!(cache.known(a, &Fingerprint::new("fuzz", "other")).is_none());
    cache.usage(Some(&fingerprint));
    if flags & 4 != 0 {
        cache.verify().expect("the folder is ours");
    }
    if flags & 8 != 0 {
        cache.prune(Some(&fingerprint));
    }
    for (key, artifact) in [(&two, &b"artifact two"[..]), (&one, b"artifact one")] {
        if let Some((entry, file)) = cache.publish(key, artifact) {
            assert_eq!(entry.read(&file).expect("it is there"), artifact);
        }
        drop(cache.flight(key));
    }
    if flags & 16 != 0 {
        cache.discard(&one);
    }
    cache.clean();
    assert!(right(cache.known(a, &fingerprint), &one));
    let usage = cache.usage(None);
    assert_eq!((usage.entries, usage.bytes), (0, 0));
}

/// Changes an index as the input says: at records in use, or anywhere.
fn damage_index(input: &mut Input, path: &Path) {
    let Ok(mut bytes) = fs::read(path) else { return };
    let how = input.byte();
    input.patch(&mut bytes[..128]);
    if how & 1 != 0
        && let Some(at) = bytes[128..].iter().position(|&byte| byte != 0)
    {
        let slot = (128 + at) / 128 * 128;
        input.patch(&mut bytes[slot..]);
        if how & 2 != 0 {
            // The records of a set are copies of each other, with small changes.
            let copy = bytes[slot..].to_vec();
            bytes.extend_from_slice(&copy);
            input.patch(&mut bytes[slot..]);
        }
    }
    if how & 4 != 0 {
        input.patch(&mut bytes);
    }
    if how & 8 != 0 {
        bytes.truncate(usize::from(input.word()));
    }
    fs::write(path, bytes).expect("it is written");
}

/// Changes a ledger as the input says, with a valid check if the input demands one.
fn damage_ledger(input: &mut Input, path: &Path) {
    let Ok(mut bytes) = fs::read(path) else { return };
    let how = input.byte();
    input.patch(&mut bytes);
    if how & 1 != 0
        && let Some((numbers, check)) = bytes.split_last_chunk_mut()
    {
        *check = xxhash_rust::xxh3::xxh3_64_with_seed(numbers, 1).to_le_bytes();
    }
    if how & 2 != 0 {
        bytes.truncate(usize::from(input.byte()));
    }
    fs::write(path, bytes).expect("it is written");
}
