//! Mounts: which file system a path of the guest leads to.
//!
//! The names of all that a [`Builder`](crate::Builder) grants form one tree. A path that is
//! resolved from one preopened directory reaches what is mounted beneath it: what lies at a
//! *location*, a path from the root of that tree without links and dots, belongs to the mount with
//! the longest name that is a prefix of it.
//!
//! A directory of the host with nothing mounted beneath it needs none of this and stays
//! [`Object::Directory`](crate::fd::table::Object): its paths are the kernel's. Everything else is a
//! [`Tree`], which resolves paths by itself, component by component, with [`resolve`].

pub(crate) mod resolve;
pub(crate) mod single_mount;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

pub(crate) use crate::fd::virtual_directory::entry::Base;
pub(crate) use crate::fd::virtual_directory::{Tree, link, rename};

use rustix::fs::{FileType, fstat};

use crate::errno::Errno;
use crate::fs::{FileKind, FileStat, FileSystem};
use crate::guest::GuestPath;
use crate::guest::layout::{Filestat, Filetype};
use crate::sandbox::{Hidden, Resolver, Root};

/// What a mount shows.
#[derive(Clone)]
pub(crate) enum Source {
    Host(Arc<OwnedFd>),
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

/// A file system at a place in the guest's tree.
pub(crate) struct Mount {
    /// Its location.
    pub(crate) at: String,
    pub(crate) source: Source,
    pub(crate) writable: bool,
    /// What other mounts hide in this one, if it is a directory of the host.
    pub(crate) hidden: Option<Arc<Hidden>>,
    /// The same, by number, if it is a file system of the embedder.
    hidden_inodes: Vec<u64>,
}

impl Mount {
    /// A mount in which no other mount hides something yet.
    pub(crate) fn new(at: String, source: Source, writable: bool) -> Self {
        Mount { at, source, writable, hidden: None, hidden_inodes: Vec::new() }
    }

    /// With what must not be reached in it anyway.
    pub(crate) fn hiding(self, hidden: Option<Arc<Hidden>>) -> Self {
        Mount { hidden, ..self }
    }

    /// To resolve paths from, in the directory of the host `fd` that this mount shows.
    pub(crate) fn root<'m>(&'m self, fd: &'m OwnedFd) -> Root<'m> {
        Root { fd: fd.as_fd(), hidden: self.hidden.as_deref() }
    }
}

/// All mounts of an instance; none if its directories need no [`Tree`].
#[derive(Default)]
pub(crate) struct Mounts(Vec<Mount>);

/// The mount that a location belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Found<'m, 'l> {
    pub(crate) mount: &'m Mount,
    /// The rest of the location: a path in the mount, empty for its root.
    pub(crate) rest: &'l str,
    /// The device number of a file system that is not the host's.
    pub(crate) dev: u64,
}

/// The location of what a guest calls `name`. A guest's C library takes `/tmp`, `tmp` and `./tmp`
/// for the same. No walk comes to a location with `..` in it but from there.
pub(crate) fn location(name: &str) -> String {
    let components: Vec<_> = name.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    components.join("/")
}

/// The rest of `location` beneath `above`, which is a prefix of it; empty if they are the same.
pub(crate) fn beneath<'l>(location: &'l str, above: &str) -> Option<&'l str> {
    if above.is_empty() {
        return Some(location);
    }
    let rest = location.strip_prefix(above)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// The location `name` in the directory at `location`.
pub(crate) fn join(location: &str, name: &str) -> String {
    match (location, name) {
        ("", _) => name.to_owned(),
        (_, "") => location.to_owned(),
        _ => format!("{location}/{name}"),
    }
}

impl Mounts {
    /// Adds a mount. It hides what lies at its location, a mount of that name too.
    pub(crate) fn add(&mut self, mount: Mount) {
        self.0.push(mount);
    }

    /// Fills the gaps: directories on the way to a mount that are in no file system. They are
    /// empty but for the mount, and cannot be changed.
    pub(crate) fn fill_gaps(&mut self, resolver: Resolver, nothing: &Arc<dyn FileSystem>) {
        let mut at: Vec<String> = self.0.iter().map(|mount| mount.at.clone()).collect();
        at.sort();
        for at in at {
            for (slash, _) in at.match_indices('/') {
                let gap = &at[..slash];
                if self.find(gap).is_ok() && self.stat(resolver, gap) == Err(Errno::Noent) {
                    let source = Source::Virtual(nothing.clone());
                    self.add(Mount::new(gap.to_owned(), source, false));
                }
            }
        }
    }

    /// Finds out what the mounts hide in each other. To be called once, when all are there.
    pub(crate) fn hide(&mut self, resolver: Resolver) {
        let hidden_in = |mount: &Mount| mount.hidden.as_deref().cloned().unwrap_or_default();
        let mut hidden: Vec<Hidden> = self.0.iter().map(hidden_in).collect();
        let mut inodes: Vec<Vec<u64>> = vec![Vec::new(); self.0.len()];
        for mount in &self.0 {
            // What would be there if it were not.
            let above = mount.at.rfind('/').map_or("", |slash| &mount.at[..slash]);
            let covers = |i: usize| {
                let rest = beneath(&mount.at, &self.0[i].at).unwrap_or_default();
                match &self.0[i].source {
                    _ if rest.is_empty() => {}
                    Source::Host(fd) => hidden[i].add(resolver, fd.as_fd(), rest),
                    Source::Virtual(fs) => inodes[i].extend(hidden_inode(&**fs, rest)),
                }
            };
            if !mount.at.is_empty() {
                self.index(above).map(covers).unwrap_or_default();
            }
        }
        for (mount, (hidden, inodes)) in self.0.iter_mut().zip(hidden.into_iter().zip(inodes)) {
            mount.hidden = (!hidden.is_empty()).then(|| Arc::new(hidden));
            mount.hidden_inodes = inodes;
        }
    }

    /// `EPERM` if what lies at `location` is what a mount hides elsewhere in a file system of the
    /// embedder, by another name. Directories of the host are looked at by the sandbox.
    pub(crate) fn check_shown(&self, location: &str) -> Result<(), Errno> {
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
        for mount in &mut self.0 {
            if let Some(hidden) = mount.hidden.as_mut().and_then(Arc::get_mut) {
                hidden.fold(known);
            }
        }
    }

    /// The mount that `location` belongs to. `ENOENT`: none.
    pub(crate) fn find<'m, 'l>(&'m self, location: &'l str) -> Result<Found<'m, 'l>, Errno> {
        let i = self.index(location)?;
        let mount = &self.0[i];
        let rest = beneath(location, &mount.at).ok_or(Errno::Noent)?;
        Ok(Found { mount, rest, dev: self.dev(i) })
    }

    /// The number of the mount that `location` belongs to.
    fn index(&self, location: &str) -> Result<usize, Errno> {
        let candidates = self.0.iter().enumerate().filter_map(|(i, mount)| {
            // Of two in the same place, the later.
            beneath(location, &mount.at).map(|_| (mount.at.len(), i))
        });
        candidates.max().map(|(_, i)| i).ok_or(Errno::Noent)
    }

    /// A number no device of the host has, and the same wherever a file system is mounted.
    fn dev(&self, i: usize) -> u64 {
        const FIRST: u64 = 0xffff_ffff_0000_0000;
        let same = |other: &Mount| match (&other.source, &self.0[i].source) {
            (Source::Virtual(a), Source::Virtual(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        FIRST + self.0.iter().position(same).unwrap_or(i) as u64
    }

    /// Whether something is mounted exactly there.
    pub(crate) fn is_root(&self, location: &str) -> bool {
        self.0.iter().any(|mount| mount.at == location)
    }

    /// Whether something is mounted there or further down: such a directory stays where it is.
    pub(crate) fn is_in_use(&self, location: &str) -> bool {
        self.0.iter().any(|mount| beneath(&mount.at, location).is_some())
    }

    /// Whether something is mounted further down.
    pub(crate) fn has_beneath(&self, location: &str) -> bool {
        self.0.iter().any(|mount| beneath(&mount.at, location).is_some_and(|rest| !rest.is_empty()))
    }

    /// The names of what is mounted right in the directory at `location`.
    pub(crate) fn children<'a>(&'a self, location: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().enumerate().filter_map(move |(i, mount)| {
            let name = beneath(&mount.at, location)?;
            let hidden = self.0[i + 1..].iter().any(|later| later.at == mount.at);
            (!name.is_empty() && !name.contains('/') && !hidden).then_some(name)
        })
    }

    /// What lies at `location`; of a symbolic link, the link.
    pub(crate) fn stat(&self, resolver: Resolver, location: &str) -> Result<Filestat, Errno> {
        let found = self.find(location)?;
        match &found.mount.source {
            Source::Virtual(fs) => Ok(filestat(&fs.stat(found.rest)?, found.dev)),
            Source::Host(fd) if found.rest.is_empty() => {
                Ok(Filestat::of_host(Filetype::Directory, &fstat(fd)?))
            }
            Source::Host(fd) => {
                let path = GuestPath::new(found.rest.as_bytes())?;
                let (_, stat) = resolver.linkless().lookup(found.mount.root(fd), path, false)?;
                Ok(Filestat::of_host(FileType::from_raw_mode(stat.st_mode).into(), &stat))
            }
        }
    }

    /// What the symbolic link at `location` says.
    pub(crate) fn read_link(&self, resolver: Resolver, location: &str) -> Result<String, Errno> {
        let found = self.find(location)?;
        match &found.mount.source {
            Source::Virtual(fs) => fs.read_link(found.rest),
            Source::Host(fd) => {
                let path = GuestPath::new(found.rest.as_bytes())?;
                let entry = resolver.linkless().entry(found.mount.root(fd), path)?;
                let target = rustix::fs::readlinkat(entry.dir(), entry.bare_name(), Vec::new())?;
                target.into_string().map_err(|_| Errno::Ilseq)
            }
        }
    }
}

/// The number of what lies at `path` in `fs`. None if it has none of its own.
fn hidden_inode(fs: &dyn FileSystem, path: &str) -> Option<u64> {
    let inode = fs.stat(path).ok()?.inode;
    (fs.stat("").ok()?.inode != inode).then_some(inode)
}

/// The record of a file of an embedder's file system with the device number `dev`.
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
