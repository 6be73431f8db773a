//! Functions on directory entries in a [`Tree`], each as its namesake in [`crate::calls::path`] does it
//! on a directory of the host.

use rustix::fs::{AtFlags, FileType, Mode};

use super::Tree;
use super::entry::{Refusals, Spot};
use crate::errno::Errno;
use crate::fs::mounts::Base;
use crate::fs::{FileKind, FileSystem};
use crate::guest::GuestPath;
use crate::guest::layout::Filestat;
use crate::state::blueprint::Wasi;

/// For functions that make an entry.
const MAKING: Refusals = Refusals { dotted: Errno::Exist, in_use: Errno::Exist };

impl Tree {
    fn spot<'a>(
        &'a self,
        wasi: &'a Wasi,
        path: GuestPath<'a>,
        refusals: &Refusals,
    ) -> Result<Spot<'a>, Errno> {
        match Spot::find(&wasi.mounts, wasi.resolver, &Base::Tree(self), path, refusals)? {
            Spot::Unusable(error) => Err(error),
            spot => Ok(spot),
        }
    }

    /// As [`Tree::spot`], of an entry that will change.
    fn changing<'a>(
        &'a self,
        wasi: &'a Wasi,
        path: GuestPath<'a>,
        refusals: &Refusals,
    ) -> Result<Spot<'a>, Errno> {
        let spot = self.spot(wasi, path, refusals)?;
        spot.require_writable()?;
        Ok(spot)
    }

    pub(crate) fn create_directory(&self, wasi: &Wasi, path: GuestPath<'_>) -> Result<(), Errno> {
        match self.changing(wasi, path, &MAKING)? {
            Spot::Host { entry, .. } => {
                Ok(rustix::fs::mkdirat(entry.dir(), entry.name(), Mode::from_raw_mode(0o777))?)
            }
            Spot::Virtual { fs, path, .. } => fs.create_directory(&path),
            Spot::Unusable(error) => Err(error),
        }
    }

    pub(crate) fn remove_directory(&self, wasi: &Wasi, path: GuestPath<'_>) -> Result<(), Errno> {
        let refusals = Refusals { dotted: Errno::Inval, in_use: Errno::Busy };
        match self.changing(wasi, path, &refusals)? {
            Spot::Host { entry, .. } => {
                Ok(rustix::fs::unlinkat(entry.dir(), entry.name(), AtFlags::REMOVEDIR)?)
            }
            Spot::Virtual { fs, path, .. } => fs.remove_directory(&path),
            Spot::Unusable(error) => Err(error),
        }
    }

    pub(crate) fn unlink_file(&self, wasi: &Wasi, path: GuestPath<'_>) -> Result<(), Errno> {
        let refusals = Refusals { dotted: Errno::Isdir, in_use: Errno::Isdir };
        match self.changing(wasi, path, &refusals)? {
            Spot::Host { entry, .. } => {
                Ok(rustix::fs::unlinkat(entry.dir(), entry.name(), AtFlags::empty())?)
            }
            Spot::Virtual { fs, path, slashed, .. } => {
                check_slash(&**fs, &path, slashed)?;
                fs.remove_file(&path)
            }
            Spot::Unusable(error) => Err(error),
        }
    }

    pub(crate) fn symlink(
        &self,
        wasi: &Wasi,
        target: GuestPath<'_>,
        path: GuestPath<'_>,
    ) -> Result<(), Errno> {
        match self.changing(wasi, path, &MAKING)? {
            Spot::Host { entry, .. } => {
                Ok(rustix::fs::symlinkat(target.bytes(), entry.dir(), entry.name())?)
            }
            Spot::Virtual { fs, path, slashed, .. } => {
                check_new(&**fs, &path, slashed)?;
                let target = std::str::from_utf8(target.bytes()).map_err(|_| Errno::Ilseq)?;
                fs.symlink(target, &path)
            }
            Spot::Unusable(error) => Err(error),
        }
    }

    /// What a symbolic link says.
    pub(crate) fn read_link(&self, wasi: &Wasi, path: GuestPath<'_>) -> Result<Vec<u8>, Errno> {
        let refusals = Refusals { dotted: Errno::Inval, in_use: Errno::Inval };
        if path.bytes().ends_with(b"/") {
            // Means what the link leads to, and that is no link.
            self.path_stat(wasi, path, true)?;
            return Err(Errno::Inval);
        }
        match self.spot(wasi, path, &refusals)? {
            Spot::Host { entry, .. } => {
                Ok(rustix::fs::readlinkat(entry.dir(), entry.bare_name(), Vec::new())?.into_bytes())
            }
            Spot::Virtual { fs, path, .. } => Ok(fs.read_link(&path)?.into_bytes()),
            Spot::Unusable(error) => Err(error),
        }
    }
}

/// `ENOTDIR`: a slash behind what is no directory.
fn check_slash(fs: &dyn FileSystem, path: &str, slashed: bool) -> Result<(), Errno> {
    if slashed && fs.stat(path)?.kind != FileKind::Directory {
        return Err(Errno::Notdir);
    }
    Ok(())
}

/// As the kernel says it: with a slash, only a directory can be made.
fn check_new(fs: &dyn FileSystem, path: &str, slashed: bool) -> Result<(), Errno> {
    if slashed {
        fs.stat(path)?;
        return Err(Errno::Exist);
    }
    Ok(())
}

/// What lies at `path`; of a symbolic link, the link, unless the path ends in a slash.
fn stat(wasi: &Wasi, base: &Base<'_>, path: GuestPath<'_>) -> Result<Filestat, Errno> {
    match base {
        Base::Tree(tree) => tree.path_stat(wasi, path, false),
        Base::Host(directory) => {
            let (_, stat) = wasi.resolver.lookup(directory.root(), path, false)?;
            Ok(Filestat::of_host(FileType::from_raw_mode(stat.st_mode).into(), &stat))
        }
    }
}

/// Gives a file a second name. `EXDEV`: on another file system.
pub(crate) fn link(
    wasi: &Wasi,
    old_base: &Base<'_>,
    old_path: GuestPath<'_>,
    new_base: &Base<'_>,
    new_path: GuestPath<'_>,
) -> Result<(), Errno> {
    let refusals = Refusals { dotted: Errno::Perm, in_use: Errno::Perm };
    let old = Spot::find(&wasi.mounts, wasi.resolver, old_base, old_path, &refusals)?;
    let last = old_path.bytes().rsplit(|&byte| byte == b'/').next();
    if matches!(last, Some(b"" | b"..")) {
        // A directory, or what a symbolic link leads to: neither can be linked to.
        old.require_writable()?;
        stat(wasi, old_base, old_path)?;
        return Err(Errno::Perm);
    }
    let new = Spot::find(&wasi.mounts, wasi.resolver, new_base, new_path, &MAKING)?;
    if let Spot::Unusable(error) = new {
        stat(wasi, old_base, old_path)?;
        return Err(error);
    }
    new.require_writable()?;
    if let Spot::Unusable(error) = old {
        return Err(match stat(wasi, new_base, new_path) {
            Err(Errno::Noent) if new_path.bytes().ends_with(b"/") => Errno::Noent,
            Err(Errno::Noent) => error,
            _ => Errno::Exist,
        });
    }
    old.require_writable()?;
    match (old, new) {
        (Spot::Host { entry: old, .. }, Spot::Host { entry: new, .. }) => {
            let flags = AtFlags::empty();
            Ok(rustix::fs::linkat(old.dir(), old.bare_name(), new.dir(), new.name(), flags)?)
        }
        (
            Spot::Virtual { fs: old_fs, path: old, .. },
            Spot::Virtual { fs, path: new, slashed, .. },
        ) if std::sync::Arc::ptr_eq(old_fs, fs) => {
            fs.stat(&old)?;
            check_new(&**fs, &new, slashed)?;
            fs.link(&old, &new)
        }
        _ => Err(Errno::Xdev),
    }
}

/// Renames a file or directory. `EXDEV`: to another file system.
///
/// Answers the locations a directory that is no host's came from and went to.
pub(crate) fn rename(
    wasi: &Wasi,
    old_base: &Base<'_>,
    old_path: GuestPath<'_>,
    new_base: &Base<'_>,
    new_path: GuestPath<'_>,
) -> Result<Option<(String, String)>, Errno> {
    let refusals = Refusals { dotted: Errno::Busy, in_use: Errno::Busy };
    let old = Spot::find(&wasi.mounts, wasi.resolver, old_base, old_path, &refusals)?;
    let new = Spot::find(&wasi.mounts, wasi.resolver, new_base, new_path, &refusals)?;
    old.require_writable()?;
    new.require_writable()?;
    match (old, new) {
        (Spot::Host { entry: old, .. }, Spot::Host { entry: new, .. }) => {
            rustix::fs::renameat(old.dir(), old.name(), new.dir(), new.name())?;
            Ok(None)
        }
        (
            Spot::Virtual { fs: old_fs, path: old, slashed, location: from, .. },
            Spot::Virtual { fs, path: new, slashed: new_slashed, location: to, .. },
        ) if std::sync::Arc::ptr_eq(old_fs, fs) => {
            check_slash(&**fs, &old, slashed || new_slashed)?;
            wasi.fds.check_relocation(&from, &to)?;
            fs.rename(&old, &new)?;
            Ok(Some((from, to)))
        }
        _ => Err(Errno::Xdev),
    }
}
