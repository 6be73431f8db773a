//! `Errno`: the error codes of WASI, as one table.

use std::fmt;

/// Generates the enum, the numbers, the names, the messages and the mapping from the host's errors
/// from one table, so that they agree.
macro_rules! errnos {
    ($($code:literal $variant:ident $name:literal $(= $host:ident)? , $message:literal;)*) => {
        /// An error code of WASI preview 1, as a guest sees it.
        ///
        /// The numbers are those of [`$errno`] in `typenames.witx`; they are not the host's.
        ///
        /// [`$errno`]: https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Errno {
            $(#[doc = concat!("`", $name, "`: ", $message, ".")] $variant = $code,)*
        }

        impl Errno {
            /// Every code, in numerical order: `ALL[n]` has the number `n`.
            pub const ALL: [Errno; 77] = [$(Errno::$variant),*];

            /// The POSIX name: `Errno::TooBig.name() == "E2BIG"`.
            pub const fn name(self) -> &'static str {
                match self { $(Errno::$variant => $name,)* }
            }

            /// A short description.
            pub const fn message(self) -> &'static str {
                match self { $(Errno::$variant => $message,)* }
            }
        }

        impl From<rustix::io::Errno> for Errno {
            /// The code with the same POSIX name. Errors that WASI does not have become
            /// [`Errno::Io`].
            ///
            /// It is cold so that no jump is taken after a system call that succeeds.
            #[cold]
            fn from(host: rustix::io::Errno) -> Self {
                match host {
                    $($(rustix::io::Errno::$host => Errno::$variant,)?)*
                    _ => Errno::Io,
                }
            }
        }
    };
}

errnos! {
    0  Success        "ESUCCESS",                        "no error";
    1  TooBig         "E2BIG"           = TOOBIG,         "argument list too long";
    2  Acces          "EACCES"          = ACCESS,         "permission denied";
    3  Addrinuse      "EADDRINUSE"      = ADDRINUSE,      "address in use";
    4  Addrnotavail   "EADDRNOTAVAIL"   = ADDRNOTAVAIL,   "address not available";
    5  Afnosupport    "EAFNOSUPPORT"    = AFNOSUPPORT,    "address family not supported";
    6  Again          "EAGAIN"          = AGAIN,          "resource unavailable, or operation would block";
    7  Already        "EALREADY"        = ALREADY,        "connection already in progress";
    8  Badf           "EBADF"           = BADF,           "bad file descriptor";
    9  Badmsg         "EBADMSG"         = BADMSG,         "bad message";
    10 Busy           "EBUSY"           = BUSY,           "device or resource busy";
    11 Canceled       "ECANCELED"       = CANCELED,       "operation canceled";
    12 Child          "ECHILD"          = CHILD,          "no child processes";
    13 Connaborted    "ECONNABORTED"    = CONNABORTED,    "connection aborted";
    14 Connrefused    "ECONNREFUSED"    = CONNREFUSED,    "connection refused";
    15 Connreset      "ECONNRESET"      = CONNRESET,      "connection reset";
    16 Deadlk         "EDEADLK"         = DEADLK,         "resource deadlock would occur";
    17 Destaddrreq    "EDESTADDRREQ"    = DESTADDRREQ,    "destination address required";
    18 Dom            "EDOM"            = DOM,            "argument out of domain of function";
    19 Dquot          "EDQUOT"          = DQUOT,          "disk quota exceeded";
    20 Exist          "EEXIST"          = EXIST,          "file exists";
    21 Fault          "EFAULT"          = FAULT,          "bad address";
    22 Fbig           "EFBIG"           = FBIG,           "file too large";
    23 Hostunreach    "EHOSTUNREACH"    = HOSTUNREACH,    "host is unreachable";
    24 Idrm           "EIDRM"           = IDRM,           "identifier removed";
    25 Ilseq          "EILSEQ"          = ILSEQ,          "illegal byte sequence";
    26 Inprogress     "EINPROGRESS"     = INPROGRESS,     "operation in progress";
    27 Intr           "EINTR"           = INTR,           "interrupted function";
    28 Inval          "EINVAL"          = INVAL,          "invalid argument";
    29 Io             "EIO"             = IO,             "input/output error";
    30 Isconn         "EISCONN"         = ISCONN,         "socket is connected";
    31 Isdir          "EISDIR"          = ISDIR,          "is a directory";
    32 Loop           "ELOOP"           = LOOP,           "too many levels of symbolic links";
    33 Mfile          "EMFILE"          = MFILE,          "too many open files";
    34 Mlink          "EMLINK"          = MLINK,          "too many links";
    35 Msgsize        "EMSGSIZE"        = MSGSIZE,        "message too large";
    36 Multihop       "EMULTIHOP"       = MULTIHOP,       "multihop attempted";
    37 Nametoolong    "ENAMETOOLONG"    = NAMETOOLONG,    "file name too long";
    38 Netdown        "ENETDOWN"        = NETDOWN,        "network is down";
    39 Netreset       "ENETRESET"       = NETRESET,       "connection aborted by network";
    40 Netunreach     "ENETUNREACH"     = NETUNREACH,     "network unreachable";
    41 Nfile          "ENFILE"          = NFILE,          "too many files open in system";
    42 Nobufs         "ENOBUFS"         = NOBUFS,         "no buffer space available";
    43 Nodev          "ENODEV"          = NODEV,          "no such device";
    44 Noent          "ENOENT"          = NOENT,          "no such file or directory";
    45 Noexec         "ENOEXEC"         = NOEXEC,         "executable file format error";
    46 Nolck          "ENOLCK"          = NOLCK,          "no locks available";
    47 Nolink         "ENOLINK"         = NOLINK,         "link has been severed";
    48 Nomem          "ENOMEM"          = NOMEM,          "not enough space";
    49 Nomsg          "ENOMSG"          = NOMSG,          "no message of the desired type";
    50 Noprotoopt     "ENOPROTOOPT"     = NOPROTOOPT,     "protocol not available";
    51 Nospc          "ENOSPC"          = NOSPC,          "no space left on device";
    52 Nosys          "ENOSYS"          = NOSYS,          "function not supported";
    53 Notconn        "ENOTCONN"        = NOTCONN,        "the socket is not connected";
    54 Notdir         "ENOTDIR"         = NOTDIR,         "not a directory";
    55 Notempty       "ENOTEMPTY"       = NOTEMPTY,       "directory not empty";
    56 Notrecoverable "ENOTRECOVERABLE" = NOTRECOVERABLE, "state not recoverable";
    57 Notsock        "ENOTSOCK"        = NOTSOCK,        "not a socket";
    58 Notsup         "ENOTSUP"         = NOTSUP,         "not supported";
    59 Notty          "ENOTTY"          = NOTTY,          "inappropriate I/O control operation";
    60 Nxio           "ENXIO"           = NXIO,           "no such device or address";
    61 Overflow       "EOVERFLOW"       = OVERFLOW,       "value too large to be stored in data type";
    62 Ownerdead      "EOWNERDEAD"      = OWNERDEAD,      "previous owner died";
    63 Perm           "EPERM"           = PERM,           "operation not permitted";
    64 Pipe           "EPIPE"           = PIPE,           "broken pipe";
    65 Proto          "EPROTO"          = PROTO,          "protocol error";
    66 Protonosupport "EPROTONOSUPPORT" = PROTONOSUPPORT, "protocol not supported";
    67 Prototype      "EPROTOTYPE"      = PROTOTYPE,      "protocol wrong type for socket";
    68 Range          "ERANGE"          = RANGE,          "result too large";
    69 Rofs           "EROFS"           = ROFS,           "read-only file system";
    70 Spipe          "ESPIPE"          = SPIPE,          "invalid seek";
    71 Srch           "ESRCH"           = SRCH,           "no such process";
    72 Stale          "ESTALE"          = STALE,          "stale file handle";
    73 Timedout       "ETIMEDOUT"       = TIMEDOUT,       "connection timed out";
    74 Txtbsy         "ETXTBSY"         = TXTBSY,         "text file busy";
    75 Xdev           "EXDEV"           = XDEV,           "cross-device link";
    76 Notcapable     "ENOTCAPABLE",                     "capabilities insufficient";
}

impl Errno {
    /// The number that the guest gets.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The code with this number.
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }
}

impl fmt::Display for Errno {
    /// `ENOENT: no such file or directory`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.message())
    }
}

impl std::error::Error for Errno {}

impl From<std::io::Error> for Errno {
    /// The code for the host's error number, if there is one, and otherwise for the kind. Errors of
    /// an embedder's readers and writers have only a kind.
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        if let Some(host) = rustix::io::Errno::from_io_error(&error) {
            return host.into();
        }
        match error.kind() {
            Kind::NotFound => Errno::Noent,
            Kind::PermissionDenied => Errno::Acces,
            Kind::ConnectionRefused => Errno::Connrefused,
            Kind::ConnectionReset => Errno::Connreset,
            Kind::ConnectionAborted => Errno::Connaborted,
            Kind::NotConnected => Errno::Notconn,
            Kind::AddrInUse => Errno::Addrinuse,
            Kind::AddrNotAvailable => Errno::Addrnotavail,
            Kind::BrokenPipe => Errno::Pipe,
            Kind::AlreadyExists => Errno::Exist,
            Kind::WouldBlock => Errno::Again,
            Kind::InvalidInput => Errno::Inval,
            Kind::InvalidData => Errno::Ilseq,
            Kind::TimedOut => Errno::Timedout,
            Kind::Interrupted => Errno::Intr,
            Kind::Unsupported => Errno::Notsup,
            Kind::OutOfMemory => Errno::Nomem,
            Kind::StorageFull => Errno::Nospc,
            Kind::FileTooLarge => Errno::Fbig,
            Kind::ReadOnlyFilesystem => Errno::Rofs,
            _ => Errno::Io,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_dense_and_in_order() {
        for (number, errno) in Errno::ALL.iter().enumerate() {
            assert_eq!(usize::from(errno.code()), number, "{errno}");
            assert_eq!(Errno::from_code(errno.code()), Some(*errno));
        }
        assert_eq!(Errno::from_code(77), None);
    }

    #[test]
    fn names_are_those_of_posix() {
        assert_eq!(Errno::TooBig.name(), "E2BIG");
        assert_eq!(Errno::Success.name(), "ESUCCESS");
        assert_eq!(Errno::Notcapable.name(), "ENOTCAPABLE");
        assert_eq!(Errno::Noent.to_string(), "ENOENT: no such file or directory");
        for errno in Errno::ALL {
            assert_eq!(
                errno.name()[1..],
                format!("{errno:?}").to_uppercase().replace("TOOBIG", "2BIG")
            );
        }
    }

    #[test]
    fn host_errors_keep_their_name() {
        assert_eq!(Errno::from(rustix::io::Errno::NOTDIR), Errno::Notdir);
        assert_eq!(Errno::from(rustix::io::Errno::WOULDBLOCK), Errno::Again);
        assert_eq!(Errno::from(rustix::io::Errno::HWPOISON), Errno::Io);
        assert_eq!(Errno::from(std::io::Error::from(rustix::io::Errno::LOOP)), Errno::Loop);
        assert_eq!(Errno::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe)), Errno::Pipe);
    }
}
