//! Tests of the functions of WASI, which are called directly: the guest is an array of memory.

mod dirs;
mod fd_table;
mod files;
mod hidden;
mod model;
mod mounts;
mod paths;
mod poll;
mod preview0;
mod pseudo_fs;
mod rights;
mod sockets;
mod stdio;
mod virtual_fs;

use std::fs;
use std::path::PathBuf;

use crate::builder::Builder;
use crate::calls::path_open::path_open;
use crate::calls::{fd_io, fd_meta};
use crate::errno::Errno;
use crate::fd::Rights;
use crate::guest::Memory;
use crate::guest::layout::{self, Filetype};
use crate::sandbox::tests::TempDir;
use crate::state::Wasi;

/// The address of results.
const OUT: u32 = 0;
/// The address of the table of buffers.
const IOVS: u32 = 64;
/// The addresses of the first and the second path.
const PATH: u32 = 0x1000;
const PATH2: u32 = 0x2000;
/// The address of data.
const DATA: u32 = 0x4000;

/// The first preopened directory.
const DIR: u32 = 3;

/// The flags of `path_open`, as numbers.
const CREAT: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCL: u32 = 4;
const TRUNC: u32 = 8;
const FOLLOW: u32 = 1;
const APPEND: u32 = 1;

/// A guest with 64 KiB of memory.
struct Guest {
    wasi: Wasi,
    memory: Vec<u8>,
}

impl Guest {
    fn new(builder: Builder) -> Self {
        let wasi = builder.blueprint().unwrap().instantiate().unwrap();
        Guest { wasi, memory: vec![0; 0x10000] }
    }

    /// Calls a function of WASI.
    fn call<R>(&mut self, function: impl FnOnce(&mut Wasi, &mut Memory<'_>) -> R) -> R {
        function(&mut self.wasi, &mut Memory::new(Some(&mut self.memory)))
    }

    fn put(&mut self, at: u32, bytes: &[u8]) -> u32 {
        self.memory[at as usize..][..bytes.len()].copy_from_slice(bytes);
        bytes.len() as u32
    }

    fn get(&self, at: u32, len: u32) -> &[u8] {
        &self.memory[at as usize..][..len as usize]
    }

    fn u32(&self, at: u32) -> u32 {
        layout::u32_at(&self.memory, at as usize)
    }

    fn u64(&self, at: u32) -> u64 {
        layout::u64_at(&self.memory, at as usize)
    }

    /// Writes a table with one buffer of `len` bytes at `DATA`.
    fn one_buffer(&mut self, len: u32) {
        self.put(IOVS, &DATA.to_le_bytes());
        self.put(IOVS + 4, &len.to_le_bytes());
    }

    /// Opens with all inheriting rights, for reading and writing or only for reading.
    fn open(&mut self, path: &str, oflags: u32, write: bool) -> Result<u32, Errno> {
        let rights = if write { Rights::ALL } else { Rights::ALL.without(Rights::FD_WRITE) };
        self.open_with(DIR, FOLLOW, path, oflags, rights, 0)
    }

    fn open_with(
        &mut self,
        dir: u32,
        dirflags: u32,
        path: &str,
        oflags: u32,
        rights: Rights,
        fdflags: u32,
    ) -> Result<u32, Errno> {
        let len = self.put(PATH, path.as_bytes());
        let (base, inheriting) = (rights.bits(), Rights::ALL.bits());
        self.call(|w, m| {
            path_open(w, m, dir, dirflags, PATH, len, oflags, base, inheriting, fdflags, OUT)
        })?;
        Ok(self.u32(OUT))
    }

    fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.call(|w, m| fd_meta::fd_close(w, m, fd))
    }

    fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
        self.put(DATA, bytes);
        self.one_buffer(bytes.len() as u32);
        self.call(|w, m| fd_io::fd_write(w, m, fd, IOVS, 1, OUT))?;
        Ok(self.u32(OUT))
    }

    fn read(&mut self, fd: u32, len: u32) -> Result<Vec<u8>, Errno> {
        self.one_buffer(len);
        self.call(|w, m| fd_io::fd_read(w, m, fd, IOVS, 1, OUT))?;
        Ok(self.get(DATA, self.u32(OUT)).to_vec())
    }

    fn seek(&mut self, fd: u32, offset: i64, whence: u32) -> Result<u64, Errno> {
        self.call(|w, m| fd_io::fd_seek(w, m, fd, offset, whence, OUT))?;
        Ok(self.u64(OUT))
    }

    /// Calls a function with one path.
    fn with_path<R>(
        &mut self,
        path: &str,
        function: impl FnOnce(&mut Wasi, &mut Memory<'_>, u32, u32) -> R,
    ) -> R {
        let len = self.put(PATH, path.as_bytes());
        self.call(|w, m| function(w, m, PATH, len))
    }

    /// Calls a function with two paths.
    fn with_paths<R>(
        &mut self,
        old: &str,
        new: &str,
        function: impl FnOnce(&mut Wasi, &mut Memory<'_>, (u32, u32), (u32, u32)) -> R,
    ) -> R {
        let (old, new) = (self.put(PATH, old.as_bytes()), self.put(PATH2, new.as_bytes()));
        self.call(|w, m| function(w, m, (PATH, old), (PATH2, new)))
    }

    fn filetype(&mut self, fd: u32) -> Result<u8, Errno> {
        self.call(|w, m| fd_meta::fd_filestat_get(w, m, fd, OUT))?;
        Ok(self.memory[OUT as usize + 16])
    }

    fn rights(&mut self, fd: u32) -> (Rights, Rights) {
        self.call(|w, m| fd_meta::fd_fdstat_get(w, m, fd, OUT)).unwrap();
        (Rights::from_bits(self.u64(OUT + 8)), Rights::from_bits(self.u64(OUT + 16)))
    }
}

/// A guest with a writable directory at [`DIR`], and the directory on the host.
struct Mounted {
    guest: Guest,
    temp: TempDir,
}

impl Mounted {
    fn new(portable_paths: bool) -> Self {
        let temp = TempDir::new();
        let builder = Builder::new().dir(temp.path(), "/").portable_paths(portable_paths);
        Mounted { guest: Guest::new(builder), temp }
    }

    fn host(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    fn file(&self, path: &str, contents: &str) {
        fs::write(self.host(path), contents).unwrap();
    }

    fn contents(&self, path: &str) -> String {
        fs::read_to_string(self.host(path)).unwrap()
    }
}

/// Runs a test with each implementation of path resolution, in a directory of its own.
fn both(test: impl Fn(Mounted)) {
    for portable_paths in [false, true] {
        test(Mounted::new(portable_paths));
    }
}
