//! An entry that was found: checks that the file holds the artifact that was published.

use crate::cache::Cache;
use crate::folder::{DirHandle, is_own};
use crate::key::Key;
use crate::options::{Options, Verify};
use crate::trailer::{self, Kind, Trailer};
use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};
use zerocopy::IntoBytes;

/// An entry that is not as it was published.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the cache entry is damaged")]
pub struct Damage;

/// An entry whose trailer is valid and has the key that was asked for.
///
/// A user of the entry passes its bytes to [`Entry::check`], and then calls [`Entry::accept`] or
/// [`Entry::refuse`].
#[derive(Debug)]
pub struct Entry {
    cache: Cache,
    key: Key,
    trailer: Trailer,
    /// The contents of the file, if it is small.
    small: Option<Box<[u128]>>,
    /// Whether [`Entry::check`] hashes the bytes.
    needs_hash: bool,
    /// Whether another user can write to the file.
    exposed: bool,
    /// The time of its last use, in nanoseconds since 1970.
    used: i128,
}

/// The largest file, in bytes, that is read as a whole together with its trailer.
const SMALL: u64 = 16 << 10;

/// The time of last use is written again only if it is older than this.
const USE_RESOLUTION: Duration = Duration::from_millis(100);

impl Entry {
    /// Reads the trailer of an open file in `dir`. Fails if it is not an entry for `key`.
    pub(crate) fn examine(
        cache: &Cache,
        key: &Key,
        file: &File,
        dir: &DirHandle,
    ) -> Result<Entry, Damage> {
        let options = cache.options();
        let stat = rustix::fs::fstat(file).map_err(|_| Damage)?;
        let (trailer, small) = read_end(file, &stat, Kind::Module, SMALL, options).ok_or(Damage)?;
        if !trailer.is_of(key) {
            return Err(Damage);
        }
        // In a folder that others can write to, they may have even a file of ours open for writing.
        let exposed = dir.exposed || !is_own(&stat, cache.folder().user);
        if exposed && (options.key.is_none() || trailer.len > options.max_bytes) {
            return Err(Damage);
        }
        // A write to the file, or a copy of it, has another time than the one in the trailer.
        let touched = stat.st_mtime != trailer.created || stat.st_mtime_nsec != 0;
        let needs_hash = touched || options.key.is_some() || options.verify == Verify::Full;
        let used = nanos(stat.st_atime, stat.st_atime_nsec as i64);
        let small = small.filter(|_| !exposed);
        Ok(Entry { cache: cache.clone(), key: *key, trailer, small, needs_hash, exposed, used })
    }

    /// Marks an entry as written by this process just now, so that it needs no hash.
    pub(crate) fn just_written(mut self) -> Entry {
        self.needs_hash = self.exposed;
        self
    }

    /// The size of the artifact in bytes. It is at the start of the file.
    pub fn size(&self) -> u64 {
        self.trailer.len
    }

    /// The contents of the file, if it is small: the artifact and the trailer, aligned to 16 bytes.
    /// Reading so few bytes takes less time than mapping them.
    pub fn take_small(&mut self) -> Option<Box<[u128]>> {
        self.small.take()
    }

    /// Whether [`Entry::check`] will read all of the bytes.
    pub fn reads_all(&self) -> bool {
        self.needs_hash
    }

    /// Whether the bytes must be copied before the check, because another user could change them
    /// after it. Only in a cache with a key can this be true.
    pub fn is_exposed(&self) -> bool {
        self.exposed
    }

    /// Reads the artifact's bytes from the file.
    ///
    /// # Errors
    ///
    /// Those of pread(2), and [`io::ErrorKind::FileTooLarge`] if the artifact is larger than the
    /// bound of the whole folder, which no published artifact is.
    pub fn read(&self, file: &File) -> io::Result<Vec<u8>> {
        if self.size() > self.cache.options().max_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = vec![0; usize::try_from(self.size()).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Checks the artifact's bytes as far as the cache's settings demand. The reader of the artifact
    /// checks its header and metadata.
    ///
    /// # Errors
    ///
    /// If they differ from the published ones.
    pub fn check(&self, artifact: &[u8]) -> Result<(), Damage> {
        let whole = artifact.len() as u64 == self.size()
            && (!self.needs_hash || self.trailer.accepts(artifact, self.cache.options()));
        if whole { Ok(()) } else { Err(Damage) }
    }

    /// Counts the entry as used, and records the time of use.
    pub fn accept(self, file: &File) {
        self.cache.counters().hits.add(1);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if now.as_nanos() as i128 - self.used > USE_RESOLUTION.as_nanos() as i128 {
            record_use(file);
        }
    }

    /// Counts the entry as refused. Publishing the module again replaces it.
    pub fn refuse(self) {
        self.cache.refused(&self.key);
    }
}

/// Sets the time of last use of a file to now.
pub(crate) fn record_use(file: &File) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let same = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let times = Timestamps { last_access: now, last_modification: same };
    // A failure does no harm: nothing is evicted from a folder that cannot be written.
    let _ = rustix::fs::futimens(file, &times);
}

/// Reads the trailer of a file of this kind.
pub(crate) fn read_trailer(
    file: &File,
    stat: &Stat,
    kind: Kind,
    options: &Options,
) -> Option<Trailer> {
    read_end(file, stat, kind, 0, options).map(|(trailer, _)| trailer)
}

/// Reads the trailer of a file. Also returns the whole file if it has at most `small` bytes.
fn read_end(
    file: &File,
    stat: &Stat,
    kind: Kind,
    small: u64,
    options: &Options,
) -> Option<(Trailer, Option<Box<[u128]>>)> {
    let size = u64::try_from(stat.st_size).ok()?;
    let at = size.checked_sub(trailer::SIZE as u64)?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !regular {
        return None;
    }
    if size > small {
        let mut bytes = [0; trailer::SIZE];
        file.read_exact_at(&mut bytes, at).ok()?;
        return Trailer::read(&bytes, size, kind, options).map(|trailer| (trailer, None));
    }
    let size = usize::try_from(size).ok()?;
    let mut words = vec![0; size.div_ceil(size_of::<u128>())].into_boxed_slice();
    let whole = words.as_mut_bytes().get_mut(..size)?;
    file.read_exact_at(whole, 0).ok()?;
    let trailer = Trailer::read(whole.last_chunk()?, size as u64, kind, options)?;
    Some((trailer, Some(words)))
}

/// A time in nanoseconds.
pub(crate) fn nanos(seconds: i64, nanos: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}
