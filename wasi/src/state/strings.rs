//! `Strings`: the arguments or the environment of a guest.

use crate::errno::Errno;
use crate::guest::Memory;

/// A list of strings in the layout of guest memory: one after the other, each with a NUL.
///
/// It is built once for a host module. To give it to a guest, one copy is made and the pointers are
/// written.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    /// The start of each string.
    starts: Vec<u32>,
}

impl Strings {
    /// `EINVAL`: a string contains a NUL. `E2BIG`: they do not fit into a memory.
    pub(crate) fn new<S: AsRef<[u8]>>(strings: impl IntoIterator<Item = S>) -> Result<Self, Errno> {
        let mut list = Strings::default();
        for string in strings {
            let string = string.as_ref();
            if string.contains(&0) {
                return Err(Errno::Inval);
            }
            list.starts.push(u32::try_from(list.bytes.len()).map_err(|_| Errno::TooBig)?);
            list.bytes.extend_from_slice(string);
            list.bytes.push(0);
        }
        // The size must fit into a `u32`; then the count does too.
        u32::try_from(list.bytes.len()).map_err(|_| Errno::TooBig)?;
        Ok(list)
    }

    /// Writes the strings and a table of pointers to them.
    ///
    /// ```text
    /// writes  pointers: u32[number of strings], bytes: u8[size of strings]
    /// ```
    pub(crate) fn write(
        &self,
        memory: &mut Memory<'_>,
        pointers: u32,
        bytes: u32,
    ) -> Result<(), Errno> {
        memory.write(bytes, &self.bytes)?;
        let table = memory.bytes_mut(pointers, self.starts.len() as u32 * 4)?;
        for (pointer, start) in table.chunks_exact_mut(4).zip(&self.starts) {
            // No overflow: the bytes have just been written there.
            pointer.copy_from_slice(&(bytes + start).to_le_bytes());
        }
        Ok(())
    }

    /// Writes the number of strings and their size.
    ///
    /// ```text
    /// writes  count: u32, size: u32
    /// ```
    pub(crate) fn write_sizes(
        &self,
        memory: &mut Memory<'_>,
        count: u32,
        size: u32,
    ) -> Result<(), Errno> {
        memory.write_u32(count, self.starts.len() as u32)?;
        memory.write_u32(size, self.bytes.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_contiguous() {
        let strings = Strings::new(["a", "", "bc"]).unwrap();
        let mut bytes = [0xff; 32];
        let mut memory = Memory::new(Some(&mut bytes));
        strings.write_sizes(&mut memory, 0, 4).unwrap();
        strings.write(&mut memory, 8, 20).unwrap();
        assert_eq!(bytes[..8], [3, 0, 0, 0, 6, 0, 0, 0]);
        assert_eq!(bytes[8..20], [20, 0, 0, 0, 22, 0, 0, 0, 23, 0, 0, 0]);
        assert_eq!(&bytes[20..27], b"a\0\0bc\0\xff");
    }

    #[test]
    fn an_empty_list_needs_no_memory() {
        let mut bytes = [0; 4];
        let mut memory = Memory::new(Some(&mut bytes));
        assert_eq!(Strings::default().write(&mut memory, 4, 4), Ok(()));
        assert_eq!(Strings::new(["a\0b"]).err(), Some(Errno::Inval));
    }
}
