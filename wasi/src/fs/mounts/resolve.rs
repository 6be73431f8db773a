//! Resolution of a path across mounts.
//!
//! Each component leads from one location to the next; the target of a symbolic link is resolved
//! component by component too. The result is a location without links and dots. The mount of the
//! location resolves it again beneath its root and follows no link. If somebody has created a link
//! there in the meantime, the call fails with `ELOOP` and does not reach a hidden file.

use std::borrow::Cow;

use super::{Mounts, beneath, join};
use crate::errno::Errno;
use crate::guest::layout::Filetype;
use crate::guest::{GuestPath, MAX_PATH_LEN};
use crate::sandbox::MAX_LINKS;

/// The result of a resolution. The file need not exist.
#[derive(Debug)]
pub(crate) struct ResolvedPath {
    pub(crate) location: String,
    /// Whether the path ends in a slash and therefore names a directory.
    pub(crate) slashed: bool,
    /// Whether the path ends in `.` or `..`, which is not the name of a directory entry.
    pub(crate) dotted: bool,
}

impl Mounts {
    /// Resolves `path` from the directory at `start`. `EPERM`: the path leaves this directory.
    ///
    /// A symbolic link in the last component is followed if `follow`.
    pub(crate) fn resolve(
        &self,
        start: &str,
        path: GuestPath<'_>,
        follow: bool,
    ) -> Result<ResolvedPath, Errno> {
        let path = std::str::from_utf8(path.bytes()).map_err(|_| Errno::Ilseq)?;
        let slashed = path.ends_with('/');
        let mut resolved = ResolvedPath { location: start.to_owned(), slashed, dotted: false };
        let mut ahead = Cow::Borrowed(path);
        // The start of the next component.
        let mut at = 0;
        let mut links = 0;
        while let Some((begin, end)) = component(&ahead, at) {
            at = end;
            let name = &ahead[begin..end];
            let last = component(&ahead, end).is_none();
            resolved.dotted = matches!(name, "." | "..");
            if resolved.dotted {
                if name == ".." {
                    up(&mut resolved.location, start)?;
                }
                continue;
            }
            let next = join(&resolved.location, name);
            if next.len() > MAX_PATH_LEN {
                return Err(Errno::Nametoolong);
            }
            if !self.holds_mount(&next) {
                self.check_not_hidden(&next)?;
            }
            if last && !follow {
                resolved.location = next;
                break;
            }
            // The root of a mount is a directory.
            let filetype = if self.is_mount_point(&next) {
                Ok(Filetype::Directory)
            } else {
                self.stat(&next).map(|stat| stat.filetype)
            };
            match filetype {
                Ok(Filetype::SymbolicLink) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::Loop);
                    }
                    let target = self.read_link(&next)?;
                    match target.chars().next() {
                        None => return Err(Errno::Noent),
                        Some('/') => return Err(Errno::Perm),
                        Some(_) => {}
                    }
                    resolved.slashed |= last && target.ends_with('/');
                    (ahead, at) = (Cow::Owned(format!("{target}/{}", &ahead[end..])), 0);
                }
                Ok(Filetype::Directory) => resolved.location = next,
                Ok(_) if !last => return Err(Errno::Notdir),
                Ok(_) => resolved.location = next,
                Err(Errno::Noent) if last => resolved.location = next,
                Err(error) => return Err(error),
            }
        }
        Ok(resolved)
    }
}

/// The start and end of the first component of `path` from `at` on.
fn component(path: &str, at: usize) -> Option<(usize, usize)> {
    let start = at + path[at..].find(|c| c != '/')?;
    let end = path[start..].find('/').map_or(path.len(), |slash| start + slash);
    Some((start, end))
}

/// Goes to the parent directory in the guest's tree, also from the root of a mount. `EPERM`: above
/// `start`.
fn up(location: &mut String, start: &str) -> Result<(), Errno> {
    if location == start || beneath(location, start).is_none() {
        return Err(Errno::Perm);
    }
    location.truncate(location.rfind('/').unwrap_or(0));
    Ok(())
}
