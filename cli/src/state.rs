//! The user's state folder and the key in it, with which artifacts are sealed.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use precast::SealKey;
use precast::cache::{Cache, Options};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

/// The variable that names the folder.
const VARIABLE: &str = "PRECAST_STATE_DIR";

/// The file with the key: 32 random bytes, for its owner alone.
const KEY: &str = "key";
const KEY_SIZE: usize = 32;

/// The cache that serves as an index of files whose seal was checked.
const KNOWN: &str = "known";

/// The reason why the key cannot be used.
#[derive(Debug)]
pub(crate) struct KeyError {
    what: String,
    /// Whether another user could know or choose the key.
    pub(crate) is_unsafe: bool,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for KeyError {}

impl KeyError {
    fn missing(what: impl Into<String>) -> Self {
        KeyError { what: what.into(), is_unsafe: false }
    }

    fn system(path: &Path, error: impl Into<io::Error>) -> Self {
        Self::missing(format!("{}: {}", path.display(), error.into()))
    }

    fn hazard(path: &Path, what: impl fmt::Display) -> Self {
        KeyError { what: format!("{} {what}", path.display()), is_unsafe: true }
    }
}

/// The folder: `PRECAST_STATE_DIR`, or `precast` in `XDG_STATE_HOME`, or `.local/state/precast` in
/// `HOME`. As the XDG Base Directory Specification demands, a relative `XDG_STATE_HOME` counts as
/// unset.
fn folder() -> Result<PathBuf, KeyError> {
    let none = || KeyError::missing(format!("none of {VARIABLE}, XDG_STATE_HOME and HOME is set"));
    choose(|name| env::var_os(name)).ok_or_else(none)
}

fn choose(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let absolute = |name| set(name).filter(|path| path.is_absolute());
    set(VARIABLE)
        .or_else(|| absolute("XDG_STATE_HOME").map(|path| path.join("precast")))
        .or_else(|| absolute("HOME").map(|path| path.join(".local/state/precast")))
}

/// Whether the user has set the variable that names the folder.
pub(crate) fn is_named() -> bool {
    env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
}

/// The user's key.
///
/// # Errors
///
/// If there is no key, or if another user could know it or have chosen it.
pub(crate) fn key() -> Result<SealKey, KeyError> {
    let path = folder()?;
    let missing = || KeyError::missing(format!("there is no key in {} yet", path.display()));
    let Some(folder) = open_folder(&path)? else { return Err(missing()) };
    read_key(&folder, &path)?.ok_or_else(missing)
}

/// The user's key, which is created if there is none.
///
/// # Errors
///
/// As [`key`]; also if it cannot be created.
pub(crate) fn key_or_new() -> Result<SealKey, KeyError> {
    let path = folder()?;
    let failed = |error: Errno| KeyError::system(&path, error);
    let folder = match open_folder(&path)? {
        Some(folder) => folder,
        None => {
            make_folder(&path).map_err(|error| KeyError::system(&path, error))?;
            open_folder(&path)?.ok_or_else(|| failed(Errno::NOENT))?
        }
    };
    if let Some(key) = read_key(&folder, &path)? {
        return Ok(key);
    }
    make_key(&folder).map_err(failed)?;
    // If several processes create a key at the same time, all use the first one.
    read_key(&folder, &path)?.ok_or_else(|| failed(Errno::NOENT))
}

/// The index of files whose seal was checked with `key`. Without an index, every file is checked
/// again.
pub(crate) fn known_files(key: &SealKey) -> Option<Cache> {
    let options = Options::new().key(key.index_key()).on_warning(|_| ());
    options.open(folder().ok()?.join(KNOWN)).ok()
}

/// Opens the folder. It is an error if another user can write to it.
fn open_folder(path: &Path) -> Result<Option<OwnedFd>, KeyError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    check_link(CWD, path, path)?;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        opened => opened.map_err(|error| KeyError::system(path, error))?,
    };
    let stat = rustix::fs::fstat(&folder).map_err(|error| KeyError::system(path, error))?;
    check_owner(path, &stat)?;
    match stat.st_mode & 0o7777 {
        mode if mode & 0o022 != 0 => {
            let what = format!("can be written by others (mode {mode:04o}); use `chmod 700`");
            Err(KeyError::hazard(path, what))
        }
        _ => Ok(Some(folder)),
    }
}

fn read_key(folder: &OwnedFd, path: &Path) -> Result<Option<SealKey>, KeyError> {
    let path = path.join(KEY);
    let failed = |error| KeyError::system(&path, error);
    check_link(folder, Path::new(KEY), &path)?;
    // `NONBLOCK`, because opening a pipe waits for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::openat(folder, KEY, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        opened => File::from(opened.map_err(|error| failed(error.into()))?),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
    check_owner(&path, &stat)?;
    let mode = stat.st_mode & 0o7777;
    if mode & 0o077 != 0 {
        let what =
            format!("is accessible to others (mode {mode:04o}); remove it and compile again");
        return Err(KeyError::hazard(&path, what));
    }
    let mut bytes = Vec::with_capacity(KEY_SIZE + 1);
    if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile {
        file.take(KEY_SIZE as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    let secret: Option<[u8; KEY_SIZE]> = bytes.try_into().ok();
    let no_key = || KeyError::hazard(&path, "is not a key; remove it and compile again");
    secret.map(|secret| Some(SealKey::new(secret))).ok_or_else(no_key)
}

/// It is an error if another user owns a symbolic link, as the owner can change its target.
fn check_link(folder: impl std::os::fd::AsFd, name: &Path, path: &Path) -> Result<(), KeyError> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink => Ok(()),
        Ok(stat) if stat.st_uid == 0 => Ok(()),
        Ok(stat) => check_owner(path, &stat),
        // Opening the file reports the error.
        Err(_) => Ok(()),
    }
}

fn check_owner(path: &Path, stat: &Stat) -> Result<(), KeyError> {
    let (owner, user) = (stat.st_uid, rustix::process::geteuid().as_raw());
    if owner == user {
        return Ok(());
    }
    Err(KeyError::hazard(path, format!("belongs to user {owner}, not to user {user}")))
}

/// Creates the folder for its owner alone. The folders above it have the user's default
/// permissions.
fn make_folder(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Err(error) if error != Errno::EXIST => Err(error.into()),
        _ => Ok(()),
    }
}

/// Creates a key. The file appears complete, and never replaces another.
fn make_key(folder: &OwnedFd) -> rustix::io::Result<()> {
    let secret: [u8; KEY_SIZE] = random()?;
    let name = u64::from_le_bytes(random()?);
    let temporary = format!("{KEY}.{name:016x}.tmp");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    let file = rustix::fs::openat(folder, &temporary, flags, mode)?;
    let publish = || {
        let mut file = File::from(file);
        let written = file.write_all(&secret).and_then(|()| file.sync_all());
        written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(folder, &temporary, folder, KEY, flags) {
            // This file system does not support the flag, but may support links.
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(folder, &temporary, folder, KEY, AtFlags::empty())
            }
            renamed => renamed,
        }
    };
    let published = publish();
    // If the file was renamed, there is nothing to remove.
    let _ = rustix::fs::unlinkat(folder, &temporary, AtFlags::empty());
    match published {
        Err(error) if error != Errno::EXIST => Err(error),
        _ => Ok(()),
    }
}

fn random<const N: usize>() -> rustix::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    // The kernel returns up to 256 bytes at once, or an error.
    match rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())? {
        given if given == N => Ok(bytes),
        _ => Err(Errno::IO),
    }
}

#[cfg(test)]
mod tests {
    use super::choose;
    use std::path::Path;

    #[test]
    fn order() {
        for (variables, path) in [
            (&[][..], None),
            (&[("HOME", "/h")], Some("/h/.local/state/precast")),
            (&[("HOME", "h")], None),
            (&[("HOME", "/h"), ("XDG_STATE_HOME", "/x")], Some("/x/precast")),
            (&[("HOME", "/h"), ("XDG_STATE_HOME", "x")], Some("/h/.local/state/precast")),
            (&[("HOME", "/h"), ("PRECAST_STATE_DIR", "")], Some("/h/.local/state/precast")),
            (&[("XDG_STATE_HOME", "/x"), ("PRECAST_STATE_DIR", "p")], Some("p")),
        ] {
            let found = choose(|name| {
                variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into())
            });
            assert_eq!(found.as_deref(), path.map(Path::new), "{variables:?}");
        }
    }
}
