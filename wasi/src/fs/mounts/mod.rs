//! Mounts: the file systems of a guest, joined to one tree.
//!
//! The names of all directories that a [`Builder`](crate::Builder) grants form one tree. A
//! *location* is a path from its root without symbolic links and dots. A location belongs to the
//! mount with the longest name that is a prefix of it. A path that is resolved from one preopened
//! directory therefore reaches the mounts beneath that directory.
//!
//! Directories of the host with nothing mounted beneath them need no mounts: the kernel resolves
//! their paths. If this holds for every directory of a guest, [`Mounts`] is empty. All other paths
//! are resolved here, component by component, by [`Mounts::resolve`].

mod location;
mod resolve;
mod single_mount;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{FileType, fstat};

pub(crate) use location::{beneath, join, location};
pub(crate) use resolve::ResolvedPath;
pub(crate) use single_mount::SingleMountPath;

use super::{FileKind, FileStat, FileSystem};
use crate::errno::Errno;
use crate::guest::GuestPath;
use crate::guest::layout::{Filestat, Filetype};
use crate::sandbox::{Hidden, Resolver, Root};
use precast_runtime::Shared;

/// The file system of a mount.
#[derive(Clone)]
pub(crate) enum Source {
    /// A directory of the host.
    Host(Arc<Shared<OwnedFd>>),
    /// A file system that is not the host's.
    Virtual(Arc<dyn FileSystem>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Host(fd) => f.debug_tuple("Host").field(fd).finish(),
            Source::Virtual(_) => f.write_str("Virtual"),
        }
    }
}

/// A file system at a location of the guest's tree.
pub(crate) struct Mount {
    /// The mount point.
    pub(crate) at: String,
    pub(crate) source: Source,
    pub(crate) writable: bool,
    /// The files that are hidden in a directory of the host, by other mounts above all.
    pub(crate) hidden: Option<Arc<Hidden>>,
    /// The inode numbers of the files that other mounts hide in a virtual file system.
    hidden_inodes: Vec<u64>,
}

impl Mount {
    /// A mount in which nothing is hidden yet.
    pub(crate) fn new(at: String, source: Source, writable: bool) -> Self {
        Mount { at, source, writable, hidden: None, hidden_inodes: Vec::new() }
    }

    /// The mount with files that are hidden whatever else is mounted.
    pub(crate) fn hiding(self, hidden: Option<Arc<Hidden>>) -> Self {
        Mount { hidden, ..self }
    }

    /// The start of path resolutions in the directory of the host `fd`, which is this mount's.
    pub(crate) fn root<'m>(&'m self, fd: &'m OwnedFd) -> Root<'m> {
        Root { fd: fd.as_fd(), hidden: self.hidden.as_deref() }
    }
}

/// The mount table of an instance; empty if the kernel resolves all its paths.
pub(crate) struct Mounts {
    mounts: Vec<Mount>,
    /// Resolves paths in directories of the host.
    resolver: Resolver,
}

/// The mount of a location.
#[derive(Clone, Copy)]
pub(crate) struct MountLookup<'m, 'l> {
    pub(crate) mount: &'m Mount,
    /// The path in the mount; empty for its root.
    pub(crate) rest: &'l str,
    /// The device number, if the file system is virtual.
    pub(crate) dev: u64,
}

impl Mounts {
    /// An empty table.
    pub(crate) fn new(resolver: Resolver) -> Self {
        Mounts { mounts: Vec::new(), resolver }
    }

    /// Resolves paths in directories of the host and follows no symbolic link: the paths that the
    /// mount table hands to a mount have none.
    pub(crate) fn host_resolver(&self) -> Resolver {
        self.resolver.without_symlinks()
    }

    /// Resolves paths in directories of the host that have no mounts. Follows symbolic links.
    pub(crate) fn resolver(&self) -> Resolver {
        self.resolver
    }

    /// Adds a mount. It hides the file at its location, and an earlier mount at the same location.
    pub(crate) fn add(&mut self, mount: Mount) {
        self.mounts.push(mount);
    }

    /// Adds a read-only mount of the empty file system `empty` wherever the parent directory of a
    /// mount point does not exist.
    pub(crate) fn fill_gaps(&mut self, empty: &Arc<dyn FileSystem>) {
        let mut at: Vec<String> = self.mounts.iter().map(|mount| mount.at.clone()).collect();
        at.sort();
        for at in at {
            for (slash, _) in at.match_indices('/') {
                let gap = &at[..slash];
                if self.find(gap).is_ok() && self.stat(gap) == Err(Errno::Noent) {
                    let source = Source::Virtual(empty.clone());
                    self.add(Mount::new(gap.to_owned(), source, false));
                }
            }
        }
    }

    /// Finds the files that mounts hide in other mounts. Called once, after the last mount was
    /// added.
    pub(crate) fn hide(&mut self) {
        let hidden_in = |mount: &Mount| mount.hidden.as_deref().cloned().unwrap_or_default();
        let mut hidden: Vec<Hidden> = self.mounts.iter().map(hidden_in).collect();
        let mut inodes: Vec<Vec<u64>> = vec![Vec::new(); self.mounts.len()];
        for mount in &self.mounts {
            // The parent directory belongs to the mount in which the file is hidden.
            let above = mount.at.rfind('/').map_or("", |slash| &mount.at[..slash]);
            let covers = |i: usize| {
                let rest = beneath(&mount.at, &self.mounts[i].at).unwrap_or_default();
                match &self.mounts[i].source {
                    _ if rest.is_empty() => {}
                    Source::Host(fd) => hidden[i].add(self.resolver, fd.as_fd(), rest),
                    Source::Virtual(fs) => inodes[i].extend(hidden_inode(&**fs, rest)),
                }
            };
            if !mount.at.is_empty() {
                self.index(above).map(covers).unwrap_or_default();
            }
        }
        for (mount, (hidden, inodes)) in self.mounts.iter_mut().zip(hidden.into_iter().zip(inodes))
        {
            mount.hidden = (!hidden.is_empty()).then(|| Arc::new(hidden));
            mount.hidden_inodes = inodes;
        }
    }

    /// `EPERM` if the file at `location` is hidden by a mount elsewhere in the same virtual file
    /// system: `location` is another name of it. In directories of the host the sandbox checks
    /// this.
    fn check_not_hidden(&self, location: &str) -> Result<(), Errno> {
        let Ok(found) = self.find(location) else { return Ok(()) };
        match &found.mount.source {
            Source::Virtual(fs) if !found.mount.hidden_inodes.is_empty() => {
                let inode = fs.stat(found.rest).map(|stat| stat.inode);
                let hidden = inode.is_ok_and(|inode| found.mount.hidden_inodes.contains(&inode));
                if hidden { Err(Errno::Perm) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// See [`Hidden::fold`].
    #[cfg(test)]
    pub(crate) fn fold(&mut self, known: bool) {
        for mount in &mut self.mounts {
            if let Some(hidden) = mount.hidden.as_mut().and_then(Arc::get_mut) {
                hidden.fold(known);
            }
        }
    }

    /// The mount that `location` belongs to. `ENOENT`: none.
    pub(crate) fn find<'m, 'l>(&'m self, location: &'l str) -> Result<MountLookup<'m, 'l>, Errno> {
        let i = self.index(location)?;
        let mount = &self.mounts[i];
        let rest = beneath(location, &mount.at).ok_or(Errno::Noent)?;
        Ok(MountLookup { mount, rest, dev: self.dev(i) })
    }

    /// The index of the mount that `location` belongs to.
    fn index(&self, location: &str) -> Result<usize, Errno> {
        let candidates = self.mounts.iter().enumerate().filter_map(|(i, mount)| {
            // The later of two mounts at one location.
            beneath(location, &mount.at).map(|_| (mount.at.len(), i))
        });
        candidates.max().map(|(_, i)| i).ok_or(Errno::Noent)
    }

    /// A device number that no device of the host has. All mounts of one file system have the same.
    fn dev(&self, i: usize) -> u64 {
        const FIRST: u64 = 0xffff_ffff_0000_0000;
        let same = |other: &Mount| match (&other.source, &self.mounts[i].source) {
            (Source::Virtual(a), Source::Virtual(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        FIRST + self.mounts.iter().position(same).unwrap_or(i) as u64
    }

    /// Whether `location` is a mount point.
    pub(crate) fn is_mount_point(&self, location: &str) -> bool {
        self.mounts.iter().any(|mount| mount.at == location)
    }

    /// Whether `location` is a mount point or the directory of one, at any depth. Such a directory
    /// cannot be renamed or removed.
    pub(crate) fn holds_mount(&self, location: &str) -> bool {
        self.mounts.iter().any(|mount| beneath(&mount.at, location).is_some())
    }

    /// Whether `location` is the directory of a mount point, at any depth.
    pub(crate) fn has_mount_beneath(&self, location: &str) -> bool {
        let is_beneath =
            |mount: &Mount| beneath(&mount.at, location).is_some_and(|rest| !rest.is_empty());
        self.mounts.iter().any(is_beneath)
    }

    /// The names of the mount points that are entries of the directory at `location`.
    pub(crate) fn children<'a>(&'a self, location: &'a str) -> impl Iterator<Item = &'a str> {
        self.mounts.iter().enumerate().filter_map(move |(i, mount)| {
            let name = beneath(&mount.at, location)?;
            let hidden = self.mounts[i + 1..].iter().any(|later| later.at == mount.at);
            (!name.is_empty() && !name.contains('/') && !hidden).then_some(name)
        })
    }

    /// The metadata of the file at `location`. A symbolic link is not followed.
    pub(crate) fn stat(&self, location: &str) -> Result<Filestat, Errno> {
        let found = self.find(location)?;
        match &found.mount.source {
            Source::Virtual(fs) => Ok(filestat(&fs.stat(found.rest)?, found.dev)),
            Source::Host(fd) if found.rest.is_empty() => {
                Ok(Filestat::of_host(Filetype::Directory, &fstat(fd.as_fd())?))
            }
            Source::Host(fd) => {
                let path = GuestPath::new(found.rest.as_bytes())?;
                let root = found.mount.root(fd);
                let (_, stat) = self.host_resolver().lookup(root, path, false)?;
                Ok(Filestat::of_host(FileType::from_raw_mode(stat.st_mode).into(), &stat))
            }
        }
    }

    /// The target of the symbolic link at `location`.
    fn read_link(&self, location: &str) -> Result<String, Errno> {
        let found = self.find(location)?;
        match &found.mount.source {
            Source::Virtual(fs) => fs.read_link(found.rest),
            Source::Host(fd) => {
                let path = GuestPath::new(found.rest.as_bytes())?;
                let entry = self.host_resolver().entry(found.mount.root(fd), path)?;
                String::from_utf8(entry.read_link()?).map_err(|_| Errno::Ilseq)
            }
        }
    }
}

/// The inode number of the file at `path` in `fs`, unless it is that of the root.
fn hidden_inode(fs: &dyn FileSystem, path: &str) -> Option<u64> {
    let inode = fs.stat(path).ok()?.inode;
    (fs.stat("").ok()?.inode != inode).then_some(inode)
}

/// The record of a file of a virtual file system with the device number `dev`.
pub(crate) fn filestat(stat: &FileStat, dev: u64) -> Filestat {
    Filestat {
        dev,
        ino: stat.inode,
        filetype: filetype(stat.kind),
        nlink: stat.links,
        size: stat.size,
        atim: stat.accessed,
        mtim: stat.modified,
        ctim: stat.changed,
    }
}

pub(crate) fn filetype(kind: FileKind) -> Filetype {
    match kind {
        FileKind::File => Filetype::RegularFile,
        FileKind::Directory => Filetype::Directory,
        FileKind::SymbolicLink => Filetype::SymbolicLink,
    }
}
