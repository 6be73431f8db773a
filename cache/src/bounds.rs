//! The bounds of the folder: eviction makes room before a file is written.
//!
//! All of it happens under the lock on the folder.

use crate::cache::Cache;
use crate::entry::nanos;
use crate::folder::{DirHandle, Folder, names, open_in};
use crate::index;
use crate::key::Build;
use crate::ledger::{Ledger, add};
use crate::lock::{FOLDER, Lock, is_alive};
use crate::options::Options;
use crate::trailer::Kind;
use rustix::fs::{AtFlags, FileType};
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// The folder of files that are being written.
pub(crate) const TEMPORARY: &str = "tmp";

/// The longest wait for the lock on the folder, whose holders make a few system calls.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// In a folder with more entries than this, eviction frees more than is needed, so that the next scan
/// of the folder is far away.
const LARGE_FOLDER: usize = 256;

/// The folder, locked until this is dropped.
pub(crate) struct LockedFolder<'a> {
    cache: &'a Cache,
    pub(crate) ledger: Ledger,
    _lock: Lock,
}

/// A module or bundle in the folder.
pub(crate) struct StoredFile {
    dir: Rc<DirHandle>,
    pub(crate) kind: Kind,
    pub(crate) build: String,
    pub(crate) name: String,
    pub(crate) size: u64,
    /// The time of its last use, in nanoseconds since 1970.
    pub(crate) used: i128,
}

impl StoredFile {
    /// Its path, relative to the folder.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}/{}", self.kind.folder(), self.build, self.name)
    }

    /// Opens it for reading.
    pub(crate) fn open(&self) -> io::Result<File> {
        open_in(&self.dir, &self.name)
    }

    fn unlink(&self) -> bool {
        rustix::fs::unlinkat(&*self.dir, self.name.as_str(), AtFlags::empty()).is_ok()
    }
}

impl<'a> LockedFolder<'a> {
    /// Locks the folder. None if another process holds the lock for too long.
    pub(crate) fn new(cache: &'a Cache) -> io::Result<Option<LockedFolder<'a>>> {
        let Some(lock) = Lock::acquire(cache.folder(), FOLDER, LOCK_TIMEOUT)? else {
            return Ok(None);
        };
        let ledger = Ledger::read(cache.folder());
        let known = ledger.is_some();
        let mut locked = LockedFolder { cache, ledger: ledger.unwrap_or_default(), _lock: lock };
        if !known {
            locked.count();
        }
        locked.remove_abandoned();
        Ok(Some(locked))
    }

    /// Makes room for one more file of `bytes` bytes. False if that is impossible.
    pub(crate) fn make_room(&mut self, bytes: u64, build: Build) -> bool {
        let options = self.cache.options();
        let (max_bytes, max_entries) = (max_file_bytes(options), options.max_entries);
        if bytes > max_bytes || max_entries == 0 {
            return false;
        }
        if !self.fits(bytes, max_bytes, max_entries) {
            let items = self.count();
            let slack = |limit: u64| if items.len() > LARGE_FOLDER { limit / 64 } else { 0 };
            let want = bytes + slack(max_bytes).min(max_bytes - bytes);
            let max_entries = max_entries - slack(max_entries);
            self.evict(items, Some(build), |locked| locked.fits(want, max_bytes, max_entries));
        }
        self.fits(bytes, max_bytes, max_entries)
    }

    /// Removes files until `enough` returns true: files of other builds first, then the least recently
    /// used.
    pub(crate) fn evict(
        &mut self,
        mut items: Vec<StoredFile>,
        build: Option<Build>,
        enough: impl Fn(&Self) -> bool,
    ) {
        let build = build.map(|build| build.to_string());
        items.sort_by_key(|item| (build.as_ref().is_some_and(|b| *b == item.build), item.used));
        for item in items {
            if enough(self) {
                break;
            }
            if self.remove(&item) {
                add(&mut self.ledger.evicted, 1);
                self.cache.counters().evicted.add(1);
            }
        }
    }

    /// Whether one more file fits within the bounds.
    fn fits(&self, bytes: u64, max_bytes: u64, max_entries: u64) -> bool {
        self.ledger.bytes.saturating_add(bytes) <= max_bytes && self.ledger.entries < max_entries
    }

    /// Removes a file. Returns whether that succeeded.
    pub(crate) fn remove(&mut self, item: &StoredFile) -> bool {
        let removed = item.unlink();
        if removed {
            self.subtract(item.size);
            self.cache.folder().remove_empty(&format!("{}/{}", item.kind.folder(), item.build));
        }
        removed
    }

    /// Removes the file at a path, which is going to be written again. Returns whether it existed.
    pub(crate) fn replace(&mut self, path: &str) -> bool {
        let folder = self.cache.folder();
        let size = folder.open_file(path).and_then(|file| Ok(rustix::fs::fstat(file)?.st_size));
        let removed = folder.unlink(path).is_ok();
        if removed {
            self.subtract(size.map_or(0, |size| size as u64));
        }
        removed
    }

    /// Subtracts a removed file from the ledger.
    pub(crate) fn subtract(&mut self, bytes: u64) {
        self.ledger.bytes = self.ledger.bytes.saturating_sub(bytes);
        self.ledger.entries = self.ledger.entries.saturating_sub(1);
    }

    /// Counts all files, sets the ledger's totals, and returns the modules and bundles.
    pub(crate) fn count(&mut self) -> Vec<StoredFile> {
        let items = scan(self.cache.folder());
        (self.ledger.bytes, self.ledger.entries) = (0, 0);
        items.iter().for_each(|item| add(&mut self.ledger.bytes, item.size));
        each_temporary(self.cache.folder(), |_, _, size| {
            add(&mut self.ledger.bytes, size);
            add(&mut self.ledger.entries, 1);
        });
        add(&mut self.ledger.entries, items.len() as u64);
        items
    }

    /// Removes temporary files whose writers ended early.
    fn remove_abandoned(&mut self) {
        each_temporary(self.cache.folder(), |name, file, size| {
            let abandoned = !is_alive(file);
            if abandoned && self.cache.folder().unlink(&format!("{TEMPORARY}/{name}")).is_ok() {
                self.subtract(size);
            }
        });
    }

    /// Writes the ledger and unlocks the folder.
    pub(crate) fn unlock(self) {
        self.ledger.write(self.cache.folder());
    }
}

/// The bound on the bytes of modules and bundles: unless the folder is tiny, the rest is for the
/// index.
pub(crate) fn max_file_bytes(options: &Options) -> u64 {
    let bytes = options.max_bytes;
    if bytes < 8 * index::MAX_SIZE { bytes } else { bytes - index::MAX_SIZE }
}

/// All modules and bundles. A folder that cannot be read counts as empty.
pub(crate) fn scan(folder: &Folder) -> Vec<StoredFile> {
    let mut items = scan_kind(folder, Kind::Module);
    items.append(&mut scan_kind(folder, Kind::Functions));
    items
}

/// All files of a kind.
pub(crate) fn scan_kind(folder: &Folder, kind: Kind) -> Vec<StoredFile> {
    let mut items = Vec::new();
    let Ok(builds) = folder.open_dir(kind.folder()) else { return items };
    for build in names(&builds, is_build).unwrap_or_default() {
        let Ok(dir) = folder.enter_dir(&builds, &build).map(Rc::new) else { continue };
        for name in names(&dir, is_key).unwrap_or_default() {
            items.extend(stored_file(&dir, kind, &build, name));
        }
    }
    items
}

fn stored_file(dir: &Rc<DirHandle>, kind: Kind, build: &str, name: String) -> Option<StoredFile> {
    let stat = rustix::fs::statat(&**dir, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        return None;
    }
    let read = nanos(stat.st_atime, stat.st_atime_nsec as i64);
    let used = read.max(nanos(stat.st_mtime, stat.st_mtime_nsec as i64));
    let (dir, build) = (dir.clone(), build.to_owned());
    Some(StoredFile { dir, kind, build, name, size: stat.st_size as u64, used })
}

/// Calls `each` with the name of every temporary file, the open file and its size.
fn each_temporary(folder: &Folder, mut each: impl FnMut(&str, &File, u64)) {
    let Ok(dir) = folder.open_dir(TEMPORARY) else { return };
    for name in names(&dir, is_temporary).unwrap_or_default() {
        let Ok(file) = open_in(&dir, &name) else { continue };
        let Ok(stat) = rustix::fs::fstat(&file) else { continue };
        each(&name, &file, stat.st_size as u64);
    }
}

// A file with any other name is never removed: the user may have chosen a folder with other files.

fn is_build(name: &str) -> bool {
    is_hex(name, 16)
}

fn is_key(name: &str) -> bool {
    is_hex(name, 64)
}

fn is_hex(name: &str, len: usize) -> bool {
    name.len() == len && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a name is that of a temporary file: two numbers with a hyphen between them.
fn is_temporary(name: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(process, n)| number(process) && number(n))
}
