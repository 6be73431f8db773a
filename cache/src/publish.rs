//! Publishing: a file is written under another name, and appears whole by renaming.

use crate::bounds::{Locked, TEMPORARY};
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

/// A file on its way into the cache.
struct Temporary {
    path: String,
    file: File,
}

impl Cache {
    /// Writes the entry for a key, in place of one that may be there, and opens it. None when it
    /// cannot be kept; if that is because the folder cannot be written, one warning says so.
    pub fn publish(&self, key: &Key, artifact: &[u8]) -> Option<(Entry, File)> {
        self.counters().misses.add(1);
        let path = path_of(key);
        let written = self.put(Kind::Module, key.build, key.digest, &path, artifact)?;
        let (file, place) = self.folder().open_entry(&path).ok()?;
        // By now somebody may have put another file there, which nothing proves.
        if !is_same(&written, &file) {
            return None;
        }
        Entry::examine(self, key, &file, &place).ok().map(|entry| (entry.proven(), file))
    }

    /// Removes the entry for a key, which turned out to be damaged after it was accepted.
    pub fn discard(&self, key: &Key) {
        self.refused(key);
        if let Ok(Some(mut folder)) = Locked::new(self) {
            let removed = folder.replace(&path_of(key));
            add(&mut folder.ledger.refused, removed.into());
            folder.done();
        }
    }

    /// Writes a file with its trailer; what was written, if it is there.
    pub(crate) fn put(
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
            // What is always checked whole need not outlive a power failure.
            let durable = kind == Kind::Module;
            let written = temporary.write(bytes, &trailer, durable);
            let renamed = written.and_then(|()| self.folder().rename(&temporary.path, path));
            renamed.inspect_err(|_| self.give_back(&temporary, size))?;
            Ok(Some(temporary.file))
        };
        let published = put().unwrap_or_else(|error| {
            self.warn(&error);
            None
        });
        self.counters().published.add((published.is_some() && kind == Kind::Module).into());
        published
    }

    /// Makes room for a file of this size, and the file, empty. None if there cannot be room.
    fn reserve(
        &self,
        size: u64,
        kind: Kind,
        build: Build,
        path: &str,
    ) -> io::Result<Option<Temporary>> {
        let Some(mut folder) = Locked::new(self)? else { return Ok(None) };
        // A module's entry is only written where there is none that could be used.
        let replaced = folder.replace(path);
        add(&mut folder.ledger.refused, (replaced && kind == Kind::Module).into());
        if !folder.make_room(size, build) {
            folder.done();
            return Ok(None);
        }
        let temporary = self.temporary()?;
        lock::mark_alive(&temporary.file)?;
        // It counts for whoever looks, from now on.
        temporary.file.set_len(size)?;
        add(&mut folder.ledger.bytes, size);
        add(&mut folder.ledger.entries, 1);
        add(&mut folder.ledger.published, (kind == Kind::Module).into());
        folder.done();
        Ok(Some(temporary))
    }

    /// A new file with a name of its own.
    fn temporary(&self) -> io::Result<Temporary> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = format!("{TEMPORARY}/{process}-{number}");
            match self.folder().create_entry(&path) {
                Ok(file) => return Ok(Temporary { path, file }),
                // A process that had our number, in another container or before the last boot.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Removes a file that could not be written.
    fn give_back(&self, temporary: &Temporary, size: u64) {
        if self.folder().unlink(&temporary.path).is_ok()
            && let Ok(Some(mut folder)) = Locked::new(self)
        {
            folder.subtract(size);
            folder.done();
        }
    }
}

/// Whether two open files are one.
fn is_same(one: &File, other: &File) -> bool {
    let identity = |file| rustix::fs::fstat(file).ok().map(|stat| (stat.st_dev, stat.st_ino));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

impl Temporary {
    /// Writes all of it, and if it is to be durable returns when it is on disk.
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
