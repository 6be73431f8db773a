//! `Limits`: the resources of the host that one guest may use.

mod fd_budget;

pub(crate) use fd_budget::FdReservation;

/// The resources of the host that a guest may use, beside its own memory. They hold for each
/// instance.
///
/// A single call allocates at most a few pages, whatever the limits are.
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
    /// Default: a quarter of the descriptors that the process may have (its soft `RLIMIT_NOFILE`
    /// when this value was made), at least 16 and at most 16,384. The streams, directories and
    /// sockets that the embedder grants do not count. All guests with the default together leave
    /// the host at least a quarter, so each of several guests may get less.
    ///
    /// Any other number is an exact limit for all descriptors of the guest. The host's own limit
    /// may be lower.
    pub descriptors: u32,

    /// Bytes of files and symbolic links in each
    /// [`Builder::memory_dir`](crate::Builder::memory_dir); one more is `ENOSPC`. A file counts in
    /// units of 4 KiB. Default: 256 MiB.
    pub memory_bytes: u64,

    /// Files, directories, links and further names in each
    /// [`Builder::memory_dir`](crate::Builder::memory_dir); one more is `ENOSPC`. Default: 65,536.
    pub memory_entries: u64,

    /// The default of `descriptors` when this value was made.
    pub(crate) default_descriptors: u32,
}

impl Limits {
    /// Whether `descriptors` has its default, and not a number that the embedder has set.
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
