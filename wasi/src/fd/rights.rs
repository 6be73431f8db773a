//! Rights: the operations that a descriptor allows.
//!
//! Each descriptor has base rights, which its own functions require, and inheriting rights, the
//! most that a descriptor opened through it may have. A guest can only give rights up. A read-only
//! mount does not remove rights; it is a property of the directory. A guest's C library silently
//! masks the rights it asks for with the inheriting ones, and would otherwise report a failed write
//! instead of a failed open.

use std::ops::{BitAnd, BitOr};

/// A set of rights.
/// <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#rights>
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rights(u64);

/// Numbers the rights in the order of the specification.
macro_rules! rights {
    ($($name:ident)*) => {
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Bit { $($name,)* COUNT }

        #[allow(dead_code, reason = "the table lists every right of the specification")]
        impl Rights {
            $(pub(crate) const $name: Rights = Rights(1 << Bit::$name as u64);)*

            /// The names of the rights, by bit.
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
    };
}

rights! {
    FD_DATASYNC
    FD_READ
    FD_SEEK
    FD_FDSTAT_SET_FLAGS
    FD_SYNC
    FD_TELL
    FD_WRITE
    FD_ADVISE
    FD_ALLOCATE
    PATH_CREATE_DIRECTORY
    PATH_CREATE_FILE
    PATH_LINK_SOURCE
    PATH_LINK_TARGET
    PATH_OPEN
    FD_READDIR
    PATH_READLINK
    PATH_RENAME_SOURCE
    PATH_RENAME_TARGET
    PATH_FILESTAT_GET
    PATH_FILESTAT_SET_SIZE
    PATH_FILESTAT_SET_TIMES
    FD_FILESTAT_GET
    FD_FILESTAT_SET_SIZE
    FD_FILESTAT_SET_TIMES
    PATH_SYMLINK
    PATH_REMOVE_DIRECTORY
    PATH_UNLINK_FILE
    POLL_FD_READWRITE
    SOCK_SHUTDOWN
    SOCK_ACCEPT
}

impl Rights {
    /// All rights.
    pub(crate) const ALL: Rights = Rights((1 << Bit::COUNT as u64) - 1);

    /// No right.
    pub(crate) const NONE: Rights = Rights(0);

    /// The rights that the open mode of the host decides.
    pub(crate) const DATA: Rights = union(&[Rights::FD_READ, Rights::FD_WRITE]);

    /// The rights that apply to a directory.
    pub(crate) const DIRECTORY: Rights = union(&[
        Rights::FD_DATASYNC,
        Rights::FD_FDSTAT_SET_FLAGS,
        Rights::FD_SYNC,
        Rights::PATH_CREATE_DIRECTORY,
        Rights::PATH_CREATE_FILE,
        Rights::PATH_LINK_SOURCE,
        Rights::PATH_LINK_TARGET,
        Rights::PATH_OPEN,
        Rights::FD_READDIR,
        Rights::PATH_READLINK,
        Rights::PATH_RENAME_SOURCE,
        Rights::PATH_RENAME_TARGET,
        Rights::PATH_FILESTAT_GET,
        Rights::PATH_FILESTAT_SET_SIZE,
        Rights::PATH_FILESTAT_SET_TIMES,
        Rights::FD_FILESTAT_GET,
        Rights::FD_FILESTAT_SET_TIMES,
        Rights::PATH_SYMLINK,
        Rights::PATH_REMOVE_DIRECTORY,
        Rights::PATH_UNLINK_FILE,
    ]);

    /// The rights that apply to a byte stream: a pipe, a terminal, standard input.
    ///
    /// They lack `FD_SEEK` and `FD_TELL`: a guest's `isatty` takes a character device without these
    /// rights for a terminal.
    pub(crate) const STREAM: Rights = union(&[
        Rights::FD_READ,
        Rights::FD_WRITE,
        Rights::FD_FDSTAT_SET_FLAGS,
        Rights::FD_FILESTAT_GET,
        Rights::POLL_FD_READWRITE,
    ]);

    /// The rights that apply to a file.
    pub(crate) const FILE: Rights = union(&[
        Rights::STREAM,
        Rights::FD_DATASYNC,
        Rights::FD_SEEK,
        Rights::FD_SYNC,
        Rights::FD_TELL,
        Rights::FD_ADVISE,
        Rights::FD_ALLOCATE,
        Rights::FD_FILESTAT_SET_SIZE,
        Rights::FD_FILESTAT_SET_TIMES,
    ]);

    /// The rights of a connected socket.
    pub(crate) const SOCKET: Rights = union(&[Rights::STREAM, Rights::SOCK_SHUTDOWN]);

    /// The rights of a listening socket.
    pub(crate) const LISTENER: Rights = union(&[
        Rights::SOCK_ACCEPT,
        Rights::FD_FDSTAT_SET_FLAGS,
        Rights::FD_FILESTAT_GET,
        Rights::POLL_FD_READWRITE,
        // `POLL_FD_READWRITE` needs `FD_READ` to wait for a connection.
        Rights::FD_READ,
    ]);

    /// The rights in `bits`. Bits without a meaning are dropped: guests use `!0` for all rights.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Rights(bits & Self::ALL.0)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// These rights without `other`.
    pub(crate) const fn without(self, other: Rights) -> Self {
        Rights(self.0 & !other.0)
    }
}

impl BitAnd for Rights {
    type Output = Rights;
    fn bitand(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }
}

impl BitOr for Rights {
    type Output = Rights;
    fn bitor(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}

/// The union of `sets`, at compile time.
const fn union(sets: &[Rights]) -> Rights {
    let mut bits = 0;
    let mut i = 0;
    while i < sets.len() {
        bits |= sets[i].0;
        i += 1;
    }
    Rights(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_specification() {
        assert_eq!(Rights::FD_DATASYNC.bits(), 1 << 0);
        assert_eq!(Rights::FD_WRITE.bits(), 1 << 6);
        assert_eq!(Rights::PATH_OPEN.bits(), 1 << 13);
        assert_eq!(Rights::FD_FILESTAT_GET.bits(), 1 << 21);
        assert_eq!(Rights::SOCK_ACCEPT.bits(), 1 << 29);
        assert_eq!(Rights::ALL.bits(), (1 << 30) - 1);
        assert_eq!(Rights::from_bits(!0), Rights::ALL);
    }

    #[test]
    fn terminals_and_files_have_different_rights() {
        assert_eq!(Rights::STREAM & (Rights::FD_SEEK | Rights::FD_TELL), Rights::NONE);
        assert!(Rights::FILE.contains(Rights::FD_SEEK | Rights::FD_TELL));
        assert_eq!(Rights::DIRECTORY & (Rights::FD_READ | Rights::FD_SEEK), Rights::NONE);
    }
}
