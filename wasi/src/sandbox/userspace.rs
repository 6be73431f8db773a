//! Path resolution in user space: each component is opened from the directory before it, with
//! `O_NOFOLLOW`. The target of a symbolic link is read and resolved the same way.
//!
//! `..` pops the stack of opened directories and does not ask the file system for the parent. A
//! directory that is moved during the resolution therefore does not lead outside.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno as HostErrno;

use super::hidden::lstat;
use super::{FileId, Root, TRAVERSE, link_target, pseudo_fs};
use crate::errno::Errno;

/// Opens `path` beneath `root`, like [`super::kernel::open`].
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
    let mut resolution = Resolution { root, start, opened: Vec::new(), ahead, links: 0, max_links };
    loop {
        let component = resolution.next_component();
        let last = component.is_last;
        match component.name.as_slice() {
            b"" | b"." if last => return resolution.open_here(flags, mode),
            b"" | b"." => {}
            b".." => {
                // The root has no parent.
                resolution.opened.pop().ok_or(Errno::Perm)?;
                if last {
                    return resolution.open_here(flags, mode);
                }
            }
            name if last => {
                if let Some(fd) = resolution.open_last(name, component.is_slashed, flags, mode)? {
                    return Ok(fd);
                }
            }
            name => resolution.enter(name)?,
        }
    }
}

/// A resolution in progress.
struct Resolution<'r> {
    root: Root<'r>,
    /// The identity of the root.
    start: FileId,
    /// The directories opened beneath the root, and their identities. The last is the current one.
    opened: Vec<(OwnedFd, FileId)>,
    /// The rest of the path.
    ahead: Vec<u8>,
    /// The number of symbolic links followed.
    links: usize,
    /// The most that may be followed.
    max_links: usize,
}

/// A component of the path.
struct Component {
    name: Vec<u8>,
    is_last: bool,
    /// Whether slashes follow. The last component then must be a directory.
    is_slashed: bool,
}

impl Resolution<'_> {
    /// The current directory of the resolution.
    fn here(&self) -> BorrowedFd<'_> {
        self.opened.last().map_or(self.root.fd, |(dir, _)| dir.as_fd())
    }

    /// `EPERM` if `name` in the current directory names a hidden file. `found` is the identity of
    /// the file that has the name.
    fn check_name(&self, name: &[u8], found: Option<FileId>) -> Result<(), Errno> {
        match self.root.hidden {
            None => Ok(()),
            Some(hidden) => {
                let id = self.opened.last().map_or(self.start, |(_, id)| *id);
                hidden.check_name(self.here(), id, name, found)
            }
        }
    }

    /// Checks the last component before it is opened: opening a file can have side effects.
    fn check_last(&self, name: &[u8], flags: OFlags) -> Result<(), Errno> {
        let harmless = flags.intersects(OFlags::PATH | OFlags::DIRECTORY);
        if harmless && self.root.hidden.is_none() {
            return Ok(());
        }
        // An error is left to the system call that opens the file.
        let stat = lstat(self.here(), name).unwrap_or_default();
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

    /// Checks the opened file again: the name may lead to another file than before it was opened.
    /// A file on the root's device is not on a pseudo file system.
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
    fn next_component(&mut self) -> Component {
        let end = self.ahead.iter().position(|&byte| byte == b'/').unwrap_or(self.ahead.len());
        let slashes = self.ahead[end..].iter().take_while(|&&byte| byte == b'/').count();
        let rest = self.ahead.split_off(end + slashes);
        let mut name = std::mem::replace(&mut self.ahead, rest);
        name.truncate(end);
        Component { name, is_last: self.ahead.is_empty(), is_slashed: slashes > 0 }
    }

    /// Enters the directory `name`, or follows the symbolic link of that name.
    fn enter(&mut self, name: &[u8]) -> Result<(), Errno> {
        match openat(self.here(), name, TRAVERSE | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(dir) => {
                let id = FileId::of_open(&dir)?;
                self.check_name(name, Some(id))?;
                self.opened.push((dir, id));
                Ok(())
            }
            // Both errors mean a symbolic link or a file that is not a directory.
            Err(HostErrno::NOTDIR | HostErrno::LOOP) => match self.follow(name, b"/") {
                Err(Errno::Inval) => Err(Errno::Notdir),
                result => result,
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the last component. `None` if it is a symbolic link; its target is now ahead.
    fn open_last(
        &mut self,
        name: &[u8],
        slashed: bool,
        flags: OFlags,
        mode: Mode,
    ) -> Result<Option<OwnedFd>, Errno> {
        if slashed && flags.contains(OFlags::CREATE) {
            // As the kernel: a slash names a directory, and `mkdir` creates directories.
            return Err(Errno::Isdir);
        }
        // A slash at the end asks for a directory and follows a link.
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
                    // Not a link: the kernel's error stands.
                    Err(Errno::Inval) => Err(error.into()),
                    result => result.map(|()| None),
                };
            }
            Err(error) => return Err(error.into()),
        }
        self.follow(name, if slashed { b"/" } else { b"" })?;
        Ok(None)
    }

    /// Opens the current directory.
    fn open_here(&self, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        // With `O_CREAT` the kernel returns `EISDIR` for `.`.
        self.checked(openat(self.here(), c".", flags, mode)?)
    }

    /// Puts the target of the symbolic link `name` and `then` before the rest of the path.
    /// `EINVAL`: not a link.
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
