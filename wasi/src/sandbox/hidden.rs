//! What is hidden in a directory of the host, by mounts above all.
//!
//! A mount takes the place of what the host has under its name, and [`crate::fs::mounts`] sees to it that
//! the name leads to the mount. But a name is not all that leads to a file: a directory may fold case
//! (`chattr +F`, vfat, most servers of other systems), have short names or normalise Unicode; the
//! host may have mounted the same directory a second time, or moved it. So where something is hidden,
//! a path is walked one component at a time, and each is compared with what is hidden by identity:
//! device and inode. Where file systems give no reliable identities, a name must be one that its
//! directory lists.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Mode, OFlags, RawDir, Stat, fstat, fstatfs, ioctl_getflags, openat, statat,
};
use rustix::io::Errno as HostErrno;

use super::{PASS_THROUGH, Resolver, pseudo_fs};
use crate::errno::Errno;
use crate::guest::GuestPath;

/// What makes a file of the host the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

impl FileId {
    pub(crate) fn of(stat: &Stat) -> Self {
        // Of another type on some machines.
        #[allow(clippy::unnecessary_cast)]
        FileId { dev: stat.st_dev as u64, ino: stat.st_ino as u64 }
    }

    /// Of the file that is open as `fd`.
    pub(super) fn of_open(fd: impl AsFd) -> Result<Self, Errno> {
        Ok(FileId::of(&fstat(fd)?))
    }
}

/// What lies at `name` in `dir`, itself if it is a symbolic link. None: nothing.
pub(super) fn look(dir: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Stat>, Errno> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(HostErrno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How the names of a directory can lead to the same entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aliases {
    /// They cannot.
    None,
    /// By names that the host takes for the same; it tells which are by the identity of the file.
    Known,
    /// As `Known`, but two names may seem to be two files.
    Unknown,
}

impl Aliases {
    /// Of the directory `dir`. Nothing in the directory of a mount changes that: a directory must be
    /// empty to begin to fold case.
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
                    // It knows no flags.
                    Err(HostErrno::NOTTY | HostErrno::OPNOTSUPP) => Aliases::None,
                    _ => Aliases::Known,
                }
            }
            // xfs, overlayfs, NFS, ZFS, vfat, exFAT, NTFS, HFS+, JFS, Ceph, squashfs, EROFS, ISO 9660, UDF.
            0x5846_5342 | 0x794c_7630 | 0x6969 | 0x2fc1_2fc1 | 0x4d44 | 0x2011_bab0
            | 0x7366_746e | 0x482b | 0x3153_464a | 0x00c3_6400 | 0x7371_7368 | 0xe0f5_e1e2
            | 0x9660 | 0x1501_3346 => Aliases::Known,
            // FUSE, CIFS, 9P, ...: what lies behind is another system's.
            _ => Aliases::Unknown,
        }
    }
}

/// A name on the way to something hidden.
#[derive(Clone, Debug)]
struct Place {
    /// The directory.
    dir: FileId,
    name: Box<[u8]>,
    aliases: Aliases,
    /// Whether it is the name of the mount itself, and not of a directory above it.
    is_mount: bool,
}

/// What is hidden in a directory of the host, and below.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hidden {
    /// What has the names of mounts.
    files: Vec<FileId>,
    places: Vec<Place>,
}

impl Hidden {
    /// What no guest gets in the directory `root`, whatever is mounted there: the machine's memory.
    pub(crate) fn in_directory(root: BorrowedFd<'_>) -> Option<Self> {
        let found = pseudo_fs::MEMORY.iter().filter_map(|name| look(root, name.as_bytes()).ok()?);
        let files: Vec<_> =
            found.filter(pseudo_fs::is_memory).map(|stat| FileId::of(&stat)).collect();
        (!files.is_empty()).then(|| Hidden { files, places: Vec::new() })
    }

    /// Hides what lies at `path` beneath `root`, which is the name of a mount.
    pub(crate) fn add(&mut self, resolver: Resolver, root: BorrowedFd<'_>, path: &str) {
        let mut ends: Vec<_> = path.match_indices('/').map(|(slash, _)| slash).collect();
        ends.push(path.len());
        let mut start = 0;
        for end in ends {
            let (above, name) = (&path[..start], &path[start..end]);
            let dir = match GuestPath::new(above.trim_end_matches('/').as_bytes()) {
                Ok(above) => {
                    resolver.linkless().open(root, above, PASS_THROUGH, Mode::empty()).map(Some)
                }
                Err(_) => Ok(None),
            };
            // What cannot be opened here, no guest can.
            let Ok(dir) = dir else { return };
            let dir = dir.as_ref().map_or(root, |dir| dir.as_fd());
            let Ok(id) = FileId::of_open(dir) else { return };
            let is_mount = end == path.len();
            let place = Place {
                dir: id,
                name: name.as_bytes().into(),
                aliases: Aliases::of(dir),
                is_mount,
            };
            self.places.push(place);
            if let (true, Ok(Some(stat))) = (is_mount, look(dir, name.as_bytes()))
                // Else the host has mounted the directory in itself, and there is nothing to hide.
                && FileId::of_open(root) != Ok(FileId::of(&stat))
            {
                self.files.push(FileId::of(&stat));
            }
            start = end + 1;
        }
    }

    /// Whether nothing can be reached that must not.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.places.iter().all(|place| place.aliases == Aliases::None)
    }

    /// `EPERM` for what is hidden.
    pub(super) fn check(&self, file: FileId) -> Result<(), Errno> {
        if self.files.contains(&file) { Err(Errno::Perm) } else { Ok(()) }
    }

    /// `EPERM` if `name` in the directory `dir`, which is `id`, is another name for what is hidden or
    /// for a directory above it, or if that cannot be told. `found` is what lies there.
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
        let here = || self.places.iter().filter(|place| place.dir == id);
        if let Some(place) = here().find(|place| *place.name == *name) {
            return if place.is_mount { Err(Errno::Perm) } else { Ok(()) };
        }
        let Some(found) = found else {
            return Ok(());
        };
        for place in here().filter(|place| place.aliases != Aliases::None) {
            let same = look(dir, &place.name)?.is_some_and(|stat| FileId::of(&stat) == found);
            let doubtful = || place.aliases == Aliases::Unknown && !lists(dir, name);
            if same || doubtful() {
                return Err(Errno::Perm);
            }
        }
        Ok(())
    }

    /// As on a file system that takes names for the same: for tests where there is none.
    #[cfg(test)]
    pub(crate) fn fold(&mut self, known: bool) {
        for place in &mut self.places {
            place.aliases = if known { Aliases::Known } else { Aliases::Unknown };
        }
    }
}

fn open_to_read(dir: BorrowedFd<'_>) -> Result<OwnedFd, HostErrno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(dir, c".", flags, Mode::empty())
}

/// Whether a directory lists `name`, letter by letter.
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
