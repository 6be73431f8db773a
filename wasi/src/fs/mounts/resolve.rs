//! Resolving a path across mounts.
//!
//! A path is walked one component at a time, from a location to a location; symbolic links are
//! read and walked in turn. What comes out is a location without links and dots, which the mount
//! it belongs to resolves again, beneath its root and following no link: should a link have been
//! put there in the meantime, it is `ELOOP`, and no way into what a mount hides.

use std::borrow::Cow;

use super::{Mounts, beneath, join};
use crate::errno::Errno;
use crate::guest::layout::Filetype;
use crate::guest::{GuestPath, MAX_PATH_LEN};
use crate::sandbox::{MAX_LINKS, Resolver};

/// Where a path leads. What lies there need not exist.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) location: String,
    /// Whether the path ended in a slash and therefore means a directory.
    pub(crate) slashed: bool,
    /// Whether it ended in a dot or two, which name a directory but no entry of one.
    pub(crate) dotted: bool,
}

/// Walks `path` from the directory at `base`, which it must not leave: `EPERM`.
///
/// A symbolic link in the last place is walked too if `follow`.
pub(crate) fn resolve(
    mounts: &Mounts,
    resolver: Resolver,
    base: &str,
    path: GuestPath<'_>,
    follow: bool,
) -> Result<Place, Errno> {
    let path = std::str::from_utf8(path.bytes()).map_err(|_| Errno::Ilseq)?;
    let slashed = path.ends_with('/');
    let mut place = Place { location: base.to_owned(), slashed, dotted: false };
    let mut ahead = Cow::Borrowed(path);
    // Where the next component begins.
    let mut at = 0;
    let mut links = 0;
    while let Some((start, end)) = component(&ahead, at) {
        at = end;
        let name = &ahead[start..end];
        let last = component(&ahead, end).is_none();
        place.dotted = matches!(name, "." | "..");
        if place.dotted {
            if name == ".." {
                up(&mut place.location, base)?;
            }
            continue;
        }
        let next = join(&place.location, name);
        if next.len() > MAX_PATH_LEN {
            return Err(Errno::Nametoolong);
        }
        if !mounts.is_in_use(&next) {
            mounts.check_shown(&next)?;
        }
        if last && !follow {
            place.location = next;
            break;
        }
        // The root of a mount is a directory.
        let filetype = if mounts.is_root(&next) {
            Ok(Filetype::Directory)
        } else {
            mounts.stat(resolver, &next).map(|stat| stat.filetype)
        };
        match filetype {
            Ok(Filetype::SymbolicLink) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::Loop);
                }
                let target = mounts.read_link(resolver, &next)?;
                match target.chars().next() {
                    None => return Err(Errno::Noent),
                    Some('/') => return Err(Errno::Perm),
                    Some(_) => {}
                }
                place.slashed |= last && target.ends_with('/');
                (ahead, at) = (Cow::Owned(format!("{target}/{}", &ahead[end..])), 0);
            }
            Ok(Filetype::Directory) => place.location = next,
            Ok(_) if !last => return Err(Errno::Notdir),
            Ok(_) => place.location = next,
            Err(Errno::Noent) if last => place.location = next,
            Err(error) => return Err(error),
        }
    }
    Ok(place)
}

/// Where the next component of `path` from `at` on begins and ends.
fn component(path: &str, at: usize) -> Option<(usize, usize)> {
    let start = at + path[at..].find(|c| c != '/')?;
    let end = path[start..].find('/').map_or(path.len(), |slash| start + slash);
    Some((start, end))
}

/// Goes to the parent, which is the one in the guest's tree also at the root of a mount.
fn up(location: &mut String, base: &str) -> Result<(), Errno> {
    if location == base || beneath(location, base).is_none() {
        return Err(Errno::Perm);
    }
    location.truncate(location.rfind('/').unwrap_or(0));
    Ok(())
}
