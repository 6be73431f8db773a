//! `OpenRequest`: the flags and rights of a `path_open`, and what follows from them.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::OFlags;

use super::unclassified::UnclassifiedFile;
use super::{Descriptor, Rights, host_flags};
use crate::errno::Errno;
use crate::guest::layout::{Fdflags, Filetype, Oflags};
use crate::sandbox::Hidden;

/// The arguments of `path_open`, without the path.
pub(crate) struct OpenRequest {
    pub(crate) follow: bool,
    pub(crate) oflags: Oflags,
    pub(crate) fdflags: Fdflags,
    pub(crate) base: Rights,
    pub(crate) inheriting: Rights,
}

impl OpenRequest {
    /// Whether the descriptor is opened for writing. A directory cannot be: `EISDIR`.
    pub(crate) fn opens_for_writing(&self) -> bool {
        self.base.contains(Rights::FD_WRITE)
    }

    /// Whether the call, or the new descriptor, can change the file system.
    pub(crate) fn writes(&self) -> bool {
        self.opens_for_writing() || self.oflags.intersects(Oflags::CREAT.with(Oflags::TRUNC))
    }

    /// `EROFS` if the request can change a mount that is not `writable`. With `DIRECTORY` it
    /// cannot: opening for writing then fails because of the file type, as in the kernel on a
    /// read-only file system.
    pub(crate) fn require_writable(&self, writable: bool) -> Result<(), Errno> {
        let changes = self.writes() && !self.oflags.contains(Oflags::DIRECTORY);
        if changes && !writable { Err(Errno::Rofs) } else { Ok(()) }
    }

    /// The base rights that the directory must have.
    pub(crate) fn required_rights(&self) -> Rights {
        let mut rights = Rights::PATH_OPEN;
        if self.oflags.contains(Oflags::CREAT) {
            rights = rights | Rights::PATH_CREATE_FILE;
        }
        // A descriptor with the right to set the size could truncate the file later. Go's library
        // opens directories without the first right and relies on the second.
        if self.oflags.contains(Oflags::TRUNC) && !self.base.contains(Rights::FD_FILESTAT_SET_SIZE)
        {
            rights = rights | Rights::PATH_FILESTAT_SET_SIZE;
        }
        rights
    }

    /// The inheriting rights that the directory must have: those of the new descriptor, and those
    /// that its flags imply.
    pub(crate) fn required_inheriting(&self) -> Rights {
        let mut rights = self.base | self.inheriting;
        if self.fdflags.contains(Fdflags::DSYNC) {
            rights = rights | Rights::FD_DATASYNC;
        }
        if self.fdflags.intersects(Fdflags::SYNC.with(Fdflags::RSYNC)) {
            rights = rights | Rights::FD_SYNC;
        }
        rights
    }

    /// The inheriting rights of the new descriptor. `parent` are those of the directory.
    ///
    /// Zig's library opens a directory with the rights of directories both as base and as
    /// inheriting rights. Files opened through it could have no rights at all. Such a directory
    /// therefore inherits the rights of files from its parent.
    pub(crate) fn inheriting_of(&self, parent: Rights) -> Rights {
        const FILES_ONLY: Rights = Rights::FILE.without(Rights::DIRECTORY);
        let same = self.base == self.inheriting && self.base.contains(Rights::PATH_OPEN);
        match same && self.base & FILES_ONLY == Rights::NONE {
            true => self.inheriting | parent & Rights::FILE,
            false => self.inheriting,
        }
    }

    /// The flags for the host's `open`.
    pub(crate) fn host_flags(&self) -> OFlags {
        // A descriptor without either right can still be used for `fd_filestat_get`, for example.
        let mut flags = match (self.base.contains(Rights::FD_READ), self.opens_for_writing()) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (_, false) => OFlags::RDONLY,
        };
        // An opened terminal must not become the controlling terminal of this process.
        flags |= OFlags::NOCTTY | host_flags(self.fdflags);
        for (guest, host) in [
            (Oflags::CREAT, OFlags::CREATE),
            (Oflags::DIRECTORY, OFlags::DIRECTORY),
            (Oflags::EXCL, OFlags::EXCL),
            (Oflags::TRUNC, OFlags::TRUNC),
        ] {
            flags.set(host, self.oflags.contains(guest));
        }
        flags.set(OFlags::NOFOLLOW, !self.follow);
        flags
    }

    /// The opened file `fd`, whose type is not known yet.
    pub(crate) fn unclassified(
        &self,
        fd: OwnedFd,
        writable: bool,
        hidden: Option<Arc<Hidden>>,
    ) -> UnclassifiedFile {
        let (base, inheriting) = (self.base, self.inheriting);
        UnclassifiedFile { fd, writable, base, inheriting, hidden, used: false }
    }

    /// The descriptor for the opened file `fd`.
    pub(crate) fn descriptor(
        &self,
        fd: OwnedFd,
        writable: bool,
        hidden: Option<Arc<Hidden>>,
    ) -> Result<Descriptor, Errno> {
        let file = self.unclassified(fd, writable, hidden);
        let filetype = match self.oflags.contains(Oflags::DIRECTORY) {
            // The host opens nothing else with `O_DIRECTORY`.
            true => Filetype::Directory,
            false => file.filetype()?,
        };
        Ok(file.descriptor(filetype))
    }
}
