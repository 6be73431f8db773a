//! Publishing: a file is written under a temporary name, and appears complete by renaming.

use crate::bounds::{LockedFolder, TEMPORARY};
use crate::cache::{Cache, path_of};
use crate::entry::Entry;
use crate::key::{Build, Key};
use crate::ledger::add;
use crate::lock;
use crate::trailer::{self, Kind, Trailer};
use rustix::fs::{Timespec, Timestamps, UTIME_NOW};
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use zerocopy::IntoBytes;

/// A temporary file: one that is being written.
struct Temporary {
    path: String,
    file: File,
}

impl Cache {
    /// Writes the entry for a key and opens it. Replaces an earlier one. None if the entry cannot be
    /// stored. If the folder cannot be written, the cache gives its one warning.
    pub fn publish(&self, key: &Key, artifact: &[u8]) -> Option<(Entry, File)> {
        self.counters().misses.add(1);
        let path = path_of(key);
        let written = self.write_file(Kind::Module, key.build, key.digest, &path, artifact)?;
        let (file, dir) = self.folder().open_entry(&path).ok()?;
        // Another process may have put another, unchecked file there since.
        if !is_same(&written, &file) {
            return None;
        }
        Entry::examine(self, key, &file, &dir).ok().map(|entry| (entry.just_written(), file))
    }

    /// Removes the entry for a key that was found damaged after it had been accepted.
    pub fn discard(&self, key: &Key) {
        self.refused(key);
        if let Ok(Some(mut folder)) = LockedFolder::new(self) {
            let removed = folder.replace(&path_of(key));
            add(&mut folder.ledger.refused, removed.into());
            folder.unlock();
        }
    }

    /// Writes a file with its trailer. None if that failed.
    pub(crate) fn write_file(
        &self,
        kind: Kind,
        build: Build,
        digest: [u8; 32],
        path: &str,
        bytes: &[u8],
    ) -> Option<File> {
        let created = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let created = created.map_or(0, |d| d.as_secs() as i64);
        let trailer = Trailer::new(kind, digest, bytes, created, self.options());
        let put = || -> io::Result<Option<File>> {
            let size = (bytes.len() + trailer::SIZE) as u64;
            let Some(temporary) = self.reserve(size, kind, build, path)? else { return Ok(None) };
            // A bundle is always checked as a whole, so it may be lost in a power failure.
            let durable = kind == Kind::Module;
            let written = temporary.write(bytes, &trailer, durable);
            let renamed = written.and_then(|()| self.folder().rename(&temporary.path, path));
            renamed.inspect_err(|_| self.release(&temporary, size))?;
            Ok(Some(temporary.file))
        };
        let published = put().unwrap_or_else(|error| {
            self.warn(&error);
            None
        });
        self.counters().published.add((published.is_some() && kind == Kind::Module).into());
        published
    }

    /// Makes room for a file of this size and creates a temporary file. None if there is no room.
    fn reserve(
        &self,
        size: u64,
        kind: Kind,
        build: Build,
        path: &str,
    ) -> io::Result<Option<Temporary>> {
        let Some(mut folder) = LockedFolder::new(self)? else { return Ok(None) };
        // A module is published only if no entry is usable, so one that exists was refused.
        let replaced = folder.replace(path);
        add(&mut folder.ledger.refused, (replaced && kind == Kind::Module).into());
        if !folder.make_room(size, build) {
            folder.unlock();
            return Ok(None);
        }
        let temporary = self.temporary()?;
        lock::mark_alive(&temporary.file)?;
        // From now on the size of the file counts for every process that counts files.
        temporary.file.set_len(size)?;
        add(&mut folder.ledger.bytes, size);
        add(&mut folder.ledger.entries, 1);
        add(&mut folder.ledger.published, (kind == Kind::Module).into());
        folder.unlock();
        Ok(Some(temporary))
    }

    /// Creates a temporary file with a unique name.
    fn temporary(&self) -> io::Result<Temporary> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = format!("{TEMPORARY}/{process}-{number}");
            match self.folder().create_entry(&path) {
                Ok(file) => return Ok(Temporary { path, file }),
                // A process had the same ID, in another container or before the last boot.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes a temporary file that could not be written or renamed.
    fn release(&self, temporary: &Temporary, size: u64) {
        if self.folder().unlink(&temporary.path).is_ok()
            && let Ok(Some(mut folder)) = LockedFolder::new(self)
        {
            folder.subtract(size);
            folder.unlock();
        }
    }
}

/// Whether two open files are the same file.
fn is_same(one: &File, other: &File) -> bool {
    let file_id = |file| rustix::fs::fstat(file).ok().map(|stat| (stat.st_dev, stat.st_ino));
    file_id(one).is_some_and(|one| file_id(other) == Some(one))
}

impl Temporary {
    /// Writes the contents, the trailer and the times. If `durable`, returns after they are on disk.
    fn write(&self, bytes: &[u8], trailer: &Trailer, durable: bool) -> io::Result<()> {
        let mut file = &self.file;
        file.write_all(bytes)?;
        file.write_all(trailer.as_bytes())?;
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let created = Timespec { tv_sec: trailer.created, tv_nsec: 0 };
        let times = Timestamps { last_access: now, last_modification: created };
        rustix::fs::futimens(file, &times)?;
        if durable { file.sync_all() } else { Ok(()) }
    }
}
