//! Paths that plainly lie on one mount of the host: no dots, and nothing mounted on the way or
//! further down. Such a path needs no walk, as long as no symbolic link is on it, which the host
//! finds out while it resolves the path. If one is, or anything else is wrong, the walk tells.

use std::sync::Arc;

use super::{Mounts, Source, join};
use crate::guest::GuestPath;
use crate::sandbox::{Hidden, Root};

/// A path that cannot leave its mount, unless by a symbolic link.
pub(crate) struct Plain<'m> {
    /// The root of the mount.
    pub(crate) root: Root<'m>,
    pub(crate) hidden: &'m Option<Arc<Hidden>>,
    pub(crate) writable: bool,
    /// The guest's name for it, and how much of that is the name of the mount.
    location: String,
    mount: usize,
}

impl<'m> Plain<'m> {
    /// `path` from the directory at `base`, if it is a plain one.
    pub(crate) fn new(mounts: &'m Mounts, base: &str, path: GuestPath<'_>) -> Option<Self> {
        let path = std::str::from_utf8(path.bytes()).ok()?;
        if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return None;
        }
        let location = join(base, path);
        let (from, to) = (mounts.find(base).ok()?, mounts.find(&location).ok()?);
        let Source::Host(fd) = &to.mount.source else {
            return None;
        };
        // Were another mount on the way, the location would belong to that.
        if !std::ptr::eq(from.mount, to.mount) || mounts.is_in_use(&location) {
            return None;
        }
        let mount = location.len() - to.rest.len();
        let (root, hidden) = (to.mount.root(fd), &to.mount.hidden);
        Some(Plain { root, hidden, writable: to.mount.writable, location, mount })
    }

    /// The path on the mount. To be resolved with [`Resolver::linkless`] alone.
    ///
    /// [`Resolver::linkless`]: crate::sandbox::Resolver::linkless
    pub(crate) fn path(&self) -> Option<GuestPath<'_>> {
        GuestPath::new(&self.location.as_bytes()[self.mount..]).ok()
    }
}
