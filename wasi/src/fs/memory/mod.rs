//! `MemoryFs`: a file system in memory.

mod nodes;
mod pages;

use std::fmt;
use std::io::{IoSlice, IoSliceMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use self::nodes::{Body, Clock, DirectoryEntries, State};
use self::pages::{Pages, Space};
use super::{Entry, File, FileKind, FileStat, FileSystem, OpenOptions, Times};
use crate::errno::Errno;
use crate::limits::Limits;

/// A file system in memory, empty at first and of bounded size. A clone shares the files.
///
/// Reading a file does not change its access time.
///
/// ```
/// # use precast_wasi as wasi;
/// let files = wasi::MemoryFs::new();
/// files.write("etc/motd", b"be nice\n")?;
/// let builder = wasi::Builder::new().file_system(std::sync::Arc::new(files.clone()), "/");
/// // ... run something ...
/// assert_eq!(files.read("etc/motd")?, b"be nice\n");
/// # Ok::<(), wasi::Errno>(())
/// ```
#[derive(Clone)]
pub struct MemoryFs(Arc<Mutex<State>>);

impl MemoryFs {
    /// An empty file system that may grow to the default [`Limits`].
    pub fn new() -> Self {
        Self::with_limits(&Limits::default())
    }

    /// An empty file system that may grow to `limits.memory_bytes` and `limits.memory_entries`.
    pub fn with_limits(limits: &Limits) -> Self {
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let clock = move || now().map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(0));
        Self::with_clock(limits, Arc::new(clock))
    }

    /// Like [`MemoryFs::with_limits`], with timestamps from `clock`.
    pub(crate) fn with_clock(limits: &Limits, clock: Clock) -> Self {
        let space = Space { bytes: limits.memory_bytes, entries: limits.memory_entries };
        MemoryFs(Arc::new(Mutex::new(State::new(space, clock))))
    }

    /// Creates the file at `path` with its parent directories, or replaces its contents.
    ///
    /// `ENOSPC`: a limit is reached. `ENOTDIR`: a parent is not a directory. `EISDIR`, `ELOOP`: the
    /// path is a directory or a symbolic link.
    pub fn write(&self, path: &str, contents: &[u8]) -> Result<(), Errno> {
        for (slash, _) in path.match_indices('/') {
            match self.create_directory(&path[..slash]) {
                Ok(()) | Err(Errno::Exist) => {}
                Err(error) => return Err(error),
            }
        }
        let options =
            OpenOptions { write: true, create: true, truncate: true, ..Default::default() };
        let n = self.open(path, options)?.write_at(&[IoSlice::new(contents)], 0)?;
        if n == contents.len() { Ok(()) } else { Err(Errno::Nospc) }
    }

    /// The contents of the file at `path`.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let mut file = self.open(path, OpenOptions { read: true, ..Default::default() })?;
        let size = usize::try_from(file.stat()?.size).map_err(|_| Errno::Fbig)?;
        let mut contents = vec![0; size];
        let n = file.read_at(&mut [IoSliceMut::new(&mut contents)], 0)?;
        contents.truncate(n);
        Ok(contents)
    }

    /// Whether it has no files.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// A poisoned lock is taken: only a failed allocation panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryFs {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFs").finish_non_exhaustive()
    }
}

impl FileSystem for MemoryFs {
    fn stat(&self, path: &str) -> Result<FileStat, Errno> {
        let state = self.lock();
        state.stat(state.find(path)?)
    }

    fn open(&self, path: &str, options: OpenOptions) -> Result<Box<dyn File>, Errno> {
        let mut state = self.lock();
        let number = match state.find_or_none(path)? {
            Some(_) if options.create && options.exclusive => return Err(Errno::Exist),
            Some(number) => match state.node(number)?.kind() {
                FileKind::Directory => return Err(Errno::Isdir),
                FileKind::SymbolicLink => return Err(Errno::Loop),
                FileKind::File => number,
            },
            None if options.create => state.create(path, Body::File(Pages::default()))?,
            None => return Err(Errno::Noent),
        };
        if options.truncate {
            let (pages, space) = state.contents(number)?;
            pages.set_len(0, space)?;
        }
        state.node_mut(number)?.handles += 1;
        Ok(Box::new(MemoryFile { fs: self.clone(), number }))
    }

    fn list(
        &self,
        path: &str,
        cookie: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<(), Errno> {
        let state = self.lock();
        let entries = state.entries(state.find(path)?)?;
        let Some(from) = cookie.checked_add(1) else {
            return Ok(());
        };
        for (&cookie, name) in entries.by_serial.range(from..) {
            let (_, inode) = entries.by_name[name];
            let kind = state.node(inode)?.kind();
            if !each(Entry { name, inode, kind, cookie }) {
                break;
            }
        }
        Ok(())
    }

    fn read_link(&self, path: &str) -> Result<String, Errno> {
        let state = self.lock();
        match &state.node(state.find(path)?)?.body {
            Body::Link(target) => Ok(target.clone()),
            _ => Err(Errno::Inval),
        }
    }

    fn create_directory(&self, path: &str) -> Result<(), Errno> {
        self.lock().create(path, Body::Directory(DirectoryEntries::default())).map(drop)
    }

    fn remove_directory(&self, path: &str) -> Result<(), Errno> {
        let mut state = self.lock();
        match &state.node(state.find(path)?)?.body {
            Body::Directory(entries) if entries.by_name.is_empty() => state.remove(path),
            Body::Directory(_) => Err(Errno::Notempty),
            _ => Err(Errno::Notdir),
        }
    }

    fn remove_file(&self, path: &str) -> Result<(), Errno> {
        let mut state = self.lock();
        match state.node(state.find(path)?)?.kind() {
            FileKind::Directory => Err(Errno::Isdir),
            _ => state.remove(path),
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        let mut state = self.lock();
        let node = state.find(from)?;
        let inside = to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/'));
        let (old_parent, old_name) = state.parent(from)?;
        if inside && state.node(node)?.kind() == FileKind::Directory {
            return Err(Errno::Inval);
        }
        if from.strip_prefix(to).is_some_and(|rest| rest.starts_with('/')) {
            return Err(Errno::Notempty);
        }
        if let Some(replaced) = state.find_or_none(to)? {
            if replaced == node {
                // Two hard links of one file: POSIX changes nothing.
                return Ok(());
            }
            state.parent(to)?;
            state.check_replaceable(node, replaced)?;
            state.remove(to)?;
        }
        let (new_parent, new_name) = state.parent(to)?;
        state.entries_mut(old_parent)?.remove(old_name);
        state.entries_mut(new_parent)?.insert(new_name, node);
        if state.node(node)?.kind() == FileKind::Directory {
            state.node_mut(old_parent)?.links -= 1;
            state.node_mut(new_parent)?.links += 1;
        }
        let now = (state.clock)();
        state.node_mut(node)?.changed = now;
        Ok(())
    }

    fn link(&self, from: &str, to: &str) -> Result<(), Errno> {
        let mut state = self.lock();
        let node = state.find(from)?;
        if state.find_or_none(to)?.is_some() {
            return Err(Errno::Exist);
        }
        if state.node(node)?.kind() == FileKind::Directory {
            return Err(Errno::Perm);
        }
        let (parent, name) = state.parent(to)?;
        state.space.take_entry()?;
        state.entries_mut(parent)?.insert(name, node);
        let now = (state.clock)();
        let node = state.node_mut(node)?;
        node.links += 1;
        node.changed = now;
        Ok(())
    }

    fn symlink(&self, target: &str, path: &str) -> Result<(), Errno> {
        let mut state = self.lock();
        state.space.take_bytes(target.len() as u64)?;
        let created = state.create(path, Body::Link(target.to_owned()));
        if created.is_err() {
            state.space.bytes += target.len() as u64;
        }
        created.map(drop)
    }

    fn set_times(&self, path: &str, times: Times) -> Result<(), Errno> {
        let mut state = self.lock();
        let (node, now) = (state.find(path)?, (state.clock)());
        state.node_mut(node)?.set_times(times, now);
        Ok(())
    }
}

/// An open file. It keeps the node alive, even after the last hard link is removed.
struct MemoryFile {
    fs: MemoryFs,
    number: u64,
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        let mut state = self.fs.lock();
        if let Ok(node) = state.node_mut(self.number) {
            node.handles -= 1;
        }
        state.release(self.number);
    }
}

impl File for MemoryFile {
    fn stat(&self) -> Result<FileStat, Errno> {
        self.fs.lock().stat(self.number)
    }

    fn read_at(&mut self, bufs: &mut [IoSliceMut<'_>], offset: u64) -> Result<usize, Errno> {
        match &self.fs.lock().node(self.number)?.body {
            Body::File(pages) => Ok(pages.read(bufs, offset)),
            _ => Err(Errno::Isdir),
        }
    }

    fn write_at(&mut self, bufs: &[IoSlice<'_>], offset: u64) -> Result<usize, Errno> {
        let mut state = self.fs.lock();
        let (pages, space) = state.contents(self.number)?;
        pages.write(bufs, offset, space)
    }

    fn append(&mut self, bufs: &[IoSlice<'_>]) -> Result<(usize, u64), Errno> {
        let mut state = self.fs.lock();
        let (pages, space) = state.contents(self.number)?;
        let n = pages.write(bufs, pages.len(), space)?;
        Ok((n, pages.len()))
    }

    fn set_size(&mut self, size: u64) -> Result<(), Errno> {
        let mut state = self.fs.lock();
        let (pages, space) = state.contents(self.number)?;
        pages.set_len(size, space)
    }

    fn allocate(&mut self, offset: u64, len: u64) -> Result<(), Errno> {
        let mut state = self.fs.lock();
        let (pages, space) = state.contents(self.number)?;
        pages.allocate(offset, len, space)
    }

    fn set_times(&mut self, times: Times) -> Result<(), Errno> {
        let mut state = self.fs.lock();
        let now = (state.clock)();
        state.node_mut(self.number)?.set_times(times, now);
        Ok(())
    }
}
