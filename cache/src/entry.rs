//! A file of the cache that was found and may be what it should be.

use crate::cache::Cache;
use crate::folder::{Place, is_own};
use crate::key::Key;
use crate::options::{Options, Verify};
use crate::trailer::{self, Kind, Trailer};
use rustix::fs::{FileType, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};
use zerocopy::IntoBytes;

/// An entry is not what it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the cache entry is damaged")]
pub struct Damage;

/// An entry whose trailer is whole and says that it is the one that was asked for.
///
/// Who uses it calls [`Entry::check`] with its bytes and then says what came of it, by
/// [`Entry::accept`] or [`Entry::refuse`].
#[derive(Debug)]
pub struct Entry {
    cache: Cache,
    key: Key,
    trailer: Trailer,
    /// The file, if it is small.
    small: Option<Box<[u128]>>,
    /// Whether its bytes must be hashed.
    unproven: bool,
    /// Whether somebody else can write to the file.
    exposed: bool,
    /// When it was last used, in nanoseconds since 1970.
    used: i128,
}

/// The largest file that is read whole to look at it, in bytes.
const SMALL: u64 = 16 << 10;

/// How old a record of use gets before it is renewed.
const USE_RESOLUTION: Duration = Duration::from_millis(100);

impl Entry {
    /// Looks at an open file, which is in `place`. An error says that it is not the entry for `key`.
    pub(crate) fn examine(
        cache: &Cache,
        key: &Key,
        file: &File,
        place: &Place,
    ) -> Result<Entry, Damage> {
        let options = cache.options();
        let stat = rustix::fs::fstat(file).map_err(|_| Damage)?;
        let (trailer, small) = read_end(file, &stat, Kind::Module, SMALL, options).ok_or(Damage)?;
        if !trailer.is_of(key) {
            return Err(Damage);
        }
        // In a folder of others even a file of ours may be one that they have open for writing.
        let exposed = place.exposed || !is_own(&stat, cache.folder().user);
        if exposed && (options.key.is_none() || trailer.len > options.max_bytes) {
            return Err(Damage);
        }
        // Writing to a file, or copying it, gives it a time that its trailer does not know.
        let touched = stat.st_mtime != trailer.created || stat.st_mtime_nsec != 0;
        let unproven = touched || options.key.is_some() || options.verify == Verify::Full;
        let used = nanos(stat.st_atime, stat.st_atime_nsec as i64);
        let small = small.filter(|_| !exposed);
        Ok(Entry { cache: cache.clone(), key: *key, trailer, small, unproven, exposed, used })
    }

    /// The entry that was just written, which needs no proof.
    pub(crate) fn proven(mut self) -> Entry {
        self.unproven = self.exposed;
        self
    }

    /// Bytes of the artifact, at the start of the file.
    pub fn size(&self) -> u64 {
        self.trailer.len
    }

    /// The file as it was read, if it is small: the artifact and what comes after it, aligned to
    /// 16 bytes. To read so much takes less time than to map it.
    pub fn take_small(&mut self) -> Option<Box<[u128]>> {
        self.small.take()
    }

    /// Whether [`Entry::check`] is going to read all of the bytes.
    pub fn reads_all(&self) -> bool {
        self.unproven
    }

    /// Whether the bytes must be copied before they are checked, as somebody else could change
    /// them afterwards. Only entries of an authenticated cache can be.
    pub fn is_exposed(&self) -> bool {
        self.exposed
    }

    /// The artifact's bytes, read from the file.
    ///
    /// # Errors
    ///
    /// Those of pread(2), and [`io::ErrorKind::FileTooLarge`] when it is larger than the whole
    /// folder may be: then it claims to be what it cannot be.
    pub fn read(&self, file: &File) -> io::Result<Vec<u8>> {
        if self.size() > self.cache.options().max_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = vec![0; usize::try_from(self.size()).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Checks the artifact's bytes as far as the cache's settings ask for. Header and metadata
    /// of an artifact are for its reader to check.
    ///
    /// # Errors
    ///
    /// When they are not the ones that were published.
    pub fn check(&self, artifact: &[u8]) -> Result<(), Damage> {
        let whole = artifact.len() as u64 == self.size()
            && (!self.unproven || self.trailer.accepts(artifact, self.cache.options()));
        if whole { Ok(()) } else { Err(Damage) }
    }

    /// The entry is used: counted, remembered as used now.
    pub fn accept(self, file: &File) {
        self.cache.counters().hits.add(1);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if now.as_nanos() as i128 - self.used > USE_RESOLUTION.as_nanos() as i128 {
            record_use(file);
        }
    }

    /// The entry is not used: counted. Publishing replaces it.
    pub fn refuse(self) {
        self.cache.refused(&self.key);
    }
}

/// Records that a file was used now.
pub(crate) fn record_use(file: &File) {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let same = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let times = Timestamps { last_access: now, last_modification: same };
    // In a folder that cannot be written nothing is evicted either.
    let _ = rustix::fs::futimens(file, &times);
}

/// Reads the trailer of a file that holds `kind`.
pub(crate) fn read_trailer(
    file: &File,
    stat: &Stat,
    kind: Kind,
    options: &Options,
) -> Option<Trailer> {
    read_end(file, stat, kind, 0, options).map(|(trailer, _)| trailer)
}

/// Reads the trailer of a file, and with it the whole file if that has at most `small` bytes.
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

/// A time as one number.
pub(crate) fn nanos(seconds: i64, nanos: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}
