//! `HostFile`: an open file, pipe, terminal, device or socket of the host.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{FileType, fstat};
use rustix::termios::isatty;

use super::Rights;
use super::offset::Offset;
use crate::errno::Errno;
use crate::guest::layout::Filetype;
use precast_runtime::Shared;

/// A descriptor of the host.
pub(crate) enum HostFd {
    /// Opened by the guest.
    Owned(OwnedFd),
    /// Granted by the embedder; all instances of a host module share it.
    Granted(Arc<Shared<OwnedFd>>),
    /// Descriptor 0, 1 or 2 of this process.
    Standard(BorrowedFd<'static>),
}

impl AsFd for HostFd {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            HostFd::Owned(fd) => fd.as_fd(),
            HostFd::Granted(fd) => fd.as_fd(),
            HostFd::Standard(fd) => *fd,
        }
    }
}

/// A file, pipe, terminal, device or socket of the host.
pub(crate) struct HostFile {
    pub(crate) fd: HostFd,
    pub(crate) filetype: Filetype,
    /// False on a read-only mount. Then even the timestamps must not change, which the host allows
    /// with a descriptor that is open for reading.
    pub(crate) writable: bool,
    /// The keeper of the file offset.
    pub(crate) offset: Cell<Offset>,
}

impl HostFile {
    /// `EROFS` on a read-only mount.
    pub(crate) fn require_writable(&self) -> Result<(), Errno> {
        require_writable(self.writable)
    }

    pub(crate) fn is_socket(&self) -> bool {
        matches!(self.filetype, Filetype::SocketDgram | Filetype::SocketStream)
    }
}

/// `EROFS` unless `writable`.
pub(super) fn require_writable(writable: bool) -> Result<(), Errno> {
    if writable { Ok(()) } else { Err(Errno::Rofs) }
}

/// The type of the file behind a descriptor of the host.
pub(crate) fn filetype(fd: BorrowedFd<'_>) -> Result<Filetype, Errno> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode).into())
}

/// The rights that apply to a file that is not a directory.
pub(super) fn applicable_rights(filetype: Filetype, fd: BorrowedFd<'_>) -> Rights {
    match filetype {
        Filetype::RegularFile | Filetype::BlockDevice => Rights::FILE,
        Filetype::CharacterDevice if !isatty(fd) => Rights::FILE,
        _ => Rights::STREAM,
    }
}
