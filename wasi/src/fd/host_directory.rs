//! `HostDirectory`: an open directory of the host, whose paths the kernel or the sandbox resolves.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, openat};

use super::HostFd;
use super::host_file::require_writable;
use crate::errno::Errno;
use crate::sandbox::{Hidden, Root};
use precast_runtime::Shared;

/// A directory of the host with nothing mounted beneath it.
pub(crate) struct HostDirectory {
    pub(crate) fd: HostFd,
    /// False on a read-only mount. Files opened through the directory inherit it.
    pub(crate) writable: bool,
    /// The name that the guest sees, if the directory is preopened.
    pub(crate) preopen: Option<Arc<Shared<[u8]>>>,
    /// A second descriptor for listing, see [`HostDirectory::listing`].
    pub(crate) listing: Option<OwnedFd>,
    /// The files that are hidden in it, at any depth.
    pub(crate) hidden: Option<Arc<Hidden>>,
}

impl HostDirectory {
    /// The start of path resolutions.
    #[inline]
    pub(crate) fn root(&self) -> Root<'_> {
        Root { fd: self.fd.as_fd(), hidden: self.hidden.as_deref() }
    }

    /// `EROFS` on a read-only mount.
    pub(crate) fn require_writable(&self) -> Result<(), Errno> {
        require_writable(self.writable)
    }
}

impl HostDirectory {
    /// The descriptor for listing. Its position belongs to this instance alone. The descriptor of a
    /// preopened directory is shared between instances, so a second one is opened.
    pub(crate) fn listing(&mut self) -> Result<BorrowedFd<'_>, Errno> {
        if let HostFd::Owned(fd) = &self.fd {
            return Ok(fd.as_fd());
        }
        if self.listing.is_none() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            self.listing = Some(openat(&self.fd, c".", flags, Mode::empty())?);
        }
        self.listing.as_ref().map(|fd| fd.as_fd()).ok_or(Errno::Badf)
    }
}
