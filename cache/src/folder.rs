//! The folder: opened once, after it was seen that nobody else can write to it.

use crate::options::Options;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

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
        /// The folder, or the symbolic link that leads to it.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who runs this process.
        user: u32,
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
    fd: OwnedFd,
    pub(crate) path: PathBuf,
    /// Whether its owner may not write to it. The superuser could; that it must not is respected.
    pub(crate) read_only: bool,
    /// Who runs this process.
    pub(crate) user: u32,
    /// Permissions of new files and folders in it.
    modes: Modes,
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
const TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # This folder is the cache of precast. All of it can be made again.\n\
    # See https://bford.info/cachedir/\n";

impl Folder {
    /// Opens the folder, and makes it if it does not exist.
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Folder, OpenError> {
        let failed = |error: Errno| OpenError::Io { path: path.to_owned(), error: error.into() };
        let modes = Modes::new(options);
        let fd = match rustix::fs::open(path, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => {
                make(path, modes.folder).map_err(failed)?;
                rustix::fs::open(path, DIRECTORY, Mode::empty())
            }
            opened => opened,
        };
        let fd = fd.map_err(failed)?;
        let stat = rustix::fs::fstat(&fd).map_err(failed)?;
        if options.key.is_none() {
            check_link(path)?;
            check_folder(path, &stat)?;
        }
        let read_only = stat.st_mode & 0o200 == 0;
        let folder =
            Folder { fd, path: path.to_owned(), read_only, user: geteuid().as_raw(), modes };
        Ok(folder)
    }

    /// Opens a file in it for reading.
    pub(crate) fn open_file(&self, path: &str) -> rustix::io::Result<File> {
        // A pipe would have us wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::openat(&self.fd, path, flags, Mode::empty()).map(File::from)
    }

    /// Opens a file in it for reading and writing; `create` says whether to make it.
    pub(crate) fn open_state(&self, path: &str, create: bool) -> rustix::io::Result<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let flags = if create { flags | OFlags::CREATE } else { flags };
        if create && self.read_only {
            return Err(Errno::ACCESS);
        }
        rustix::fs::openat(&self.fd, path, flags, self.modes.file).map(File::from)
    }

    /// Makes a file in it that is written once.
    pub(crate) fn create_entry(&self, path: &str) -> rustix::io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let create = || rustix::fs::openat(&self.fd, path, flags, self.modes.entry);
        match create() {
            Err(Errno::NOENT) => {
                self.make_parents(path)?;
                create().map(File::from)
            }
            created => created.map(File::from),
        }
    }

    /// Renames a file in it, over the one that has the name.
    pub(crate) fn rename(&self, from: &str, to: &str) -> rustix::io::Result<()> {
        let rename = || rustix::fs::renameat(&self.fd, from, &self.fd, to);
        match rename() {
            Err(Errno::NOENT) => {
                self.make_parents(to)?;
                rename()
            }
            renamed => renamed,
        }
    }

    /// Unlinks a file in it.
    pub(crate) fn unlink(&self, path: &str) -> rustix::io::Result<()> {
        rustix::fs::unlinkat(&self.fd, path, AtFlags::empty())
    }

    /// Opens a folder in it, never through a symbolic link.
    pub(crate) fn subfolder(&self, name: &str) -> rustix::io::Result<OwnedFd> {
        subfolder(&self.fd, name)
    }

    /// Removes a folder in it, if it is empty.
    pub(crate) fn remove_empty(&self, path: &str) {
        // One that is not empty, or gone, is as it should be.
        let _ = rustix::fs::unlinkat(&self.fd, path, AtFlags::REMOVEDIR);
    }

    fn make_parents(&self, path: &str) -> rustix::io::Result<()> {
        if self.open_file("CACHEDIR.TAG").is_err() {
            // The tag is a courtesy; without it the cache works.
            let tag = self.open_state("CACHEDIR.TAG", true);
            let _ = tag.map(|mut file| file.write_all(TAG));
        }
        for (at, _) in path.match_indices('/') {
            match rustix::fs::mkdirat(&self.fd, &path[..at], self.modes.folder) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Opens a folder in another, never through a symbolic link.
pub(crate) fn subfolder(folder: &OwnedFd, name: &str) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(folder, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// The names in a folder, without the two that every folder has.
pub(crate) fn names(folder: &OwnedFd) -> rustix::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        // What is not UTF-8 is none of our files.
        if let Ok(name) = entry?.file_name().to_str()
            && name != "."
            && name != ".."
        {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Makes the folder, for its owner alone, and those above as the user wants new folders to be.
fn make(path: &Path, mode: Mode) -> rustix::io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    }
    match rustix::fs::mkdir(path, mode) {
        Err(error) if error != Errno::EXIST => Err(error),
        _ => Ok(()),
    }
}

fn check_link(path: &Path) -> Result<(), OpenError> {
    let Ok(stat) = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) else {
        return Ok(());
    };
    let link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
    if link && stat.st_uid != 0 {
        return check_owner(path, &stat);
    }
    Ok(())
}

fn check_folder(path: &Path, stat: &Stat) -> Result<(), OpenError> {
    check_owner(path, stat)?;
    match stat.st_mode & 0o7777 {
        mode if mode & 0o022 == 0 => Ok(()),
        mode => Err(OpenError::Shared { path: path.to_owned(), mode }),
    }
}

fn check_owner(path: &Path, stat: &Stat) -> Result<(), OpenError> {
    let (owner, user) = (stat.st_uid, geteuid().as_raw());
    if owner == user {
        return Ok(());
    }
    Err(OpenError::Owner { path: path.to_owned(), owner, user })
}
