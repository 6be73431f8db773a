//! Forged entries and bundles, in a folder with or without a key: no operation of the cache panics
//! or reserves much memory, and with a key only entries that were written with the key are
//! accepted.

use crate::scratch::{Input, Scratch};
use precast_cache::{Cache, Content, Fingerprint, Key, Options};
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

/// The size of a trailer in bytes.
const TRAILER: usize = 128;

/// The offsets of its kind, its length and its check.
const KIND: usize = 12;
const LEN: usize = 16;
const CHECK: usize = 120;

const LINEAGE: [u8; 32] = [1; 32];

/// One case.
pub fn run(input: &[u8]) {
    let scratch = Scratch::new("trailer");
    let mut input = Input(input);
    let flags = input.byte();
    let keyed = flags & 1 != 0;
    let options = Options::new().max_bytes(1 << 20).max_entries(8).on_warning(|_| ());
    let options = if keyed { options.key([7; 32]) } else { options };
    let cache = options.open(&scratch.0).expect("a folder of our own");
    if flags & 2 != 0 {
        set_mode(&scratch.0, 0o777);
    }
    let fingerprint = Fingerprint::new("fuzz", "");
    let key = Key::new(&fingerprint, Content::of(b"module"));
    // Sizes from zero to more than a single read.
    let artifact: Vec<u8> = (0..usize::from(input.byte()) * 100).map(|at| at as u8).collect();
    let functions = cache.functions(&fingerprint);
    drop(cache.publish(&key, &artifact));
    functions.keep(&LINEAGE, &artifact);

    let entry = scratch.0.join("modules").join(format!("{key:?}"));
    let build = entry.parent().and_then(Path::file_name).expect("a name").to_owned();
    let bundle = scratch.0.join("functions").join(build).join("01".repeat(32));
    for path in [&entry, &bundle] {
        damage(&mut input, path);
    }

    let accepted = |when: &str| {
        if let Ok(Some((mut entry, file))) = cache.find(&key)
            && let Ok(bytes) = entry.read(&file)
        {
            let whole = entry.check(&bytes).is_ok();
            let small = entry.take_small();
            assert!(small.is_none() || !entry.is_exposed());
            assert!(!keyed || !whole || bytes == artifact, "{when}");
            if whole {
                entry.accept(&file);
            } else {
                entry.refuse();
            }
        }
        for found in [functions.find(&LINEAGE), functions.latest(u64::MAX)].into_iter().flatten() {
            assert!(!keyed || found == artifact, "{when}");
        }
    };
    accepted("as it was put there");
    cache.usage(Some(&fingerprint));
    if flags & 4 != 0 {
        cache.verify().expect("the folder is ours");
        accepted("after it was checked");
    }
    if flags & 8 != 0 {
        cache.prune(Some(&fingerprint));
    }
    if flags & 16 != 0 {
        cache.discard(&key);
    }
    publish(&cache, &key, &artifact);
    functions.keep(&LINEAGE, &artifact);
    assert!(functions.find(&LINEAGE).is_none_or(|found| found == artifact));
    cache.clean();
    set_mode(&scratch.0, 0o700);
}

/// An entry that was just published is found, with the published bytes.
fn publish(cache: &Cache, key: &Key, artifact: &[u8]) {
    let Some((entry, file)) = cache.publish(key, artifact) else { return };
    assert_eq!(entry.read(&file).expect("it is there"), artifact);
    let (entry, file) = cache.find(key).expect("it is whole").expect("it is there");
    let bytes = entry.read(&file).expect("it is there");
    assert!(bytes == artifact && entry.check(&bytes).is_ok());
}

/// Changes a file of the cache as the input says.
fn damage(input: &mut Input, path: &Path) {
    let Ok(mut bytes) = fs::read(path) else { return };
    let how = input.byte();
    input.patch(&mut bytes);
    if how & 1 != 0 {
        bytes.truncate(usize::from(input.word()));
    }
    if let Some(at) = bytes.len().checked_sub(TRAILER) {
        let trailer = &mut bytes[at..];
        input.patch(trailer);
        if how & 2 != 0 {
            trailer[LEN..LEN + 8].copy_from_slice(&(at as u64).to_le_bytes());
        }
        if how & 4 != 0 {
            trailer[KIND] = 3 - trailer[KIND] % 3;
        }
        if how & 8 != 0 {
            fix(trailer);
        }
    }
    fs::remove_file(path).expect("it is there");
    fs::write(path, &bytes).expect("it is written");
    if how & 16 != 0 && bytes.len() >= TRAILER {
        // A hole of any length, and the trailer after it.
        let len = u64::from(input.word()) << (input.byte() % 27);
        let trailer = bytes.split_off(bytes.len() - TRAILER);
        let mut trailer = trailer;
        trailer[LEN..LEN + 8].copy_from_slice(&len.to_le_bytes());
        fix(&mut trailer);
        let file = fs::OpenOptions::new().write(true).open(path).expect("it is there");
        let _ = file.set_len(len).and_then(|()| file.write_all_at(&trailer, len));
    }
    set_mode(path, [0o400, 0o444, 0o600, 0o666][usize::from(how >> 6)]);
}

/// Gives a trailer the check of a folder without a key, which anybody can compute.
fn fix(trailer: &mut [u8]) {
    let check = xxhash_rust::xxh3::xxh3_64(&trailer[..CHECK]);
    trailer[CHECK..].copy_from_slice(&check.to_le_bytes());
}

fn set_mode(path: &Path, mode: u32) {
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
}
