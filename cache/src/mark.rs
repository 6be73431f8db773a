//! The mark of a cache folder: an extended attribute that says that the folder was empty at first.

use rustix::fs::{AtFlags, Dir, StatxFlags, XattrFlags};
use std::os::fd::OwnedFd;

/// The name of the attribute. Its value identifies the folder, so that a copy of the attribute on
/// another folder, for example in an unpacked archive, is not a mark.
const MARK: &str = "user.precast.cache";

/// Whether the folder has its mark. A folder that is empty now is marked first.
pub(crate) fn is_marked_or_empty(folder: &OwnedFd) -> rustix::io::Result<bool> {
    if is_marked(folder) {
        return Ok(true);
    }
    for entry in Dir::read_from(folder)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    mark(folder);
    // Marking fails where the file system has no extended attributes.
    Ok(is_marked(folder))
}

fn is_marked(folder: &OwnedFd) -> bool {
    let mut value = [0; 64];
    let read = rustix::fs::fgetxattr(folder, MARK, &mut value[..]);
    read.is_ok_and(|len| folder_id(folder).is_some_and(|id| value[..len] == *id.as_bytes()))
}

fn mark(folder: &OwnedFd) {
    if let Some(id) = folder_id(folder) {
        let _ = rustix::fs::fsetxattr(folder, MARK, id.as_bytes(), XattrFlags::empty());
    }
}

/// The inode number and the creation time of a folder, which no other folder shares.
fn folder_id(folder: &OwnedFd) -> Option<String> {
    let wanted = StatxFlags::INO | StatxFlags::BTIME;
    let stat = rustix::fs::statx(folder, "", AtFlags::EMPTY_PATH, wanted).ok()?;
    let known = StatxFlags::from_bits_retain(stat.stx_mask).contains(wanted);
    let created = stat.stx_btime;
    known.then(|| format!("{} {}.{:09}", stat.stx_ino, created.tv_sec, created.tv_nsec))
}
