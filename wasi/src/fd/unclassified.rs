//! `UnclassifiedFile`: a file just opened, whose type has not been asked for.
//!
//! The type of a file decides which rights apply to it. Finding the type takes an `fstat`, but many
//! guests open a file, read it once and close it. `path_open` therefore stores the rights it was
//! asked for, and the `fstat` is made for the first call that is not the first read or write. See
//! RATIONALE.md.

use std::cell::Cell;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::host_file::{applicable_rights, filetype};
use super::offset::Offset;
use super::{Descriptor, HostDirectory, HostFd, HostFile, Object, Rights};
use crate::errno::Errno;
use crate::guest::layout::Filetype;
use crate::sandbox::Hidden;

/// A file of the host that a guest has opened: a regular file, a device, a FIFO or a directory.
pub(crate) struct UnclassifiedFile {
    pub(super) fd: OwnedFd,
    /// False on a read-only mount.
    pub(super) writable: bool,
    /// The rights asked for. Some of them may not apply to the type of the file.
    pub(super) base: Rights,
    pub(super) inheriting: Rights,
    /// The files that are hidden in it, if it is a directory.
    pub(super) hidden: Option<Arc<Hidden>>,
    /// Whether it has been read or written.
    pub(super) used: bool,
}

impl UnclassifiedFile {
    /// Asks the host for the type.
    pub(crate) fn filetype(&self) -> Result<Filetype, Errno> {
        filetype(self.fd.as_fd())
    }

    /// The descriptor, with those of the rights asked for that apply to the type.
    pub(crate) fn descriptor(self, filetype: Filetype) -> Descriptor {
        let UnclassifiedFile { fd, writable, base, inheriting, hidden, .. } = self;
        let (object, applicable) = if filetype == Filetype::Directory {
            let fd = HostFd::Owned(fd);
            let directory = HostDirectory { fd, writable, preopen: None, listing: None, hidden };
            (Object::HostDirectory(directory), Rights::DIRECTORY)
        } else {
            let rights = applicable_rights(filetype, fd.as_fd());
            let offset = Cell::new(Offset::of_opened(filetype));
            let file = HostFile { fd: HostFd::Owned(fd), filetype, writable, offset };
            (Object::HostFile(file), rights)
        };
        let base = base & applicable;
        Descriptor { object, opened_for: base & Rights::DATA, base, inheriting }
    }
}
