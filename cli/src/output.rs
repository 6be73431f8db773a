//! The artifacts that commands write: their seal, and their file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Result;
use precast::SealKey;

use crate::state;

/// The key for the seal. If there is none, the artifact has no seal, with a warning. It is an
/// error if the user named the folder of the key and another user controls it.
pub(crate) fn key(output: &Path) -> Result<Option<SealKey>> {
    match state::key_or_new() {
        Ok(key) => Ok(Some(key)),
        Err(error) if error.is_unsafe && state::is_named() => Err(error.into()),
        Err(error) => {
            let output = output.display();
            // An error of standard error cannot be reported.
            let _ = writeln!(
                io::stderr(),
                "warning: {output} is not sealed, so `run` will need --allow-precompiled: {error}"
            );
            Ok(None)
        }
    }
}

/// Replaces the file at `path` in one step. The old file is not changed, because a running process
/// may have mapped it.
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // A pipe or a device must not be replaced, and is never mapped.
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // If this fails too, the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Creates a file with the contents `bytes` and waits until it is on disk.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Only the owner can write: `run` copies files to which others can write.
    let mut file = File::options().write(true).create_new(true).mode(0o644).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::publish;
    use std::fs;

    #[test]
    fn replaces_and_leaves_nothing_else() {
        let dir = std::env::temp_dir().join(format!("precast-publish-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("out");
        publish(&path, b"one").unwrap();
        publish(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert!(publish(&dir.join("missing/out"), b"x").is_err());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::remove_dir_all(&dir).unwrap();
    }
}
