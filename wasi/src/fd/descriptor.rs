//! `Descriptor`: an open object and its rights.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::virtual_file::VirtualFile;
use super::{HostDirectory, HostFile, Rights, Stream, VirtualDirectory};
use crate::errno::Errno;
use crate::guest::layout::Filetype;

/// The object behind a descriptor.
pub(crate) enum Object {
    HostFile(HostFile),
    HostDirectory(HostDirectory),
    VirtualFile(VirtualFile),
    VirtualDirectory(VirtualDirectory),
    Stream(Stream),
}

/// An open descriptor.
pub(crate) struct Descriptor {
    pub(crate) object: Object,
    /// `FD_READ`, `FD_WRITE` or both, as at the time of opening. Rights that the guest gives up
    /// later remain here.
    pub(crate) opened_for: Rights,
    pub(crate) base: Rights,
    pub(crate) inheriting: Rights,
}

impl Descriptor {
    /// Requires `rights`. `EBADF`, as in POSIX: reading or writing, and the descriptor was not
    /// opened for it. `ENOTCAPABLE`: any other right is missing.
    #[inline]
    pub(crate) fn require(&self, rights: Rights) -> Result<(), Errno> {
        if self.base.contains(rights) { Ok(()) } else { Err(self.refusal(rights)) }
    }

    #[cold]
    fn refusal(&self, rights: Rights) -> Errno {
        if self.opened_for.contains(rights & Rights::DATA) {
            Errno::Notcapable
        } else {
            Errno::Badf
        }
    }

    /// The file or stream. `EBADF`: a directory.
    #[inline]
    pub(super) fn file(&mut self, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        if self.is_directory() {
            return Err(Errno::Badf);
        }
        self.require(rights)?;
        match &mut self.object {
            Object::HostFile(file) => Ok(FileOrStream::HostFile(file)),
            Object::Stream(stream) => Ok(FileOrStream::Stream(stream)),
            Object::VirtualFile(file) => Ok(FileOrStream::VirtualFile(file)),
            Object::HostDirectory(_) | Object::VirtualDirectory(_) => Err(Errno::Badf),
        }
    }

    pub(crate) fn filetype(&self) -> Filetype {
        match &self.object {
            Object::HostFile(file) => file.filetype,
            Object::Stream(_) => Filetype::Unknown,
            Object::VirtualFile(_) => Filetype::RegularFile,
            Object::HostDirectory(_) | Object::VirtualDirectory(_) => Filetype::Directory,
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.object, Object::HostDirectory(_) | Object::VirtualDirectory(_))
    }

    /// The descriptor of the host, if the object is a file or directory of the host.
    pub(crate) fn host_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.object {
            Object::HostFile(file) => Some(file.fd.as_fd()),
            Object::HostDirectory(directory) => Some(directory.fd.as_fd()),
            Object::Stream(_) | Object::VirtualFile(_) | Object::VirtualDirectory(_) => None,
        }
    }
}

/// A readable or writable object.
pub(crate) enum FileOrStream<'a> {
    HostFile(&'a mut HostFile),
    VirtualFile(&'a mut VirtualFile),
    Stream(&'a mut Stream),
    /// A file or directory of the host whose type is not known yet.
    Unclassified(&'a OwnedFd),
}

/// An object with a size and a file offset.
pub(crate) enum Seekable<'a> {
    HostFile(&'a mut HostFile),
    VirtualFile(&'a mut VirtualFile),
}

/// The directory from which a path is resolved.
pub(crate) enum DirectoryRef<'a> {
    Host(&'a HostDirectory),
    Virtual(&'a VirtualDirectory),
}
