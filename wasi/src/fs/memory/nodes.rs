//! The nodes of a file system in memory: files, directories and symbolic links by inode number.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::pages::{Pages, Space};
use crate::errno::Errno;
use crate::fs::{FileKind, FileStat, Times};

/// The longest name, as on the host.
const MAX_NAME: usize = 255;

const ROOT: u64 = 1;

/// Nanoseconds since 1970.
pub(super) type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The state of a file system in memory.
pub(super) struct State {
    nodes: HashMap<u64, Node>,
    /// The inode number of the next node.
    next: u64,
    pub(super) space: Space,
    pub(super) clock: Clock,
}

/// A file, directory or symbolic link.
pub(super) struct Node {
    pub(super) body: Body,
    /// The number of hard links. A directory has as many as on a host: 2 and its subdirectories.
    pub(super) links: u64,
    /// The number of open files of it.
    pub(super) handles: u64,
    accessed: u64,
    modified: u64,
    pub(super) changed: u64,
}

/// The contents of a node.
pub(super) enum Body {
    File(Pages),
    Directory(DirectoryEntries),
    Link(String),
}

/// The entries of a directory.
#[derive(Default)]
pub(super) struct DirectoryEntries {
    /// Serial number and inode number of each name.
    pub(super) by_name: BTreeMap<Arc<str>, (u64, u64)>,
    /// The names in order of creation. A serial number is the cookie of a listing.
    pub(super) by_serial: BTreeMap<u64, Arc<str>>,
    last_serial: u64,
}

impl Node {
    pub(super) fn new(body: Body, now: u64) -> Self {
        let links = if let Body::Directory(_) = body { 2 } else { 1 };
        Node { body, links, handles: 0, accessed: now, modified: now, changed: now }
    }

    pub(super) fn kind(&self) -> FileKind {
        match self.body {
            Body::File(_) => FileKind::File,
            Body::Directory(_) => FileKind::Directory,
            Body::Link(_) => FileKind::SymbolicLink,
        }
    }

    pub(super) fn set_times(&mut self, times: Times, now: u64) {
        self.accessed = times.accessed.unwrap_or(self.accessed);
        self.modified = times.modified.unwrap_or(self.modified);
        self.changed = now;
    }
}

impl State {
    /// Whether there is nothing but the root directory.
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// A file system with an empty root directory.
    pub(super) fn new(space: Space, clock: Clock) -> Self {
        let root = Node::new(Body::Directory(DirectoryEntries::default()), clock());
        State { nodes: HashMap::from([(ROOT, root)]), next: ROOT + 1, space, clock }
    }

    pub(super) fn node(&self, number: u64) -> Result<&Node, Errno> {
        self.nodes.get(&number).ok_or(Errno::Stale)
    }

    pub(super) fn node_mut(&mut self, number: u64) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&number).ok_or(Errno::Stale)
    }

    /// The entries of the directory `number`.
    pub(super) fn entries(&self, number: u64) -> Result<&DirectoryEntries, Errno> {
        match &self.node(number)?.body {
            Body::Directory(entries) => Ok(entries),
            _ => Err(Errno::Notdir),
        }
    }

    /// The entries of the directory `number`, for a change: its timestamps are updated.
    pub(super) fn entries_mut(&mut self, number: u64) -> Result<&mut DirectoryEntries, Errno> {
        let now = (self.clock)();
        let node = self.node_mut(number)?;
        let Body::Directory(entries) = &mut node.body else {
            return Err(Errno::Notdir);
        };
        (node.modified, node.changed) = (now, now);
        Ok(entries)
    }

    /// The node at `path`.
    pub(super) fn find(&self, path: &str) -> Result<u64, Errno> {
        if path.is_empty() {
            return Ok(ROOT);
        }
        path.split('/').try_fold(ROOT, |directory, name| {
            if name.len() > MAX_NAME {
                return Err(Errno::Nametoolong);
            }
            let (_, node) = self.entries(directory)?.by_name.get(name).ok_or(Errno::Noent)?;
            Ok(*node)
        })
    }

    /// The node at `path`, if it exists.
    pub(super) fn find_or_none(&self, path: &str) -> Result<Option<u64>, Errno> {
        match self.find(path) {
            Ok(node) => Ok(Some(node)),
            Err(Errno::Noent) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The directory that holds `path`, and the name in it. `EBUSY`: the root.
    pub(super) fn parent<'p>(&self, path: &'p str) -> Result<(u64, &'p str), Errno> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Err(Errno::Busy);
        }
        let parent = self.find(parent)?;
        self.entries(parent)?;
        Ok((parent, name))
    }

    /// Creates a node at `path`. `EEXIST`: the name exists.
    pub(super) fn create(&mut self, path: &str, body: Body) -> Result<u64, Errno> {
        if self.find_or_none(path)?.is_some() {
            return Err(Errno::Exist);
        }
        let (parent, name) = self.parent(path)?;
        self.space.take_entry()?;
        let number = self.next;
        self.next += 1;
        if let Body::Directory(_) = body {
            self.node_mut(parent)?.links += 1;
        }
        let now = (self.clock)();
        self.nodes.insert(number, Node::new(body, now));
        self.entries_mut(parent)?.insert(name, number);
        Ok(number)
    }

    /// Removes the entry at `path`. The node is freed with its last link and its last open file.
    pub(super) fn remove(&mut self, path: &str) -> Result<(), Errno> {
        let number = self.find(path)?;
        let (parent, name) = self.parent(path)?;
        self.entries_mut(parent)?.remove(name);
        self.space.entries += 1;
        let now = (self.clock)();
        let node = self.node_mut(number)?;
        node.changed = now;
        if let Body::Directory(_) = node.body {
            node.links = 0;
            self.node_mut(parent)?.links -= 1;
        } else {
            node.links -= 1;
        }
        self.release(number);
        Ok(())
    }

    /// Frees a node that has no links and no open files.
    pub(super) fn release(&mut self, number: u64) {
        let unused = |node: &Node| node.links == 0 && node.handles == 0;
        if self.nodes.get(&number).is_some_and(unused)
            && let Some(node) = self.nodes.remove(&number)
        {
            self.space.bytes += match &node.body {
                Body::File(pages) => pages.size(),
                Body::Link(target) => target.len() as u64,
                Body::Directory(_) => 0,
            };
        }
    }

    pub(super) fn stat(&self, number: u64) -> Result<FileStat, Errno> {
        let node = self.node(number)?;
        let size = match &node.body {
            Body::File(pages) => pages.len(),
            Body::Link(target) => target.len() as u64,
            Body::Directory(entries) => entries.by_name.len() as u64,
        };
        let Node { links, accessed, modified, changed, .. } = *node;
        Ok(FileStat { kind: node.kind(), inode: number, links, size, accessed, modified, changed })
    }

    /// The contents of the file `number`, for a change, and the space that is left.
    pub(super) fn contents(&mut self, number: u64) -> Result<(&mut Pages, &mut Space), Errno> {
        let now = (self.clock)();
        let node = self.nodes.get_mut(&number).ok_or(Errno::Stale)?;
        (node.modified, node.changed) = (now, now);
        match &mut node.body {
            Body::File(pages) => Ok((pages, &mut self.space)),
            _ => Err(Errno::Isdir),
        }
    }

    /// Whether a rename of the node `from` may replace the node `to`.
    pub(super) fn check_replaceable(&self, from: u64, to: u64) -> Result<(), Errno> {
        match (&self.node(from)?.body, &self.node(to)?.body) {
            (Body::Directory(_), Body::Directory(entries)) if entries.by_name.is_empty() => Ok(()),
            (Body::Directory(_), Body::Directory(_)) => Err(Errno::Notempty),
            (Body::Directory(_), _) => Err(Errno::Notdir),
            (_, Body::Directory(_)) => Err(Errno::Isdir),
            _ => Ok(()),
        }
    }
}

impl DirectoryEntries {
    pub(super) fn insert(&mut self, name: &str, node: u64) {
        self.last_serial += 1;
        let name: Arc<str> = name.into();
        self.by_name.insert(name.clone(), (self.last_serial, node));
        self.by_serial.insert(self.last_serial, name);
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some((serial, _)) = self.by_name.remove(name) {
            self.by_serial.remove(&serial);
        }
    }
}
