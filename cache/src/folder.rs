//! The folder: opened once, after it was seen that nobody else can write to it.
//!
//! In a folder with a key others may put anything under any name: pipes, links to files of ours,
//! files that they change while we look. So a path in the folder is walked a component at a time
//! and never through a symbolic link; nothing is written through a name, but into files that were
//! made by this call or that are ours, regular and without another name; and what is read is
//! copied before it is checked (see [`Place::exposed`]). Without a key the same rules find what
//! others left there before the folder was for its owner alone.

use crate::options::Options;
use crate::way;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Why a folder is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system refused it.
    #[error("the cache folder {}: {error}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is somebody else's, who could have us run their code.
    #[error("the cache folder {} belongs to user {owner}, not to user {user}", path.display())]
    Owner {
        /// The folder, or a symbolic link that leads to it.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who runs this process.
        user: u32,
    },
    /// Somebody else could put another folder in its place.
    #[error("the cache folder {} lies in {}, which {reason}", path.display(), above.display())]
    Above {
        /// The folder.
        path: PathBuf,
        /// A folder on the way to it.
        above: PathBuf,
        /// Who can change that one.
        reason: String,
    },
    /// Others can write to it.
    #[error(
        "others can write to the cache folder {} (mode {mode:04o}): `chmod go-w` makes it safe",
        path.display()
    )]
    Shared {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

impl OpenError {
    /// Whether the folder was refused because somebody else could put code into it; otherwise it
    /// just cannot be used.
    pub fn is_unsafe(&self) -> bool {
        !matches!(self, OpenError::Io { .. })
    }
}

/// The folder of a cache.
#[derive(Debug)]
pub(crate) struct Folder {
    top: Place,
    pub(crate) path: PathBuf,
    /// Whether its owner may not write to it. The superuser could; that it must not is respected.
    pub(crate) read_only: bool,
    /// Who runs this process.
    pub(crate) user: u32,
    /// Whether there is a key, so that others may write to it.
    keyed: bool,
    /// Permissions of new files and folders in it.
    modes: Modes,
    stuck: AtomicBool,
    /// Folders in it that entries were found in.
    places: Mutex<Vec<(String, Arc<Place>)>>,
}

/// A folder in the cache's, or that itself.
#[derive(Debug)]
pub(crate) struct Place {
    fd: OwnedFd,
    /// Whether others can put files there: files of ours too, that they have open for writing.
    pub(crate) exposed: bool,
}

impl AsFd for Place {
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
            // Who may do what in a shared folder is for the user's file mode creation mask to say.
            Some(_) => Modes {
                folder: Mode::from(0o777),
                file: Mode::from(0o666),
                entry: Mode::from(0o444),
            },
        }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// A pipe would have us wait for a writer.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # This folder is the cache of precast. All of it can be made again.\n\
    # See https://bford.info/cachedir/\n";

/// How many folders in it are kept open: those of one build, and some.
const PLACES: usize = 4;

/// The most names of a folder that are looked at. Others could make more than there is memory for.
const MAX_NAMES: usize = 1 << 18;

impl Folder {
    /// Opens the folder, and makes it if it does not exist.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Folder, OpenError> {
        let failed = |error: Errno| OpenError::Io { path: path.to_owned(), error: error.into() };
        let modes = Modes::new(options);
        let (user, keyed) = (geteuid().as_raw(), options.key.is_some());
        // With a key nothing is taken from a folder because of where it is.
        let (fd, doubt) = match keyed {
            true => (open_anywhere(path, modes.folder).map_err(failed)?, None),
            false => way::reach(path, modes.folder).map(|reached| (reached.fd, reached.doubt))?,
        };
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if !keyed {
            check_folder(path, &stat, user)?;
        }
        if let Some(doubt) = doubt
            && !is_marked(&fd).map_err(failed)?
        {
            return Err(doubt);
        }
        Ok(Folder {
            top: Place { fd, exposed: !is_own(&stat, user) },
            path: path.to_owned(),
            read_only: stat.st_mode & 0o200 == 0,
            user,
            keyed,
            modes,
            stuck: AtomicBool::new(false),
            places: Mutex::default(),
        })
    }

    /// Whether somebody who can write to it has held a lock for too long.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    /// Notes that a lock was held for too long. Where only we can write that is a process of ours
    /// that was stopped, and is waited for each time.
    pub(crate) fn set_stuck(&self) {
        self.stuck.store(self.top.exposed, Ordering::Relaxed);
    }

    /// Opens a file in it for reading, and says in which folder it is.
    pub(crate) fn open_entry(&self, path: &str) -> io::Result<(File, Arc<Place>)> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let kept = self.kept().iter().find(|(path, _)| path == folder).map(|kept| kept.1.clone());
        // A folder that was removed and made again is another one.
        if let Some(place) = kept
            && let Ok(file) = open_in(&place, name)
        {
            return Ok((file, place));
        }
        let place = Arc::new(self.place(folder)?);
        let file = open_in(&place, name)?;
        let mut kept = self.kept();
        kept.retain(|(path, _)| path != folder);
        kept.truncate(PLACES - 1);
        kept.insert(0, (folder.to_owned(), place.clone()));
        Ok((file, place))
    }

    /// Opens a file in it for reading.
    pub(crate) fn open_file(&self, path: &str) -> io::Result<File> {
        self.open_entry(path).map(|(file, _)| file)
    }

    /// Forgets which folders in it are open.
    pub(crate) fn forget_places(&self) {
        self.kept().clear();
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<(String, Arc<Place>)>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a file of ours at its top, for reading and writing if that is possible.
    ///
    /// # Errors
    ///
    /// When it is not there, or another's, or has more names than this.
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

    /// Opens the file that locks are taken on, and makes it if it does not exist. In a folder with a
    /// key it may be another user's.
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
                // Somebody else was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Whether a file is one for locks. Whoever puts one with contents there, or with another name,
    /// may want us to hold a lock on what somebody uses.
    fn may_lock(&self, file: &OwnedFd) -> io::Result<bool> {
        let stat = rustix::fs::fstat(file)?;
        let own = self.keyed || is_own(&stat, self.user);
        Ok(own && is_plain(&stat) && stat.st_size == 0)
    }

    /// Makes a file at its top, in place of what has the name.
    pub(crate) fn renew(&self, name: &str) -> io::Result<File> {
        if self.read_only {
            return Err(Errno::ACCESS.into());
        }
        match rustix::fs::unlinkat(&self.top, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => create_in(&self.top, name, self.modes.file),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives a file at its top these contents, all at once. Who calls it has locked the folder.
    pub(crate) fn replace_file(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let new = format!("{name}.new");
        self.renew(&new)?.write_all(bytes)?;
        Ok(rustix::fs::renameat(&self.top, new.as_str(), &self.top, name)?)
    }

    /// Makes a file in it that is written once.
    pub(crate) fn create_entry(&self, path: &str) -> io::Result<File> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        create_in(&self.made(folder)?, name, self.modes.entry)
    }

    /// Renames a file in it, over the one that has the name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (old, from) = from.rsplit_once('/').unwrap_or(("", from));
        let (new, to) = to.rsplit_once('/').unwrap_or(("", to));
        Ok(rustix::fs::renameat(self.place(old)?, from, self.made(new)?, to)?)
    }

    /// Unlinks a file in it.
    pub(crate) fn unlink(&self, path: &str) -> io::Result<()> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok(rustix::fs::unlinkat(self.place(folder)?, name, AtFlags::empty())?)
    }

    /// Removes a folder in it, if it is empty.
    pub(crate) fn remove_empty(&self, path: &str) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // One that is not empty, or gone, is as it should be.
        let remove = |place| rustix::fs::unlinkat(&place, name, AtFlags::REMOVEDIR);
        let _ = self.place(folder).map(remove);
    }

    /// Opens a folder in it.
    pub(crate) fn place(&self, path: &str) -> io::Result<Place> {
        self.walk(path, |_, _| Ok(()))
    }

    /// Opens a folder in it, and makes it if it does not exist.
    fn made(&self, path: &str) -> io::Result<Place> {
        self.tag();
        self.walk(path, |place, name| match rustix::fs::mkdirat(place, name, self.modes.folder) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        })
    }

    fn walk(
        &self,
        path: &str,
        before: impl Fn(&Place, &str) -> io::Result<()>,
    ) -> io::Result<Place> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        let step = |place: &Place, name: &str| {
            before(place, name)?;
            self.enter(place, name)
        };
        let Some(first) = names.next() else { return self.enter(&self.top, ".") };
        names.try_fold(step(&self.top, first)?, |place, name| step(&place, name))
    }

    /// Opens a folder in another, never through a symbolic link. Without a key, others must not be
    /// able to write to it.
    pub(crate) fn enter(&self, place: &Place, name: &str) -> io::Result<Place> {
        let fd = rustix::fs::openat(place, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        let own = is_own(&rustix::fs::fstat(&fd)?, self.user);
        if !own && !self.keyed {
            let error = format!("others can write to `{name}` in it");
            return Err(io::Error::other(error));
        }
        Ok(Place { fd, exposed: place.exposed || !own })
    }

    /// Tells backup programs to leave the folder out. That is a courtesy; without it it works.
    fn tag(&self) {
        let name = "CACHEDIR.TAG";
        if let Err(Errno::NOENT) = rustix::fs::statat(&self.top, name, AtFlags::SYMLINK_NOFOLLOW) {
            let tag = create_in(&self.top, name, self.modes.file);
            let _ = tag.map(|mut file| file.write_all(TAG));
        }
    }
}

/// Opens a file in a folder for reading.
pub(crate) fn open_in(place: &Place, name: &str) -> io::Result<File> {
    Ok(rustix::fs::openat(place, name, OFlags::RDONLY | FILE, Mode::empty())?.into())
}

/// Makes a file in a folder where nothing has the name.
fn create_in(place: &Place, name: &str, mode: Mode) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | FILE;
    Ok(rustix::fs::openat(place, name, flags, mode)?.into())
}

/// The names in a folder that are `wanted`.
pub(crate) fn names(place: &Place, wanted: fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(place)? {
        // What is not UTF-8 is none of our files.
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

/// Whether a file is a regular one that has one name.
fn is_plain(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink == 1
}

/// Whether a file or folder is this user's, and nobody else can write to it.
pub(crate) fn is_own(stat: &Stat, user: u32) -> bool {
    stat.st_uid == user && stat.st_mode & 0o022 == 0
}

/// Opens a folder wherever it is, and makes it if it does not exist.
fn open_anywhere(path: &Path, mode: Mode) -> rustix::io::Result<OwnedFd> {
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
        return Err(OpenError::Owner { path, owner, user });
    }
    match stat.st_mode & 0o7777 {
        mode if mode & 0o022 == 0 => Ok(()),
        mode => Err(OpenError::Shared { path, mode }),
    }
}

/// Whether a folder of ours was empty when a cache was first made in it. One that is empty now is
/// marked for the next time.
fn is_marked(folder: &OwnedFd) -> rustix::io::Result<bool> {
    if way::is_marked(folder) {
        return Ok(true);
    }
    for entry in Dir::read_from(folder)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    way::mark(folder);
    Ok(way::is_marked(folder))
}
