//! The descriptors of an instance.
//!
//! A descriptor is looked up by number, then asked for the kind of thing the function needs, then
//! for the rights: a directory handed to `fd_read` is `EBADF` whatever its rights.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::errno::Errno;
use crate::fd::offset::Offset;
use crate::fd::rights::Rights;
use crate::fd::stream::Stream;
use crate::fd::unclassified::Fresh;
use crate::fd::virtual_file::VirtualFile;
use crate::fs::mounts::{self, Base, Tree};
use crate::guest::MAX_PATH_LEN;
use crate::guest::layout::Filetype;
use crate::limits::fd_budget::Share;
use crate::sandbox::{Hidden, Root};

/// A descriptor of the host.
pub(crate) enum HostFd {
    /// Opened by the guest.
    Owned(OwnedFd),
    /// Given to every instance of a host module.
    Shared(Arc<OwnedFd>),
    /// 0, 1 or 2 of this process.
    Standard(BorrowedFd<'static>),
}

impl AsFd for HostFd {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            HostFd::Owned(fd) => fd.as_fd(),
            HostFd::Shared(fd) => fd.as_fd(),
            HostFd::Standard(fd) => *fd,
        }
    }
}

/// A file, pipe, terminal, device or socket of the host.
pub(crate) struct HostFile {
    pub(crate) fd: HostFd,
    pub(crate) filetype: Filetype,
    /// False if it lies on a read-only mount: then nothing about it may be changed, not even its
    /// timestamps, for which the host would ask for no descriptor open for writing.
    pub(crate) writable: bool,
    /// Who knows where in the file it is.
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

/// A directory of the host.
pub(crate) struct Directory {
    pub(crate) fd: HostFd,
    /// False on a read-only mount, and for all that is opened through it.
    pub(crate) writable: bool,
    /// What the guest calls it, if it was there from the start.
    pub(crate) preopen: Option<Arc<[u8]>>,
    /// A second descriptor to list it with, see [`crate::calls::dirs`].
    pub(crate) listing: Option<OwnedFd>,
    /// What mounts hide in it and below.
    pub(crate) hidden: Option<Arc<Hidden>>,
}

impl Directory {
    /// To resolve paths from.
    #[inline]
    pub(crate) fn root(&self) -> Root<'_> {
        Root { fd: self.fd.as_fd(), hidden: self.hidden.as_deref() }
    }

    /// `EROFS` on a read-only mount.
    pub(crate) fn require_writable(&self) -> Result<(), Errno> {
        require_writable(self.writable)
    }
}

fn require_writable(writable: bool) -> Result<(), Errno> {
    if writable { Ok(()) } else { Err(Errno::Rofs) }
}

/// What a descriptor stands for.
pub(crate) enum Object {
    Host(HostFile),
    Stream(Stream),
    Directory(Directory),
    /// A file that is not the host's.
    Virtual(VirtualFile),
    /// A directory that is not the host's, or has mounts beneath it.
    Tree(Tree),
}

/// An open descriptor.
pub(crate) struct Descriptor {
    pub(crate) object: Object,
    /// Which of `FD_READ` and `FD_WRITE` it was opened for. Rights given up later stay here.
    pub(crate) opened_for: Rights,
    pub(crate) base: Rights,
    pub(crate) inheriting: Rights,
}

impl Descriptor {
    /// `EBADF`, as POSIX has it, for reading or writing what was not opened for that; else
    /// `ENOTCAPABLE` without all of `rights`.
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

    /// Anything but a directory, which is `EBADF`.
    #[inline]
    fn file(&mut self, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        if self.is_directory() {
            return Err(Errno::Badf);
        }
        self.require(rights)?;
        match &mut self.object {
            Object::Host(file) => Ok(FileOrStream::File(file)),
            Object::Stream(stream) => Ok(FileOrStream::Stream(stream)),
            Object::Virtual(file) => Ok(FileOrStream::Virtual(file)),
            Object::Directory(_) | Object::Tree(_) => Err(Errno::Badf),
        }
    }

    pub(crate) fn filetype(&self) -> Filetype {
        match &self.object {
            Object::Host(file) => file.filetype,
            Object::Stream(_) => Filetype::Unknown,
            Object::Virtual(_) => Filetype::RegularFile,
            Object::Directory(_) | Object::Tree(_) => Filetype::Directory,
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.object, Object::Directory(_) | Object::Tree(_))
    }

    /// The host's descriptor, if there is one.
    pub(crate) fn host_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.object {
            Object::Host(file) => Some(file.fd.as_fd()),
            Object::Directory(directory) => Some(directory.fd.as_fd()),
            Object::Stream(_) | Object::Virtual(_) | Object::Tree(_) => None,
        }
    }
}

/// What can be read and written.
pub(crate) enum FileOrStream<'a> {
    File(&'a mut HostFile),
    Stream(&'a mut Stream),
    Virtual(&'a mut VirtualFile),
    /// Of which nobody has asked yet what it is: it may be a directory.
    Fresh(&'a OwnedFd),
}

/// What has a position and a size.
pub(crate) enum Seekable<'a> {
    File(&'a mut HostFile),
    Virtual(&'a mut VirtualFile),
}

/// What a number means: nothing, a file just opened, or a descriptor. The second becomes the third
/// when somebody asks what it is, be it through a shared reference.
#[derive(Default)]
struct Slot {
    known: OnceCell<Descriptor>,
    fresh: Cell<Option<Fresh>>,
}

impl Slot {
    fn is_open(&mut self) -> bool {
        self.known.get().is_some() || self.fresh.get_mut().is_some()
    }

    /// The descriptor. `EBADF` if there is none.
    #[inline]
    fn get(&self) -> Result<&Descriptor, Errno> {
        match self.known.get() {
            Some(descriptor) => Ok(descriptor),
            None => self.settle(),
        }
    }

    /// Finds out what was opened.
    #[cold]
    #[inline(never)]
    fn settle(&self) -> Result<&Descriptor, Errno> {
        let fresh = self.fresh.take().ok_or(Errno::Badf)?;
        match fresh.filetype() {
            Ok(filetype) => Ok(self.known.get_or_init(|| fresh.descriptor(filetype))),
            Err(error) => {
                self.fresh.set(Some(fresh));
                Err(error)
            }
        }
    }

    /// As [`FdTable::file`]. The file of the host comes first, by branches that are not taken.
    #[inline(always)]
    fn file(&mut self, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        let is_host_file = |descriptor: &Descriptor| {
            matches!(descriptor.object, Object::Host(_)) && descriptor.base.contains(rights)
        };
        if !self.known.get().is_some_and(is_host_file) {
            return self.other(rights);
        }
        match self.known.get_mut() {
            Some(Descriptor { object: Object::Host(file), .. }) => Ok(FileOrStream::File(file)),
            _ => Err(Errno::Badf),
        }
    }

    /// As [`Slot::file`], for all that is not a file of the host or lacks the rights.
    #[cold]
    #[inline(never)]
    fn other(&mut self, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        if self.known.get().is_none() && Slot::is_used(&mut self.fresh) {
            self.settle()?;
        }
        match self.known.get_mut() {
            Some(descriptor) => descriptor.file(rights),
            None => Slot::fresh_file(&mut self.fresh, rights).map(FileOrStream::Fresh),
        }
    }

    /// Whether what was opened has been used before. From now on it has.
    fn is_used(fresh: &mut Cell<Option<Fresh>>) -> bool {
        fresh.get_mut().as_mut().is_some_and(|fresh| mem::replace(&mut fresh.used, true))
    }

    /// As [`FdTable::file`], where it is not known to be one.
    fn fresh_file(fresh: &mut Cell<Option<Fresh>>, rights: Rights) -> Result<&OwnedFd, Errno> {
        let fresh = fresh.get_mut().as_ref().ok_or(Errno::Badf)?;
        // Only reading and writing: for all else it must be known what it is. Whatever was opened
        // for one of them may do it, unless it is a directory, which is `EBADF` as well.
        if fresh.base.contains(rights) { Ok(&fresh.fd) } else { Err(Errno::Badf) }
    }
}

/// The table: numbers to descriptors.
pub(crate) struct FdTable {
    slots: Vec<Slot>,
    /// How many of them are open.
    open: usize,
    /// Below it no number is free.
    lowest: usize,
    /// How many numbers there are.
    limit: usize,
    /// How many may be open now: those the embedder has given, and what has been taken since.
    room: Cell<usize>,
    /// What has been taken of the process's descriptors.
    share: RefCell<Share>,
}

/// So many descriptors that are not open any more a guest keeps for the next time.
const SLACK: usize = 32;

impl FdTable {
    /// An empty table, for at most `limit` descriptors, or for fewer if it `shares` with others:
    /// see [`crate::limits::fd_budget`].
    pub(crate) fn new(limit: u32, shares: bool) -> Self {
        // A descriptor is below 2^31.
        let limit = limit.min(i32::MAX as u32) as usize;
        let share = RefCell::new(Share::new(shares));
        FdTable { slots: Vec::new(), open: 0, lowest: 0, limit, room: Cell::new(0), share }
    }

    /// `EMFILE` if no number is free: to be found out before something is opened.
    #[inline]
    pub(crate) fn check_room(&self) -> Result<(), Errno> {
        if self.open < self.room.get() { Ok(()) } else { self.make_room() }
    }

    #[cold]
    fn make_room(&self) -> Result<(), Errno> {
        let room = self.room.get();
        if room >= self.limit {
            return Err(Errno::Mfile);
        }
        let more = self.share.borrow_mut().take(self.limit - room)?;
        self.room.set(room + more);
        Ok(())
    }

    /// Adds a descriptor that is the embedder's: it takes none of the process's.
    pub(crate) fn give(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        self.room.set((self.room.get() + 1).min(self.limit));
        self.insert(descriptor)
    }

    /// Gives the lowest free number to `descriptor`, as POSIX does.
    pub(crate) fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let (fd, slot) = self.free_slot()?;
        slot.known = OnceCell::from(descriptor);
        Ok(fd)
    }

    /// As [`FdTable::insert`], for what may turn out to be anything.
    pub(crate) fn insert_fresh(&mut self, fresh: Fresh) -> Result<u32, Errno> {
        let (fd, slot) = self.free_slot()?;
        slot.fresh.set(Some(fresh));
        Ok(fd)
    }

    /// The lowest free number, which counts as open from now on.
    fn free_slot(&mut self) -> Result<(u32, &mut Slot), Errno> {
        self.check_room()?;
        let free = self.slots[self.lowest..].iter_mut().position(|slot| !slot.is_open());
        let index = free.map_or(self.slots.len(), |free| self.lowest + free);
        if index >= self.limit {
            return Err(Errno::Mfile);
        }
        if index == self.slots.len() {
            self.slots.push(Slot::default());
        }
        self.open += 1;
        self.lowest = index + 1;
        // The limit fits.
        Ok((index as u32, &mut self.slots[index]))
    }

    /// Closes `fd`. `EBADF` if it is not open.
    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        let slot = self.open_slot(fd)?;
        if let Some(fresh) = slot.fresh.take() {
            drop(fresh);
        } else {
            drop(slot.known.take());
        }
        self.vacated(fd);
        Ok(())
    }

    /// The slot of a number. `EBADF` if it is not open.
    fn open_slot(&mut self, fd: u32) -> Result<&mut Slot, Errno> {
        let slot = self.slots.get_mut(fd as usize).ok_or(Errno::Badf)?;
        if slot.is_open() { Ok(slot) } else { Err(Errno::Badf) }
    }

    /// A number is free again.
    fn vacated(&mut self, fd: u32) {
        self.open -= 1;
        self.lowest = self.lowest.min(fd as usize);
        if self.room.get() - self.open > 2 * SLACK {
            self.give_back();
        }
    }

    /// Lets others have what has not been used for a while.
    #[cold]
    fn give_back(&mut self) {
        self.room.set(self.room.get() - SLACK);
        self.share.get_mut().give_back(SLACK);
    }

    /// Makes `to` mean what `from` does and closes what `to` meant. Both must be open: a guest
    /// does not choose how far the table grows.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.open_slot(from)?;
        self.open_slot(to)?;
        if from != to {
            let slot = mem::take(self.open_slot(from)?);
            *self.open_slot(to)? = slot;
            self.vacated(from);
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.slots.get(fd as usize).ok_or(Errno::Badf)?.get()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        let slot = self.slots.get_mut(fd as usize).ok_or(Errno::Badf)?;
        slot.get()?;
        slot.known.get_mut().ok_or(Errno::Badf)
    }

    /// Anything but a directory, which is `EBADF`: to be read or written, as `rights` say. What has
    /// just been opened is [`FileOrStream::Fresh`] once; who comes again is going to come often.
    #[inline]
    pub(crate) fn file(&mut self, fd: u32, rights: Rights) -> Result<FileOrStream<'_>, Errno> {
        self.slots.get_mut(fd as usize).ok_or(Errno::Badf)?.file(rights)
    }

    /// A file. A stream that is none of the host's answers `ESPIPE`: these are the functions that
    /// need a position.
    #[inline]
    pub(crate) fn seekable(&mut self, fd: u32, rights: Rights) -> Result<Seekable<'_>, Errno> {
        let slot = self.slots.get_mut(fd as usize).ok_or(Errno::Badf)?;
        slot.get()?;
        match slot.file(rights)? {
            FileOrStream::File(file) => Ok(Seekable::File(file)),
            FileOrStream::Virtual(file) => Ok(Seekable::Virtual(file)),
            FileOrStream::Stream(_) | FileOrStream::Fresh(_) => Err(Errno::Spipe),
        }
    }

    /// A directory to start a path from; anything else is `ENOTDIR`.
    pub(crate) fn base(&self, fd: u32, rights: Rights) -> Result<Base<'_>, Errno> {
        let descriptor = self.get(fd)?;
        let base = match &descriptor.object {
            Object::Directory(directory) => Base::Host(directory),
            Object::Tree(tree) => Base::Tree(tree),
            _ => return Err(Errno::Notdir),
        };
        descriptor.require(rights)?;
        Ok(base)
    }

    /// As [`FdTable::base`], to change what lies in the directory: `EROFS` if it is one of the
    /// host's on a read-only mount. A tree has mounts of both kinds.
    pub(crate) fn writable_base(&self, fd: u32, rights: Rights) -> Result<Base<'_>, Errno> {
        let base = self.base(fd, rights)?;
        if let Base::Host(directory) = &base {
            directory.require_writable()?;
        }
        Ok(base)
    }

    /// A directory of the host, of which [`FdTable::base`] has said that it is one.
    pub(crate) fn directory_mut(&mut self, fd: u32) -> Result<&mut Directory, Errno> {
        match &mut self.get_mut(fd)?.object {
            Object::Directory(directory) => Ok(directory),
            _ => Err(Errno::Notdir),
        }
    }

    /// `ENAMETOOLONG` if a directory that is open would have a longer location than any path, were
    /// `from` moved to `to`: a guest could make locations grow with every move.
    pub(crate) fn check_relocation(&self, from: &str, to: &str) -> Result<(), Errno> {
        let known = self.slots.iter().filter_map(|slot| slot.known.get());
        let too_long = |descriptor: &Descriptor| match &descriptor.object {
            Object::Tree(tree) => mounts::beneath(&tree.location, from)
                .is_some_and(|rest| to.len() + 1 + rest.len() > MAX_PATH_LEN),
            _ => false,
        };
        if known.into_iter().any(too_long) { Err(Errno::Nametoolong) } else { Ok(()) }
    }

    /// The directory at `from` and all beneath it are now at `to`: so are those that are open.
    pub(crate) fn relocate(&mut self, from: &str, to: &str) {
        for descriptor in self.slots.iter_mut().filter_map(|slot| slot.known.get_mut()) {
            if let Object::Tree(tree) = &mut descriptor.object
                && let Some(rest) = mounts::beneath(&tree.location, from)
            {
                tree.location = mounts::join(to, rest);
            }
        }
    }

    /// A socket; anything else is `ENOTSOCK`.
    pub(crate) fn socket(&self, fd: u32, rights: Rights) -> Result<&HostFile, Errno> {
        let descriptor = self.get(fd)?;
        match &descriptor.object {
            Object::Host(file) if file.is_socket() => {
                descriptor.require(rights)?;
                Ok(file)
            }
            _ => Err(Errno::Notsock),
        }
    }
}
