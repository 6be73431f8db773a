//! Arguments and environment: `args_get`, `args_sizes_get`, `environ_get`, `environ_sizes_get`.

use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::blueprint::Wasi;

/// A list of strings as it will lie in guest memory: one after the other, each with a NUL.
///
/// Built once for a host module; handing it to a guest is a copy and the writing of pointers.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    /// Where each string starts.
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
        // So that sizes and counts can be told as `u32`.
        u32::try_from(list.bytes.len()).map_err(|_| Errno::TooBig)?;
        Ok(list)
    }

    /// ```text
    /// writes  pointers: u32[number of strings], bytes: u8[size of strings]
    /// ```
    fn write(&self, memory: &mut Memory<'_>, pointers: u32, bytes: u32) -> Result<(), Errno> {
        memory.write(bytes, &self.bytes)?;
        let table = memory.bytes_mut(pointers, self.starts.len() as u32 * 4)?;
        for (slot, start) in table.chunks_exact_mut(4).zip(&self.starts) {
            // No overflow: the bytes have just been written there.
            slot.copy_from_slice(&(bytes + start).to_le_bytes());
        }
        Ok(())
    }

    /// ```text
    /// writes  count: u32, size: u32
    /// ```
    fn write_sizes(&self, memory: &mut Memory<'_>, count: u32, size: u32) -> Result<(), Errno> {
        memory.write_u32(count, self.starts.len() as u32)?;
        memory.write_u32(size, self.bytes.len() as u32)
    }
}

/// Hands out the arguments, each terminated by a NUL.
///
/// ```text
/// writes  argv: u32[argc], argv_buf: u8[argv_buf_size], as `args_sizes_get` told
/// ```
/// - `EFAULT`: a bad pointer.
///
/// [`args_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#args_get)
pub(crate) fn args_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    argv: u32,
    argv_buf: u32,
) -> Result<(), Errno> {
    wasi.args.write(memory, argv, argv_buf)
}

/// Tells how many arguments there are, and their size with terminators.
///
/// ```text
/// writes  argc: u32, argv_buf_size: u32
/// ```
/// - `EFAULT`: a bad pointer.
///
/// [`args_sizes_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#args_sizes_get)
pub(crate) fn args_sizes_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    argc: u32,
    argv_buf_size: u32,
) -> Result<(), Errno> {
    wasi.args.write_sizes(memory, argc, argv_buf_size)
}

/// Hands out the environment, as `NAME=value` each terminated by a NUL.
///
/// ```text
/// writes  environ: u32[count], environ_buf: u8[size], as `environ_sizes_get` told
/// ```
/// - `EFAULT`: a bad pointer.
///
/// [`environ_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#environ_get)
pub(crate) fn environ_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    environ: u32,
    environ_buf: u32,
) -> Result<(), Errno> {
    wasi.env.write(memory, environ, environ_buf)
}

/// Tells how many variables there are, and their size with terminators.
///
/// ```text
/// writes  count: u32, size: u32
/// ```
/// - `EFAULT`: a bad pointer.
///
/// [`environ_sizes_get`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#environ_sizes_get)
pub(crate) fn environ_sizes_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    count: u32,
    size: u32,
) -> Result<(), Errno> {
    wasi.env.write_sizes(memory, count, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_lie_one_after_the_other() {
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
    fn no_strings_need_no_room() {
        let mut bytes = [0; 4];
        let mut memory = Memory::new(Some(&mut bytes));
        assert_eq!(Strings::default().write(&mut memory, 4, 4), Ok(()));
        assert_eq!(Strings::new(["a\0b"]).err(), Some(Errno::Inval));
    }
}
