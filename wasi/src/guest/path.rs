//! The path argument of a WASI function.

use crate::errno::Errno;

/// The longest path: the host's `PATH_MAX` less the terminator. Longer paths are refused before
/// they are copied.
pub(crate) const MAX_PATH_LEN: usize = 4095;

/// A path that a guest passed: UTF-8, relative, not empty, without NUL, of bounded length.
///
/// Its components are not checked: they may be `..` or symbolic links. The resolution of the path
/// checks them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestPath<'a>(&'a [u8]);

impl<'a> GuestPath<'a> {
    /// - `EILSEQ`: not UTF-8.
    /// - `EINVAL`: contains a NUL.
    /// - `ENAMETOOLONG`: longer than any path of the host.
    /// - `ENOENT`: empty.
    /// - `EPERM`: absolute. A guest has no root; its C library makes paths relative to a preopen.
    #[inline(always)]
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Errno> {
        // The usual case: ASCII, checked without a call. The length is checked first, because a
        // path may be as long as the memory.
        let usual = || bytes.iter().fold(true, |usual, &byte| usual & (1..128).contains(&byte));
        if (1..=MAX_PATH_LEN).contains(&bytes.len()) && usual() && bytes[0] != b'/' {
            Ok(GuestPath(bytes))
        } else {
            Self::unusual(bytes)
        }
    }

    #[cold]
    fn unusual(bytes: &'a [u8]) -> Result<Self, Errno> {
        if bytes.len() > MAX_PATH_LEN {
            Err(Errno::Nametoolong)
        } else if std::str::from_utf8(bytes).is_err() {
            Err(Errno::Ilseq)
        } else if bytes.contains(&0) {
            Err(Errno::Inval)
        } else if bytes.is_empty() {
            Err(Errno::Noent)
        } else if bytes.starts_with(b"/") {
            Err(Errno::Perm)
        } else {
            Ok(GuestPath(bytes))
        }
    }

    pub(crate) fn bytes(self) -> &'a [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_paths_are_refused() {
        let refused = |bytes: &[u8]| GuestPath::new(bytes).unwrap_err();
        assert!(GuestPath::new("a/../ä/".as_bytes()).is_ok());
        assert_eq!(refused(b""), Errno::Noent);
        assert_eq!(refused(b"/"), Errno::Perm);
        assert_eq!(refused(b"/etc/passwd"), Errno::Perm);
        assert_eq!(refused(b"a\0b"), Errno::Inval);
        assert_eq!(refused(b"a\xff"), Errno::Ilseq);
        assert_eq!(refused(&[b'a'; 4096]), Errno::Nametoolong);
    }
}
