//! How much the folder holds, without looking at all of it.

use crate::folder::Folder;
use std::os::unix::fs::FileExt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The contents of the file `ledger`. A process locks the folder before it reads or writes them. In a
/// folder with a key anybody may have written the file, so any number may stand there. Bytes and
/// entries are never less than what is there: they are added before a file appears, and taken away
/// after it is gone.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Ledger {
    /// Bytes of all files that count.
    pub(crate) bytes: u64,
    /// How many those are.
    pub(crate) entries: u64,
    /// Entries written since the folder exists.
    pub(crate) published: u64,
    /// Entries refused since then.
    pub(crate) refused: u64,
    /// Entries removed to keep within bounds since then.
    pub(crate) evicted: u64,
    check: u64,
}

/// Adds to a number of the ledger.
pub(crate) fn add(number: &mut u64, more: u64) {
    *number = number.saturating_add(more);
}

const CHECK: usize = core::mem::offset_of!(Ledger, check);

impl Ledger {
    /// Reads it; none if there is none, or it is damaged.
    pub(crate) fn read(folder: &Folder) -> Option<Ledger> {
        let mut bytes = [0; size_of::<Ledger>()];
        folder.open_file("ledger").ok()?.read_exact_at(&mut bytes, 0).ok()?;
        let ledger = Ledger::read_from_bytes(&bytes).ok()?;
        (ledger.check == ledger.checksum()).then_some(ledger)
    }

    /// Writes it, in a new file: the old one may be anybody's. If that fails the next one counts
    /// anew, which needs no more than an old ledger that is gone.
    pub(crate) fn write(mut self, folder: &Folder) {
        self.check = self.checksum();
        if folder.replace_file("ledger", self.as_bytes()).is_err() {
            let _ = folder.unlink("ledger");
        }
    }

    fn checksum(&self) -> u64 {
        // Not zero for zeros, which a file system may leave after a power failure.
        xxhash_rust::xxh3::xxh3_64_with_seed(&self.as_bytes()[..CHECK], 1)
    }
}
