//! Looking after a folder: what it holds, whether it is whole, making it smaller.

use crate::bounds::{Item, Locked, room, scan};
use crate::cache::Cache;
use crate::entry::read_trailer;
use crate::key::{Build, Fingerprint};
use crate::ledger::{Ledger, add};
use rustix::io::Errno;
use std::io;

/// What a folder holds, and what became of it since it exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Usage {
    /// Files: modules, and bundles of functions.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them other builds than the one asked about made.
    pub old_entries: u64,
    /// The bytes of those.
    pub old_bytes: u64,
    /// Most files there may be.
    pub max_entries: u64,
    /// Most bytes they may have.
    pub max_bytes: u64,
    /// Entries of modules written.
    pub published: u64,
    /// Entries that were damaged, foreign or of another version, and were replaced.
    pub refused: u64,
    /// Entries removed to keep within the bounds.
    pub evicted: u64,
}

/// What [`Cache::verify`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Verified {
    /// Files that are whole.
    pub whole: u64,
    /// The paths in the folder of those that are not. They were removed if the folder can be
    /// written.
    pub damaged: Vec<String>,
}

/// What [`Cache::prune`] and [`Cache::clean`] removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Pruned {
    /// Files.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Cache {
    /// Counts what the folder holds. Entries of another build than `current` are old.
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

    /// Checks every byte of every file, and removes those that are damaged, or larger than all of
    /// them may be together.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
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
        verified.damaged = damaged.iter().map(Item::path).collect();
        verified.damaged.sort();
        if let Some(mut folder) = self.locked(!damaged.is_empty()) {
            let removed = damaged.iter().filter(|item| folder.remove(item)).count();
            add(&mut folder.ledger.refused, removed as u64);
            self.counters().refused.add(removed as u64);
            folder.done();
        }
        Ok(verified)
    }

    /// Removes what nobody needs: what writers left that ended before they were done, entries of
    /// other builds than `current`, and then entries beyond the bounds, least recently used first.
    pub fn prune(&self, current: Option<&Fingerprint>) -> Pruned {
        let Some(mut folder) = self.locked(true) else { return Pruned::default() };
        let items = folder.count();
        let before = Pruned { entries: folder.ledger.entries, bytes: folder.ledger.bytes };
        let (old, rest): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| is_old(item, current));
        folder.evict(old, None, |_| false);
        let (bytes, entries) = (room(self.options()), self.options().max_entries);
        folder.evict(rest, None, |folder| {
            folder.ledger.bytes <= bytes && folder.ledger.entries <= entries
        });
        finish(folder, before)
    }

    /// Removes every entry, and forgets every file. Modules that are in use stay usable.
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

    /// The folder, locked, when that is `wanted` and possible.
    fn locked(&self, wanted: bool) -> Option<Locked<'_>> {
        let locked = wanted.then(|| Locked::new(self))?;
        locked.inspect_err(|error| self.warn(error)).ok()?
    }

    /// Whether a file is whole; none when it is gone.
    fn is_whole(&self, item: &Item) -> io::Result<Option<bool>> {
        let file = match item.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // A symbolic link is none of ours, nor is a socket.
            Err(error) if is_no_file(&error) => return Ok(Some(false)),
            opened => opened?,
        };
        let stat = rustix::fs::fstat(&file)?;
        let trailer = read_trailer(&file, &stat, item.kind, self.options());
        // One that claims to be larger than the whole folder may be would take for ever to read.
        let trailer = trailer.filter(|trailer| trailer.len <= self.options().max_bytes);
        let Some(trailer) = trailer else { return Ok(Some(false)) };
        let name = crate::key::hex(trailer.digest());
        let whole = match trailer.accepts_file(&file, self.options()) {
            // It became shorter meanwhile.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            whole => whole?,
        };
        Ok(Some(name == item.name && whole))
    }
}

fn is_no_file(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::LOOP | Errno::NXIO))
}

fn finish(folder: Locked<'_>, before: Pruned) -> Pruned {
    let after = folder.ledger;
    folder.done();
    Pruned {
        entries: before.entries.saturating_sub(after.entries),
        bytes: before.bytes.saturating_sub(after.bytes),
    }
}

fn is_old(item: &Item, current: Option<&Fingerprint>) -> bool {
    let is = |build: Build| item.build == build.to_string();
    current.is_some_and(|current| !is(current.build))
}
