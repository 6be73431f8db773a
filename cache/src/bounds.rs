//! Keeping the folder within its bounds: room is made before a file appears.
//!
//! Everything here is done by who has locked the folder.

use crate::cache::Cache;
use crate::entry::nanos;
use crate::folder::{Folder, Place, names, open_in};
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

/// How long the folder is waited for. Who has locked it does a few system calls.
const PATIENCE: Duration = Duration::from_secs(10);

/// With this many entries, so much more than needed is evicted that looking through them is rare.
const MANY: usize = 256;

/// The folder, locked.
pub(crate) struct Locked<'a> {
    cache: &'a Cache,
    pub(crate) ledger: Ledger,
    _lock: Lock,
}

/// A file that counts.
pub(crate) struct Item {
    place: Rc<Place>,
    pub(crate) kind: Kind,
    pub(crate) build: String,
    pub(crate) name: String,
    pub(crate) size: u64,
    /// When it was last used, in nanoseconds since 1970.
    pub(crate) used: i128,
}

impl Item {
    /// Its path in the folder.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}/{}", self.kind.folder(), self.build, self.name)
    }

    /// Opens it for reading.
    pub(crate) fn open(&self) -> io::Result<File> {
        open_in(&self.place, &self.name)
    }

    fn unlink(&self) -> bool {
        rustix::fs::unlinkat(&*self.place, self.name.as_str(), AtFlags::empty()).is_ok()
    }
}

impl<'a> Locked<'a> {
    /// Locks the folder. None when somebody holds the lock for too long.
    pub(crate) fn new(cache: &'a Cache) -> io::Result<Option<Locked<'a>>> {
        let Some(lock) = Lock::acquire(cache.folder(), FOLDER, PATIENCE)? else {
            return Ok(None);
        };
        let ledger = Ledger::read(cache.folder());
        let known = ledger.is_some();
        let mut locked = Locked { cache, ledger: ledger.unwrap_or_default(), _lock: lock };
        if !known {
            locked.count();
        }
        locked.remove_dead();
        Ok(Some(locked))
    }

    /// Makes room for `bytes` more in one more file. False if there cannot be.
    pub(crate) fn make_room(&mut self, bytes: u64, build: Build) -> bool {
        let options = self.cache.options();
        let (max_bytes, max_entries) = (room(options), options.max_entries);
        if bytes > max_bytes || max_entries == 0 {
            return false;
        }
        if !self.fits(bytes, max_bytes, max_entries) {
            let items = self.count();
            let slack = |limit: u64| if items.len() > MANY { limit / 64 } else { 0 };
            let want = bytes + slack(max_bytes).min(max_bytes - bytes);
            let max_entries = max_entries - slack(max_entries);
            self.evict(items, Some(build), |locked| locked.fits(want, max_bytes, max_entries));
        }
        self.fits(bytes, max_bytes, max_entries)
    }

    /// Removes files until `enough`: those of other builds first, then those that were not used
    /// for the longest time.
    pub(crate) fn evict(
        &mut self,
        mut items: Vec<Item>,
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

    /// Whether a file more is within the bounds.
    fn fits(&self, bytes: u64, max_bytes: u64, max_entries: u64) -> bool {
        self.ledger.bytes.saturating_add(bytes) <= max_bytes && self.ledger.entries < max_entries
    }

    /// Removes a file.
    pub(crate) fn remove(&mut self, item: &Item) -> bool {
        let removed = item.unlink();
        if removed {
            self.subtract(item.size);
            self.cache.folder().remove_empty(&format!("{}/{}", item.kind.folder(), item.build));
        }
        removed
    }

    /// Removes what is in the way of a file with this path. Whether there was something.
    pub(crate) fn replace(&mut self, path: &str) -> bool {
        let folder = self.cache.folder();
        let size = folder.open_file(path).and_then(|file| Ok(rustix::fs::fstat(file)?.st_size));
        let removed = folder.unlink(path).is_ok();
        if removed {
            self.subtract(size.map_or(0, |size| size as u64));
        }
        removed
    }

    /// Takes a file that is gone out of the ledger.
    pub(crate) fn subtract(&mut self, bytes: u64) {
        self.ledger.bytes = self.ledger.bytes.saturating_sub(bytes);
        self.ledger.entries = self.ledger.entries.saturating_sub(1);
    }

    /// Counts what there is, and gives it.
    pub(crate) fn count(&mut self) -> Vec<Item> {
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

    /// Removes files whose writers ended before they were done.
    fn remove_dead(&mut self) {
        each_temporary(self.cache.folder(), |name, file, size| {
            let dead = !is_alive(file);
            if dead && self.cache.folder().unlink(&format!("{TEMPORARY}/{name}")).is_ok() {
                self.subtract(size);
            }
        });
    }

    /// Writes the ledger and unlocks the folder.
    pub(crate) fn done(self) {
        self.ledger.write(self.cache.folder());
    }
}

/// Bytes for files that count: the index needs some of a folder that is not tiny.
pub(crate) fn room(options: &Options) -> u64 {
    let bytes = options.max_bytes;
    if bytes < 8 * index::MAX_SIZE { bytes } else { bytes - index::MAX_SIZE }
}

/// Every file that counts. A folder that cannot be read is an empty one.
pub(crate) fn scan(folder: &Folder) -> Vec<Item> {
    let mut items = scan_kind(folder, Kind::Module);
    items.append(&mut scan_kind(folder, Kind::Functions));
    items
}

/// Every file of a kind.
pub(crate) fn scan_kind(folder: &Folder, kind: Kind) -> Vec<Item> {
    let mut items = Vec::new();
    let Ok(builds) = folder.place(kind.folder()) else { return items };
    for build in names(&builds, is_build).unwrap_or_default() {
        let Ok(place) = folder.enter(&builds, &build).map(Rc::new) else { continue };
        for name in names(&place, is_key).unwrap_or_default() {
            items.extend(item(&place, kind, &build, name));
        }
    }
    items
}

fn item(place: &Rc<Place>, kind: Kind, build: &str, name: String) -> Option<Item> {
    let stat = rustix::fs::statat(&**place, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        return None;
    }
    let read = nanos(stat.st_atime, stat.st_atime_nsec as i64);
    let used = read.max(nanos(stat.st_mtime, stat.st_mtime_nsec as i64));
    let (place, build) = (place.clone(), build.to_owned());
    Some(Item { place, kind, build, name, size: stat.st_size as u64, used })
}

/// Calls `each` with every file that is being written, its name and its size.
fn each_temporary(folder: &Folder, mut each: impl FnMut(&str, &File, u64)) {
    let Ok(place) = folder.place(TEMPORARY) else { return };
    for name in names(&place, is_temporary).unwrap_or_default() {
        let Ok(file) = open_in(&place, &name) else { continue };
        let Ok(stat) = rustix::fs::fstat(&file) else { continue };
        each(&name, &file, stat.st_size as u64);
    }
}

// What has another name is not ours to remove: a user may have named any folder for the cache.

fn is_build(name: &str) -> bool {
    is_hex(name, 16)
}

fn is_key(name: &str) -> bool {
    is_hex(name, 64)
}

fn is_hex(name: &str, len: usize) -> bool {
    name.len() == len && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a name is one of a file that is being written: two numbers.
fn is_temporary(name: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(process, n)| number(process) && number(n))
}
