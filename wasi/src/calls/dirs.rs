//! Listing directories: `fd_readdir`.
//!
//! A cookie is the host's own position in the directory. So nothing is kept between two calls but
//! a descriptor: a listing survives entries that come and go, may start again anywhere, and costs
//! no memory.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags, RawDir, SeekFrom, openat, seek};

use crate::errno::Errno;
use crate::fd::rights::Rights;
use crate::fd::table::{Directory, HostFd};
use crate::fs::mounts::Base;
use crate::guest::Memory;
use crate::guest::layout::{self, DIRENT_SIZE, Filetype};
use crate::state::blueprint::Wasi;

/// What the host lists at once, on the stack.
const BATCH: usize = 8 * 1024;

/// Lists a directory from a cookie on; 0 is the start. `.` and `..` are listed too.
///
/// The last entry may be cut off, its `dirent` too: then the guest asks again from the cookie
/// before it, with a larger buffer. Less than `buf_len` bytes mean the end.
///
/// ```text
/// writes  buf: u8[buf_len], dirents each followed by its name; bufused: u32
/// ```
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: the host never gave out such a cookie.
/// - `ENOTCAPABLE`: without `FD_READDIR`.
/// - `ENOTDIR`: no directory.
/// - `EFAULT`: a bad pointer.
///
/// [`fd_readdir`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#fd_readdir),
/// [getdents64(2)](https://man7.org/linux/man-pages/man2/getdents.2.html)
pub(crate) fn fd_readdir(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    buf: u32,
    buf_len: u32,
    cookie: u64,
    bufused: u32,
) -> Result<(), Errno> {
    memory.check(bufused, 4)?;
    let buffer = memory.bytes_mut(buf, buf_len)?;
    let mut dirents = Dirents { buffer, used: 0 };
    match wasi.fds.base(fd, Rights::FD_READDIR)? {
        Base::Host(_) => {
            let directory = wasi.fds.directory_mut(fd)?;
            list(listing(directory)?, cookie, &mut dirents, |_| true)?;
        }
        Base::Tree(tree) => tree.list(wasi, cookie, &mut dirents)?,
    }
    // At most `buf_len`.
    let used = dirents.used as u32;
    memory.write_u32(bufused, used)
}

/// The descriptor to list a directory with. Its position belongs to this instance alone, which of
/// a preopened directory's descriptor is not so.
fn listing(directory: &mut Directory) -> Result<BorrowedFd<'_>, Errno> {
    if let HostFd::Owned(fd) = &directory.fd {
        return Ok(fd.as_fd());
    }
    let listing = &mut directory.listing;
    if listing.is_none() {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        *listing = Some(openat(&directory.fd, c".", flags, Mode::empty())?);
    }
    listing.as_ref().map(|fd| fd.as_fd()).ok_or(Errno::Badf)
}

/// The guest's buffer, as far as it is filled.
pub(crate) struct Dirents<'b> {
    buffer: &'b mut [u8],
    used: usize,
}

impl Dirents<'_> {
    /// Adds an entry, as much of it as there is room for, and answers whether there is more.
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
}

/// Tells `dirents` the entries of a directory of the host from `cookie` on, but for those whose
/// names are not to be kept.
pub(crate) fn list(
    dir: BorrowedFd<'_>,
    cookie: u64,
    dirents: &mut Dirents<'_>,
    keep: impl Fn(&[u8]) -> bool,
) -> Result<(), Errno> {
    seek(dir, SeekFrom::Start(cookie))?;
    let mut batch = [MaybeUninit::uninit(); BATCH];
    let mut entries = RawDir::new(dir, &mut batch);
    while dirents.has_room() {
        let Some(entry) = entries.next() else { break };
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        // The parent may lie outside the sandbox; 0 says that the number is not known.
        let ino = if name == b".." { 0 } else { entry.ino() };
        if keep(name) {
            dirents.push(entry.next_entry_cookie(), ino, name, entry.file_type().into());
        }
    }
    Ok(())
}

/// Copies a name. Those of common lengths in two pieces that may overlap: a call of `memcpy` costs
/// as much as the rest of an entry.
#[inline(always)]
fn copy_name(from: &[u8], to: &mut [u8]) {
    match from.len() {
        8..=16 => copy_ends::<8>(from, to),
        17..=32 => copy_ends::<16>(from, to),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first `N` bytes and the last `N`, of `N` to `2 * N`.
#[inline(always)]
fn copy_ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    let last = from.len() - N;
    to[..N].copy_from_slice(&from[..N]);
    to[last..].copy_from_slice(&from[last..]);
}

/// Copies as much of `from` as `to` has room for.
fn copy_prefix(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    to[..n].copy_from_slice(&from[..n]);
    n
}

// A batch must hold the largest entry.
const _: () = assert!(BATCH > 2 * (DIRENT_SIZE + 256));
