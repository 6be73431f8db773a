//! The folders above the cache folder: whether another user could replace the cache folder.
//!
//! A user who can write to a folder above can rename any folder of ours to the name of the cache
//! folder, for example one with code that they had us unpack. So every folder and symbolic link
//! on the path must belong to us or to the superuser, and nobody else may be able to write to the
//! folders. Otherwise the cache folder must have the mark of `cache/src/mark.rs`, which says that
//! it was empty when the cache was made.

use crate::folder::OpenError;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// The most symbolic links on the path; Linux has the same limit.
const MAX_LINKS: usize = 40;

/// Flags for a folder on the path, which need not be readable.
const PASS: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Flags for the cache folder.
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The cache folder, opened.
pub(crate) struct Opened {
    pub(crate) fd: OwnedFd,
    /// An error that names the first folder through which another user could replace the cache
    /// folder; None if there is no such folder.
    pub(crate) replaceable: Option<OpenError>,
}

/// Opens the folder at `path` and checks every folder above it. Creates missing folders: the last
/// one with `mode`, those above as the user's file mode creation mask says.
pub(crate) fn open_folder(path: &Path, mode: Mode) -> Result<Opened, OpenError> {
    Walk::new(path).map_err(|error| failed(path, error))?.run(mode)
}

fn failed(path: &Path, error: Errno) -> OpenError {
    OpenError::Io { path: path.to_owned(), error: error.into() }
}

/// A walk along the path, one component at a time.
struct Walk<'a> {
    path: &'a Path,
    /// The folder reached so far.
    current: OwnedFd,
    /// The metadata of that folder.
    stat: Stat,
    /// The path of that folder, for messages.
    walked: PathBuf,
    /// The components still to walk, the next one last.
    remaining: Vec<OsString>,
    links: usize,
    user: u32,
    /// The owner of the root folder: the superuser, under the number that this process sees in its
    /// user namespace.
    root: u32,
    replaceable: Option<OpenError>,
}

impl<'a> Walk<'a> {
    fn new(path: &'a Path) -> rustix::io::Result<Walk<'a>> {
        let start = if path.is_absolute() { Path::new("/") } else { Path::new(".") };
        let current = rustix::fs::open(start, PASS, Mode::empty())?;
        let stat = rustix::fs::fstat(&current)?;
        let root = match path.is_absolute() {
            true => stat.st_uid,
            false => rustix::fs::stat("/")?.st_uid,
        };
        let walked = if path.is_absolute() { PathBuf::from("/") } else { PathBuf::new() };
        let mut walk = Walk {
            path,
            current,
            stat,
            walked,
            remaining: Vec::new(),
            links: 0,
            user: geteuid().as_raw(),
            root,
            replaceable: None,
        };
        walk.push(path);
        Ok(walk)
    }

    /// Adds the components of a path before those that remain.
    fn push(&mut self, path: &Path) {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.remaining.push(name.to_owned()),
                Component::ParentDir => self.remaining.push(OsString::from("..")),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
    }

    fn run(mut self, mode: Mode) -> Result<Opened, OpenError> {
        while let Some(name) = self.remaining.pop() {
            self.step(&name, mode)?;
        }
        let opened = rustix::fs::openat(&self.current, ".", OPEN, Mode::empty());
        let fd = opened.map_err(|error| failed(self.path, error))?;
        Ok(Opened { fd, replaceable: self.replaceable })
    }

    /// Walks one component: enters a folder, or follows a symbolic link.
    fn step(&mut self, name: &OsStr, mode: Mode) -> Result<(), OpenError> {
        self.check_current();
        self.walked.push(name);
        let (found, stat) =
            self.open_or_create(name, mode).map_err(|error| failed(self.path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            (self.current, self.stat) = (found, stat);
            return Ok(());
        }
        if !self.trusts(stat.st_uid) {
            let (path, user) = (self.walked.clone(), self.user);
            return Err(OpenError::OwnedByOther { path, owner: stat.st_uid, user });
        }
        self.follow(&found).map_err(|error| failed(self.path, error))
    }

    /// Opens a name in the current folder. Creates a folder if the name does not exist.
    fn open_or_create(&self, name: &OsStr, mode: Mode) -> rustix::io::Result<(OwnedFd, Stat)> {
        let open = || {
            // An automounter mounts a file system only if the flags demand a directory.
            match rustix::fs::openat(&self.current, name, PASS | OFlags::DIRECTORY, Mode::empty()) {
                Err(Errno::NOTDIR) => rustix::fs::openat(&self.current, name, PASS, Mode::empty()),
                opened => opened,
            }
        };
        let found = match open() {
            Err(Errno::NOENT) => {
                let mode = if self.remaining.is_empty() { mode } else { Mode::from(0o777) };
                match rustix::fs::mkdirat(&self.current, name, mode) {
                    Ok(()) | Err(Errno::EXIST) => open(),
                    Err(error) => Err(error),
                }
            }
            opened => opened,
        }?;
        let stat = rustix::fs::fstat(&found)?;
        Ok((found, stat))
    }

    /// Puts the target of a symbolic link before the components that remain.
    fn follow(&mut self, link: &OwnedFd) -> rustix::io::Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP);
        }
        let target = rustix::fs::readlinkat(link, "", Vec::new())?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        self.walked.pop();
        if target.is_absolute() {
            self.current = rustix::fs::open("/", PASS, Mode::empty())?;
            self.stat = rustix::fs::fstat(&self.current)?;
            self.walked = PathBuf::from("/");
        }
        self.push(&target);
        Ok(())
    }

    /// Records an error if another user can rename entries of the current folder.
    fn check_current(&mut self) {
        let stat = &self.stat;
        let mode = stat.st_mode & 0o7777;
        // In a folder with the sticky bit, users can rename only their own entries. By convention a
        // group with the number of a user has no other members.
        let private = stat.st_uid == stat.st_gid && mode & 0o002 == 0;
        let reason = if !self.trusts(stat.st_uid) {
            format!("belongs to user {}", stat.st_uid)
        } else if mode & 0o022 != 0 && mode & 0o1000 == 0 && !private {
            format!("others can write to (mode {mode:04o})")
        } else {
            return;
        };
        let (path, above) = (self.path.to_owned(), self.walked.clone());
        self.replaceable.get_or_insert(OpenError::ReplaceableByOthers { path, above, reason });
    }

    fn trusts(&self, owner: u32) -> bool {
        owner == self.user || owner == 0 || owner == self.root
    }
}
