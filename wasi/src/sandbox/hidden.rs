//! Hidden files: files in a directory of the host that a guest must not reach.
//!
//! Most of them are covered by a mount: the mount table leads their name to the mount. But other
//! names may lead to the same file. A directory may fold case (`chattr +F`, vfat, many network
//! file systems), have short names or normalise Unicode; the host may have mounted the directory a
//! second time, or renamed it. A path in a directory with hidden files is therefore resolved one
//! component at a time, and each component is compared with the hidden files by device and inode
//! number. Where these numbers are not reliable, only a name that its directory lists is accepted.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Mode, OFlags, RawDir, Stat, fstat, fstatfs, ioctl_getflags, openat, statat,
};
use rustix::io::Errno as HostErrno;

use super::{Resolver, TRAVERSE, pseudo_fs};
use crate::errno::Errno;
use crate::guest::GuestPath;

/// The identity of a file of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

impl FileId {
    pub(crate) fn of(stat: &Stat) -> Self {
        // The fields have other types on some machines.
        #[allow(clippy::unnecessary_cast)]
        FileId { dev: stat.st_dev as u64, ino: stat.st_ino as u64 }
    }

    /// The identity of the open file `fd`.
    pub(super) fn of_open(fd: impl AsFd) -> Result<Self, Errno> {
        Ok(FileId::of(&fstat(fd)?))
    }
}

/// The metadata of the file `name` in `dir`; `None` if there is none. A symbolic link is not
/// followed.
pub(super) fn lstat(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Stat>, Errno> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(HostErrno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether several names in a directory can lead to the same entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aliases {
    /// No.
    None,
    /// Yes, and the files then have the same identity.
    Known,
    /// Yes, and the files may have different identities.
    Unknown,
}

impl Aliases {
    /// The aliases in `dir`. They do not change later: only an empty directory can be made to fold
    /// case.
    fn of(dir: BorrowedFd<'_>) -> Self {
        const FOLDS_CASE: u32 = 0x4000_0000;

        let Ok(stat) = fstatfs(dir) else {
            return Aliases::Unknown;
        };
        match stat.f_type as u32 {
            // ext2 to ext4, btrfs, tmpfs, ramfs, f2fs, bcachefs.
            0xef53 | 0x9123_683e | 0x0102_1994 | 0x8584_58f6 | 0xf2f5_2010 | 0xca45_1a4e => {
                match open_to_read(dir).and_then(ioctl_getflags) {
                    Ok(flags) if flags.bits() & FOLDS_CASE == 0 => Aliases::None,
                    // The file system has no flags.
                    Err(HostErrno::NOTTY | HostErrno::OPNOTSUPP) => Aliases::None,
                    _ => Aliases::Known,
                }
            }
            // xfs, overlayfs, NFS, ZFS, vfat, exFAT, NTFS, HFS+, JFS, Ceph, squashfs, EROFS, ISO
            // 9660, UDF.
            0x5846_5342 | 0x794c_7630 | 0x6969 | 0x2fc1_2fc1 | 0x4d44 | 0x2011_bab0
            | 0x7366_746e | 0x482b | 0x3153_464a | 0x00c3_6400 | 0x7371_7368 | 0xe0f5_e1e2
            | 0x9660 | 0x1501_3346 => Aliases::Known,
            // FUSE, CIFS, 9P, ...: another system decides.
            _ => Aliases::Unknown,
        }
    }
}

/// A component of the path to a hidden file.
#[derive(Clone, Debug)]
struct HiddenName {
    /// The directory.
    dir: FileId,
    name: Box<[u8]>,
    aliases: Aliases,
    /// Whether it is the last component, which is the mount point.
    is_mount: bool,
}

/// The files that are hidden in a directory of the host, at any depth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden {
    files: Vec<FileId>,
    /// The components of the paths to mount points.
    names: Vec<HiddenName>,
}

impl Hidden {
    /// The files in the directory `root` that are hidden from every guest: memory devices.
    pub(crate) fn in_directory(root: BorrowedFd<'_>) -> Option<Self> {
        let found =
            pseudo_fs::MEMORY.iter().filter_map(|name| lstat(root, name.as_bytes()).ok()?);
        let files: Vec<_> =
            found.filter(pseudo_fs::is_memory).map(|stat| FileId::of(&stat)).collect();
        (!files.is_empty()).then(|| Hidden { files, names: Vec::new() })
    }

    /// Hides the file at `path` beneath `root`, which is a mount point.
    pub(crate) fn add(&mut self, resolver: Resolver, root: BorrowedFd<'_>, path: &str) {
        let mut ends: Vec<_> = path.match_indices('/').map(|(slash, _)| slash).collect();
        ends.push(path.len());
        let mut start = 0;
        for end in ends {
            let (above, name) = (&path[..start], &path[start..end]);
            let dir = match GuestPath::new(above.trim_end_matches('/').as_bytes()) {
                Ok(above) => {
                    resolver.without_symlinks().open(root, above, TRAVERSE, Mode::empty()).map(Some)
                }
                Err(_) => Ok(None),
            };
            // A directory that cannot be opened here cannot be opened by a guest.
            let Ok(dir) = dir else { return };
            let dir = dir.as_ref().map_or(root, |dir| dir.as_fd());
            let Ok(id) = FileId::of_open(dir) else { return };
            let is_mount = end == path.len();
            let hidden_name = HiddenName {
                dir: id,
                name: name.as_bytes().into(),
                aliases: Aliases::of(dir),
                is_mount,
            };
            self.names.push(hidden_name);
            if let (true, Ok(Some(stat))) = (is_mount, lstat(dir, name.as_bytes()))
                // The root itself is not hidden: then the host has mounted it in itself.
                && FileId::of_open(root) != Ok(FileId::of(&stat))
            {
                self.files.push(FileId::of(&stat));
            }
            start = end + 1;
        }
    }

    /// Whether nothing is hidden.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.names.iter().all(|name| name.aliases == Aliases::None)
    }

    /// `EPERM` if `file` is hidden.
    pub(super) fn check(&self, file: FileId) -> Result<(), Errno> {
        if self.files.contains(&file) { Err(Errno::Perm) } else { Ok(()) }
    }

    /// `EPERM` if `name` in the directory `dir` is another name of a hidden file or of a directory
    /// above it, or may be one. `id` is the identity of `dir`, `found` that of the file `name`.
    pub(super) fn check_name(
        &self,
        dir: BorrowedFd<'_>,
        id: FileId,
        name: &[u8],
        found: Option<FileId>,
    ) -> Result<(), Errno> {
        if let Some(found) = found {
            self.check(found)?;
        }
        let here = || self.names.iter().filter(|hidden| hidden.dir == id);
        if let Some(hidden) = here().find(|hidden| *hidden.name == *name) {
            return if hidden.is_mount { Err(Errno::Perm) } else { Ok(()) };
        }
        let Some(found) = found else {
            return Ok(());
        };
        for hidden in here().filter(|hidden| hidden.aliases != Aliases::None) {
            let same = lstat(dir, &hidden.name)?.is_some_and(|stat| FileId::of(&stat) == found);
            let uncertain = || hidden.aliases == Aliases::Unknown && !lists(dir, name);
            if same || uncertain() {
                return Err(Errno::Perm);
            }
        }
        Ok(())
    }

    /// Pretends that the file system folds case, for tests on one that does not.
    #[cfg(test)]
    pub(crate) fn fold(&mut self, known: bool) {
        for name in &mut self.names {
            name.aliases = if known { Aliases::Known } else { Aliases::Unknown };
        }
    }
}

fn open_to_read(dir: BorrowedFd<'_>) -> Result<OwnedFd, HostErrno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(dir, c".", flags, Mode::empty())
}

/// Whether a directory lists exactly `name`.
fn lists(dir: BorrowedFd<'_>, name: &[u8]) -> bool {
    let Ok(dir) = open_to_read(dir) else {
        return false;
    };
    let mut batch = [MaybeUninit::uninit(); 8 * 1024];
    let mut entries = RawDir::new(&dir, &mut batch);
    while let Some(Ok(entry)) = entries.next() {
        if entry.file_name().to_bytes() == name {
            return true;
        }
    }
    false
}
