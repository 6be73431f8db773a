//! The sandbox kept by this crate: a path is walked one component at a time, each opened from the
//! directory before it and never through a symbolic link. Links are read and walked in turn.
//!
//! `..` pops the stack of the directories passed, instead of asking the file system for a parent:
//! a directory that is moved away during the walk cannot become a way out.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno as HostErrno;

use super::hidden::look;
use super::{FileId, PASS_THROUGH, Root, link_target, pseudo_fs};
use crate::errno::Errno;

/// Opens `path` beneath `root`, as [`super::kernel::open`] does.
pub(super) fn open(
    root: Root<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
    max_links: usize,
) -> Result<OwnedFd, Errno> {
    let ahead = path.to_vec();
    let start = FileId::of_open(root.fd)?;
    if let Some(hidden) = root.hidden {
        hidden.check(start)?;
    }
    let mut walk = Walk { root, start, passed: Vec::new(), ahead, links: 0, max_links };
    loop {
        let step = walk.step();
        let last = step.is_last;
        match step.name.as_slice() {
            b"" | b"." if last => return walk.open_here(flags, mode),
            b"" | b"." => {}
            b".." => {
                // Above the root there is nothing.
                walk.passed.pop().ok_or(Errno::Perm)?;
                if last {
                    return walk.open_here(flags, mode);
                }
            }
            name if last => {
                if let Some(fd) = walk.open_last(name, step.is_slashed, flags, mode)? {
                    return Ok(fd);
                }
            }
            name => walk.enter(name)?,
        }
    }
}

/// A walk in progress.
struct Walk<'r> {
    root: Root<'r>,
    /// What the root is.
    start: FileId,
    /// The directories between the root and here, and what they are.
    passed: Vec<(OwnedFd, FileId)>,
    /// What is left of the path.
    ahead: Vec<u8>,
    /// How many symbolic links were followed.
    links: usize,
    /// How many it may be.
    max_links: usize,
}

/// The next component.
struct Step {
    name: Vec<u8>,
    is_last: bool,
    /// Slashes follow; on the last component they ask for a directory.
    is_slashed: bool,
}

impl Walk<'_> {
    /// Where the walk is.
    fn here(&self) -> BorrowedFd<'_> {
        self.passed.last().map_or(self.root.fd, |(dir, _)| dir.as_fd())
    }

    /// `EPERM`: `name` here is a name for what is hidden. `found` is what lies there.
    fn check_name(&self, name: &[u8], found: Option<FileId>) -> Result<(), Errno> {
        match self.root.hidden {
            None => Ok(()),
            Some(hidden) => {
                let id = self.passed.last().map_or(self.start, |(_, id)| *id);
                hidden.check_name(self.here(), id, name, found)
            }
        }
    }

    /// Looks at the last component before it is opened: to open a file may be to do something.
    fn check_last(&self, name: &[u8], flags: OFlags) -> Result<(), Errno> {
        let harmless = flags.intersects(OFlags::PATH | OFlags::DIRECTORY);
        if harmless && self.root.hidden.is_none() {
            return Ok(());
        }
        // What is wrong with the name is for `open` to say.
        let stat = look(self.here(), name).unwrap_or_default();
        let found = stat.as_ref().map(FileId::of);
        self.check_name(name, found)?;
        if stat.as_ref().is_some_and(pseudo_fs::is_memory) {
            return Err(Errno::Perm);
        }
        if !harmless && found.is_some_and(|found| found.dev != self.start.dev) {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(there) = openat(self.here(), name, flags, Mode::empty()) {
                return pseudo_fs::require_ordinary(&there);
            }
        }
        Ok(())
    }

    /// What was opened, if it is nothing that must not be reached: all may have changed since it was
    /// looked at. On the device of the root there is no other file system.
    fn checked(&self, fd: OwnedFd) -> Result<OwnedFd, Errno> {
        let id = FileId::of_open(&fd)?;
        if let Some(hidden) = self.root.hidden {
            hidden.check(id)?;
        }
        if id.dev != self.start.dev {
            pseudo_fs::require_ordinary(&fd)?;
        }
        Ok(fd)
    }

    /// Takes the next component off the path.
    fn step(&mut self) -> Step {
        let end = self.ahead.iter().position(|&byte| byte == b'/').unwrap_or(self.ahead.len());
        let slashes = self.ahead[end..].iter().take_while(|&&byte| byte == b'/').count();
        let rest = self.ahead.split_off(end + slashes);
        let mut name = std::mem::replace(&mut self.ahead, rest);
        name.truncate(end);
        Step { name, is_last: self.ahead.is_empty(), is_slashed: slashes > 0 }
    }

    /// Goes into the directory `name`, or follows the symbolic link of that name.
    fn enter(&mut self, name: &[u8]) -> Result<(), Errno> {
        match openat(self.here(), name, PASS_THROUGH | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(dir) => {
                let id = FileId::of_open(&dir)?;
                self.check_name(name, Some(id))?;
                self.passed.push((dir, id));
                Ok(())
            }
            // Neither says whether it is a link or a file.
            Err(HostErrno::NOTDIR | HostErrno::LOOP) => match self.follow(name, b"/") {
                Err(Errno::Inval) => Err(Errno::Notdir),
                result => result,
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the last component; `None` if it was a symbolic link, which now lies ahead.
    fn open_last(
        &mut self,
        name: &[u8],
        slashed: bool,
        flags: OFlags,
        mode: Mode,
    ) -> Result<Option<OwnedFd>, Errno> {
        if slashed && flags.contains(OFlags::CREATE) {
            // Says the kernel: only directories have slashes, and those are made by `mkdir`.
            return Err(Errno::Isdir);
        }
        // A slash at the end asks for a directory, be it through a link.
        let follow = slashed || !flags.contains(OFlags::NOFOLLOW);
        let follow = follow && !flags.contains(OFlags::CREATE | OFlags::EXCL);
        let mut direct = flags | OFlags::NOFOLLOW;
        if slashed {
            direct |= OFlags::DIRECTORY;
        }
        self.check_last(name, flags)?;
        match openat(self.here(), name, direct, mode) {
            // `O_PATH` opens a symbolic link itself.
            Ok(fd) if follow && flags.contains(OFlags::PATH) && is_symlink(&fd)? => {}
            Ok(fd) => return self.checked(fd).map(Some),
            Err(error @ (HostErrno::LOOP | HostErrno::NOTDIR)) if follow => {
                return match self.follow(name, if slashed { b"/" } else { b"" }) {
                    // No link: it is what the kernel said.
                    Err(Errno::Inval) => Err(error.into()),
                    result => result.map(|()| None),
                };
            }
            Err(error) => return Err(error.into()),
        }
        self.follow(name, if slashed { b"/" } else { b"" })?;
        Ok(None)
    }

    /// Opens the directory the walk has reached.
    fn open_here(&self, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        // `.` is a directory and no link; with `O_CREAT` the kernel says `EISDIR`.
        self.checked(openat(self.here(), c".", flags, mode)?)
    }

    /// Puts what the symbolic link `name` says before what lies ahead, with `then` between;
    /// `EINVAL` if it is no link.
    fn follow(&mut self, name: &[u8], then: &[u8]) -> Result<(), Errno> {
        let mut target = link_target(self.here(), name)?;
        self.links += 1;
        if self.links > self.max_links {
            return Err(Errno::Loop);
        }
        target.extend_from_slice(then);
        target.append(&mut self.ahead);
        self.ahead = target;
        Ok(())
    }
}

fn is_symlink(fd: &OwnedFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(fstat(fd)?.st_mode) == FileType::Symlink)
}
