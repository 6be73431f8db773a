//! The sandbox: a path resolves beneath a directory, or not at all.
//!
//! Two ways lead to the same answers. [`kernel`] has the kernel confine the resolution with
//! `openat2(RESOLVE_BENEATH)`; [`userspace`] opens one component after the other and follows symbolic
//! links by itself, for kernels and seccomp filters that know no `openat2`. The tests of this
//! module run both.
//!
//! A function that opens a file calls [`Resolver::open`]. A function that works on a directory
//! entry (make, remove, rename, link, ...) calls [`Resolver::entry`]: it opens the directory that
//! holds the entry, within the sandbox, and leaves a single component for the system call, which
//! therefore can lead nowhere else. [`Resolver::lookup`] is `entry` past symbolic links.
//!
//! What leads outside is `EPERM`: `..` above the root, an absolute path, a symbolic link to
//! either, a magic link, a file system of the kernel ([`pseudo_fs`]), what a mount hides ([`hidden`]).

mod hidden;
mod kernel;
mod pseudo_fs;
mod userspace;

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;
use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, openat};

pub(crate) use hidden::{FileId, Hidden};
pub(crate) use pseudo_fs::kind as kind_of_system;

use crate::errno::Errno;
use crate::guest::GuestPath;

/// So many symbolic links a resolution follows at most, as in the kernel.
pub(crate) const MAX_LINKS: usize = 40;

/// Opens a directory to resolve further from: needs no permission to list it.
const PASS_THROUGH: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Who resolves paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolver {
    /// The kernel, with `openat2`.
    Kernel,
    /// This crate, component by component.
    Walk,
    /// As `Kernel`, but a symbolic link on the way is `ELOOP`.
    KernelLinkless,
    /// As `Walk`, but a symbolic link on the way is `ELOOP`.
    WalkLinkless,
}

/// Where a resolution starts, and what it must not reach.
#[derive(Clone, Copy)]
pub(crate) struct Root<'r> {
    pub(crate) fd: BorrowedFd<'r>,
    /// What mounts hide there: mostly nothing.
    pub(crate) hidden: Option<&'r Hidden>,
}

impl<'r> From<BorrowedFd<'r>> for Root<'r> {
    fn from(fd: BorrowedFd<'r>) -> Self {
        Root { fd, hidden: None }
    }
}

/// The directory an entry lies in.
enum Parent<'r> {
    /// The root of the resolution itself: a path of one component costs no system call.
    Root(BorrowedFd<'r>),
    /// One opened on the way.
    Opened(OwnedFd),
}

/// An entry of a directory, which need not exist.
pub(crate) struct Entry<'r, 'p> {
    parent: Parent<'r>,
    /// One component, never `..`, with the slashes that followed it.
    name: Cow<'p, [u8]>,
}

impl<'r> Entry<'r, '_> {
    /// The entry with a name of its own.
    pub(crate) fn into_owned<'p>(self) -> Entry<'r, 'p> {
        Entry { parent: self.parent, name: Cow::Owned(self.name.into_owned()) }
    }

    /// The directory that holds the entry.
    pub(crate) fn dir(&self) -> BorrowedFd<'_> {
        match &self.parent {
            Parent::Root(root) => *root,
            Parent::Opened(dir) => dir.as_fd(),
        }
    }

    /// The entry's name as written, slashes at its end included.
    ///
    /// Only for system calls that never follow a symbolic link in the last place, slashes or not:
    /// `mkdirat`, `unlinkat`, `renameat`, `symlinkat`, and `linkat` for the new name. For these
    /// the kernel knows best what a slash means.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The entry's name without slashes at its end: with `NOFOLLOW` it names the entry itself.
    pub(crate) fn bare_name(&self) -> &[u8] {
        without_slashes(&self.name)
    }

    /// `EPERM` for what is mounted there and must not be reached, of which `stat` says what it is.
    /// For system calls that work on what is mounted.
    pub(crate) fn require_ordinary(&self, stat: &Stat) -> Result<(), Errno> {
        if FileId::of_open(self.dir())?.dev == FileId::of(stat).dev {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        pseudo_fs::require_ordinary(openat(self.dir(), self.bare_name(), flags, Mode::empty())?)
    }

    /// Whether the path ended in a slash and therefore means a directory.
    pub(crate) fn is_slashed(&self) -> bool {
        self.name.ends_with(b"/")
    }
}

impl Resolver {
    /// The best way this kernel offers.
    pub(crate) fn detect() -> Self {
        if kernel::is_available() { Resolver::Kernel } else { Resolver::Walk }
    }

    /// Opens `path` beneath `root`. `O_NOFOLLOW` in `flags` is about the last component.
    pub(crate) fn open<'r>(
        self,
        root: impl Into<Root<'r>>,
        path: GuestPath<'_>,
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd, Errno> {
        self.open_bytes(root.into(), path.bytes(), flags | OFlags::CLOEXEC, mode)
    }

    fn open_bytes(
        self,
        root: Root<'_>,
        path: &[u8],
        flags: OFlags,
        mode: Mode,
    ) -> Result<OwnedFd, Errno> {
        match self {
            Resolver::Kernel if root.hidden.is_none() => {
                kernel::open(root.fd, path, flags, mode, MAX_LINKS)
            }
            Resolver::KernelLinkless if root.hidden.is_none() => {
                kernel::open(root.fd, path, flags, mode, 0)
            }
            // Not even the kernel compares every component.
            Resolver::Kernel => userspace::open(root, path, flags, mode, MAX_LINKS),
            Resolver::KernelLinkless => userspace::open(root, path, flags, mode, 0),
            Resolver::Walk => userspace::open(root, path, flags, mode, MAX_LINKS),
            Resolver::WalkLinkless => userspace::open(root, path, flags, mode, 0),
        }
    }

    /// The same way without symbolic links, for a path that has none unless somebody has just put
    /// one there: see [`crate::fs::mounts`].
    pub(crate) fn linkless(self) -> Self {
        match self {
            Resolver::Kernel | Resolver::KernelLinkless => Resolver::KernelLinkless,
            Resolver::Walk | Resolver::WalkLinkless => Resolver::WalkLinkless,
        }
    }

    /// Finds the directory that holds the last component of `path`, beneath `root`.
    pub(crate) fn entry<'r, 'p>(
        self,
        root: impl Into<Root<'r>>,
        path: GuestPath<'p>,
    ) -> Result<Entry<'r, 'p>, Errno> {
        self.entry_bytes(root.into(), path.bytes())
    }

    fn entry_bytes<'r, 'p>(self, root: Root<'r>, path: &'p [u8]) -> Result<Entry<'r, 'p>, Errno> {
        let (parent, name) = split_last(path);
        if without_slashes(name) == b".." {
            // The last step leads up: take it within the sandbox and stay there. The system calls
            // refuse `.` where they refuse `..`.
            let dir = self.open_bytes(root, path, PASS_THROUGH, Mode::empty())?;
            return Ok(Entry { parent: Parent::Opened(dir), name: Cow::Borrowed(b"./") });
        }
        let parent = if parent.is_empty() {
            Parent::Root(root.fd)
        } else {
            Parent::Opened(self.open_bytes(root, parent, PASS_THROUGH, Mode::empty())?)
        };
        let entry = Entry { parent, name: Cow::Borrowed(name) };
        match root.hidden {
            None => Ok(entry),
            Some(hidden) => check_entry(&entry, hidden).map(|()| entry),
        }
    }

    /// Finds an existing file beneath `root` and what it is; past symbolic links if `follow`, or
    /// if the path ends in a slash.
    ///
    /// The entry's bare name, with `NOFOLLOW`, is the file. One system call if the path has one
    /// component and is no symbolic link.
    // A frame less on the way back from a system call is worth 5 to 25 ns, and a `Stat` is large.
    #[inline(always)]
    pub(crate) fn lookup<'r, 'p>(
        self,
        root: impl Into<Root<'r>>,
        path: GuestPath<'p>,
        follow: bool,
    ) -> Result<(Entry<'r, 'p>, Stat), Errno> {
        let root = root.into();
        let entry = self.entry(root, path)?;
        let stat = stat_of(&entry)?;
        let directory = entry.is_slashed();
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink if follow || directory => {
                let (entry, stat) = self.follow(root, path.bytes(), entry)?;
                if directory && !is_directory(&stat) {
                    Err(Errno::Notdir)
                } else {
                    Ok((entry, stat))
                }
            }
            FileType::Directory => Ok((entry, stat)),
            _ if directory => Err(Errno::Notdir),
            _ => Ok((entry, stat)),
        }
    }

    /// Goes on from the symbolic link `link`, which is the last component of `path`.
    #[cold]
    fn follow<'r, 'p>(
        self,
        root: Root<'r>,
        path: &[u8],
        link: Entry<'r, '_>,
    ) -> Result<(Entry<'r, 'p>, Stat), Errno> {
        let mut path = replace_last(path, &link)?;
        let mut directory = false;
        for _ in 0..MAX_LINKS {
            let entry = self.entry_bytes(root, &path)?;
            directory |= entry.is_slashed();
            let stat = stat_of(&entry)?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
                path = replace_last(&path, &entry)?;
                continue;
            }
            if directory && !is_directory(&stat) {
                return Err(Errno::Notdir);
            }
            return Ok((entry.into_owned(), stat));
        }
        Err(Errno::Loop)
    }
}

/// `EPERM` for an entry that is hidden.
#[cold]
fn check_entry(entry: &Entry<'_, '_>, hidden: &Hidden) -> Result<(), Errno> {
    let (dir, name) = (entry.dir(), entry.bare_name());
    let id = FileId::of_open(dir)?;
    hidden.check(id)?;
    // What is wrong with the name is for the system call to say that it is meant for.
    let found = hidden::look(dir, name).unwrap_or_default();
    hidden.check_name(dir, id, name, found.map(|stat| FileId::of(&stat)))
}

/// What an entry itself is; a link, not what it leads to.
#[inline(always)]
fn stat_of(entry: &Entry<'_, '_>) -> Result<Stat, Errno> {
    let (name, flags) = (entry.bare_name(), AtFlags::SYMLINK_NOFOLLOW);
    Ok(match c_name(&mut [0; NAME_ROOM], name) {
        Some(name) => rustix::fs::statat(entry.dir(), name, flags)?,
        None => rustix::fs::statat(entry.dir(), name, flags)?,
    })
}

/// As long as a name and its terminator may be.
const NAME_ROOM: usize = 256;

/// A name as the host takes it, in a buffer of zeros; `None` if there is no room. To make it here
/// saves two returns after the system call, each of which is as dear as the copy.
#[inline(always)]
fn c_name<'b>(buffer: &'b mut [u8; NAME_ROOM], name: &[u8]) -> Option<&'b CStr> {
    buffer.get_mut(..name.len())?.copy_from_slice(name);
    CStr::from_bytes_with_nul(buffer.get(..=name.len())?).ok()
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// `path` with its last component, the symbolic link `link`, replaced by what the link says.
fn replace_last(path: &[u8], link: &Entry<'_, '_>) -> Result<Vec<u8>, Errno> {
    let target = link_target(link.dir(), link.bare_name())?;
    let mut replaced = split_last(path).0.to_vec();
    if !replaced.is_empty() {
        replaced.push(b'/');
    }
    replaced.extend_from_slice(&target);
    Ok(replaced)
}

/// What the symbolic link `name` in `dir` says; `EPERM` if that leads away from any root.
fn link_target(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Vec<u8>, rustix::io::Errno> {
    let target = rustix::fs::readlinkat(dir, name, Vec::new())?.into_bytes();
    match target.first() {
        None => Err(rustix::io::Errno::NOENT),
        Some(b'/') => Err(rustix::io::Errno::PERM),
        Some(_) => Ok(target),
    }
}

/// Splits a path before its last component, which keeps the slashes after it.
fn split_last(path: &[u8]) -> (&[u8], &[u8]) {
    match without_slashes(path).iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    &path[..end]
}
