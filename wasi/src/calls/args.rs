//! Arguments and environment: `args_get`, `args_sizes_get`, `environ_get`, `environ_sizes_get`.

use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::Wasi;

/// Writes the arguments, each terminated by a NUL.
///
/// ```text
/// writes  argv: u32[argc], argv_buf: u8[argv_buf_size], sizes from `args_sizes_get`
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

/// Writes the number of arguments, and their size with terminators.
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

/// Writes the environment variables as `NAME=value`, each terminated by a NUL.
///
/// ```text
/// writes  environ: u32[count], environ_buf: u8[size], sizes from `environ_sizes_get`
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

/// Writes the number of environment variables, and their size with terminators.
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
