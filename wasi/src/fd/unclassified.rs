//! A file just opened, of which nobody has asked yet what it is.
//!
//! What a descriptor is decides its rights. To know it takes an `fstat`, and many a guest opens,
//! reads once and closes without caring. So `path_open` keeps what it was asked for, and what follows
//! from the type is found out when something other than that is done. See RATIONALE.md.

use std::cell::Cell;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use crate::calls::path_open::{self, rights_of};
use crate::errno::Errno;
use crate::fd::offset::Offset;
use crate::fd::rights::Rights;
use crate::fd::table::{Descriptor, Directory, HostFd, HostFile, Object};
use crate::guest::layout::Filetype;
use crate::sandbox::Hidden;

/// A file of the host that a guest has opened: a regular file, a device, a FIFO, a directory.
pub(crate) struct Fresh {
    pub(crate) fd: OwnedFd,
    /// False on a read-only mount.
    pub(crate) writable: bool,
    /// The rights asked for. Those that mean nothing for what it is are not had.
    pub(crate) base: Rights,
    pub(crate) inheriting: Rights,
    /// What mounts hide in it, should it be a directory.
    pub(crate) hidden: Option<Arc<Hidden>>,
    /// Whether it has been read or written.
    pub(crate) used: bool,
}

impl Fresh {
    /// What it is, says the host.
    pub(crate) fn filetype(&self) -> Result<Filetype, Errno> {
        path_open::filetype(self.fd.as_fd())
    }

    /// The descriptor, with those of the rights asked for that mean something for what it is.
    pub(crate) fn descriptor(self, filetype: Filetype) -> Descriptor {
        let Fresh { fd, writable, base, inheriting, hidden, .. } = self;
        let (object, applicable) = if filetype == Filetype::Directory {
            let fd = HostFd::Owned(fd);
            let directory = Directory { fd, writable, preopen: None, listing: None, hidden };
            (Object::Directory(directory), Rights::DIRECTORY)
        } else {
            let rights = rights_of(filetype, fd.as_fd());
            let offset = Cell::new(Offset::of_opened(filetype));
            (Object::Host(HostFile { fd: HostFd::Owned(fd), filetype, writable, offset }), rights)
        };
        let base = base & applicable;
        Descriptor { object, opened_for: base & Rights::DATA, base, inheriting }
    }
}
