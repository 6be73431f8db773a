//! The sandbox: path resolution in a directory of the host that cannot leave the directory.
//!
//! There are two implementations with the same results. [`kernel`] lets the kernel confine the
//! resolution with `openat2(RESOLVE_BENEATH)`. [`userspace`] opens one component after the other
//! and follows symbolic links itself, for kernels and seccomp filters without `openat2`. The tests
//! of this module run both.
//!
//! A function that opens a file calls [`Resolver::open`]. A function that works on a directory
//! entry (create, remove, rename, link, ...) calls [`Resolver::entry`]: it opens the parent
//! directory within the sandbox and leaves a single component for the system call, which therefore
//! cannot leave that directory. [`Resolver::lookup`] is `entry` with symbolic links followed.
//!
//! `EPERM` is the result of a path that leads outside: `..` above the root, an absolute path, a
//! symbolic link to either, a magic link, a pseudo file system ([`pseudo_fs`]), or a file that a
//! mount hides ([`hidden`]).

mod entry;
mod hidden;
mod kernel;
mod pseudo_fs;
mod userspace;

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;
use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

pub(crate) use entry::Entry;
use entry::Parent;
pub(crate) use hidden::{FileId, Hidden};
pub(crate) use pseudo_fs::kind as pseudo_file_system;

use crate::errno::Errno;
use crate::guest::GuestPath;

/// The most symbolic links that a resolution follows, as in the kernel.
pub(crate) const MAX_LINKS: usize = 40;

/// Opens a directory from which the resolution continues. Needs no permission to list it.
const TRAVERSE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The implementation of path resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolver {
    /// The kernel, with `openat2`.
    Kernel,
    /// This crate, component by component.
    Userspace,
    /// Like `Kernel`, but a symbolic link on the way is `ELOOP`.
    KernelNoSymlinks,
    /// Like `Userspace`, but a symbolic link on the way is `ELOOP`.
    UserspaceNoSymlinks,
}

/// The directory from which a resolution starts, and the files it must not reach.
#[derive(Clone, Copy)]
pub(crate) struct Root<'r> {
    pub(crate) fd: BorrowedFd<'r>,
    /// The files that are hidden beneath it; usually none.
    pub(crate) hidden: Option<&'r Hidden>,
}

impl<'r> From<BorrowedFd<'r>> for Root<'r> {
    fn from(fd: BorrowedFd<'r>) -> Self {
        Root { fd, hidden: None }
    }
}

impl Resolver {
    /// The kernel's implementation if this kernel has `openat2`.
    pub(crate) fn detect() -> Self {
        if kernel::is_available() { Resolver::Kernel } else { Resolver::Userspace }
    }

    /// Opens `path` beneath `root`. `O_NOFOLLOW` in `flags` applies to the last component.
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
            Resolver::KernelNoSymlinks if root.hidden.is_none() => {
                kernel::open(root.fd, path, flags, mode, 0)
            }
            // The kernel cannot compare every component with the hidden files.
            Resolver::Kernel | Resolver::Userspace => {
                userspace::open(root, path, flags, mode, MAX_LINKS)
            }
            Resolver::KernelNoSymlinks | Resolver::UserspaceNoSymlinks => {
                userspace::open(root, path, flags, mode, 0)
            }
        }
    }

    /// The same implementation, which refuses symbolic links. For paths whose links were followed
    /// before: a link that is there now was created since.
    pub(crate) fn without_symlinks(self) -> Self {
        match self {
            Resolver::Kernel | Resolver::KernelNoSymlinks => Resolver::KernelNoSymlinks,
            Resolver::Userspace | Resolver::UserspaceNoSymlinks => Resolver::UserspaceNoSymlinks,
        }
    }

    /// Opens the parent directory of the last component of `path`, beneath `root`.
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
            // The last component leads up: the sandbox resolves it, and the entry is `.` there. The
            // system calls refuse `.` as they refuse `..`.
            let dir = self.open_bytes(root, path, TRAVERSE, Mode::empty())?;
            return Ok(Entry { parent: Parent::Opened(dir), name: Cow::Borrowed(b"./") });
        }
        let parent = if parent.is_empty() {
            Parent::Root(root.fd)
        } else {
            Parent::Opened(self.open_bytes(root, parent, TRAVERSE, Mode::empty())?)
        };
        let entry = Entry { parent, name: Cow::Borrowed(name) };
        match root.hidden {
            None => Ok(entry),
            Some(hidden) => check_entry(&entry, hidden).map(|()| entry),
        }
    }

    /// Finds an existing file beneath `root` and its metadata. Follows a symbolic link if `follow`,
    /// or if the path ends in a slash.
    ///
    /// The entry's bare name, with `NOFOLLOW`, names the file. A path of one component that is not
    /// a symbolic link takes one system call.
    // Inlined: each frame between a system call and the guest costs 5 to 25 ns, and a `Stat` is
    // large.
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

    /// Follows the symbolic link `link`, which is the last component of `path`.
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

/// `EPERM` if the entry is hidden.
#[cold]
fn check_entry(entry: &Entry<'_, '_>, hidden: &Hidden) -> Result<(), Errno> {
    let (dir, name) = (entry.dir(), entry.bare_name());
    let id = FileId::of_open(dir)?;
    hidden.check(id)?;
    // An error is left to the system call that uses the entry.
    let found = hidden::lstat(dir, name).unwrap_or_default();
    hidden.check_name(dir, id, name, found.map(|stat| FileId::of(&stat)))
}

/// The metadata of an entry. A symbolic link is not followed.
#[inline(always)]
fn stat_of(entry: &Entry<'_, '_>) -> Result<Stat, Errno> {
    let (name, flags) = (entry.bare_name(), AtFlags::SYMLINK_NOFOLLOW);
    Ok(match c_name(&mut [0; NAME_ROOM], name) {
        Some(name) => rustix::fs::statat(entry.dir(), name, flags)?,
        None => rustix::fs::statat(entry.dir(), name, flags)?,
    })
}

/// The size of the longest name with its terminator.
const NAME_ROOM: usize = 256;

/// The name as a C string, in a buffer of zeros; `None` if it does not fit. Building it in the
/// caller's frame saves two returns after the system call, each of which costs as much as the copy.
#[inline(always)]
fn c_name<'b>(buffer: &'b mut [u8; NAME_ROOM], name: &[u8]) -> Option<&'b CStr> {
    buffer.get_mut(..name.len())?.copy_from_slice(name);
    CStr::from_bytes_with_nul(buffer.get(..=name.len())?).ok()
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// `path` with its last component, the symbolic link `link`, replaced by the target.
fn replace_last(path: &[u8], link: &Entry<'_, '_>) -> Result<Vec<u8>, Errno> {
    let target = link_target(link.dir(), link.bare_name())?;
    let mut replaced = split_last(path).0.to_vec();
    if !replaced.is_empty() {
        replaced.push(b'/');
    }
    replaced.extend_from_slice(&target);
    Ok(replaced)
}

/// The target of the symbolic link `name` in `dir`; `EPERM` if it is absolute.
fn link_target(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Vec<u8>, rustix::io::Errno> {
    let target = rustix::fs::readlinkat(dir, name, Vec::new())?.into_bytes();
    match target.first() {
        None => Err(rustix::io::Errno::NOENT),
        Some(b'/') => Err(rustix::io::Errno::PERM),
        Some(_) => Ok(target),
    }
}

/// Splits a path before its last component. The slashes at the end belong to the component.
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
