//! `TableEntry`: an entry of the descriptor table, whose file type may not be known yet.

use std::cell::{Cell, OnceCell};
use std::mem;
use std::os::fd::OwnedFd;

use super::unclassified::UnclassifiedFile;
use super::{Descriptor, FileOrStream, Object, Rights};
use crate::errno::Errno;

/// An entry of the table. At most one of its fields is set; if none is, the number is free.
///
/// [`TableEntry::classify`] turns the second into the first. It works through a shared reference,
/// because every look at a descriptor may need it.
#[derive(Default)]
pub(super) struct TableEntry {
    descriptor: OnceCell<Descriptor>,
    unclassified: Cell<Option<UnclassifiedFile>>,
}

impl TableEntry {
    /// Makes the entry a descriptor.
    #[inline]
    pub(super) fn set(&mut self, descriptor: Descriptor) {
        self.descriptor = OnceCell::from(descriptor);
    }

    /// Makes the entry a file whose type is not known yet.
    #[inline]
    pub(super) fn set_unclassified(&mut self, file: UnclassifiedFile) {
        self.unclassified.set(Some(file));
    }

    /// Frees the entry.
    #[inline]
    pub(super) fn close(&mut self) {
        if let Some(file) = self.unclassified.take() {
            drop(file);
        } else {
            drop(self.descriptor.take());
        }
    }

    #[inline]
    pub(super) fn is_open(&mut self) -> bool {
        self.descriptor.get().is_some() || self.unclassified.get_mut().is_some()
    }

    /// The descriptor, if its type is known.
    #[inline]
    pub(super) fn classified(&self) -> Option<&Descriptor> {
        self.descriptor.get()
    }

    /// The descriptor, if its type is known.
    #[inline]
    pub(super) fn classified_mut(&mut self) -> Option<&mut Descriptor> {
        self.descriptor.get_mut()
    }

    /// The descriptor. `EBADF`: not open.
    #[inline]
    pub(super) fn get(&self) -> Result<&Descriptor, Errno> {
        match self.descriptor.get() {
            Some(descriptor) => Ok(descriptor),
            None => self.classify(),
        }
    }

    /// Asks the host for the file type and makes the file a descriptor.
    #[cold]
    #[inline(never)]
    fn classify(&self) -> Result<&Descriptor, Errno> {
        let file = self.unclassified.take().ok_or(Errno::Badf)?;
        match file.filetype() {
            Ok(filetype) => Ok(self.descriptor.get_or_init(|| file.descriptor(filetype))),
            Err(error) => {
                self.unclassified.set(Some(file));
                Err(error)
            }
        }
    }

    /// See [`FdTable::file`](super::FdTable::file). A file of the host takes no branch.
    #[inline(always)]
    pub(super) fn file(&mut self, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        let is_host_file = |descriptor: &Descriptor| {
            matches!(descriptor.object, Object::HostFile(_)) && descriptor.base.contains(rights)
        };
        if !self.descriptor.get().is_some_and(is_host_file) {
            return self.file_slow(rights);
        }
        match self.descriptor.get_mut() {
            Some(Descriptor { object: Object::HostFile(file), .. }) => {
                Ok(FileOrStream::HostFile(file))
            }
            _ => Err(Errno::Badf),
        }
    }

    /// [`TableEntry::file`] for all other objects, and for missing rights.
    #[cold]
    #[inline(never)]
    fn file_slow(&mut self, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        if self.descriptor.get().is_none() && self.was_used() {
            self.classify()?;
        }
        if self.descriptor.get().is_none() {
            return self.unclassified_file(rights).map(FileOrStream::Unclassified);
        }
        match self.descriptor.get_mut() {
            Some(descriptor) => descriptor.file(rights),
            None => Err(Errno::Badf),
        }
    }

    /// Whether the unclassified file was read or written before. Marks it as used.
    fn was_used(&mut self) -> bool {
        let file = self.unclassified.get_mut().as_mut();
        file.is_some_and(|file| mem::replace(&mut file.used, true))
    }

    /// The unclassified file, to be read or written.
    fn unclassified_file(&mut self, rights: Rights) -> Result<&OwnedFd, Errno> {
        let file = self.unclassified.get_mut().as_ref().ok_or(Errno::Badf)?;
        // `rights` are those to read or to write. Any file opened with them has them, except a
        // directory: the system call fails on it, and the caller then returns `EBADF`.
        if file.base.contains(rights) { Ok(&file.fd) } else { Err(Errno::Badf) }
    }
}
