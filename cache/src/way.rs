//! The way to the folder: who could put another folder in its place.
//!
//! Whoever can write to a folder above can rename any folder of ours to our cache's name: one that
//! they had us unpack, with code in it. So every symbolic link on the way must be ours or the
//! superuser's, and so must every folder, to which nobody else may write; or else the cache's folder
//! bears a mark that says that it was empty when we began to use it.

use crate::folder::OpenError;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, StatxFlags, XattrFlags};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// The most symbolic links on the way, as for the kernel.
const MAX_LINKS: usize = 40;

/// What is only passed through need not be readable.
const PASS: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder that was reached.
pub(crate) struct Reached {
    pub(crate) fd: OwnedFd,
    /// Whether somebody could put another folder of ours in its place, and where.
    pub(crate) doubt: Option<OpenError>,
}

/// Goes to the folder at `path`, and makes what is missing: the folder itself with `mode`, those
/// above as the user wants new folders to be.
pub(crate) fn reach(path: &Path, mode: Mode) -> Result<Reached, OpenError> {
    Walk::new(path).map_err(|error| failed(path, error))?.run(mode)
}

fn failed(path: &Path, error: Errno) -> OpenError {
    OpenError::Io { path: path.to_owned(), error: error.into() }
}

struct Walk<'a> {
    path: &'a Path,
    /// Where we are, and what that is.
    at: OwnedFd,
    stat: Stat,
    seen: PathBuf,
    /// What is left of the way, last first.
    rest: Vec<OsString>,
    links: usize,
    user: u32,
    /// Who owns the root folder: the superuser, by whatever number this process knows them.
    root: u32,
    doubt: Option<OpenError>,
}

impl<'a> Walk<'a> {
    fn new(path: &'a Path) -> rustix::io::Result<Walk<'a>> {
        let start = if path.is_absolute() { Path::new("/") } else { Path::new(".") };
        let at = rustix::fs::open(start, PASS, Mode::empty())?;
        let stat = rustix::fs::fstat(&at)?;
        let root = match path.is_absolute() {
            true => stat.st_uid,
            false => rustix::fs::stat("/")?.st_uid,
        };
        let seen = if path.is_absolute() { PathBuf::from("/") } else { PathBuf::new() };
        let (user, rest) = (geteuid().as_raw(), Vec::new());
        let mut walk = Walk { path, at, stat, seen, rest, links: 0, user, root, doubt: None };
        walk.push(path);
        Ok(walk)
    }

    fn push(&mut self, path: &Path) {
        for component in path.components().rev() {
            match component {
                Component::Normal(name) => self.rest.push(name.to_owned()),
                Component::ParentDir => self.rest.push(OsString::from("..")),
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
    }

    fn run(mut self, mode: Mode) -> Result<Reached, OpenError> {
        while let Some(name) = self.rest.pop() {
            self.step(&name, mode)?;
        }
        let opened = rustix::fs::openat(&self.at, ".", OPEN, Mode::empty());
        let fd = opened.map_err(|error| failed(self.path, error))?;
        Ok(Reached { fd, doubt: self.doubt })
    }

    /// Takes one step.
    fn step(&mut self, name: &OsStr, mode: Mode) -> Result<(), OpenError> {
        self.check_here();
        self.seen.push(name);
        let (found, stat) = self.look(name, mode).map_err(|error| failed(self.path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            (self.at, self.stat) = (found, stat);
            return Ok(());
        }
        if !self.trusts(stat.st_uid) {
            let (path, user) = (self.seen.clone(), self.user);
            return Err(OpenError::Owner { path, owner: stat.st_uid, user });
        }
        self.follow(&found).map_err(|error| failed(self.path, error))
    }

    /// What has a name in the folder where we are; if nothing has, a folder is made.
    fn look(&self, name: &OsStr, mode: Mode) -> rustix::io::Result<(OwnedFd, Stat)> {
        let open = || {
            // Only by saying that it is a folder is it mounted where that is done on demand.
            match rustix::fs::openat(&self.at, name, PASS | OFlags::DIRECTORY, Mode::empty()) {
                Err(Errno::NOTDIR) => rustix::fs::openat(&self.at, name, PASS, Mode::empty()),
                opened => opened,
            }
        };
        let found = match open() {
            Err(Errno::NOENT) => {
                let mode = if self.rest.is_empty() { mode } else { Mode::from(0o777) };
                match rustix::fs::mkdirat(&self.at, name, mode) {
                    Ok(()) | Err(Errno::EXIST) => open(),
                    Err(error) => Err(error),
                }
            }
            opened => opened,
        }?;
        let stat = rustix::fs::fstat(&found)?;
        Ok((found, stat))
    }

    fn follow(&mut self, link: &OwnedFd) -> rustix::io::Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::LOOP);
        }
        let target = rustix::fs::readlinkat(link, "", Vec::new())?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        self.seen.pop();
        if target.is_absolute() {
            self.at = rustix::fs::open("/", PASS, Mode::empty())?;
            self.stat = rustix::fs::fstat(&self.at)?;
            self.seen = PathBuf::from("/");
        }
        self.push(&target);
        Ok(())
    }

    /// Notes who else can change what is in the folder where we are.
    fn check_here(&mut self) {
        let stat = &self.stat;
        let mode = stat.st_mode & 0o7777;
        // Where the sticky bit is set others can only change what is theirs. A group with the
        // number of its user has, by convention, no other members.
        let private = stat.st_uid == stat.st_gid && mode & 0o002 == 0;
        let reason = if !self.trusts(stat.st_uid) {
            format!("belongs to user {}", stat.st_uid)
        } else if mode & 0o022 != 0 && mode & 0o1000 == 0 && !private {
            format!("others can write to (mode {mode:04o})")
        } else {
            return;
        };
        let (path, above) = (self.path.to_owned(), self.seen.clone());
        self.doubt.get_or_insert(OpenError::Above { path, above, reason });
    }

    fn trusts(&self, owner: u32) -> bool {
        owner == self.user || owner == 0 || owner == self.root
    }
}

/// The attribute of a folder that was empty when it became a cache.
const MARK: &str = "user.precast.cache";

/// Whether a folder bears the mark: it was empty when a cache of ours was made in it. What somebody
/// had us unpack does not, as the mark names this very folder.
pub(crate) fn is_marked(folder: &OwnedFd) -> bool {
    let mut value = [0; 64];
    let read = rustix::fs::fgetxattr(folder, MARK, &mut value[..]);
    read.is_ok_and(|len| identity(folder).is_some_and(|name| value[..len] == *name.as_bytes()))
}

/// Marks a folder. That it cannot is for [`is_marked`] to tell.
pub(crate) fn mark(folder: &OwnedFd) {
    if let Some(name) = identity(folder) {
        let _ = rustix::fs::fsetxattr(folder, MARK, name.as_bytes(), XattrFlags::empty());
    }
}

/// What no other folder has: its number, and when it was made.
fn identity(folder: &OwnedFd) -> Option<String> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    let stat = rustix::fs::statx(folder, "", AtFlags::EMPTY_PATH, wanted).ok()?;
    let known = StatxFlags::from_bits_retain(stat.stx_mask).contains(wanted);
    let made = stat.stx_btime;
    known.then(|| format!("{} {}.{:09}", stat.stx_ino, made.tv_sec, made.tv_nsec))
}
