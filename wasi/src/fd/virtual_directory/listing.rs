//! Listing of a [`VirtualDirectory`]: the entries of its file system, then the mount points in it.
//!
//! Cookies are those of the file system, so they remain valid when entries are added or removed.
//! Cookies of mount points have the highest bit set; mount points do not change.

use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags};

use super::VirtualDirectory;
use crate::errno::Errno;
use crate::fd::Dirents;
use crate::fs::FileSystem;
use crate::fs::mounts::{Mounts, Source, filetype, join};
use crate::guest::GuestPath;
use crate::guest::layout::Filetype;
use crate::sandbox::Root;

/// Marks the cookie of a mount point. The other bits are the number of mount points listed.
const MOUNTS: u64 = 1 << 63;

/// The entries that are listed before those of a virtual file system.
const DOTS: [&str; 2] = [".", ".."];

impl VirtualDirectory {
    /// Adds the entries from `cookie` on to `dirents`.
    pub(crate) fn list(
        &self,
        mounts: &Mounts,
        cookie: u64,
        dirents: &mut Dirents<'_>,
    ) -> Result<(), Errno> {
        let mut listed = cookie.checked_sub(MOUNTS);
        if listed.is_none() {
            let found = mounts.find(&self.location)?;
            match &found.mount.source {
                Source::Host(fd) => {
                    self.list_host(mounts, found.mount.root(fd), found.rest, cookie, dirents)?;
                }
                Source::Virtual(fs) => {
                    self.list_virtual(mounts, &**fs, found.rest, cookie, dirents)?;
                }
            }
            listed = Some(0);
        }
        let mount_points = mounts.children(&self.location).enumerate();
        for (i, name) in mount_points.skip(listed.map_or(0, |listed| listed as usize)) {
            let stat = mounts.stat(&join(&self.location, name))?;
            let next = MOUNTS + i as u64 + 1;
            if !dirents.push(next, stat.ino, name.as_bytes(), stat.filetype) {
                break;
            }
        }
        Ok(())
    }

    /// Adds the entries of the directory of the host at `path` in `root`, without the names that
    /// are mount points.
    fn list_host(
        &self,
        mounts: &Mounts,
        root: Root<'_>,
        path: &str,
        cookie: u64,
        dirents: &mut Dirents<'_>,
    ) -> Result<(), Errno> {
        let path = if path.is_empty() { "." } else { path };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let path = GuestPath::new(path.as_bytes())?;
        let dir = mounts.host_resolver().open(root, path, flags, Mode::empty())?;
        let mount_points: Vec<_> = mounts.children(&self.location).collect();
        dirents.extend_from_host(dir.as_fd(), cookie, |name| {
            !mount_points.iter().any(|mount| mount.as_bytes() == name)
        })
    }

    /// Adds the entries of the directory at `path` in a virtual file system, without the names that
    /// are mount points.
    fn list_virtual(
        &self,
        mounts: &Mounts,
        fs: &dyn FileSystem,
        path: &str,
        cookie: u64,
        dirents: &mut Dirents<'_>,
    ) -> Result<(), Errno> {
        for (i, name) in (0..).zip(DOTS).skip(usize::try_from(cookie).unwrap_or(usize::MAX)) {
            // The inode number of the parent is not given, as in directories of the host.
            let ino = if name == "." { fs.stat(path)?.inode } else { 0 };
            if !dirents.push(i + 1, ino, name.as_bytes(), Filetype::Directory) {
                return Ok(());
            }
        }
        let dots = DOTS.len() as u64;
        fs.list(path, cookie.saturating_sub(dots), &mut |entry| {
            let hidden = mounts.is_mount_point(&join(&self.location, entry.name));
            hidden || {
                let next = entry.cookie.saturating_add(dots);
                dirents.push(next, entry.inode, entry.name.as_bytes(), filetype(entry.kind))
            }
        })
    }
}
