//! The guest programs of the repository.

use crate::Result;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folder of the repository, with a slash at its end.
pub(crate) const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");

/// A path below the folder of guests.
pub(crate) fn path(relative: &str) -> PathBuf {
    Path::new(REPOSITORY).join("tests/guests").join(relative)
}

/// Reads a file. An error names the file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| in_file(path, error).into())
}

/// The WebAssembly files of a folder of guests, one for each C source, by name. They need not
/// exist: a guest that is missing is a row that fails.
pub(crate) fn modules_in(folder: &str) -> Result<Vec<PathBuf>> {
    let folder = path(folder);
    let entries = fs::read_dir(&folder).map_err(|error| in_file(&folder, error))?;
    let mut found = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| path.as_ref().map_or(true, |path| path.extension() == Some("c".as_ref())))
        .map(|path| path.map(|path| path.with_extension("wasm")))
        .collect::<io::Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// The name of a file without folder and extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// An error message that names the file.
fn in_file(path: &Path, error: io::Error) -> String {
    format!("{}: {error}", path.display())
}
