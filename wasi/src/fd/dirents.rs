//! `Dirents`: the buffer of `fd_readdir`, which is filled with directory entries.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{RawDir, SeekFrom, seek};

use crate::errno::Errno;
use crate::guest::layout::{self, DIRENT_SIZE, Filetype};

/// The size of the buffer on the stack into which the host lists.
const BATCH: usize = 8 * 1024;

/// The guest's buffer, filled with `dirent` records up to `used`.
pub(crate) struct Dirents<'b> {
    buffer: &'b mut [u8],
    used: usize,
}

impl<'b> Dirents<'b> {
    /// An empty buffer.
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Dirents { buffer, used: 0 }
    }

    /// The number of bytes written.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Adds an entry, cut off at the end of the buffer. Returns whether space is left.
    #[inline]
    pub(crate) fn push(&mut self, next: u64, ino: u64, name: &[u8], filetype: Filetype) -> bool {
        // Names have at most 255 bytes.
        let dirent = layout::dirent(next, ino, name.len() as u32, filetype);
        let end = self.used + DIRENT_SIZE + name.len();
        if let Some(room) = self.buffer.get_mut(self.used..end) {
            let (front, back) = room.split_at_mut(DIRENT_SIZE);
            front.copy_from_slice(&dirent);
            copy_name(name, back);
            self.used = end;
            return self.has_room();
        }
        self.used += copy_prefix(&dirent, &mut self.buffer[self.used..]);
        self.used += copy_prefix(name, &mut self.buffer[self.used..]);
        self.has_room()
    }

    fn has_room(&self) -> bool {
        self.used < self.buffer.len()
    }

    /// Adds the entries of a directory of the host from `cookie` on, without those whose names
    /// `keep` rejects.
    pub(crate) fn extend_from_host(
        &mut self,
        dir: BorrowedFd<'_>,
        cookie: u64,
        keep: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Errno> {
        seek(dir, SeekFrom::Start(cookie))?;
        let mut batch = [MaybeUninit::uninit(); BATCH];
        let mut entries = RawDir::new(dir, &mut batch);
        while self.has_room() {
            let Some(entry) = entries.next() else { break };
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            // The parent may be outside the sandbox; inode number 0 means unknown.
            let ino = if name == b".." { 0 } else { entry.ino() };
            if keep(name) {
                self.push(entry.next_entry_cookie(), ino, name, entry.file_type().into());
            }
        }
        Ok(())
    }
}

/// Copies a name. Names of common lengths are copied as two pieces that may overlap: a call of
/// `memcpy` costs as much as the rest of an entry.
#[inline(always)]
fn copy_name(from: &[u8], to: &mut [u8]) {
    match from.len() {
        8..=16 => copy_ends::<8>(from, to),
        17..=32 => copy_ends::<16>(from, to),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first `N` and the last `N` bytes of a name of `N` to `2 * N` bytes.
#[inline(always)]
fn copy_ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    let last = from.len() - N;
    to[..N].copy_from_slice(&from[..N]);
    to[last..].copy_from_slice(&from[last..]);
}

/// Copies as much of `from` as fits into `to`, and returns the number of bytes.
fn copy_prefix(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    to[..n].copy_from_slice(&from[..n]);
    n
}

// A batch must hold the largest entry.
const _: () = assert!(BATCH > 2 * (DIRENT_SIZE + 256));
