//! `Tree`: a directory with mounts beneath it, or one that is not the host's.

mod entries;
pub(crate) mod entry;
mod listing;

use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Timestamps};

use crate::calls::fd_meta::virtual_times;
use crate::calls::path_open::Request;
use crate::errno::Errno;
use crate::fd::rights::Rights;
use crate::fd::table::{Descriptor, Object};
use crate::fd::virtual_file::VirtualFile;
use crate::fs::mounts::resolve::{Place, resolve};
use crate::fs::mounts::single_mount::Plain;
use crate::fs::mounts::{Mount, Source};
use crate::fs::{FileKind, FileSystem, OpenOptions};
use crate::guest::GuestPath;
use crate::guest::layout::{Filestat, Filetype, Oflags};
use crate::state::blueprint::Wasi;
pub(crate) use entries::{link, rename};

/// An open directory, known by its location. Renaming it in its instance changes that.
pub(crate) struct Tree {
    pub(crate) location: String,
    /// What the guest calls it, if it was there from the start.
    pub(crate) preopen: Option<Arc<[u8]>>,
}

impl Tree {
    /// Where `path` leads, past symbolic links if `follow`, or if it ends in a slash.
    fn resolve(&self, wasi: &Wasi, path: GuestPath<'_>, follow: bool) -> Result<Place, Errno> {
        let follow = follow || path.bytes().ends_with(b"/");
        resolve(&wasi.mounts, wasi.resolver, &self.location, path, follow)
    }

    /// What this directory is.
    pub(crate) fn stat(&self, wasi: &Wasi) -> Result<Filestat, Errno> {
        wasi.mounts.stat(wasi.resolver, &self.location)
    }

    /// What lies at `path`.
    pub(crate) fn path_stat(
        &self,
        wasi: &Wasi,
        path: GuestPath<'_>,
        follow: bool,
    ) -> Result<Filestat, Errno> {
        if let Some(stat) = self.stat_plainly(wasi, path, follow) {
            return Ok(stat);
        }
        let place = self.resolve(wasi, path, follow)?;
        let stat = wasi.mounts.stat(wasi.resolver, &place.location)?;
        if place.slashed && stat.filetype != Filetype::Directory {
            return Err(Errno::Notdir);
        }
        Ok(stat)
    }

    /// As [`Tree::path_stat`], without a walk, if nothing but directories is on the way.
    fn stat_plainly(&self, wasi: &Wasi, path: GuestPath<'_>, follow: bool) -> Option<Filestat> {
        let plain = Plain::new(&wasi.mounts, &self.location, path)?;
        let resolver = wasi.resolver.linkless();
        let (_, stat) = resolver.lookup(plain.root, plain.path()?, false).ok()?;
        let filetype = Filetype::from(FileType::from_raw_mode(stat.st_mode));
        let walk = follow && filetype == Filetype::SymbolicLink;
        (!walk).then(|| Filestat::of_host(filetype, &stat))
    }

    /// Sets the timestamps of this directory.
    pub(crate) fn set_times(&self, wasi: &Wasi, host_times: &Timestamps) -> Result<(), Errno> {
        set_times(wasi, &self.location, host_times)
    }

    /// Sets the timestamps of what lies at `path`.
    pub(crate) fn path_set_times(
        &self,
        wasi: &Wasi,
        path: GuestPath<'_>,
        follow: bool,
        host_times: &Timestamps,
    ) -> Result<(), Errno> {
        let place = self.resolve(wasi, path, follow)?;
        if place.slashed
            && wasi.mounts.stat(wasi.resolver, &place.location)?.filetype != Filetype::Directory
        {
            return Err(Errno::Notdir);
        }
        set_times(wasi, &place.location, host_times)
    }

    /// Opens what lies at `path`.
    pub(crate) fn open(
        &self,
        wasi: &Wasi,
        path: GuestPath<'_>,
        request: &Request,
    ) -> Result<Descriptor, Errno> {
        if request.oflags.contains(Oflags::CREAT) && path.bytes().ends_with(b"/") {
            // As the kernel says it before it looks: only directories have slashes.
            let place = resolve(&wasi.mounts, wasi.resolver, &self.location, path, false)?;
            let made = place.dotted && request.oflags.contains(Oflags::EXCL);
            return Err(if made { Errno::Exist } else { Errno::Isdir });
        }
        // A file that must be made is not there, not even at the other end of a link.
        let follow = request.follow && !request.oflags.contains(Oflags::CREAT.with(Oflags::EXCL));
        if let Some(descriptor) = self.open_plainly(wasi, path, request) {
            return Ok(descriptor);
        }
        let place = self.resolve(wasi, path, follow)?;
        let found = wasi.mounts.find(&place.location)?;
        request.require_writable(found.mount.writable)?;
        match &found.mount.source {
            Source::Host(fd) => {
                let path = match (found.rest, place.slashed) {
                    ("", _) => ".".to_owned(),
                    (rest, false) => rest.to_owned(),
                    (rest, true) => format!("{rest}/"),
                };
                let flags = request.host_flags() | OFlags::NOFOLLOW;
                let mode = Mode::from_raw_mode(0o666);
                let path = GuestPath::new(path.as_bytes())?;
                let file =
                    wasi.resolver.linkless().open(found.mount.root(fd), path, flags, mode)?;
                let hidden = found.mount.hidden.clone();
                let descriptor = request.descriptor(file, found.mount.writable, hidden)?;
                let above = wasi.mounts.has_beneath(&place.location);
                match descriptor.object {
                    Object::Directory(_) if above => Ok(directory(place.location, request)),
                    _ => Ok(descriptor),
                }
            }
            Source::Virtual(fs) => {
                let open = open_virtual(&**fs, found.rest, &place, request)?;
                let Some(file) = open else {
                    return Ok(directory(place.location, request));
                };
                let file = VirtualFile::new(file, found.mount.writable, found.dev, request.fdflags);
                let base = request.base & Rights::FILE;
                Ok(Descriptor {
                    object: Object::Virtual(file),
                    opened_for: base & Rights::DATA,
                    base,
                    inheriting: request.inheriting,
                })
            }
        }
    }
}

impl Tree {
    /// As [`Tree::open`], without a walk, if nothing but directories is on the way.
    fn open_plainly(
        &self,
        wasi: &Wasi,
        path: GuestPath<'_>,
        request: &Request,
    ) -> Option<Descriptor> {
        let plain = Plain::new(&wasi.mounts, &self.location, path)?;
        request.require_writable(plain.writable).ok()?;
        let (flags, mode) = (request.host_flags() | OFlags::NOFOLLOW, Mode::from_raw_mode(0o666));
        let file = wasi.resolver.linkless().open(plain.root, plain.path()?, flags, mode).ok()?;
        request.descriptor(file, plain.writable, plain.hidden.clone()).ok()
    }
}

/// The descriptor of a directory at `location`.
fn directory(location: String, request: &Request) -> Descriptor {
    Descriptor {
        object: Object::Tree(Tree { location, preopen: None }),
        opened_for: Rights::NONE,
        base: request.base & Rights::DIRECTORY,
        inheriting: request.inheriting,
    }
}

/// Opens a file, or answers `None` for a directory that may be opened.
fn open_virtual(
    fs: &dyn FileSystem,
    path: &str,
    place: &Place,
    request: &Request,
) -> Result<Option<Box<dyn crate::fs::File>>, Errno> {
    let wants = |flag| request.oflags.contains(flag);
    let directory_only = wants(Oflags::DIRECTORY) || place.slashed;
    match fs.stat(path).map(|stat| stat.kind) {
        Ok(_) if wants(Oflags::CREAT.with(Oflags::EXCL)) => return Err(Errno::Exist),
        Ok(FileKind::Directory) if request.writes() => return Err(Errno::Isdir),
        Ok(FileKind::Directory) => return Ok(None),
        Ok(_) if directory_only => return Err(Errno::Notdir),
        Ok(FileKind::SymbolicLink) => return Err(Errno::Loop),
        Ok(FileKind::File) => {}
        Err(Errno::Noent) if wants(Oflags::CREAT) && place.slashed => return Err(Errno::Isdir),
        Err(Errno::Noent) if wants(Oflags::CREAT) => {}
        Err(error) => return Err(error),
    }
    let options = OpenOptions {
        read: request.base.contains(Rights::FD_READ),
        write: request.opens_for_writing(),
        create: wants(Oflags::CREAT),
        exclusive: wants(Oflags::EXCL),
        truncate: wants(Oflags::TRUNC),
    };
    fs.open(path, options).map(Some)
}

fn set_times(wasi: &Wasi, location: &str, host_times: &Timestamps) -> Result<(), Errno> {
    let found = wasi.mounts.find(location)?;
    let Mount { source, writable, .. } = found.mount;
    if !writable {
        return Err(Errno::Rofs);
    }
    match source {
        Source::Host(fd) if found.rest.is_empty() => Ok(rustix::fs::futimens(fd, host_times)?),
        Source::Host(fd) => {
            let path = GuestPath::new(found.rest.as_bytes())?;
            let resolver = wasi.resolver.linkless();
            let (entry, stat) = resolver.lookup(found.mount.root(fd), path, false)?;
            entry.require_ordinary(&stat)?;
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            Ok(rustix::fs::utimensat(entry.dir(), entry.bare_name(), host_times, flags)?)
        }
        Source::Virtual(fs) => fs.set_times(found.rest, virtual_times(host_times, &wasi.clocks)?),
    }
}
