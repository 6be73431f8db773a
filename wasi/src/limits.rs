//! `Limits`: how much a guest may make the host keep for it.

/// How much of the host a guest can make use of, beside its own memory. For each instance.
///
/// What a single call allocates is bounded anyway, by a few pages.
///
/// ```
/// # use precast_wasi as wasi;
/// let mut limits = wasi::Limits::default();
/// limits.descriptors = 64;
/// let builder = wasi::Builder::new().limits(limits);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Descriptors open at once, the standard streams among them; one more is `EMFILE`. The host's
    /// own limit may be lower. Default: 16,384.
    pub descriptors: u32,

    /// Bytes of files and symbolic links in each [`Builder::memory_dir`](crate::Builder::memory_dir);
    /// one more is `ENOSPC`. A file counts in units of 4 KiB. Default: 256 MiB.
    pub memory_bytes: u64,

    /// Files, directories, links and further names in each
    /// [`Builder::memory_dir`](crate::Builder::memory_dir); one more is `ENOSPC`. Default: 65,536.
    pub memory_entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { descriptors: 16 * 1024, memory_bytes: 256 << 20, memory_entries: 64 * 1024 }
    }
}
