//! `FileSystem`: the interface of a file system that an embedder provides.
//!
//! This crate resolves paths and keeps rights, read-only mounts, offsets and descriptors. A file
//! system works on the file at a path. The path is resolved already: see [`FileSystem`].

use std::io::{IoSlice, IoSliceMut};

use crate::errno::Errno;

/// A tree of files that guests see through
/// [`Builder::file_system`](crate::Builder::file_system).
///
/// A path is relative to the root, which is `""`. It has no empty component, no `.` and no `..`,
/// neither begins nor ends with a slash, and all its components but the last are directories, not
/// symbolic links: WASI has followed them. This can be untrue only if the file system changes by
/// itself after a path was resolved.
///
/// Errors reach the guest as they are. A read-only file system implements the first three functions
/// and no others. Instances on several threads may share it.
///
/// ```
/// use std::io::{IoSliceMut, Read};
/// use precast_wasi::Errno;
/// use precast_wasi::fs::{Entry, File, FileKind, FileStat, FileSystem, OpenOptions};
///
/// /// One file, `motd`.
/// struct Motd(&'static str);
///
/// impl FileSystem for Motd {
///     fn stat(&self, path: &str) -> Result<FileStat, Errno> {
///         match path {
///             "" => Ok(FileStat::new(FileKind::Directory, 1)),
///             "motd" => File::stat(self),
///             _ => Err(Errno::Noent),
///         }
///     }
///
///     fn open(&self, path: &str, _: OpenOptions) -> Result<Box<dyn File>, Errno> {
///         if path == "motd" { Ok(Box::new(Motd(self.0))) } else { Err(Errno::Noent) }
///     }
///
///     fn list(
///         &self,
///         _: &str,
///         cookie: u64,
///         each: &mut dyn FnMut(Entry<'_>) -> bool,
///     ) -> Result<(), Errno> {
///         if cookie == 0 {
///             each(Entry { name: "motd", inode: 2, kind: FileKind::File, cookie: 1 });
///         }
///         Ok(())
///     }
/// }
///
/// impl File for Motd {
///     fn stat(&self) -> Result<FileStat, Errno> {
///         Ok(FileStat { size: self.0.len() as u64, ..FileStat::new(FileKind::File, 2) })
///     }
///
///     fn read_at(&mut self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize, Errno> {
///         let rest = self.0.as_bytes().get(offset as usize..).unwrap_or_default();
///         Ok((&mut &rest[..]).read_vectored(bufs)?)
///     }
/// }
/// # let motd = std::sync::Arc::new(Motd("be nice\n"));
/// # let builder = precast_wasi::Builder::new().file_system(motd, "/etc");
/// ```
pub trait FileSystem: Send + Sync {
    /// The metadata of the file at `path`. A symbolic link is not followed. `ENOENT`: no such file.
    fn stat(&self, path: &str) -> Result<FileStat, Errno>;

    /// Opens the file at `path`, and creates it if `options` say so. `EISDIR`: a directory;
    /// `ELOOP`: a symbolic link.
    fn open(&self, path: &str, options: OpenOptions) -> Result<Box<dyn File>, Errno>;

    /// Calls `each` with the entries of the directory at `path`, without `.` and `..`, until it
    /// returns `false`. Cookie 0 starts with the first entry; another cookie starts after the entry
    /// that has this [cookie](Entry::cookie).
    fn list(
        &self,
        path: &str,
        cookie: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<(), Errno>;

    /// The target of the symbolic link at `path`. `EINVAL`: not a symbolic link.
    fn read_link(&self, path: &str) -> Result<String, Errno> {
        let _ = path;
        Err(Errno::Inval)
    }

    /// Creates a directory. `EEXIST`: the name exists.
    fn create_directory(&self, path: &str) -> Result<(), Errno> {
        let _ = path;
        Err(Errno::Rofs)
    }

    /// Removes an empty directory. `ENOTDIR`: not a directory. `ENOTEMPTY`: not empty.
    fn remove_directory(&self, path: &str) -> Result<(), Errno> {
        let _ = path;
        Err(Errno::Rofs)
    }

    /// Removes a file or symbolic link. A file that is open exists until it is closed. `EISDIR`: a
    /// directory.
    fn remove_file(&self, path: &str) -> Result<(), Errno> {
        let _ = path;
        Err(Errno::Rofs)
    }

    /// Renames the file or directory at `from` to `to`. It replaces a file at `to` by a file, and
    /// an empty directory by a directory.
    fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        let _ = (from, to);
        Err(Errno::Rofs)
    }

    /// Creates the hard link `to` to the file at `from`. `EEXIST`: the name exists. `EPERM`: a
    /// directory.
    fn link(&self, from: &str, to: &str) -> Result<(), Errno> {
        let _ = (from, to);
        Err(Errno::Rofs)
    }

    /// Creates the symbolic link `path` with the target `target`. `EEXIST`: the name exists.
    fn symlink(&self, target: &str, path: &str) -> Result<(), Errno> {
        let _ = (target, path);
        Err(Errno::Rofs)
    }

    /// Sets the timestamps of the file at `path`. A symbolic link is not followed.
    fn set_times(&self, path: &str, times: Times) -> Result<(), Errno> {
        let _ = (path, times);
        Err(Errno::Rofs)
    }
}

/// An open file of a [`FileSystem`]. It belongs to one descriptor. WASI keeps the file offset.
/// Dropping the object closes the file.
pub trait File: Send {
    /// The current metadata.
    fn stat(&self) -> Result<FileStat, Errno>;

    /// Reads the bytes at `offset` into `bufs`, in order. Returns 0 at the end of the file.
    fn read_at(&mut self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize, Errno>;

    /// Writes `bufs`, in order, at `offset`, which may be beyond the end.
    fn write_at(&mut self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize, Errno> {
        let _ = (bufs, offset);
        Err(Errno::Rofs)
    }

    /// Writes `bufs` at the end. Returns the number of bytes and the new end. This implementation
    /// is not atomic: a file system that instances share should override it.
    fn append(&mut self, bufs: &[IoSlice<'_>]) -> Result<(usize, u64), Errno> {
        let end = self.stat()?.size;
        let n = self.write_at(bufs, end)?;
        Ok((n, end + n as u64))
    }

    /// Truncates the file, or extends it with zeros.
    fn set_size(&mut self, size: u64) -> Result<(), Errno> {
        let _ = size;
        Err(Errno::Rofs)
    }

    /// Reserves space for the region, so that writing it cannot fail with `ENOSPC`. The file is
    /// extended to the end of the region.
    fn allocate(&mut self, offset: u64, len: u64) -> Result<(), Errno> {
        let _ = (offset, len);
        Err(Errno::Notsup)
    }

    /// Sets the timestamps.
    fn set_times(&mut self, times: Times) -> Result<(), Errno> {
        let _ = times;
        Err(Errno::Rofs)
    }

    /// Writes changes to permanent storage.
    fn sync(&mut self) -> Result<(), Errno> {
        Ok(())
    }
}

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    SymbolicLink,
}

/// The metadata of a file. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// Its type.
    pub kind: FileKind,
    /// Its inode number, unique in the file system.
    pub inode: u64,
    /// The number of its hard links.
    pub links: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last read.
    pub accessed: u64,
    /// When its contents last changed.
    pub modified: u64,
    /// When anything about it last changed.
    pub changed: u64,
}

impl FileStat {
    /// An empty file with one link and all times 0.
    pub fn new(kind: FileKind, inode: u64) -> Self {
        FileStat { kind, inode, links: 1, size: 0, accessed: 0, modified: 0, changed: 0 }
    }
}

/// How to open a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Open for reading.
    pub read: bool,
    /// Open for writing.
    pub write: bool,
    /// Create the file if it does not exist.
    pub create: bool,
    /// With `create`: fail with `EEXIST` if the file exists.
    pub exclusive: bool,
    /// Set the size to 0.
    pub truncate: bool,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name: one component, at most 255 bytes.
    pub name: &'a str,
    /// The inode number of the file.
    pub inode: u64,
    /// The type of the file.
    pub kind: FileKind,
    /// A number from 1 to 2^62 with which [`FileSystem::list`] continues after this entry, even if
    /// entries were added or removed since.
    pub cookie: u64,
}

/// Timestamps to set, in nanoseconds since 1970. `None` leaves a timestamp unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// See [`FileStat::accessed`].
    pub accessed: Option<u64>,
    /// See [`FileStat::modified`].
    pub modified: Option<u64>,
}
