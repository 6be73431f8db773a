//! Paths that lie on one mount of the host: without dots, and with no mount point on the way or
//! further down. The sandbox of the mount resolves such a path, unless a symbolic link is on it. If
//! this fails, the path is resolved across mounts, which finds the error to report.

use std::sync::Arc;

use super::{Mounts, Source, join};
use crate::guest::GuestPath;
use crate::sandbox::{Hidden, Root};

/// A path that cannot leave its mount except by a symbolic link.
pub(crate) struct SingleMountPath<'m> {
    /// The root of the mount.
    pub(crate) root: Root<'m>,
    pub(crate) hidden: &'m Option<Arc<Hidden>>,
    pub(crate) writable: bool,
    /// The location, and the length of its part that is the mount point.
    location: String,
    mount_len: usize,
}

impl<'m> SingleMountPath<'m> {
    /// `path` from the directory at `start`, if it lies on one mount of the host.
    pub(crate) fn new(mounts: &'m Mounts, start: &str, path: GuestPath<'_>) -> Option<Self> {
        let path = std::str::from_utf8(path.bytes()).ok()?;
        if path.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return None;
        }
        let location = join(start, path);
        let (from, to) = (mounts.find(start).ok()?, mounts.find(&location).ok()?);
        let Source::Host(fd) = &to.mount.source else {
            return None;
        };
        // If another mount were on the way, the location would belong to it.
        if !std::ptr::eq(from.mount, to.mount) || mounts.holds_mount(&location) {
            return None;
        }
        let mount_len = location.len() - to.rest.len();
        let (root, hidden) = (to.mount.root(fd), &to.mount.hidden);
        Some(SingleMountPath { root, hidden, writable: to.mount.writable, location, mount_len })
    }

    /// The path in the mount. Only [`Mounts::host_resolver`] may resolve it: it follows no symbolic
    /// link.
    pub(crate) fn path(&self) -> Option<GuestPath<'_>> {
        GuestPath::new(&self.location.as_bytes()[self.mount_len..]).ok()
    }
}
