//! `DirectoryEntry`: a directory entry on the file system of its mount.

use std::sync::Arc;

use super::VirtualDirectory;
use crate::errno::Errno;
use crate::fd::DirectoryRef;
use crate::fs::FileSystem;
use crate::fs::mounts::{Mounts, SingleMountPath, Source};
use crate::guest::GuestPath;
use crate::sandbox::Entry;

/// A directory entry. It need not exist.
pub(super) enum DirectoryEntry<'a> {
    Host {
        entry: Entry<'a, 'a>,
        writable: bool,
    },
    Virtual {
        fs: &'a Arc<dyn FileSystem>,
        /// The path in the file system.
        path: String,
        /// The location in the guest's tree.
        location: String,
        slashed: bool,
        writable: bool,
    },
    /// An entry that cannot be created, renamed or removed. Errors of the path come before this
    /// one, as in the kernel.
    Unusable(Errno),
}

/// The errors of a function for entries that it cannot change.
pub(super) struct UnusableErrors {
    /// For `.` and `..`.
    pub(super) dotted: Errno,
    /// For a mount point, or a directory above one.
    pub(super) holds_mount: Errno,
}

impl<'a> DirectoryEntry<'a> {
    /// The entry that `path` names. A symbolic link in the last component is not followed.
    pub(super) fn find(
        mounts: &'a Mounts,
        directory: &DirectoryRef<'a>,
        path: GuestPath<'a>,
        errors: &UnusableErrors,
    ) -> Result<Self, Errno> {
        let directory = match directory {
            DirectoryRef::Host(directory) => {
                let entry = mounts.resolver().entry(directory.root(), path)?;
                return Ok(DirectoryEntry::Host { entry, writable: directory.writable });
            }
            DirectoryRef::Virtual(directory) => directory,
        };
        if let Some(entry) = Self::find_on_single_mount(mounts, directory, path) {
            return Ok(entry);
        }
        let resolved = mounts.resolve(&directory.location, path, false)?;
        if resolved.dotted {
            return Ok(DirectoryEntry::Unusable(errors.dotted));
        }
        if mounts.holds_mount(&resolved.location) {
            return Ok(DirectoryEntry::Unusable(errors.holds_mount));
        }
        let found = mounts.find(&resolved.location)?;
        let writable = found.mount.writable;
        match &found.mount.source {
            Source::Host(fd) => {
                // The kernel decides about slashes at the end.
                let slash = if resolved.slashed { "/" } else { "" };
                let path = format!("{}{slash}", found.rest);
                let path = GuestPath::new(path.as_bytes())?;
                let resolver = mounts.host_resolver();
                let entry = resolver.entry(found.mount.root(fd), path)?.into_owned();
                Ok(DirectoryEntry::Host { entry, writable })
            }
            Source::Virtual(fs) => Ok(DirectoryEntry::Virtual {
                fs,
                path: found.rest.to_owned(),
                slashed: resolved.slashed,
                writable,
                location: resolved.location,
            }),
        }
    }

    /// [`DirectoryEntry::find`] by the sandbox alone, if the path lies on one mount of the host.
    fn find_on_single_mount(
        mounts: &'a Mounts,
        directory: &VirtualDirectory,
        path: GuestPath<'_>,
    ) -> Option<Self> {
        let single = SingleMountPath::new(mounts, &directory.location, path)?;
        let entry = mounts.host_resolver().entry(single.root, single.path()?).ok()?.into_owned();
        Some(DirectoryEntry::Host { entry, writable: single.writable })
    }

    /// `EROFS` on a read-only mount; the error of an unusable entry.
    pub(super) fn require_writable(&self) -> Result<(), Errno> {
        match self {
            DirectoryEntry::Host { writable: true, .. }
            | DirectoryEntry::Virtual { writable: true, .. } => Ok(()),
            DirectoryEntry::Unusable(error) => Err(*error),
            _ => Err(Errno::Rofs),
        }
    }
}
