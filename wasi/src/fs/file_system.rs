//! `FileSystem`: a file system that an embedder brings.
//!
//! WASI resolves paths, keeps rights, read-only mounts, offsets and descriptors; a file system
//! answers for what lies at a path. It is never handed a path that leads elsewhere: see
//! [`FileSystem`].

use std::io::{IoSlice, IoSliceMut};

use crate::errno::Errno;

/// A tree of files that guests see through
/// [`Builder::file_system`](crate::Builder::file_system).
///
/// A path is relative to the root, which is `""`. It has no empty component, no `.` and no `..`,
/// neither begins nor ends with a slash, and all its components but the last are directories, not
/// symbolic links: WASI has followed them. Only a file system that changes by itself can be asked
/// for a path of which that is no longer true.
///
/// Errors reach the guest as they are. A file system that cannot be changed implements the first
/// three functions and no others. Instances on several threads may share it.
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
    /// What lies at `path`; of a symbolic link, the link. `ENOENT`: nothing.
    fn stat(&self, path: &str) -> Result<FileStat, Errno>;

    /// Opens the file at `path`, which may have to be made. `EISDIR`: a directory; `ELOOP`: a
    /// symbolic link.
    fn open(&self, path: &str, options: OpenOptions) -> Result<Box<dyn File>, Errno>;

    /// Tells `each` the entries of the directory at `path`, until it answers `false`, without `.`
    /// and `..`: from the start for cookie 0, else from after the entry that was told with that
    /// [cookie](Entry::cookie).
    fn list(
        &self,
        path: &str,
        cookie: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<(), Errno>;

    /// What the symbolic link at `path` says. `EINVAL`: it is none.
    fn read_link(&self, path: &str) -> Result<String, Errno> {
        let _ = path;
        Err(Errno::Inval)
    }

    /// Makes a directory. `EEXIST`: the name is taken.
    fn create_directory(&self, path: &str) -> Result<(), Errno> {
        let _ = path;
        Err(Errno::Rofs)
    }

    /// Removes an empty directory. `ENOTDIR`: none. `ENOTEMPTY`: not empty.
    fn remove_directory(&self, path: &str) -> Result<(), Errno> {
        let _ = path;
        Err(Errno::Rofs)
    }

    /// Removes a file or symbolic link; who has it open keeps it. `EISDIR`: a directory.
    fn remove_file(&self, path: &str) -> Result<(), Errno> {
        let _ = path;
        Err(Errno::Rofs)
    }

    /// Renames what lies at `from`, replacing a file at `to`, or an empty directory by a
    /// directory.
    fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        let _ = (from, to);
        Err(Errno::Rofs)
    }

    /// Gives the file at `from` a second name. `EEXIST`: the name is taken. `EPERM`: a directory.
    fn link(&self, from: &str, to: &str) -> Result<(), Errno> {
        let _ = (from, to);
        Err(Errno::Rofs)
    }

    /// Makes a symbolic link that says `target`. `EEXIST`: the name is taken.
    fn symlink(&self, target: &str, path: &str) -> Result<(), Errno> {
        let _ = (target, path);
        Err(Errno::Rofs)
    }

    /// Sets the timestamps of what lies at `path`; of a symbolic link, the link's.
    fn set_times(&self, path: &str, times: Times) -> Result<(), Errno> {
        let _ = (path, times);
        Err(Errno::Rofs)
    }
}

/// An open file of a [`FileSystem`]. It belongs to one descriptor and has no position: WASI keeps
/// that. Dropping it closes it.
pub trait File: Send {
    /// What the file is now.
    fn stat(&self) -> Result<FileStat, Errno>;

    /// Fills `bufs` from the first on, with what lies at `offset`; 0 is the end.
    fn read_at(&mut self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize, Errno>;

    /// Writes `bufs` from the first on, at `offset`, which may lie beyond the end.
    fn write_at(&mut self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize, Errno> {
        let _ = (bufs, offset);
        Err(Errno::Rofs)
    }

    /// Writes `bufs` at the end; answers how many bytes, and where the end is now. A file system
    /// that instances share should not leave time for another's write, as this one does.
    fn append(&mut self, bufs: &[IoSlice<'_>]) -> Result<(usize, u64), Errno> {
        let end = self.stat()?.size;
        let n = self.write_at(bufs, end)?;
        Ok((n, end + n as u64))
    }

    /// Cuts the file or fills it up with zeros.
    fn set_size(&mut self, size: u64) -> Result<(), Errno> {
        let _ = size;
        Err(Errno::Rofs)
    }

    /// Makes sure that writing the region will not fail for lack of room; the file grows to hold
    /// it.
    fn allocate(&mut self, offset: u64, len: u64) -> Result<(), Errno> {
        let _ = (offset, len);
        Err(Errno::Notsup)
    }

    /// Sets the timestamps.
    fn set_times(&mut self, times: Times) -> Result<(), Errno> {
        let _ = times;
        Err(Errno::Rofs)
    }

    /// Makes sure that what was written stays.
    fn sync(&mut self) -> Result<(), Errno> {
        Ok(())
    }
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    SymbolicLink,
}

/// What a file is, how large, how old. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// A number that no other file of the file system has.
    pub inode: u64,
    /// How many names it has.
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
    /// An empty file with one name, made in 1970.
    pub fn new(kind: FileKind, inode: u64) -> Self {
        FileStat { kind, inode, links: 1, size: 0, accessed: 0, modified: 0, changed: 0 }
    }
}

/// How to open a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// It will be read.
    pub read: bool,
    /// It will be written.
    pub write: bool,
    /// To be made if it is not there.
    pub create: bool,
    /// With `create`: `EEXIST` if it is there.
    pub exclusive: bool,
    /// To be emptied.
    pub truncate: bool,
}

/// An entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name: one component, at most 255 bytes.
    pub name: &'a str,
    /// The number of what it names.
    pub inode: u64,
    /// What it names.
    pub kind: FileKind,
    /// A number from 1 to 2^62 from which [`FileSystem::list`] can go on after this entry, also
    /// when entries came and went in the meantime.
    pub cookie: u64,
}

/// Timestamps to set, in nanoseconds since 1970. `None`: to be left as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// See [`FileStat::accessed`].
    pub accessed: Option<u64>,
    /// See [`FileStat::modified`].
    pub modified: Option<u64>,
}
