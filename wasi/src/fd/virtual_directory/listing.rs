//! Listing a [`Tree`]: what its file system has, then what is mounted there.
//!
//! Cookies are the file system's own, so that they survive what happens to the directory; those of
//! mounts, which neither come nor go, have the highest bit set.

use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags};

use super::Tree;
use crate::calls::dirs::{self, Dirents};
use crate::errno::Errno;
use crate::fs::mounts::{Found, Source, filetype, join};
use crate::guest::GuestPath;
use crate::guest::layout::Filetype;
use crate::state::blueprint::Wasi;

/// Marks the cookie of a mount: the rest is how many of them have been told.
const MOUNTS: u64 = 1 << 63;

/// Told before the entries of a file system that is not the host's.
const DOTS: [&str; 2] = [".", ".."];

impl Tree {
    /// Tells `dirents` the entries from `cookie` on.
    pub(crate) fn list(
        &self,
        wasi: &Wasi,
        cookie: u64,
        dirents: &mut Dirents<'_>,
    ) -> Result<(), Errno> {
        let mut told = cookie.checked_sub(MOUNTS);
        if told.is_none() {
            let found = wasi.mounts.find(&self.location)?;
            match &found.mount.source {
                Source::Host(_) => self.list_host(wasi, &found, cookie, dirents)?,
                Source::Virtual(_) => self.list_virtual(wasi, &found, cookie, dirents)?,
            }
            told = Some(0);
        }
        let mounts = wasi.mounts.children(&self.location).enumerate();
        for (i, name) in mounts.skip(told.map_or(0, |told| told as usize)) {
            let stat = wasi.mounts.stat(wasi.resolver, &join(&self.location, name))?;
            let next = MOUNTS + i as u64 + 1;
            if !dirents.push(next, stat.ino, name.as_bytes(), stat.filetype) {
                break;
            }
        }
        Ok(())
    }

    fn list_host(
        &self,
        wasi: &Wasi,
        found: &Found<'_, '_>,
        cookie: u64,
        dirents: &mut Dirents<'_>,
    ) -> Result<(), Errno> {
        let Source::Host(fd) = &found.mount.source else {
            return Ok(());
        };
        let path = if found.rest.is_empty() { "." } else { found.rest };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let path = GuestPath::new(path.as_bytes())?;
        let dir =
            wasi.resolver.linkless().open(found.mount.root(fd), path, flags, Mode::empty())?;
        let mounts: Vec<_> = wasi.mounts.children(&self.location).collect();
        dirs::list(dir.as_fd(), cookie, dirents, |name| {
            !mounts.iter().any(|mount| mount.as_bytes() == name)
        })
    }

    fn list_virtual(
        &self,
        wasi: &Wasi,
        found: &Found<'_, '_>,
        cookie: u64,
        dirents: &mut Dirents<'_>,
    ) -> Result<(), Errno> {
        let Source::Virtual(fs) = &found.mount.source else {
            return Ok(());
        };
        for (i, name) in (0..).zip(DOTS).skip(usize::try_from(cookie).unwrap_or(usize::MAX)) {
            // As of a host's directory: the number of a parent is not told.
            let ino = if name == "." { fs.stat(found.rest)?.inode } else { 0 };
            if !dirents.push(i + 1, ino, name.as_bytes(), Filetype::Directory) {
                return Ok(());
            }
        }
        let dots = DOTS.len() as u64;
        fs.list(found.rest, cookie.saturating_sub(dots), &mut |entry| {
            let hidden = wasi.mounts.is_root(&join(&self.location, entry.name));
            hidden || {
                let next = entry.cookie.saturating_add(dots);
                dirents.push(next, entry.inode, entry.name.as_bytes(), filetype(entry.kind))
            }
        })
    }
}
