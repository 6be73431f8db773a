//! Functions that create, rename and remove entries of a [`VirtualDirectory`]. They give the same
//! errors as the host's system calls.

use rustix::fs::FileType;

use super::VirtualDirectory;
use super::entry::{DirectoryEntry, UnusableErrors};
use crate::errno::Errno;
use crate::fd::{DirectoryRef, FdTable};
use crate::fs::mounts::Mounts;
use crate::fs::{FileKind, FileSystem};
use crate::guest::GuestPath;
use crate::guest::layout::Filestat;

/// For functions that create an entry.
const CREATING: UnusableErrors = UnusableErrors { dotted: Errno::Exist, holds_mount: Errno::Exist };

impl VirtualDirectory {
    /// The entry at `path`.
    fn entry<'a>(
        &'a self,
        mounts: &'a Mounts,
        path: GuestPath<'a>,
        errors: &UnusableErrors,
    ) -> Result<DirectoryEntry<'a>, Errno> {
        match DirectoryEntry::find(mounts, &DirectoryRef::Virtual(self), path, errors)? {
            DirectoryEntry::Unusable(error) => Err(error),
            entry => Ok(entry),
        }
    }

    /// The entry at `path`, for a change. `EROFS` on a read-only mount.
    fn writable_entry<'a>(
        &'a self,
        mounts: &'a Mounts,
        path: GuestPath<'a>,
        errors: &UnusableErrors,
    ) -> Result<DirectoryEntry<'a>, Errno> {
        let entry = self.entry(mounts, path, errors)?;
        entry.require_writable()?;
        Ok(entry)
    }

    pub(crate) fn create_directory(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
    ) -> Result<(), Errno> {
        match self.writable_entry(mounts, path, &CREATING)? {
            DirectoryEntry::Host { entry, .. } => entry.create_directory(),
            DirectoryEntry::Virtual { fs, path, .. } => fs.create_directory(&path),
            DirectoryEntry::Unusable(error) => Err(error),
        }
    }

    pub(crate) fn remove_directory(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
    ) -> Result<(), Errno> {
        let errors = UnusableErrors { dotted: Errno::Inval, holds_mount: Errno::Busy };
        match self.writable_entry(mounts, path, &errors)? {
            DirectoryEntry::Host { entry, .. } => entry.remove_directory(),
            DirectoryEntry::Virtual { fs, path, .. } => fs.remove_directory(&path),
            DirectoryEntry::Unusable(error) => Err(error),
        }
    }

    pub(crate) fn unlink_file(&self, mounts: &Mounts, path: GuestPath<'_>) -> Result<(), Errno> {
        let errors = UnusableErrors { dotted: Errno::Isdir, holds_mount: Errno::Isdir };
        match self.writable_entry(mounts, path, &errors)? {
            DirectoryEntry::Host { entry, .. } => entry.unlink_file(),
            DirectoryEntry::Virtual { fs, path, slashed, .. } => {
                check_slash(&**fs, &path, slashed)?;
                fs.remove_file(&path)
            }
            DirectoryEntry::Unusable(error) => Err(error),
        }
    }

    pub(crate) fn symlink(
        &self,
        mounts: &Mounts,
        target: GuestPath<'_>,
        path: GuestPath<'_>,
    ) -> Result<(), Errno> {
        match self.writable_entry(mounts, path, &CREATING)? {
            DirectoryEntry::Host { entry, .. } => entry.symlink(target.bytes()),
            DirectoryEntry::Virtual { fs, path, slashed, .. } => {
                check_new(&**fs, &path, slashed)?;
                let target = std::str::from_utf8(target.bytes()).map_err(|_| Errno::Ilseq)?;
                fs.symlink(target, &path)
            }
            DirectoryEntry::Unusable(error) => Err(error),
        }
    }

    /// The target of a symbolic link.
    pub(crate) fn read_link(&self, mounts: &Mounts, path: GuestPath<'_>) -> Result<Vec<u8>, Errno> {
        let errors = UnusableErrors { dotted: Errno::Inval, holds_mount: Errno::Inval };
        if path.bytes().ends_with(b"/") {
            // A slash follows the link, and a directory is not a link.
            self.path_stat(mounts, path, true)?;
            return Err(Errno::Inval);
        }
        match self.entry(mounts, path, &errors)? {
            DirectoryEntry::Host { entry, .. } => entry.read_link(),
            DirectoryEntry::Virtual { fs, path, .. } => Ok(fs.read_link(&path)?.into_bytes()),
            DirectoryEntry::Unusable(error) => Err(error),
        }
    }
}

/// `ENOTDIR`: the path ends in a slash and does not name a directory.
fn check_slash(fs: &dyn FileSystem, path: &str, slashed: bool) -> Result<(), Errno> {
    if slashed && fs.stat(path)?.kind != FileKind::Directory {
        return Err(Errno::Notdir);
    }
    Ok(())
}

/// The kernel's errors for a new file whose path ends in a slash: only a directory can be created.
fn check_new(fs: &dyn FileSystem, path: &str, slashed: bool) -> Result<(), Errno> {
    if slashed {
        fs.stat(path)?;
        return Err(Errno::Exist);
    }
    Ok(())
}

/// The metadata of the file at `path`. A symbolic link is followed only if the path ends in a
/// slash.
fn stat(
    mounts: &Mounts,
    directory: &DirectoryRef<'_>,
    path: GuestPath<'_>,
) -> Result<Filestat, Errno> {
    match directory {
        DirectoryRef::Virtual(directory) => directory.path_stat(mounts, path, false),
        DirectoryRef::Host(directory) => {
            let (_, stat) = mounts.resolver().lookup(directory.root(), path, false)?;
            Ok(Filestat::of_host(FileType::from_raw_mode(stat.st_mode).into(), &stat))
        }
    }
}

/// Creates a hard link. `EXDEV`: on another file system.
pub(crate) fn link(
    mounts: &Mounts,
    old_directory: &DirectoryRef<'_>,
    old_path: GuestPath<'_>,
    new_directory: &DirectoryRef<'_>,
    new_path: GuestPath<'_>,
) -> Result<(), Errno> {
    let errors = UnusableErrors { dotted: Errno::Perm, holds_mount: Errno::Perm };
    let old = DirectoryEntry::find(mounts, old_directory, old_path, &errors)?;
    let last = old_path.bytes().rsplit(|&byte| byte == b'/').next();
    if matches!(last, Some(b"" | b"..")) {
        // The path names a directory or the target of a link. Neither can get a hard link.
        old.require_writable()?;
        stat(mounts, old_directory, old_path)?;
        return Err(Errno::Perm);
    }
    let new = DirectoryEntry::find(mounts, new_directory, new_path, &CREATING)?;
    if let DirectoryEntry::Unusable(error) = new {
        stat(mounts, old_directory, old_path)?;
        return Err(error);
    }
    new.require_writable()?;
    if let DirectoryEntry::Unusable(error) = old {
        return Err(match stat(mounts, new_directory, new_path) {
            Err(Errno::Noent) if new_path.bytes().ends_with(b"/") => Errno::Noent,
            Err(Errno::Noent) => error,
            _ => Errno::Exist,
        });
    }
    old.require_writable()?;
    match (old, new) {
        (DirectoryEntry::Host { entry: old, .. }, DirectoryEntry::Host { entry: new, .. }) => {
            old.link(&new)
        }
        (
            DirectoryEntry::Virtual { fs: old_fs, path: old, .. },
            DirectoryEntry::Virtual { fs, path: new, slashed, .. },
        ) if std::sync::Arc::ptr_eq(old_fs, fs) => {
            fs.stat(&old)?;
            check_new(&**fs, &new, slashed)?;
            fs.link(&old, &new)
        }
        _ => Err(Errno::Xdev),
    }
}

/// Renames a file or directory. `EXDEV`: to another file system.
///
/// Returns the old and the new location of an entry of a virtual file system.
pub(crate) fn rename(
    mounts: &Mounts,
    fds: &FdTable,
    old_directory: &DirectoryRef<'_>,
    old_path: GuestPath<'_>,
    new_directory: &DirectoryRef<'_>,
    new_path: GuestPath<'_>,
) -> Result<Option<(String, String)>, Errno> {
    let errors = UnusableErrors { dotted: Errno::Busy, holds_mount: Errno::Busy };
    let old = DirectoryEntry::find(mounts, old_directory, old_path, &errors)?;
    let new = DirectoryEntry::find(mounts, new_directory, new_path, &errors)?;
    old.require_writable()?;
    new.require_writable()?;
    match (old, new) {
        (DirectoryEntry::Host { entry: old, .. }, DirectoryEntry::Host { entry: new, .. }) => {
            old.rename(&new).map(|()| None)
        }
        (
            DirectoryEntry::Virtual { fs: old_fs, path: old, slashed, location: from, .. },
            DirectoryEntry::Virtual { fs, path: new, slashed: new_slashed, location: to, .. },
        ) if std::sync::Arc::ptr_eq(old_fs, fs) => {
            check_slash(&**fs, &old, slashed || new_slashed)?;
            fds.check_relocation(&from, &to)?;
            fs.rename(&old, &new)?;
            Ok(Some((from, to)))
        }
        _ => Err(Errno::Xdev),
    }
}
