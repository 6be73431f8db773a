//! The contents of a file in memory: pages, and holes that use no memory.

use std::collections::BTreeMap;
use std::io::{IoSlice, IoSliceMut};

use crate::errno::Errno;

/// The unit in which files are allocated.
const PAGE: usize = 4096;

/// The largest size of a file, as on the host.
const MAX_LEN: u64 = i64::MAX as u64;

/// The bytes and entries that are left of a file system's limits.
pub(super) struct Space {
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

impl Space {
    /// Takes `bytes`. `ENOSPC`: fewer are left.
    pub(super) fn take_bytes(&mut self, bytes: u64) -> Result<(), Errno> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Errno::Nospc)?;
        Ok(())
    }

    /// Takes an entry. `ENOSPC`: none is left.
    pub(super) fn take_entry(&mut self) -> Result<(), Errno> {
        self.entries = self.entries.checked_sub(1).ok_or(Errno::Nospc)?;
        Ok(())
    }
}

/// A file's bytes.
#[derive(Default)]
pub(super) struct Pages {
    /// The pages by number. A page that is absent is a hole and reads as zeros.
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
    len: u64,
}

/// The number of the page with the byte `offset`, and the offset in the page.
fn locate(offset: u64) -> (u64, usize) {
    (offset / PAGE as u64, (offset % PAGE as u64) as usize)
}

impl Pages {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The number of bytes that are allocated.
    pub(super) fn size(&self) -> u64 {
        (self.pages.len() * PAGE) as u64
    }

    /// Reads the bytes at `offset` into `bufs` and returns their number.
    pub(super) fn read(&self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> usize {
        let mut at = offset;
        for buf in bufs {
            let mut rest = &mut buf[..];
            while !rest.is_empty() && at < self.len {
                let (number, start) = locate(at);
                let left = usize::try_from(self.len - at).unwrap_or(usize::MAX);
                let n = rest.len().min(PAGE - start).min(left);
                let (piece, tail) = rest.split_at_mut(n);
                match self.pages.get(&number) {
                    Some(page) => piece.copy_from_slice(&page[start..start + n]),
                    None => piece.fill(0),
                }
                at += n as u64;
                rest = tail;
            }
        }
        // No larger than the buffers.
        at.saturating_sub(offset) as usize
    }

    /// Writes `bufs` at `offset`. An error after the first byte shortens the write.
    pub(super) fn write(
        &mut self,
        bufs: &[IoSlice<'_>],
        offset: u64,
        space: &mut Space,
    ) -> Result<usize, Errno> {
        let mut at = offset;
        let mut result = Ok(());
        'buffers: for buf in bufs {
            let mut rest = &buf[..];
            while !rest.is_empty() {
                let (number, start) = locate(at);
                let n = rest.len().min(PAGE - start);
                if at > MAX_LEN - n as u64 {
                    result = Err(Errno::Fbig);
                    break 'buffers;
                }
                match self.page(number, space) {
                    Ok(page) => page[start..start + n].copy_from_slice(&rest[..n]),
                    Err(error) => {
                        result = Err(error);
                        break 'buffers;
                    }
                }
                at += n as u64;
                rest = &rest[n..];
            }
        }
        let n = at - offset;
        if n > 0 {
            self.len = self.len.max(at);
            return Ok(n as usize);
        }
        result.map(|()| 0)
    }

    fn page(&mut self, number: u64, space: &mut Space) -> Result<&mut [u8; PAGE], Errno> {
        use std::collections::btree_map::Entry;
        match self.pages.entry(number) {
            Entry::Occupied(page) => Ok(page.into_mut()),
            Entry::Vacant(hole) => {
                space.take_bytes(PAGE as u64)?;
                Ok(hole.insert(Box::new([0; PAGE])))
            }
        }
    }

    /// Truncates the file, or extends it with a hole. `EFBIG`: too large, as on the host.
    pub(super) fn set_len(&mut self, len: u64, space: &mut Space) -> Result<(), Errno> {
        if len > MAX_LEN {
            return Err(Errno::Fbig);
        }
        if len < self.len {
            let (number, start) = locate(len);
            let mut cut = self.pages.split_off(&number);
            if start > 0
                && let Some(mut page) = cut.remove(&number)
            {
                // The bytes beyond the end read as zeros if the file grows again.
                page[start..].fill(0);
                self.pages.insert(number, page);
            }
            space.bytes += (cut.len() * PAGE) as u64;
        }
        self.len = len;
        Ok(())
    }

    /// Allocates the holes of a region that ends below 2^63.
    pub(super) fn allocate(
        &mut self,
        offset: u64,
        len: u64,
        space: &mut Space,
    ) -> Result<(), Errno> {
        let end = offset + len;
        let numbers = offset / PAGE as u64..end.div_ceil(PAGE as u64);
        // Compared before the loop: a guest may ask for 2^51 pages.
        let there = self.pages.range(numbers.clone()).count() as u64;
        let missing = numbers.end - numbers.start - there;
        if missing.checked_mul(PAGE as u64).is_none_or(|bytes| bytes > space.bytes) {
            return Err(Errno::Nospc);
        }
        for number in numbers {
            self.page(number, space)?;
        }
        self.len = self.len.max(end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pages: &Pages, offset: u64, len: usize) -> Vec<u8> {
        let mut buf = vec![0xff; len];
        let n = pages.read(&mut [IoSliceMut::new(&mut buf)], offset);
        buf.truncate(n);
        buf
    }

    fn write(
        pages: &mut Pages,
        offset: u64,
        bytes: &[u8],
        space: &mut Space,
    ) -> Result<usize, Errno> {
        pages.write(&[IoSlice::new(bytes)], offset, space)
    }

    #[test]
    fn holes_are_zero_and_free() {
        let mut space = Space { bytes: 3 * PAGE as u64, entries: 0 };
        let mut pages = Pages::default();
        assert_eq!(write(&mut pages, 1 << 40, b"far", &mut space), Ok(3));
        assert_eq!((pages.len(), pages.size()), ((1 << 40) + 3, PAGE as u64));
        assert_eq!(read(&pages, 5, 3), [0; 3]);
        assert_eq!(read(&pages, (1 << 40) - 1, 100), b"\0far");
        assert_eq!(read(&pages, 1 << 41, 100), b"");
        assert_eq!(write(&mut pages, u64::MAX - 1, b"xyz", &mut space), Err(Errno::Fbig));
        assert_eq!(pages.set_len(u64::MAX, &mut space), Err(Errno::Fbig));
        pages.set_len(2, &mut space).unwrap();
        assert_eq!((pages.size(), space.bytes), (0, 3 * PAGE as u64));
    }

    #[test]
    fn space_runs_out() {
        let mut space = Space { bytes: 2 * PAGE as u64, entries: 0 };
        let mut pages = Pages::default();
        let written = write(&mut pages, 10, &[7; 3 * PAGE], &mut space);
        assert_eq!(written, Ok(2 * PAGE - 10), "as much as fits");
        assert_eq!(write(&mut pages, 2 * PAGE as u64, b"x", &mut space), Err(Errno::Nospc));
        assert_eq!(pages.allocate(0, 2 * PAGE as u64, &mut space), Ok(()));
        assert_eq!(pages.allocate(0, i64::MAX as u64, &mut space), Err(Errno::Nospc));
        pages.set_len(PAGE as u64 + 1, &mut space).unwrap();
        pages.set_len(2 * PAGE as u64, &mut space).unwrap();
        assert_eq!(read(&pages, PAGE as u64, 3), [7, 0, 0], "bytes that were cut off are zero");
    }
}
