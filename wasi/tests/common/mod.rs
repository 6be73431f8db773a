//! Code that test programs share: a guest that forwards every call of the host to WASI, and
//! temporary directories.
#![allow(dead_code, reason = "no test program needs all of it")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs, process};

use precast_runtime::{CompiledModule, Instance, Memory, Namespace, Runtime, Value};
use precast_wasi::{Builder, Errno};

/// Every function that returns an errno, with its parameters: `i` is an `i32`, `I` an `i64`.
pub(crate) const FUNCTIONS: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// The text of a guest that exports two functions for each function of WASI: one calls it once, the
/// other `n` times. `pages` is the size of its memory.
fn forwarder(pages: u32) -> String {
    let mut text = "(module\n".to_owned();
    for (name, params) in FUNCTIONS {
        let params = types(params);
        writeln!(
            text,
            r#"(import "wasi_snapshot_preview1" "{name}" (func ${name} (param {params}) (result i32)))"#
        )
        .unwrap();
    }
    writeln!(text, r#"(memory (export "memory") {pages} {pages})"#).unwrap();
    for (name, params) in FUNCTIONS {
        let arguments: String = (0..params.len()).map(|i| format!(" (local.get {i})")).collect();
        let params = types(params);
        let call = format!("(call ${name}{arguments})");
        writeln!(
            text,
            r#"(func (export "{name}") (param {params}) (result i32) {call})
(func (export "{name}, often") (param {params}) (param $n i32) (result i32)
  (local $errno i32)
  (loop $again
    (local.set $errno (i32.or (local.get $errno) {call}))
    (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
  (local.get $errno))"#
        )
        .unwrap();
    }
    text.push(')');
    text
}

fn types(params: &str) -> String {
    params.chars().map(|c| if c == 'I' { "i64 " } else { "i32 " }).collect()
}

/// The forwarding guest, with the resources that a [`Builder`] grants.
pub(crate) struct Guest {
    pub(crate) namespace: Box<Namespace>,
    pub(crate) instance: Instance,
    memory: Memory,
}

impl Guest {
    /// A guest with a memory of one page.
    pub(crate) fn new(builder: &Builder) -> Self {
        static MODULE: LazyLock<(Runtime, CompiledModule)> = LazyLock::new(|| {
            let runtime = Runtime::new();
            let module = runtime.compile(&wat::parse_str(forwarder(1)).unwrap()).unwrap();
            (runtime, module)
        });
        let (runtime, module) = &*MODULE;
        let mut namespace = runtime.namespace();
        builder.instantiate(&mut namespace).unwrap();
        let instance = namespace.instantiate(module).unwrap();
        let memory = instance.memory(&namespace, "memory").unwrap();
        Guest { namespace, instance, memory }
    }

    /// The guest's memory.
    pub(crate) fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.namespace).unwrap()
    }

    /// Calls `function` and returns its errno. The arguments are truncated to their types. `Err`:
    /// the call ends the guest.
    pub(crate) fn try_call(
        &mut self,
        function: &str,
        arguments: &[u64],
    ) -> Result<Errno, precast_runtime::Error> {
        let (_, params) = FUNCTIONS.iter().find(|(name, _)| *name == function).unwrap();
        assert_eq!(params.len(), arguments.len(), "{function}");
        let arguments: Vec<_> = params
            .chars()
            .zip(arguments)
            .map(|(c, &value)| match c {
                'I' => Value::I64(value as i64),
                _ => Value::I32(value as i32),
            })
            .collect();
        let results = self.instance.call(&mut self.namespace, function, &arguments)?;
        let Value::I32(code) = results[0] else { panic!("{function} gave {results:?}") };
        Ok(Errno::from_code(u16::try_from(code).unwrap()).unwrap())
    }

    /// [`Guest::try_call`] of a function that does not end the guest.
    pub(crate) fn call(&mut self, function: &str, arguments: &[u64]) -> Errno {
        self.try_call(function, arguments).unwrap()
    }

    pub(crate) fn write(&mut self, at: u32, bytes: &[u8]) {
        self.memory()[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    pub(crate) fn u32_at(&mut self, at: u32) -> u32 {
        u32::from_le_bytes(self.memory()[at as usize..][..4].try_into().unwrap())
    }

    /// Opens `path` in the directory 3 with `oflags` and the usual rights of a file.
    pub(crate) fn open(&mut self, path: &str, oflags: u64) -> Result<u64, Errno> {
        self.open_with(path, oflags, READ | WRITE | SEEK | TELL | FILESTAT)
    }

    /// Opens `path` in the directory 3 with `oflags` and `rights`.
    pub(crate) fn open_with(&mut self, path: &str, oflags: u64, rights: u64) -> Result<u64, Errno> {
        self.write(PATH, path.as_bytes());
        let arguments =
            [3, 1, PATH.into(), path.len() as u64, oflags, rights, !0, 0, RESULT.into()];
        match self.call("path_open", &arguments) {
            Errno::Success => Ok(self.u32_at(RESULT).into()),
            errno => Err(errno),
        }
    }

    /// Calls a function that takes a descriptor and a path.
    pub(crate) fn at_path(&mut self, function: &str, path: &str) -> Errno {
        self.write(PATH, path.as_bytes());
        self.call(function, &[3, PATH.into(), path.len() as u64])
    }

    /// Writes an iovec for a buffer of `len` bytes at [`BUFFER`] to [`IOVEC`].
    pub(crate) fn iovec(&mut self, len: u32) {
        self.write(IOVEC, &BUFFER.to_le_bytes());
        self.write(IOVEC + 4, &len.to_le_bytes());
    }

    /// Writes `len` bytes.
    pub(crate) fn fd_write(&mut self, fd: u64, len: u32) -> Errno {
        self.iovec(len);
        self.call("fd_write", &[fd, IOVEC.into(), 1, RESULT.into()])
    }
}

/// The addresses of an iovec, a result, a path and a buffer in the guest's memory.
pub(crate) const IOVEC: u32 = 64;
pub(crate) const RESULT: u32 = 128;
pub(crate) const PATH: u32 = 1024;
pub(crate) const BUFFER: u32 = 8192;

/// Flags of `path_open`.
pub(crate) const CREAT: u64 = 1;
pub(crate) const DIRECTORY: u64 = 2;
pub(crate) const TRUNC: u64 = 8;

/// Rights.
pub(crate) const READ: u64 = 1 << 1;
pub(crate) const SEEK: u64 = 1 << 2;
pub(crate) const TELL: u64 = 1 << 5;
pub(crate) const WRITE: u64 = 1 << 6;
pub(crate) const ALLOCATE: u64 = 1 << 8;
pub(crate) const READDIR: u64 = 1 << 14;
pub(crate) const FILESTAT: u64 = 1 << 21;

/// A directory for one test, removed with it.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("precast-wasi-{}-{name}", process::id()));
        fs::create_dir(&path).unwrap();
        TempDir(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The number of descriptors that this process has open.
pub(crate) fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
