//! The ledger: totals of the folder, kept in a file so that they need not be counted.

use crate::folder::Folder;
use std::os::unix::fs::FileExt;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The contents of the file `ledger`. A process locks the folder before it reads or writes them.
/// `bytes` and `entries` are never below the true totals: they grow before a file appears and shrink
/// after it is removed. In a folder with a key any user may have written the file, so it can contain
/// any numbers.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Ledger {
    /// Total size in bytes of modules, bundles and temporary files.
    pub(crate) bytes: u64,
    /// The number of those files.
    pub(crate) entries: u64,
    /// Entries written since the folder was created.
    pub(crate) published: u64,
    /// Entries refused since the folder was created.
    pub(crate) refused: u64,
    /// Entries evicted since the folder was created.
    pub(crate) evicted: u64,
    check: u64,
}

/// Adds to a number of the ledger, which may be as large as fits.
pub(crate) fn add(number: &mut u64, more: u64) {
    *number = number.saturating_add(more);
}

const CHECK: usize = core::mem::offset_of!(Ledger, check);

impl Ledger {
    /// Reads the ledger. None if it does not exist or is damaged.
    pub(crate) fn read(folder: &Folder) -> Option<Ledger> {
        let mut bytes = [0; size_of::<Ledger>()];
        folder.open_file("ledger").ok()?.read_exact_at(&mut bytes, 0).ok()?;
        let ledger = Ledger::read_from_bytes(&bytes).ok()?;
        (ledger.check == ledger.checksum()).then_some(ledger)
    }

    /// Writes the ledger to a new file, because the old one may belong to another user. If that fails
    /// the ledger is removed, and the next process counts the files.
    pub(crate) fn write(mut self, folder: &Folder) {
        self.check = self.checksum();
        if folder.replace_file("ledger", self.as_bytes()).is_err() {
            let _ = folder.unlink("ledger");
        }
    }

    fn checksum(&self) -> u64 {
        // The seed gives zeros a checksum other than zero. A file system may leave zeros after a
        // power failure.
        xxhash_rust::xxh3::xxh3_64_with_seed(&self.as_bytes()[..CHECK], 1)
    }
}
