//! `FdTable`: the descriptor table of an instance.
//!
//! A look-up checks the number first, then the kind of object that the function needs, and the
//! rights last: `fd_read` of a directory is `EBADF` whatever its rights are.

use std::cell::{Cell, RefCell};
use std::mem;

use super::table_entry::TableEntry;
use super::unclassified::UnclassifiedFile;
use super::{
    Descriptor, DirectoryRef, FileOrStream, HostDirectory, HostFile, Object, Rights, Seekable,
};
use crate::errno::Errno;
use crate::fs::mounts;
use crate::guest::MAX_PATH_LEN;
use crate::limits::FdReservation;

/// The descriptors of an instance by number.
pub(crate) struct FdTable {
    entries: Vec<TableEntry>,
    /// The number of open descriptors.
    open: usize,
    /// All numbers below are open.
    lowest: usize,
    /// The size to which the table may grow.
    limit: usize,
    /// The number of descriptors that may be open now: those the embedder has granted and those
    /// that are reserved.
    capacity: Cell<usize>,
    reservation: RefCell<FdReservation>,
    /// The number of descriptors that the embedder has granted: those from 0 on.
    granted: usize,
    /// The first of them that was closed or replaced.
    lost: Option<u32>,
}

/// The number of closed descriptors that stay reserved for later calls.
const SLACK: usize = 32;

impl FdTable {
    /// An empty table for at most `limit` descriptors. If it `shares` the budget of descriptors
    /// with other guests, fewer may be available.
    pub(crate) fn new(limit: u32, shares: bool) -> Self {
        // A descriptor is below 2^31.
        let limit = limit.min(i32::MAX as u32) as usize;
        let reservation = RefCell::new(FdReservation::new(shares));
        let (entries, capacity) = (Vec::new(), Cell::new(0));
        FdTable {
            entries,
            open: 0,
            lowest: 0,
            limit,
            capacity,
            reservation,
            granted: 0,
            lost: None,
        }
    }

    /// `EMFILE` if no descriptor can be added. Checked before a file is opened or created.
    #[inline]
    pub(crate) fn check_capacity(&self) -> Result<(), Errno> {
        if self.open < self.capacity.get() { Ok(()) } else { self.extend_capacity() }
    }

    #[cold]
    fn extend_capacity(&self) -> Result<(), Errno> {
        let capacity = self.capacity.get();
        if capacity >= self.limit {
            return Err(Errno::Mfile);
        }
        let more = self.reservation.borrow_mut().reserve(self.limit - capacity)?;
        self.capacity.set(capacity + more);
        Ok(())
    }

    /// Adds a descriptor that the embedder grants. It needs no reservation.
    pub(crate) fn insert_granted(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        self.capacity.set((self.capacity.get() + 1).min(self.limit));
        self.granted += 1;
        self.insert(descriptor)
    }

    /// Whether the descriptors are those that the embedder has granted; else says what differs.
    pub(crate) fn check_granted(&mut self) -> Result<(), String> {
        if let Some(fd) = self.lost {
            return Err(format!("descriptor {fd}, which was granted, was closed"));
        }
        let mut others = self.entries.iter_mut().enumerate().skip(self.granted);
        match others.find_map(|(fd, entry)| entry.is_open().then_some(fd)) {
            Some(fd) => Err(format!("descriptor {fd} is open, and was not granted")),
            None => Ok(()),
        }
    }

    /// Notes that a descriptor was closed or replaced.
    fn note_lost(&mut self, fd: u32) {
        if (fd as usize) < self.granted {
            self.lost.get_or_insert(fd);
        }
    }

    /// Adds a descriptor with the lowest free number, as POSIX does.
    pub(crate) fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let (fd, entry) = self.free_entry()?;
        entry.set(descriptor);
        Ok(fd)
    }

    /// [`FdTable::insert`] for a file whose type is not known yet.
    pub(crate) fn insert_unclassified(&mut self, file: UnclassifiedFile) -> Result<u32, Errno> {
        let (fd, entry) = self.free_entry()?;
        entry.set_unclassified(file);
        Ok(fd)
    }

    /// The entry with the lowest free number. It counts as open from now on.
    fn free_entry(&mut self) -> Result<(u32, &mut TableEntry), Errno> {
        self.check_capacity()?;
        let free = self.entries[self.lowest..].iter_mut().position(|entry| !entry.is_open());
        let index = free.map_or(self.entries.len(), |free| self.lowest + free);
        if index >= self.limit {
            return Err(Errno::Mfile);
        }
        if index == self.entries.len() {
            self.entries.push(TableEntry::default());
        }
        self.open += 1;
        self.lowest = index + 1;
        // The limit fits into a `u32`.
        Ok((index as u32, &mut self.entries[index]))
    }

    /// Closes `fd`. `EBADF` if it is not open.
    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.open_entry(fd)?.close();
        self.note_lost(fd);
        self.set_free(fd);
        Ok(())
    }

    /// The entry of a number. `EBADF` if it is not open.
    fn open_entry(&mut self, fd: u32) -> Result<&mut TableEntry, Errno> {
        let entry = self.entries.get_mut(fd as usize).ok_or(Errno::Badf)?;
        if entry.is_open() { Ok(entry) } else { Err(Errno::Badf) }
    }

    /// Counts the number `fd` as free.
    fn set_free(&mut self, fd: u32) {
        self.open -= 1;
        self.lowest = self.lowest.min(fd as usize);
        if self.capacity.get() - self.open > 2 * SLACK {
            self.release_slack();
        }
    }

    /// Releases reserved descriptors that are not open.
    #[cold]
    fn release_slack(&mut self) {
        self.capacity.set(self.capacity.get() - SLACK);
        self.reservation.get_mut().release(SLACK);
    }

    /// Moves the descriptor `from` to the number `to`, whose descriptor is closed. Both must be
    /// open, so that a guest cannot make the table grow to any size.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.open_entry(from)?;
        self.open_entry(to)?;
        if from != to {
            let entry = mem::take(self.open_entry(from)?);
            *self.open_entry(to)? = entry;
            self.note_lost(to);
            self.note_lost(from);
            self.set_free(from);
        }
        Ok(())
    }

    /// The descriptor `fd`. `EBADF` if it is not open.
    #[inline]
    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.entries.get(fd as usize).ok_or(Errno::Badf)?.get()
    }

    /// The descriptor `fd`. `EBADF` if it is not open.
    #[inline]
    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        let entry = self.entries.get_mut(fd as usize).ok_or(Errno::Badf)?;
        entry.get()?;
        entry.classified_mut().ok_or(Errno::Badf)
    }

    /// The file or stream `fd`, to be read or written as `rights` say. `EBADF`: a directory.
    ///
    /// The first call for a file that was just opened returns [`FileOrStream::Unclassified`]; the
    /// second asks for its type, because many calls are likely to follow.
    #[inline]
    pub(crate) fn file(&mut self, fd: u32, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        self.entries.get_mut(fd as usize).ok_or(Errno::Badf)?.file(rights)
    }

    /// The file `fd`, for functions that need a file offset. `ESPIPE`: a stream of the embedder.
    #[inline]
    pub(crate) fn seekable(&mut self, fd: u32, rights: Rights) -> Result<Seekable<'_>, Errno> {
        let entry = self.entries.get_mut(fd as usize).ok_or(Errno::Badf)?;
        entry.get()?;
        match entry.file(rights)? {
            FileOrStream::HostFile(file) => Ok(Seekable::HostFile(file)),
            FileOrStream::VirtualFile(file) => Ok(Seekable::VirtualFile(file)),
            FileOrStream::Stream(_) | FileOrStream::Unclassified(_) => Err(Errno::Spipe),
        }
    }

    /// The directory `fd`, from which a path is resolved. `ENOTDIR`: not a directory.
    pub(crate) fn directory(&self, fd: u32, rights: Rights) -> Result<DirectoryRef<'_>, Errno> {
        let descriptor = self.get(fd)?;
        let directory = match &descriptor.object {
            Object::HostDirectory(directory) => DirectoryRef::Host(directory),
            Object::VirtualDirectory(directory) => DirectoryRef::Virtual(directory),
            _ => return Err(Errno::Notdir),
        };
        descriptor.require(rights)?;
        Ok(directory)
    }

    /// [`FdTable::directory`] for functions that change entries. `EROFS`: a directory of the host
    /// on a read-only mount. A virtual directory may contain mounts of both kinds, and is checked
    /// when the path is resolved.
    pub(crate) fn writable_directory(
        &self,
        fd: u32,
        rights: Rights,
    ) -> Result<DirectoryRef<'_>, Errno> {
        let directory = self.directory(fd, rights)?;
        if let DirectoryRef::Host(directory) = &directory {
            directory.require_writable()?;
        }
        Ok(directory)
    }

    /// The directory of the host `fd`. `ENOTDIR`: any other object.
    pub(crate) fn host_directory_mut(&mut self, fd: u32) -> Result<&mut HostDirectory, Errno> {
        match &mut self.get_mut(fd)?.object {
            Object::HostDirectory(directory) => Ok(directory),
            _ => Err(Errno::Notdir),
        }
    }

    /// `ENAMETOOLONG` if a rename of `from` to `to` would give an open directory a location longer
    /// than any path. Otherwise a guest could make locations grow with every rename.
    pub(crate) fn check_relocation(&self, from: &str, to: &str) -> Result<(), Errno> {
        let mut descriptors = self.entries.iter().filter_map(TableEntry::classified);
        let too_long = |descriptor: &Descriptor| match &descriptor.object {
            Object::VirtualDirectory(directory) => mounts::beneath(&directory.location, from)
                .is_some_and(|rest| to.len() + 1 + rest.len() > MAX_PATH_LEN),
            _ => false,
        };
        if descriptors.any(too_long) { Err(Errno::Nametoolong) } else { Ok(()) }
    }

    /// Updates the locations of open directories after a rename of `from` to `to`.
    pub(crate) fn relocate(&mut self, from: &str, to: &str) {
        for descriptor in self.entries.iter_mut().filter_map(TableEntry::classified_mut) {
            if let Object::VirtualDirectory(directory) = &mut descriptor.object
                && let Some(rest) = mounts::beneath(&directory.location, from)
            {
                directory.location = mounts::join(to, rest);
            }
        }
    }

    /// The socket `fd`. `ENOTSOCK`: not a socket.
    pub(crate) fn socket(&self, fd: u32, rights: Rights) -> Result<&HostFile, Errno> {
        let descriptor = self.get(fd)?;
        match &descriptor.object {
            Object::HostFile(file) if file.is_socket() => {
                descriptor.require(rights)?;
                Ok(file)
            }
            _ => Err(Errno::Notsock),
        }
    }
}
