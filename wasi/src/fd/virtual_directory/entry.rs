//! A directory entry, on whichever file system it lies.

use std::sync::Arc;

use super::Tree;
use crate::errno::Errno;
use crate::fd::table::Directory;
use crate::fs::FileSystem;
use crate::fs::mounts::single_mount::Plain;
use crate::fs::mounts::{Mounts, Source, resolve as walk};
use crate::guest::GuestPath;
use crate::sandbox::{Entry, Resolver};

/// The directory a path of a guest starts from.
pub(crate) enum Base<'a> {
    /// One of the host with nothing mounted beneath it.
    Host(&'a Directory),
    Tree(&'a Tree),
}

/// An entry, which need not exist.
pub(super) enum Spot<'a> {
    Host {
        entry: Entry<'a, 'a>,
        writable: bool,
    },
    Virtual {
        fs: &'a Arc<dyn FileSystem>,
        /// In the file system, and in the guest's tree.
        path: String,
        location: String,
        slashed: bool,
        writable: bool,
    },
    /// None that can be made, moved or removed. Told after what is wrong with the path, as the
    /// kernel does it.
    Unusable(Errno),
}

/// What a function that works on entries answers for those that it cannot take.
pub(super) struct Refusals {
    /// `.` and `..`.
    pub(super) dotted: Errno,
    /// A mount, or a directory above one.
    pub(super) in_use: Errno,
}

impl<'a> Spot<'a> {
    /// The entry that `path` names from `base`; of a symbolic link, the link.
    pub(super) fn find(
        mounts: &'a Mounts,
        resolver: Resolver,
        base: &Base<'a>,
        path: GuestPath<'a>,
        refusals: &Refusals,
    ) -> Result<Self, Errno> {
        let tree = match base {
            Base::Host(directory) => {
                let entry = resolver.entry(directory.root(), path)?;
                return Ok(Spot::Host { entry, writable: directory.writable });
            }
            Base::Tree(tree) => tree,
        };
        if let Some(spot) = Spot::find_plainly(mounts, resolver, tree, path) {
            return Ok(spot);
        }
        let place = walk::resolve(mounts, resolver, &tree.location, path, false)?;
        if place.dotted {
            return Ok(Spot::Unusable(refusals.dotted));
        }
        if mounts.is_in_use(&place.location) {
            return Ok(Spot::Unusable(refusals.in_use));
        }
        let found = mounts.find(&place.location)?;
        let writable = found.mount.writable;
        match &found.mount.source {
            Source::Host(fd) => {
                // Slashes at the end are for the kernel to judge.
                let slash = if place.slashed { "/" } else { "" };
                let path = format!("{}{slash}", found.rest);
                let path = GuestPath::new(path.as_bytes())?;
                let entry = resolver.linkless().entry(found.mount.root(fd), path)?.into_owned();
                Ok(Spot::Host { entry, writable })
            }
            Source::Virtual(fs) => Ok(Spot::Virtual {
                fs,
                path: found.rest.to_owned(),
                slashed: place.slashed,
                writable,
                location: place.location,
            }),
        }
    }

    /// As [`Spot::find`], without a walk, if nothing but directories is on the way.
    fn find_plainly(
        mounts: &'a Mounts,
        resolver: Resolver,
        tree: &Tree,
        path: GuestPath<'_>,
    ) -> Option<Self> {
        let plain = Plain::new(mounts, &tree.location, path)?;
        let entry = resolver.linkless().entry(plain.root, plain.path()?).ok()?.into_owned();
        Some(Spot::Host { entry, writable: plain.writable })
    }

    /// `EROFS` on a read-only mount, and what makes it unusable.
    pub(super) fn require_writable(&self) -> Result<(), Errno> {
        match self {
            Spot::Host { writable: true, .. } | Spot::Virtual { writable: true, .. } => Ok(()),
            Spot::Unusable(error) => Err(*error),
            _ => Err(Errno::Rofs),
        }
    }
}
