//! `Limits`: how much a guest may make the host keep for it.

pub(crate) mod fd_budget;

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
    /// Descriptors open at once; one more is `EMFILE`.
    ///
    /// Default: as many as the host can spare. That is a quarter of what the process may have (its
    /// soft `RLIMIT_NOFILE` when this was made), at least 16 and at most 16,384, beside the streams,
    /// directories and sockets that the embedder gives. All guests with this default together leave
    /// the host at least a quarter, so that with several of them each may get less.
    ///
    /// Any other number holds as it is, for all descriptors of the guest. The host's own limit may
    /// be lower.
    pub descriptors: u32,

    /// Bytes of files and symbolic links in each [`Builder::memory_dir`](crate::Builder::memory_dir);
    /// one more is `ENOSPC`. A file counts in units of 4 KiB. Default: 256 MiB.
    pub memory_bytes: u64,

    /// Files, directories, links and further names in each
    /// [`Builder::memory_dir`](crate::Builder::memory_dir); one more is `ENOSPC`. Default: 65,536.
    pub memory_entries: u64,

    /// What `descriptors` was by default.
    pub(crate) default_descriptors: u32,
}

impl Limits {
    /// Whether nobody has said how many descriptors there may be.
    pub(crate) fn has_default_descriptors(&self) -> bool {
        self.descriptors == self.default_descriptors
    }
}

impl Default for Limits {
    fn default() -> Self {
        let descriptors = fd_budget::default_limit();
        Limits {
            descriptors,
            memory_bytes: 256 << 20,
            memory_entries: 64 * 1024,
            default_descriptors: descriptors,
        }
    }
}
