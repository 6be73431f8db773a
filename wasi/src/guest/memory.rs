//! `Memory`: the memory of the guest that makes a call.
//!
//! Every guest pointer is checked once, by [`Memory::range`], and becomes a slice. Address 0 is
//! valid; pointers need not be aligned.
//!
//! All functions are inlined: around a system call the branch predictors are cold, and each return
//! or jump costs as much as ten instructions.

use std::hint::cold_path;
use std::ops::Range;

use crate::errno::Errno;
use crate::guest::GuestPath;
use crate::guest::layout;

/// The memory the calling instance exports, borrowed for one call.
pub(crate) struct Memory<'a> {
    bytes: &'a mut [u8],
}

impl<'a> Memory<'a> {
    /// The memory of the caller. Without one, every pointer is out of bounds.
    pub(crate) fn new(bytes: Option<&'a mut [u8]>) -> Self {
        Memory { bytes: bytes.unwrap_or_default() }
    }

    /// The range of `len` bytes at `ptr`; `EFAULT` if it is out of bounds.
    #[inline(always)]
    pub(crate) fn range(&self, ptr: u32, len: u32) -> Result<Range<usize>, Errno> {
        let (start, len) = (ptr as usize, len as usize);
        match start.checked_add(len) {
            Some(end) if end <= self.bytes.len() => Ok(start..end),
            _ => {
                cold_path();
                Err(Errno::Fault)
            }
        }
    }

    /// Checks the address of a result before the call has effects that it could not report.
    #[inline(always)]
    pub(crate) fn check(&self, ptr: u32, len: usize) -> Result<(), Errno> {
        self.range(ptr, u32::try_from(len).map_err(|_| Errno::Fault)?).map(drop)
    }

    /// `len` bytes at `ptr`.
    #[inline(always)]
    pub(crate) fn bytes(&self, ptr: u32, len: u32) -> Result<&[u8], Errno> {
        let range = self.range(ptr, len)?;
        Ok(&self.bytes[range])
    }

    /// `len` bytes at `ptr`, for writing.
    #[inline(always)]
    pub(crate) fn bytes_mut(&mut self, ptr: u32, len: u32) -> Result<&mut [u8], Errno> {
        let range = self.range(ptr, len)?;
        Ok(&mut self.bytes[range])
    }

    /// The whole memory, for calls that borrow several buffers at once.
    pub(super) fn whole(&mut self) -> &mut [u8] {
        self.bytes
    }

    /// Writes a record at `ptr`.
    #[inline(always)]
    pub(crate) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?;
        self.bytes_mut(ptr, len)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Writes a `u32` at `ptr`.
    #[inline(always)]
    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    /// Writes a `u64` at `ptr`.
    #[inline(always)]
    pub(crate) fn write_u64(&mut self, ptr: u32, value: u64) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    /// The `iovec` at index `i` of the table at `table`, as (pointer, length).
    #[inline(always)]
    pub(crate) fn iovec(&self, table: &Range<usize>, i: usize) -> (u32, u32) {
        let at = table.start + i * layout::IOVEC_SIZE as usize;
        (layout::u32_at(self.bytes, at), layout::u32_at(self.bytes, at + 4))
    }

    /// The path of `len` bytes at `ptr`.
    pub(crate) fn path(&self, ptr: u32, len: u32) -> Result<GuestPath<'_>, Errno> {
        GuestPath::new(self.bytes(ptr, len)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_checked_to_the_last_byte() {
        let mut bytes = [0; 16];
        let mut memory = Memory::new(Some(&mut bytes));
        assert_eq!(memory.write_u32(12, 7), Ok(()));
        assert_eq!(memory.write_u32(13, 7), Err(Errno::Fault));
        assert_eq!(memory.write_u32(u32::MAX, 7), Err(Errno::Fault));
        assert_eq!(memory.bytes(16, 0), Ok(&[][..]));
        assert_eq!(memory.bytes(17, 0), Err(Errno::Fault));
        assert_eq!(memory.bytes(8, u32::MAX), Err(Errno::Fault));
        assert_eq!(memory.bytes(11, 3), Ok(&[0, 7, 0][..]), "misaligned pointers are fine");
    }

    #[test]
    fn without_memory_every_pointer_is_out_of_bounds() {
        let mut memory = Memory::new(None);
        assert_eq!(memory.write_u32(0, 1), Err(Errno::Fault));
    }
}
