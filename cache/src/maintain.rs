//! Maintenance of the folder: usage, verification, pruning and cleaning.

use crate::bounds::{LockedFolder, StoredFile, max_file_bytes, scan};
use crate::cache::Cache;
use crate::entry::read_trailer;
use crate::key::{Build, Fingerprint};
use crate::ledger::{Ledger, add};
use rustix::io::Errno;
use std::io;

/// The contents of a folder, and counts since it was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Usage {
    /// The number of modules and bundles.
    pub entries: u64,
    /// The size of those files in bytes.
    pub bytes: u64,
    /// The number of files by other builds than the current one.
    pub old_entries: u64,
    /// The size of those files in bytes.
    pub old_bytes: u64,
    /// The bound on the number of files.
    pub max_entries: u64,
    /// The bound on their size in bytes.
    pub max_bytes: u64,
    /// Modules written.
    pub published: u64,
    /// Entries that were damaged, foreign or of another version, and were replaced.
    pub refused: u64,
    /// Entries evicted to keep within the bounds.
    pub evicted: u64,
}

/// The result of [`Cache::verify`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// The number of undamaged files.
    pub whole: u64,
    /// The paths of damaged files, relative to the folder. They were removed if the folder can be
    /// written.
    pub damaged: Vec<String>,
}

/// The files that [`Cache::prune`] or [`Cache::clean`] removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Pruned {
    /// The number of files.
    pub entries: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

impl Cache {
    /// Counts the contents of the folder. Files of another build than `current` are old.
    pub fn usage(&self, current: Option<&Fingerprint>) -> Usage {
        let ledger = Ledger::read(self.folder()).unwrap_or_default();
        let mut usage = Usage {
            max_entries: self.options().max_entries,
            max_bytes: self.options().max_bytes,
            published: ledger.published,
            refused: ledger.refused,
            evicted: ledger.evicted,
            ..Usage::default()
        };
        for item in scan(self.folder()) {
            usage.entries += 1;
            usage.bytes = usage.bytes.saturating_add(item.size);
            if is_old(&item, current) {
                usage.old_entries += 1;
                usage.old_bytes = usage.old_bytes.saturating_add(item.size);
            }
        }
        usage
    }

    /// Checks every byte of every file. Removes files that are damaged, or larger than the bound of
    /// the whole folder.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn verify(&self) -> io::Result<Verified> {
        let mut verified = Verified::default();
        let mut damaged = Vec::new();
        for item in scan(self.folder()) {
            match self.is_whole(&item)? {
                Some(true) => verified.whole += 1,
                Some(false) => damaged.push(item),
                None => {}
            }
        }
        verified.damaged = damaged.iter().map(StoredFile::path).collect();
        verified.damaged.sort();
        if let Some(mut folder) = self.locked(!damaged.is_empty()) {
            let removed = damaged.iter().filter(|item| folder.remove(item)).count();
            add(&mut folder.ledger.refused, removed as u64);
            self.counters().refused.add(removed as u64);
            folder.unlock();
        }
        Ok(verified)
    }

    /// Removes temporary files whose writers ended early, files of other builds than `current`, and
    /// then files beyond the bounds, least recently used first.
    pub fn prune(&self, current: Option<&Fingerprint>) -> Pruned {
        let Some(mut folder) = self.locked(true) else { return Pruned::default() };
        let items = folder.count();
        let before = Pruned { entries: folder.ledger.entries, bytes: folder.ledger.bytes };
        let (old, rest): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| is_old(item, current));
        folder.evict(old, None, |_| false);
        let (bytes, entries) = (max_file_bytes(self.options()), self.options().max_entries);
        folder.evict(rest, None, |folder| {
            folder.ledger.bytes <= bytes && folder.ledger.entries <= entries
        });
        finish(folder, before)
    }

    /// Removes every file and clears the index. Modules in use stay usable.
    pub fn clean(&self) -> Pruned {
        let Some(mut folder) = self.locked(true) else { return Pruned::default() };
        let items = folder.count();
        let before = Pruned { entries: folder.ledger.entries, bytes: folder.ledger.bytes };
        for item in &items {
            folder.remove(item);
        }
        self.index().clear(self.folder());
        finish(folder, before)
    }

    /// Locks the folder, if that is `wanted` and possible.
    fn locked(&self, wanted: bool) -> Option<LockedFolder<'_>> {
        let locked = wanted.then(|| LockedFolder::new(self))?;
        locked.inspect_err(|error| self.warn(error)).ok()?
    }

    /// Whether a file is undamaged. None if it no longer exists.
    fn is_whole(&self, item: &StoredFile) -> io::Result<Option<bool>> {
        let file = match item.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // We create neither symbolic links nor sockets.
            Err(error) if is_no_file(&error) => return Ok(Some(false)),
            opened => opened?,
        };
        let stat = rustix::fs::fstat(&file)?;
        let trailer = read_trailer(&file, &stat, item.kind, self.options());
        // A sparse file of the largest possible size would take for ever to read.
        let trailer = trailer.filter(|trailer| trailer.len <= self.options().max_bytes);
        let Some(trailer) = trailer else { return Ok(Some(false)) };
        let name = crate::key::hex(trailer.digest());
        let whole = match trailer.accepts_file(&file, self.options()) {
            // The file was truncated during the read.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            whole => whole?,
        };
        Ok(Some(name == item.name && whole))
    }
}

fn is_no_file(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::LOOP | Errno::NXIO))
}

fn finish(folder: LockedFolder<'_>, before: Pruned) -> Pruned {
    let after = folder.ledger;
    folder.unlock();
    Pruned {
        entries: before.entries.saturating_sub(after.entries),
        bytes: before.bytes.saturating_sub(after.bytes),
    }
}

fn is_old(item: &StoredFile, current: Option<&Fingerprint>) -> bool {
    let is = |build: Build| item.build == build.to_string();
    current.is_some_and(|current| !is(current.build))
}
