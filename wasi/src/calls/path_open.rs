//! Opening files: `path_open`.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::termios::isatty;

use crate::calls::fd_meta::host_flags;
use crate::errno::Errno;
use crate::fd::rights::Rights;
use crate::fd::table::Descriptor;
use crate::fd::unclassified::Fresh;
use crate::fs::mounts::Base;
use crate::guest::Memory;
use crate::guest::layout::{Fdflags, Filetype, Lookupflags, Oflags};
use crate::sandbox::Hidden;
use crate::state::blueprint::Wasi;

/// Opens a file or directory beneath a directory.
///
/// ```text
/// reads   path: u8[path_len]
/// writes  opened: u32
/// ```
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: no such flag; `CREAT` with `DIRECTORY`; a NUL in the path.
/// - `ELOOP`: too many symbolic links, or one that must not be followed.
/// - `ENOTCAPABLE`: without `PATH_OPEN`, the rights for the flags, or a right asked for that the
///   directory does not pass on.
/// - `ENOTDIR`: the descriptor, something on the way, or what `DIRECTORY` asks to be one is none.
/// - `EPERM`: the path leads outside the directory.
/// - `EROFS`: writing, creating or truncating on a read-only mount.
/// - `EFAULT`, `EILSEQ`, `ENAMETOOLONG`: a bad path.
/// - `EMFILE`: too many descriptors.
/// - `EISDIR`: a directory, to be written, emptied or made; with `DIRECTORY` too.
/// - what the host says: `EACCES`, `EEXIST`, `ENFILE`, `ENOENT`, `ENOSPC`, ...
///
/// [`path_open`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_open),
/// [openat2(2)](https://man7.org/linux/man-pages/man2/openat2.2.html)
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
pub(crate) fn path_open(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    dirflags: u32,
    path: u32,
    path_len: u32,
    oflags: u32,
    base: u64,
    inheriting: u64,
    fdflags: u32,
    opened: u32,
) -> Result<(), Errno> {
    memory.check(opened, 4)?;
    let path = memory.path(path, path_len)?;
    let mut request = Request {
        follow: Lookupflags::from_guest(dirflags)?.contains(Lookupflags::SYMLINK_FOLLOW),
        oflags: Oflags::from_guest(oflags)?,
        fdflags: Fdflags::from_guest(fdflags)?,
        base: Rights::from_bits(base),
        inheriting: Rights::from_bits(inheriting),
    };

    // Kernels differ about these two together: some would make a file.
    if request.oflags.contains(Oflags::CREAT.with(Oflags::DIRECTORY)) {
        return Err(Errno::Inval);
    }
    let base = wasi.fds.base(fd, request.rights_needed())?;
    let passed_on = wasi.fds.get(fd)?.inheriting;
    if !passed_on.contains(request.rights_passed_on()) {
        return Err(Errno::Notcapable);
    }
    request.inheriting = request.inheriting_of(passed_on);
    wasi.fds.check_room()?;
    let opened_fd = match base {
        Base::Host(directory) => {
            request.require_writable(directory.writable)?;
            // The host's umask applies, as to any program.
            let mode = Mode::from_raw_mode(0o666);
            let flags = request.host_flags();
            let file = wasi.resolver.open(directory.root(), path, flags, mode)?;
            let fresh = request.fresh(file, directory.writable, directory.hidden.clone());
            match request.oflags.contains(Oflags::DIRECTORY) {
                // Else the host would not have opened it.
                true => wasi.fds.insert(fresh.descriptor(Filetype::Directory)),
                false => wasi.fds.insert_fresh(fresh),
            }
        }
        Base::Tree(tree) => {
            let descriptor = tree.open(wasi, path, &request)?;
            wasi.fds.insert(descriptor)
        }
    }?;
    memory.write_u32(opened, opened_fd)
}

/// What a guest asks `path_open` for.
pub(crate) struct Request {
    pub(crate) follow: bool,
    pub(crate) oflags: Oflags,
    pub(crate) fdflags: Fdflags,
    pub(crate) base: Rights,
    pub(crate) inheriting: Rights,
}

impl Request {
    /// Whether the file is to be open for writing, which no directory can be: `EISDIR`.
    pub(crate) fn opens_for_writing(&self) -> bool {
        self.base.contains(Rights::FD_WRITE)
    }

    /// Whether anything is to change on disk, now or through the new descriptor.
    pub(crate) fn writes(&self) -> bool {
        self.opens_for_writing() || self.oflags.intersects(Oflags::CREAT.with(Oflags::TRUNC))
    }

    /// `EROFS` for what would change a mount that is not `writable`. With `DIRECTORY` nothing can
    /// change: what is opened for writing is then refused for what it is, as the kernel does it on
    /// a file system that is read-only.
    pub(crate) fn require_writable(&self, writable: bool) -> Result<(), Errno> {
        let changes = self.writes() && !self.oflags.contains(Oflags::DIRECTORY);
        if changes && !writable { Err(Errno::Rofs) } else { Ok(()) }
    }

    /// What the directory must have the right to.
    fn rights_needed(&self) -> Rights {
        let mut rights = Rights::PATH_OPEN;
        if self.oflags.contains(Oflags::CREAT) {
            rights = rights | Rights::PATH_CREATE_FILE;
        }
        // A descriptor that may set the size could truncate right after: Go's library opens
        // directories without the first right and relies on the second.
        if self.oflags.contains(Oflags::TRUNC) && !self.base.contains(Rights::FD_FILESTAT_SET_SIZE)
        {
            rights = rights | Rights::PATH_FILESTAT_SET_SIZE;
        }
        rights
    }

    /// What the directory must be able to pass on: what the new descriptor is to have, and what
    /// its flags amount to.
    fn rights_passed_on(&self) -> Rights {
        let mut rights = self.base | self.inheriting;
        if self.fdflags.contains(Fdflags::DSYNC) {
            rights = rights | Rights::FD_DATASYNC;
        }
        if self.fdflags.intersects(Fdflags::SYNC.with(Fdflags::RSYNC)) {
            rights = rights | Rights::FD_SYNC;
        }
        rights
    }

    /// What the new descriptor passes on itself, opened through a directory that passes on
    /// `passed_on`.
    ///
    /// Zig's library asks for a directory with the same rights in both fields, those of directories,
    /// and opens files through it, which could have no right at all then. Who asks for that has not
    /// thought of files: so what the first directory passes on to files, the new one does too.
    fn inheriting_of(&self, passed_on: Rights) -> Rights {
        const OF_FILES_ALONE: Rights = Rights::FILE.without(Rights::DIRECTORY);
        let same = self.base == self.inheriting && self.base.contains(Rights::PATH_OPEN);
        match same && self.base & OF_FILES_ALONE == Rights::NONE {
            true => self.inheriting | passed_on & Rights::FILE,
            false => self.inheriting,
        }
    }

    pub(crate) fn host_flags(&self) -> OFlags {
        // Without either right the descriptor is still good for `fd_filestat_get` and the like.
        let mut flags = match (self.base.contains(Rights::FD_READ), self.opens_for_writing()) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            (_, false) => OFlags::RDONLY,
        };
        // A terminal that is opened must not become the terminal of this process.
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

    /// The opened `file`.
    pub(crate) fn fresh(
        &self,
        file: OwnedFd,
        writable: bool,
        hidden: Option<Arc<Hidden>>,
    ) -> Fresh {
        let (base, inheriting) = (self.base, self.inheriting);
        Fresh { fd: file, writable, base, inheriting, hidden, used: false }
    }

    /// The descriptor for the opened `file`.
    pub(crate) fn descriptor(
        &self,
        file: OwnedFd,
        writable: bool,
        hidden: Option<Arc<Hidden>>,
    ) -> Result<Descriptor, Errno> {
        let fresh = self.fresh(file, writable, hidden);
        let filetype = match self.oflags.contains(Oflags::DIRECTORY) {
            // Else the host would not have opened it.
            true => Filetype::Directory,
            false => fresh.filetype()?,
        };
        Ok(fresh.descriptor(filetype))
    }
}

/// What kind of file a descriptor of the host is.
pub(crate) fn filetype(fd: BorrowedFd<'_>) -> Result<Filetype, Errno> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode).into())
}

/// The rights that make sense for a file that is no directory.
pub(crate) fn rights_of(filetype: Filetype, fd: BorrowedFd<'_>) -> Rights {
    match filetype {
        Filetype::RegularFile | Filetype::BlockDevice => Rights::FILE,
        Filetype::CharacterDevice if !isatty(fd) => Rights::FILE,
        _ => Rights::STREAM,
    }
}
