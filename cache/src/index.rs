//! Which files are known, so that a file that did not change need not be read to find its entry.
//!
//! The file `index` has a header, and then a table of [`SETS`] sets of [`WAYS`] slots. A slot says:
//! the file with this identity, compiled in this way, has that key. That stays true until the system
//! is started again, so slots are written in place and without locks; a torn or damaged one fails
//! its check and is an empty one. A file's set depends on device, inode and settings: after a change
//! it finds its old slot and replaces it.
//!
//! After a loss of power a file may have new contents and old times, if the contents were written
//! before the times were. So the check covers the number of the boot: what was known before the
//! system was started is not known any more.
//!
//! In a folder with a key each user has an index of their own, `index-USER`. It is written in place
//! only if it is a file of that user, has no other name, and its header was made with the key:
//! others may put files under this name.

use crate::folder::Folder;
use crate::identity::{FileIdentity, Record};
use crate::key::{Fingerprint, Key};
use crate::options::Options;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const SETS: u64 = 256;
const WAYS: usize = 4;

/// Bytes of the file when every set is used.
pub(crate) const MAX_SIZE: u64 = (HEADER + SETS as usize * WAYS * size_of::<Slot>()) as u64;

/// Bytes of the header.
const HEADER: usize = size_of::<Slot>();

/// The first bytes of the header.
const MAGIC: &[u8; 16] = b"precast index 2\n";

/// Where the kernel says which boot this is.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A known file.
///
/// ```text
///   0  file       48   its identity
///  48  settings   16   half of the fingerprint
///  64  digest     32   of the key
///  96  recorded    8   seconds since 1970
/// 104  check      24   BLAKE3 of this up to here, with a key made of the boot's number and of the
///                      key of the cache if it has one
/// ```
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Slot {
    file: Record,
    settings: [u8; 16],
    digest: [u8; 32],
    recorded: u64,
    check: [u8; 24],
}

const CHECK: usize = core::mem::offset_of!(Slot, check);
const _: () = assert!(size_of::<Slot>() == 128 && CHECK == 104);

/// The index of a cache.
#[derive(Debug)]
pub(crate) struct Index {
    /// Its name in the folder.
    pub(crate) name: String,
    file: OnceLock<File>,
    header: [u8; HEADER],
    /// What slots are checked with. None where the number of the boot cannot be told; then no file
    /// is known.
    key: OnceLock<Option<[u8; 32]>>,
    secret: Option<[u8; 32]>,
    /// What slots said lately. It is true without looking again.
    recent: Mutex<[Option<Fact>; RECENT]>,
}

/// This file, compiled in this way, has the key with this digest.
#[derive(Clone, Copy, Debug)]
struct Fact {
    file: Record,
    settings: [u8; 32],
    digest: [u8; 32],
}

const RECENT: usize = 16;

impl Index {
    /// The index of a cache with these settings, for this user.
    pub(crate) fn new(options: &Options, user: u32) -> Index {
        let name = if options.key.is_some() { format!("index-{user}") } else { "index".to_owned() };
        let secret = options.key.as_ref().map_or(&[][..], |key| &key[..]);
        let key = blake3::derive_key("precast cache index 2, header", secret);
        let mut header = [0; HEADER];
        header[..MAGIC.len()].copy_from_slice(MAGIC);
        let check = check(&key, &header[..CHECK]);
        header[CHECK..].copy_from_slice(&check);
        let (file, key) = (OnceLock::new(), OnceLock::new());
        Index { name, file, header, key, secret: options.key, recent: Mutex::default() }
    }

    /// The key of a file, if it is known.
    pub(crate) fn find(
        &self,
        folder: &Folder,
        file: &FileIdentity,
        fingerprint: &Fingerprint,
    ) -> Option<Key> {
        let file = &file.record;
        let known = |digest| Some(Key { build: fingerprint.build, digest });
        let fact = self.recent()[recent_place(file)];
        if let Some(fact) = fact
            && (fact.file, fact.settings) == (*file, fingerprint.settings)
        {
            return known(fact.digest);
        }
        let slots = self.read(self.opened(folder)?, place(file, fingerprint));
        let slot = slots.iter().find(|slot| slot.is_of(file, fingerprint) && slot.file == *file)?;
        if slot.checksum(self.key()?) != slot.check {
            return None;
        }
        self.keep(file, fingerprint, slot.digest);
        known(slot.digest)
    }

    /// Remembers the key of a file. That it cannot is no failure.
    pub(crate) fn remember(
        &self,
        folder: &Folder,
        file: &FileIdentity,
        fingerprint: &Fingerprint,
        key: &Key,
    ) {
        if !file.settled {
            return;
        }
        let file = &file.record;
        let Some(key_of_slots) = self.key() else { return };
        self.keep(file, fingerprint, key.digest);
        let Some(index) = self.opened(folder).or_else(|| self.created(folder)) else { return };
        let at = place(file, fingerprint);
        let slots = self.read(index, at);
        let same = slots.iter().position(|slot| slot.is_of(file, fingerprint));
        let oldest = || {
            let valid = |slot: &Slot| slot.checksum(key_of_slots) == slot.check;
            let age = |slot: &Slot| if valid(slot) { slot.recorded } else { 0 };
            (0..WAYS).min_by_key(|&way| age(&slots[way])).unwrap_or(0)
        };
        let way = same.unwrap_or_else(oldest);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let mut slot = Slot {
            file: *file,
            settings: half(fingerprint),
            digest: key.digest,
            recorded: now,
            check: [0; 24],
        };
        slot.check = slot.checksum(key_of_slots);
        let _ = index.write_all_at(slot.as_bytes(), at + (way * size_of::<Slot>()) as u64);
    }

    /// Forgets every file.
    pub(crate) fn clear(&self, folder: &Folder) {
        *self.recent() = Default::default();
        // Others have it open: it is emptied, not replaced.
        let _ = self.opened(folder).map(|file| file.set_len(HEADER as u64));
    }

    fn keep(&self, file: &Record, fingerprint: &Fingerprint, digest: [u8; 32]) {
        let fact = Fact { file: *file, settings: fingerprint.settings, digest };
        self.recent()[recent_place(file)] = Some(fact);
    }

    fn recent(&self) -> MutexGuard<'_, [Option<Fact>; RECENT]> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, index: &File, at: u64) -> [Slot; WAYS] {
        let mut bytes = [0; WAYS * size_of::<Slot>()];
        // Where the file ends before, zeros are slots of no file.
        let _ = index.read_at(&mut bytes, at);
        zerocopy::transmute!(bytes)
    }

    /// The file, if it may be used.
    fn opened(&self, folder: &Folder) -> Option<&File> {
        if let Some(file) = self.file.get() {
            return Some(file);
        }
        let file = folder.open_own(&self.name).ok()?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).ok()?;
        (header == self.header).then(|| self.file.get_or_init(|| file))
    }

    /// The file, made anew in place of one that may not be used.
    fn created(&self, folder: &Folder) -> Option<&File> {
        let file = folder.renew(&self.name).ok()?;
        file.write_all_at(&self.header, 0).ok()?;
        Some(self.file.get_or_init(|| file))
    }

    fn key(&self) -> Option<&[u8; 32]> {
        let make = || {
            let boot = boot()?;
            let secret = self.secret.as_ref().map_or(&[][..], |key| &key[..]);
            Some(blake3::derive_key("precast cache index 2, slots", &[secret, &boot].concat()))
        };
        self.key.get_or_init(make).as_ref()
    }
}

/// The number of the boot.
fn boot() -> Option<[u8; 36]> {
    let mut number = [0; 36];
    // One call each: this is a part of what every process pays for its hit.
    let file = rustix::fs::open(BOOT, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let read = rustix::io::read(file, &mut number).ok()?;
    (read == number.len()).then_some(number)
}

impl Slot {
    /// Whether it is about this file, compiled in this way, in whatever state the file was.
    fn is_of(&self, file: &Record, fingerprint: &Fingerprint) -> bool {
        (self.file.device, self.file.inode, self.settings)
            == (file.device, file.inode, half(fingerprint))
    }

    fn checksum(&self, key: &[u8; 32]) -> [u8; 24] {
        check(key, &self.as_bytes()[..CHECK])
    }
}

fn check(key: &[u8; 32], bytes: &[u8]) -> [u8; 24] {
    let mut check = [0; 24];
    check.copy_from_slice(&blake3::keyed_hash(key, bytes).as_bytes()[..24]);
    check
}

fn half(fingerprint: &Fingerprint) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&fingerprint.settings[..16]);
    half
}

fn recent_place(file: &Record) -> usize {
    file.inode as usize % RECENT
}

/// Where a file's set is in the index.
fn place(file: &Record, fingerprint: &Fingerprint) -> u64 {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&file.device.to_le_bytes());
    bytes[8..16].copy_from_slice(&file.inode.to_le_bytes());
    bytes[16..].copy_from_slice(&half(fingerprint));
    let set = xxhash_rust::xxh3::xxh3_64(&bytes) % SETS;
    HEADER as u64 + set * (WAYS * size_of::<Slot>()) as u64
}
