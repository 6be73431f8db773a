//! The cache folder, opened once after a check that no other user can write to it.
//!
//! A folder with a key may be writable by other users, who can put anything under any name: pipes,
//! links to our files, files that they change while we read them. So these rules hold:
//!
//! - A path in the folder is walked one component at a time and never through a symbolic link.
//! - We write only to a file that this call created, or to a regular file of ours with one name.
//! - We copy a file that others may write to before we check it (see [`DirHandle::exposed`]).
//!
//! The rules hold without a key too: the folder may have been writable by others in the past.

use crate::ancestors::{self, Opened};
use crate::mark;
use crate::options::Options;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The reason why a cache folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A system call failed.
    #[error("the cache folder {}: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// The error of the system call.
        error: io::Error,
    },
    /// The folder belongs to another user, who could make us run their code.
    #[error("the cache folder {} belongs to user {owner}, not to user {user}", path.display())]
    OwnedByOther {
        /// The folder, or a symbolic link on its path.
        path: PathBuf,
        /// The owner of the folder or link.
        owner: u32,
        /// The user of this process.
        user: u32,
    },
    /// Another user could replace the folder, because they can write to a folder above it.
    #[error("the cache folder {} lies in {}, which {reason}", path.display(), above.display())]
    ReplaceableByOthers {
        /// The folder.
        path: PathBuf,
        /// The folder above it.
        above: PathBuf,
        /// The reason why another user can change that folder.
        reason: String,
    },
    /// Other users can write to the folder.
    #[error(
        "others can write to the cache folder {} (mode {mode:04o}): `chmod go-w` makes it safe",
        path.display()
    )]
    WritableByOthers {
        /// The folder.
        path: PathBuf,
        /// The permissions of the folder.
        mode: u32,
    },
}

impl OpenError {
    /// Whether another user could put code into the folder. False if a system call failed.
    pub fn is_unsafe(&self) -> bool {
        !matches!(self, OpenError::Io { .. })
    }
}

/// An open cache folder.
#[derive(Debug)]
pub(crate) struct Folder {
    top: DirHandle,
    pub(crate) path: PathBuf,
    /// Whether the permissions forbid its owner to write. The kernel lets the superuser write all
    /// the same, but this crate does not.
    pub(crate) read_only: bool,
    /// The user of this process.
    pub(crate) user: u32,
    /// Whether the cache has a key, so that other users may write to the folder.
    keyed: bool,
    /// Permissions of new files and folders.
    modes: Modes,
    /// Whether a lock was held for too long in a folder that other users can write to.
    stuck: AtomicBool,
    /// The directories in which entries were found last, by path.
    open_dirs: Mutex<Vec<(String, Arc<DirHandle>)>>,
}

/// An open directory: the cache folder or one inside it.
#[derive(Debug)]
pub(crate) struct DirHandle {
    fd: OwnedFd,
    /// Whether other users can put files there. Such a file may even belong to us while they have
    /// it open for writing.
    pub(crate) exposed: bool,
}

impl AsFd for DirHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[derive(Clone, Copy, Debug)]
struct Modes {
    folder: Mode,
    file: Mode,
    entry: Mode,
}

impl Modes {
    fn new(options: &Options) -> Self {
        match options.key {
            None => Modes { folder: Mode::RWXU, file: Mode::from(0o600), entry: Mode::from(0o400) },
            // The user's file mode creation mask decides who may use a shared folder.
            Some(_) => Modes {
                folder: Mode::from(0o777),
                file: Mode::from(0o666),
                entry: Mode::from(0o444),
            },
        }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// Without `NONBLOCK`, opening a pipe would wait for a writer.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # This folder is the cache of precast. All of it can be made again.\n\
    # See https://bford.info/cachedir/\n";

/// How many directories stay open: those of one build, and a few more.
const MAX_OPEN_DIRS: usize = 4;

/// The most names that are read from a directory. Other users could create more names than fit in
/// memory.
const MAX_NAMES: usize = 1 << 18;

impl Folder {
    /// Opens the folder. Creates it if it does not exist.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Folder, OpenError> {
        let failed = |error: Errno| OpenError::Io { path: path.to_owned(), error: error.into() };
        let modes = Modes::new(options);
        let (user, keyed) = (geteuid().as_raw(), options.key.is_some());
        // With a key, an entry is trusted for its authentication tag and not for its path.
        let Opened { fd, replaceable } = match keyed {
            true => {
                let fd = open_unchecked(path, modes.folder).map_err(failed)?;
                Opened { fd, replaceable: None }
            }
            false => ancestors::open_folder(path, modes.folder)?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if !keyed {
            check_folder(path, &stat, user)?;
        }
        if let Some(error) = replaceable
            && !mark::is_marked_or_empty(&fd).map_err(failed)?
        {
            return Err(error);
        }
        Ok(Folder {
            top: DirHandle { fd, exposed: !is_own(&stat, user) },
            path: path.to_owned(),
            read_only: stat.st_mode & 0o200 == 0,
            user,
            keyed,
            modes,
            stuck: AtomicBool::new(false),
            open_dirs: Mutex::default(),
        })
    }

    /// Whether a process of a user who can write to the folder has held a lock for too long.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    /// Records that a lock was held for too long. If only we can write to the folder, the holder is a
    /// stopped process of ours, and every caller waits for it.
    pub(crate) fn set_stuck(&self) {
        self.stuck.store(self.top.exposed, Ordering::Relaxed);
    }

    /// Opens a file for reading. Returns it with its directory.
    pub(crate) fn open_entry(&self, path: &str) -> io::Result<(File, Arc<DirHandle>)> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let kept = self.kept().iter().find(|(path, _)| path == folder).map(|kept| kept.1.clone());
        // If this fails, the directory may have been removed and created again: open it anew.
        if let Some(dir) = kept
            && let Ok(file) = open_in(&dir, name)
        {
            return Ok((file, dir));
        }
        let dir = Arc::new(self.open_dir(folder)?);
        let file = open_in(&dir, name)?;
        let mut kept = self.kept();
        kept.retain(|(path, _)| path != folder);
        kept.truncate(MAX_OPEN_DIRS - 1);
        kept.insert(0, (folder.to_owned(), dir.clone()));
        Ok((file, dir))
    }

    /// Opens a file for reading.
    pub(crate) fn open_file(&self, path: &str) -> io::Result<File> {
        self.open_entry(path).map(|(file, _)| file)
    }

    /// Closes the directories that were kept open.
    pub(crate) fn forget_open_dirs(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(String, Arc<DirHandle>)>> {
        self.open_dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a file of ours at the top of the folder: for reading and writing, or for reading only
    /// if it cannot be written.
    ///
    /// # Errors
    ///
    /// If the file does not exist, belongs to another user or has a second name.
    pub(crate) fn open_own(&self, name: &str) -> io::Result<File> {
        let open = |mode| rustix::fs::openat(&self.top, name, mode | FILE, Mode::empty());
        let file = match open(OFlags::RDWR) {
            Err(Errno::ROFS | Errno::ACCESS | Errno::PERM) => open(OFlags::RDONLY),
            opened => opened,
        }?;
        let stat = rustix::fs::fstat(&file)?;
        let own = if self.keyed { stat.st_uid == self.user } else { is_own(&stat, self.user) };
        if own && is_plain(&stat) { Ok(file.into()) } else { Err(Errno::PERM.into()) }
    }

    /// Opens the file that locks are taken on. Creates it if it does not exist. In a folder with a
    /// key it may belong to another user.
    pub(crate) fn open_lock(&self, name: &str) -> io::Result<File> {
        if self.read_only {
            return Err(Errno::ACCESS.into());
        }
        for _ in 0..8 {
            let opened = rustix::fs::openat(&self.top, name, OFlags::RDWR | FILE, Mode::empty());
            let created = match opened {
                Ok(file) if self.may_lock(&file)? => return Ok(file.into()),
                Ok(_) | Err(Errno::LOOP | Errno::ISDIR) => self.renew(name),
                Err(Errno::NOENT) => create_in(&self.top, name, self.modes.file),
                Err(error) => Err(error.into()),
            };
            match created {
                // Another process created it first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Whether a file may serve for locks. Another user may have put a link to a file in use here,
    /// so that our lock blocks its users: such a file has contents or a second name.
    fn may_lock(&self, file: &OwnedFd) -> io::Result<bool> {
        let stat = rustix::fs::fstat(file)?;
        let own = self.keyed || is_own(&stat, self.user);
        Ok(own && is_plain(&stat) && stat.st_size == 0)
    }

    /// Creates a file at the top of the folder. Unlinks the one that has the name.
    pub(crate) fn renew(&self, name: &str) -> io::Result<File> {
        if self.read_only {
            return Err(Errno::ACCESS.into());
        }
        match rustix::fs::unlinkat(&self.top, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => create_in(&self.top, name, self.modes.file),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the contents of a file at the top of the folder atomically. The caller holds the lock
    /// on the folder.
    pub(crate) fn replace_file(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = format!("{name}.new");
        self.renew(&new)?.write_all(bytes)?;
        Ok(rustix::fs::renameat(&self.top, new.as_str(), &self.top, name)?)
    }

    /// Creates a file that is written once.
    pub(crate) fn create_entry(&self, path: &str) -> io::Result<File> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        create_in(&self.open_or_create_dir(folder)?, name, self.modes.entry)
    }

    /// Renames a file. Replaces the one that has the new name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (old, from) = from.rsplit_once('/').unwrap_or(("", from));
        let (new, to) = to.rsplit_once('/').unwrap_or(("", to));
        Ok(rustix::fs::renameat(self.open_dir(old)?, from, self.open_or_create_dir(new)?, to)?)
    }

    /// Unlinks a file.
    pub(crate) fn unlink(&self, path: &str) -> io::Result<()> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(rustix::fs::unlinkat(self.open_dir(folder)?, name, AtFlags::empty())?)
    }

    /// Removes a directory if it is empty.
    pub(crate) fn remove_empty(&self, path: &str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // It fails if the directory is not empty or no longer exists, and both are fine.
        let remove = |dir| rustix::fs::unlinkat(&dir, name, AtFlags::REMOVEDIR);
        let _ = self.open_dir(folder).map(remove);
    }

    /// Opens a directory.
    pub(crate) fn open_dir(&self, path: &str) -> io::Result<DirHandle> {
        self.walk(path, |_, _| Ok(()))
    }

    /// Opens a directory. Creates it, and those on its path, if they do not exist.
    fn open_or_create_dir(&self, path: &str) -> io::Result<DirHandle> {
        self.tag();
        self.walk(path, |dir, name| match rustix::fs::mkdirat(dir, name, self.modes.folder) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        })
    }

    /// Opens the directories of a path one after the other. Calls `before` for each first.
    fn walk(
        &self,
        path: &str,
        before: impl Fn(&DirHandle, &str) -> io::Result<()>,
    ) -> io::Result<DirHandle> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        let step = |dir: &DirHandle, name: &str| {
            before(dir, name)?;
            self.enter_dir(dir, name)
        };
        let Some(first) = names.next() else { return self.enter_dir(&self.top, ".") };
        names.try_fold(step(&self.top, first)?, |dir, name| step(&dir, name))
    }

    /// Opens a directory in another, but never through a symbolic link.
    ///
    /// # Errors
    ///
    /// Without a key, also if other users can write to it.
    pub(crate) fn enter_dir(&self, dir: &DirHandle, name: &str) -> io::Result<DirHandle> {
        let fd = rustix::fs::openat(dir, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        let own = is_own(&rustix::fs::fstat(&fd)?, self.user);
        if !own && !self.keyed {
            let error = format!("others can write to `{name}` in it");
            return Err(io::Error::other(error));
        }
        Ok(DirHandle { fd, exposed: dir.exposed || !own })
    }

    /// Creates the file that tells backup programs to skip the folder. A failure does no harm.
    fn tag(&self) {
        let name = "CACHEDIR.TAG";
        if let Err(Errno::NOENT) = rustix::fs::statat(&self.top, name, AtFlags::SYMLINK_NOFOLLOW) {
            let tag = create_in(&self.top, name, self.modes.file);
            let _ = tag.map(|mut file| file.write_all(TAG));
        }
    }
}

/// Opens a file in a directory for reading.
pub(crate) fn open_in(dir: &DirHandle, name: &str) -> io::Result<File> {
    Ok(rustix::fs::openat(dir, name, OFlags::RDONLY | FILE, Mode::empty())?.into())
}

/// Creates a file in a directory. Fails if the name exists.
fn create_in(dir: &DirHandle, name: &str, mode: Mode) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | FILE;
    Ok(rustix::fs::openat(dir, name, flags, mode)?.into())
}

/// The names in a directory for which `wanted` is true.
pub(crate) fn names(dir: &DirHandle, wanted: fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        // The names of our files are UTF-8.
        if let Ok(name) = entry?.file_name().to_str()
            && wanted(name)
        {
            names.push(name.to_owned());
        }
        if names.len() == MAX_NAMES {
            break;
        }
    }
    Ok(names)
}

/// Whether a file is a regular one with one name.
fn is_plain(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink == 1
}

/// Whether a file or folder belongs to this user and no other user can write to it.
pub(crate) fn is_own(stat: &Stat, user: u32) -> bool {
    stat.st_uid == user && stat.st_mode & 0o022 == 0
}

/// Opens a folder without checks of the folders above it. Creates it if it does not exist.
fn open_unchecked(path: &Path, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let open = || rustix::fs::open(path, DIRECTORY, Mode::empty());
    match open() {
        Err(Errno::NOENT) => {}
        opened => return opened,
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    }
    match rustix::fs::mkdir(path, mode) {
        Ok(()) | Err(Errno::EXIST) => open(),
        Err(error) => Err(error),
    }
}

fn check_folder(path: &Path, stat: &Stat, user: u32) -> Result<(), OpenError> {
    let (owner, path) = (stat.st_uid, path.to_owned());
    if owner != user {
        return Err(OpenError::OwnedByOther { path, owner, user });
    }
    match stat.st_mode & 0o7777 {
        mode if mode & 0o022 == 0 => Ok(()),
        mode => Err(OpenError::WritableByOthers { path, mode }),
    }
}
