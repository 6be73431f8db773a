//! `Entry`: a directory entry that a resolution found, and the system calls on it.
//!
//! No system call here follows a symbolic link in the last component.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, Stat, Timestamps, openat};

use super::hidden::FileId;
use super::{pseudo_fs, without_slashes};
use crate::errno::Errno;

/// The directory of an entry.
pub(super) enum Parent<'r> {
    /// The root of the resolution. A path of one component needs no system call.
    Root(BorrowedFd<'r>),
    /// A directory that the resolution opened.
    Opened(OwnedFd),
}

/// A directory entry. It need not exist.
pub(crate) struct Entry<'r, 'p> {
    pub(super) parent: Parent<'r>,
    /// One component, never `..`, with the slashes that follow it.
    pub(super) name: Cow<'p, [u8]>,
}

impl<'r> Entry<'r, '_> {
    /// Copies the name.
    pub(crate) fn into_owned<'p>(self) -> Entry<'r, 'p> {
        Entry { parent: self.parent, name: Cow::Owned(self.name.into_owned()) }
    }

    /// The directory that holds the entry.
    pub(super) fn dir(&self) -> BorrowedFd<'_> {
        match &self.parent {
            Parent::Root(root) => *root,
            Parent::Opened(dir) => dir.as_fd(),
        }
    }

    /// The entry's name as written, slashes at its end included.
    ///
    /// Only for system calls that never follow a symbolic link in the last component, with or
    /// without a slash: `mkdirat`, `unlinkat`, `renameat`, `symlinkat`, and `linkat` for the new
    /// name. For these the kernel decides whether a slash is an error.
    fn name(&self) -> &[u8] {
        &self.name
    }

    /// The entry's name without the slashes at its end. With `NOFOLLOW` it names the entry itself.
    pub(super) fn bare_name(&self) -> &[u8] {
        without_slashes(&self.name)
    }

    /// Whether the path ends in a slash and therefore names a directory.
    pub(crate) fn is_slashed(&self) -> bool {
        self.name.ends_with(b"/")
    }

    /// The host's umask applies to the mode, as for any program.
    pub(crate) fn create_directory(&self) -> Result<(), Errno> {
        Ok(rustix::fs::mkdirat(self.dir(), self.name(), Mode::from_raw_mode(0o777))?)
    }

    pub(crate) fn remove_directory(&self) -> Result<(), Errno> {
        Ok(rustix::fs::unlinkat(self.dir(), self.name(), AtFlags::REMOVEDIR)?)
    }

    pub(crate) fn unlink_file(&self) -> Result<(), Errno> {
        Ok(rustix::fs::unlinkat(self.dir(), self.name(), AtFlags::empty())?)
    }

    /// Creates a symbolic link to `target`.
    pub(crate) fn symlink(&self, target: &[u8]) -> Result<(), Errno> {
        Ok(rustix::fs::symlinkat(target, self.dir(), self.name())?)
    }

    /// Gives the file another name, `new`.
    pub(crate) fn link(&self, new: &Entry<'_, '_>) -> Result<(), Errno> {
        let flags = AtFlags::empty();
        Ok(rustix::fs::linkat(self.dir(), self.bare_name(), new.dir(), new.name(), flags)?)
    }

    pub(crate) fn rename(&self, new: &Entry<'_, '_>) -> Result<(), Errno> {
        Ok(rustix::fs::renameat(self.dir(), self.name(), new.dir(), new.name())?)
    }

    /// The target of the symbolic link.
    pub(crate) fn read_link(&self) -> Result<Vec<u8>, Errno> {
        Ok(rustix::fs::readlinkat(self.dir(), self.bare_name(), Vec::new())?.into_bytes())
    }

    /// Writes the target of the symbolic link to `buffer`, without allocating. Returns its length,
    /// at most that of the buffer.
    pub(crate) fn read_link_to(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        Ok(rustix::fs::readlinkat_raw(self.dir(), self.bare_name(), buffer)?)
    }

    /// Sets the timestamps of the file, whose metadata is `stat`.
    pub(crate) fn set_times(&self, stat: &Stat, times: &Timestamps) -> Result<(), Errno> {
        self.require_ordinary(stat)?;
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(rustix::fs::utimensat(self.dir(), self.bare_name(), times, flags)?)
    }

    /// `EPERM` if a pseudo file system or a memory device is mounted on the entry. For system calls
    /// that cross a mount point in the last component.
    fn require_ordinary(&self, stat: &Stat) -> Result<(), Errno> {
        if FileId::of_open(self.dir())?.dev == FileId::of(stat).dev {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        pseudo_fs::require_ordinary(openat(self.dir(), self.bare_name(), flags, Mode::empty())?)
    }
}
