//! The index: the keys of known files, so that an unchanged file need not be read to find its entry.
//!
//! The file `index` has a header and a table of [`SETS`] sets of [`WAYS`] records. A record says that
//! the file with this stamp, compiled with these settings, has that key. It is true until the next
//! boot, so records are written in place and without locks. A torn or damaged record fails its check
//! and counts as empty. The set of a file depends on device, inode and settings, so that a file
//! that changed replaces its old record.
//!
//! After a power failure a file may have new contents and old times, if the contents reached the
//! disk before the times did. So the check of a record covers the boot ID: records of an earlier
//! boot are not valid.
//!
//! In a folder with a key each user has an own index, `index-USER`. Other users may put files under
//! this name, so it is written in place only if it belongs to that user, has one name, and its
//! header was made with the key.

use crate::file_stamp::{FileStamp, FileStat};
use crate::folder::Folder;
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

/// The size in bytes of the file when every set is used.
pub(crate) const MAX_SIZE: u64 = (HEADER + SETS as usize * WAYS * size_of::<Record>()) as u64;

/// The size in bytes of the header.
const HEADER: usize = size_of::<Record>();

/// The first bytes of the header.
const MAGIC: &[u8; 16] = b"precast index 2\n";

/// The file with the boot ID.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A record: the key of one known file.
///
/// ```text
///   0  file       48   its stamp
///  48  settings   16   the first half of the fingerprint
///  64  digest     32   of the key
///  96  recorded    8   seconds since 1970
/// 104  check      24   BLAKE3 of the bytes before, keyed with a digest of the boot ID and of the
///                      cache's key if it has one
/// ```
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Record {
    file: FileStat,
    settings: [u8; 16],
    digest: [u8; 32],
    recorded: u64,
    check: [u8; 24],
}

const CHECK: usize = core::mem::offset_of!(Record, check);
const _: () = assert!(size_of::<Record>() == 128 && CHECK == 104);

/// The index of a cache.
#[derive(Debug)]
pub(crate) struct Index {
    /// Its name in the folder.
    pub(crate) name: String,
    file: OnceLock<File>,
    header: [u8; HEADER],
    /// The key of the records' checks. None where the boot ID is unknown; then no file is known.
    key: OnceLock<Option<[u8; 32]>>,
    /// The cache's key.
    secret: Option<[u8; 32]>,
    /// Results of recent lookups, which stay true until the next boot.
    recent: Mutex<[Option<RecentLookup>; RECENT]>,
}

/// The digest of the key that a file has with these settings.
#[derive(Clone, Copy, Debug)]
struct RecentLookup {
    file: FileStat,
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
        file: &FileStamp,
        fingerprint: &Fingerprint,
    ) -> Option<Key> {
        let file = &file.stat;
        let known = |digest| Some(Key { build: fingerprint.build, digest });
        let recent = self.recent()[recent_position(file)];
        if let Some(recent) = recent
            && (recent.file, recent.settings) == (*file, fingerprint.settings)
        {
            return known(recent.digest);
        }
        let records = self.read(self.opened(folder)?, set_offset(file, fingerprint));
        let mut records = records.iter();
        let record = records.find(|r| r.is_of(file, fingerprint) && r.file == *file)?;
        if record.checksum(self.key()?) != record.check {
            return None;
        }
        self.keep(file, fingerprint, record.digest);
        known(record.digest)
    }

    /// Remembers the key of a file. A failure to write it is ignored.
    pub(crate) fn remember(
        &self,
        folder: &Folder,
        file: &FileStamp,
        fingerprint: &Fingerprint,
        key: &Key,
    ) {
        if !file.settled {
            return;
        }
        let file = &file.stat;
        let Some(check_key) = self.key() else { return };
        self.keep(file, fingerprint, key.digest);
        let Some(index) = self.opened(folder).or_else(|| self.created(folder)) else { return };
        let at = set_offset(file, fingerprint);
        let records = self.read(index, at);
        let same = records.iter().position(|record| record.is_of(file, fingerprint));
        let oldest = || {
            let valid = |record: &Record| record.checksum(check_key) == record.check;
            let time = |record: &Record| if valid(record) { record.recorded } else { 0 };
            (0..WAYS).min_by_key(|&way| time(&records[way])).unwrap_or(0)
        };
        let way = same.unwrap_or_else(oldest);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let mut record = Record {
            file: *file,
            settings: settings_prefix(fingerprint),
            digest: key.digest,
            recorded: now,
            check: [0; 24],
        };
        record.check = record.checksum(check_key);
        let _ = index.write_all_at(record.as_bytes(), at + (way * size_of::<Record>()) as u64);
    }

    /// Forgets every file.
    pub(crate) fn clear(&self, folder: &Folder) {
        *self.recent() = Default::default();
        // Other processes have it open, so it is truncated rather than replaced.
        let _ = self.opened(folder).map(|file| file.set_len(HEADER as u64));
    }

    fn keep(&self, file: &FileStat, fingerprint: &Fingerprint, digest: [u8; 32]) {
        let recent = RecentLookup { file: *file, settings: fingerprint.settings, digest };
        self.recent()[recent_position(file)] = Some(recent);
    }

    fn recent(&self) -> MutexGuard<'_, [Option<RecentLookup>; RECENT]> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the set at an offset.
    fn read(&self, index: &File, at: u64) -> [Record; WAYS] {
        let mut bytes = [0; WAYS * size_of::<Record>()];
        // Beyond the end of the file the records stay zero, which no file has.
        let _ = index.read_at(&mut bytes, at);
        zerocopy::transmute!(bytes)
    }

    /// The index file, if it is valid.
    fn opened(&self, folder: &Folder) -> Option<&File> {
        if let Some(file) = self.file.get() {
            return Some(file);
        }
        let file = folder.open_own(&self.name).ok()?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0).ok()?;
        (header == self.header).then(|| self.file.get_or_init(|| file))
    }

    /// A new index file, in place of one that is not valid.
    fn created(&self, folder: &Folder) -> Option<&File> {
        let file = folder.renew(&self.name).ok()?;
        file.write_all_at(&self.header, 0).ok()?;
        Some(self.file.get_or_init(|| file))
    }

    /// The key of the records' checks.
    fn key(&self) -> Option<&[u8; 32]> {
        let make = || {
            let boot = boot()?;
            let secret = self.secret.as_ref().map_or(&[][..], |key| &key[..]);
            Some(blake3::derive_key("precast cache index 2, slots", &[secret, &boot].concat()))
        };
        self.key.get_or_init(make).as_ref()
    }
}

/// The boot ID.
fn boot() -> Option<[u8; 36]> {
    let mut number = [0; 36];
    // One system call each: every process pays for this at its first hit.
    let file = rustix::fs::open(BOOT, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let read = rustix::io::read(file, &mut number).ok()?;
    (read == number.len()).then_some(number)
}

impl Record {
    /// Whether the record has this file and these settings, in any state of the file.
    fn is_of(&self, file: &FileStat, fingerprint: &Fingerprint) -> bool {
        (self.file.device, self.file.inode, self.settings)
            == (file.device, file.inode, settings_prefix(fingerprint))
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

/// The part of a fingerprint that a record stores.
fn settings_prefix(fingerprint: &Fingerprint) -> [u8; 16] {
    let mut settings_prefix = [0; 16];
    settings_prefix.copy_from_slice(&fingerprint.settings[..16]);
    settings_prefix
}

/// The position of a file among the recent lookups.
fn recent_position(file: &FileStat) -> usize {
    file.inode as usize % RECENT
}

/// The offset of a file's set in the index.
fn set_offset(file: &FileStat, fingerprint: &Fingerprint) -> u64 {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&file.device.to_le_bytes());
    bytes[8..16].copy_from_slice(&file.inode.to_le_bytes());
    bytes[16..].copy_from_slice(&settings_prefix(fingerprint));
    let set = xxhash_rust::xxh3::xxh3_64(&bytes) % SETS;
    HEADER as u64 + set * (WAYS * size_of::<Record>()) as u64
}
