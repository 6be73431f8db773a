//! `VirtualDirectory`: an open directory whose paths are resolved with the mount table.
//!
//! It is a directory of a virtual file system, or one of the host with mounts beneath it.

mod entries;
mod entry;
mod listing;

use std::sync::Arc;

use rustix::fd::AsFd;
use rustix::fs::{FileType, Mode, OFlags};

pub(crate) use entries::{link, rename};

use super::virtual_file::VirtualFile;
use super::{Descriptor, NewTimestamps, Object, OpenRequest, Rights};
use crate::errno::Errno;
use crate::fs::mounts::{Mount, Mounts, ResolvedPath, SingleMountPath, Source};
use crate::fs::{File, FileKind, FileSystem, OpenOptions};
use crate::guest::GuestPath;
use crate::guest::layout::{Filestat, Filetype, Oflags};
use precast_runtime::Shared;

/// An open directory, identified by its location. A rename by its own instance updates the
/// location.
pub(crate) struct VirtualDirectory {
    pub(crate) location: String,
    /// The name that the guest sees, if the directory is preopened.
    pub(crate) preopen: Option<Arc<Shared<[u8]>>>,
}

impl VirtualDirectory {
    /// Resolves `path`. Follows a symbolic link in the last component if `follow`, or if the path
    /// ends in a slash.
    fn resolve(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
        follow: bool,
    ) -> Result<ResolvedPath, Errno> {
        let follow = follow || path.bytes().ends_with(b"/");
        mounts.resolve(&self.location, path, follow)
    }

    /// The metadata of this directory.
    pub(crate) fn stat(&self, mounts: &Mounts) -> Result<Filestat, Errno> {
        mounts.stat(&self.location)
    }

    /// The metadata of the file at `path`.
    pub(crate) fn path_stat(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
        follow: bool,
    ) -> Result<Filestat, Errno> {
        if let Some(stat) = self.stat_on_single_mount(mounts, path, follow) {
            return Ok(stat);
        }
        let resolved = self.resolve(mounts, path, follow)?;
        let stat = mounts.stat(&resolved.location)?;
        if resolved.slashed && stat.filetype != Filetype::Directory {
            return Err(Errno::Notdir);
        }
        Ok(stat)
    }

    /// [`VirtualDirectory::path_stat`] by the sandbox alone, if the path lies on one mount of the
    /// host.
    fn stat_on_single_mount(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
        follow: bool,
    ) -> Option<Filestat> {
        let single = SingleMountPath::new(mounts, &self.location, path)?;
        let resolver = mounts.host_resolver();
        let (_, stat) = resolver.lookup(single.root, single.path()?, false).ok()?;
        let filetype = Filetype::from(FileType::from_raw_mode(stat.st_mode));
        let is_link = follow && filetype == Filetype::SymbolicLink;
        (!is_link).then(|| Filestat::of_host(filetype, &stat))
    }

    /// Sets the timestamps of this directory.
    pub(crate) fn set_times(&self, mounts: &Mounts, times: &NewTimestamps) -> Result<(), Errno> {
        set_times(mounts, &self.location, times)
    }

    /// Sets the timestamps of the file at `path`.
    pub(crate) fn path_set_times(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
        follow: bool,
        times: &NewTimestamps,
    ) -> Result<(), Errno> {
        let resolved = self.resolve(mounts, path, follow)?;
        if resolved.slashed && mounts.stat(&resolved.location)?.filetype != Filetype::Directory {
            return Err(Errno::Notdir);
        }
        set_times(mounts, &resolved.location, times)
    }

    /// Opens the file or directory at `path`.
    pub(crate) fn open(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
        request: &OpenRequest,
    ) -> Result<Descriptor, Errno> {
        if request.oflags.contains(Oflags::CREAT) && path.bytes().ends_with(b"/") {
            // As in the kernel, which does not look for the file: a slash names a directory.
            let resolved = mounts.resolve(&self.location, path, false)?;
            let exists = resolved.dotted && request.oflags.contains(Oflags::EXCL);
            return Err(if exists { Errno::Exist } else { Errno::Isdir });
        }
        // With `EXCL` a symbolic link is an existing file.
        let follow = request.follow && !request.oflags.contains(Oflags::CREAT.with(Oflags::EXCL));
        if let Some(descriptor) = self.open_on_single_mount(mounts, path, request) {
            return Ok(descriptor);
        }
        let resolved = self.resolve(mounts, path, follow)?;
        let found = mounts.find(&resolved.location)?;
        request.require_writable(found.mount.writable)?;
        match &found.mount.source {
            Source::Host(fd) => {
                let path = match (found.rest, resolved.slashed) {
                    ("", _) => ".".to_owned(),
                    (rest, false) => rest.to_owned(),
                    (rest, true) => format!("{rest}/"),
                };
                let flags = request.host_flags() | OFlags::NOFOLLOW;
                let mode = Mode::from_raw_mode(0o666);
                let path = GuestPath::new(path.as_bytes())?;
                let file = mounts.host_resolver().open(found.mount.root(fd), path, flags, mode)?;
                let hidden = found.mount.hidden.clone();
                let descriptor = request.descriptor(file, found.mount.writable, hidden)?;
                let has_mounts = mounts.has_mount_beneath(&resolved.location);
                match descriptor.object {
                    Object::HostDirectory(_) if has_mounts => {
                        Ok(directory(resolved.location, request))
                    }
                    _ => Ok(descriptor),
                }
            }
            Source::Virtual(fs) => {
                let open = open_virtual(&**fs, found.rest, &resolved, request)?;
                let Some(file) = open else {
                    return Ok(directory(resolved.location, request));
                };
                let file = VirtualFile::new(file, found.mount.writable, found.dev, request.fdflags);
                let base = request.base & Rights::FILE;
                Ok(Descriptor {
                    object: Object::VirtualFile(file),
                    opened_for: base & Rights::DATA,
                    base,
                    inheriting: request.inheriting,
                })
            }
        }
    }

    /// [`VirtualDirectory::open`] by the sandbox alone, if the path lies on one mount of the host.
    fn open_on_single_mount(
        &self,
        mounts: &Mounts,
        path: GuestPath<'_>,
        request: &OpenRequest,
    ) -> Option<Descriptor> {
        let single = SingleMountPath::new(mounts, &self.location, path)?;
        request.require_writable(single.writable).ok()?;
        let (flags, mode) = (request.host_flags() | OFlags::NOFOLLOW, Mode::from_raw_mode(0o666));
        let file = mounts.host_resolver().open(single.root, single.path()?, flags, mode).ok()?;
        request.descriptor(file, single.writable, single.hidden.clone()).ok()
    }
}

/// The descriptor of a directory at `location`.
fn directory(location: String, request: &OpenRequest) -> Descriptor {
    Descriptor {
        object: Object::VirtualDirectory(VirtualDirectory { location, preopen: None }),
        opened_for: Rights::NONE,
        base: request.base & Rights::DIRECTORY,
        inheriting: request.inheriting,
    }
}

/// Opens a file. `None`: a directory, which the request may open.
fn open_virtual(
    fs: &dyn FileSystem,
    path: &str,
    resolved: &ResolvedPath,
    request: &OpenRequest,
) -> Result<Option<Box<dyn File>>, Errno> {
    let wants = |flag| request.oflags.contains(flag);
    let directory_only = wants(Oflags::DIRECTORY) || resolved.slashed;
    match fs.stat(path).map(|stat| stat.kind) {
        Ok(_) if wants(Oflags::CREAT.with(Oflags::EXCL)) => return Err(Errno::Exist),
        Ok(FileKind::Directory) if request.writes() => return Err(Errno::Isdir),
        Ok(FileKind::Directory) => return Ok(None),
        Ok(_) if directory_only => return Err(Errno::Notdir),
        Ok(FileKind::SymbolicLink) => return Err(Errno::Loop),
        Ok(FileKind::File) => {}
        Err(Errno::Noent) if wants(Oflags::CREAT) && resolved.slashed => return Err(Errno::Isdir),
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

/// Sets the timestamps of the file at `location`.
fn set_times(mounts: &Mounts, location: &str, times: &NewTimestamps) -> Result<(), Errno> {
    let found = mounts.find(location)?;
    let Mount { source, writable, .. } = found.mount;
    if !writable {
        return Err(Errno::Rofs);
    }
    match source {
        Source::Host(fd) if found.rest.is_empty() => {
            Ok(rustix::fs::futimens(fd.as_fd(), &times.host)?)
        }
        Source::Host(fd) => {
            let path = GuestPath::new(found.rest.as_bytes())?;
            let resolver = mounts.host_resolver();
            let (entry, stat) = resolver.lookup(found.mount.root(fd), path, false)?;
            entry.set_times(&stat, &times.host)
        }
        Source::Virtual(fs) => fs.set_times(found.rest, times.virtual_fs),
    }
}
