//! The records of `typenames.witx` in guest memory: offsets, sizes, numbers.
//!
//! All fields are little-endian and naturally aligned in their record. The record itself need not
//! be aligned: it is read and written as bytes.

use rustix::fs::{FileType, Stat};

use crate::errno::Errno;

/// The type of a file. <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#filetype>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Filetype {
    Unknown = 0,
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketDgram = 5,
    SocketStream = 6,
    SymbolicLink = 7,
}

impl From<FileType> for Filetype {
    /// A pipe has no type in WASI and is `Unknown`. The mode does not distinguish stream sockets
    /// from datagram sockets; sockets in directories are nearly always stream sockets.
    fn from(host: FileType) -> Self {
        match host {
            FileType::BlockDevice => Filetype::BlockDevice,
            FileType::CharacterDevice => Filetype::CharacterDevice,
            FileType::Directory => Filetype::Directory,
            FileType::RegularFile => Filetype::RegularFile,
            FileType::Socket => Filetype::SocketStream,
            FileType::Symlink => Filetype::SymbolicLink,
            _ => Filetype::Unknown,
        }
    }
}

/// Declares a witx `flags` type with its bits.
macro_rules! flags {
    ($(#[$doc:meta])* $name:ident: $repr:ty { $($flag:ident = $bit:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name($repr);

        #[allow(dead_code, reason = "the table lists every flag of the specification")]
        impl $name {
            $(pub(crate) const $flag: $name = $name(1 << $bit);)*

            /// The names of the flags, by bit.
            pub(crate) const NAMES: &[&str] = &[$(stringify!($flag)),*];

            pub(crate) const fn empty() -> Self {
                $name(0)
            }

            /// The flags in `bits`; `EINVAL` if one of them does not exist.
            pub(crate) fn from_guest(bits: u32) -> Result<Self, Errno> {
                let all = 0 $(| (1 << $bit))*;
                if bits & !all == 0 { Ok($name(bits as $repr)) } else { Err(Errno::Inval) }
            }

            pub(crate) const fn bits(self) -> $repr {
                self.0
            }

            pub(crate) const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            pub(crate) const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            pub(crate) const fn with(self, other: Self) -> Self {
                $name(self.0 | other.0)
            }
        }
    };
}

flags! {
    /// File descriptor flags.
    Fdflags: u16 { APPEND = 0; DSYNC = 1; NONBLOCK = 2; RSYNC = 3; SYNC = 4; }
}
flags! {
    /// Flags of `path_open`.
    Oflags: u16 { CREAT = 0; DIRECTORY = 1; EXCL = 2; TRUNC = 3; }
}
flags! {
    /// Flags of path resolution.
    Lookupflags: u32 { SYMLINK_FOLLOW = 0; }
}
flags! {
    /// The timestamps to set.
    Fstflags: u16 { ATIM = 0; ATIM_NOW = 1; MTIM = 2; MTIM_NOW = 3; }
}
flags! {
    /// Flags of `sock_recv`.
    Riflags: u16 { PEEK = 0; WAITALL = 1; }
}
flags! {
    /// Flags that `sock_recv` returns.
    Roflags: u16 { DATA_TRUNCATED = 0; }
}
flags! {
    /// The directions that `sock_shutdown` shuts down.
    Sdflags: u8 { RD = 0; WR = 1; }
}
flags! {
    /// Flags of a clock subscription.
    Subclockflags: u16 { ABSTIME = 0; }
}
flags! {
    /// The state of a descriptor in an event.
    Eventrwflags: u16 { HANGUP = 0; }
}

/// `iovec` and `ciovec`:
/// ```text
/// 0      4      8
/// | buf  | len  |
/// ```
pub(crate) const IOVEC_SIZE: u32 = 8;

/// `fdstat`:
/// ```text
/// 0          1 2       4      8              16                   24
/// | filetype |-| flags |------| rights base  | rights inheriting  |
/// ```
pub(crate) const FDSTAT_SIZE: usize = 24;

/// The result of `fd_fdstat_get`. Rights are bits.
pub(crate) struct Fdstat {
    pub(crate) filetype: Filetype,
    pub(crate) flags: Fdflags,
    pub(crate) base: u64,
    pub(crate) inheriting: u64,
}

impl Fdstat {
    /// The record in guest memory.
    pub(crate) fn bytes(&self) -> [u8; FDSTAT_SIZE] {
        let mut bytes = [0; FDSTAT_SIZE];
        bytes[0] = self.filetype as u8;
        bytes[2..4].copy_from_slice(&self.flags.bits().to_le_bytes());
        bytes[8..16].copy_from_slice(&self.base.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.inheriting.to_le_bytes());
        bytes
    }
}

/// `filestat`:
/// ```text
/// 0     8     16         17 24      32     40     48     56     64
/// | dev | ino | filetype |--| nlink | size | atim | mtim | ctim |
/// ```
pub(crate) const FILESTAT_SIZE: usize = 64;

/// The result of `fd_filestat_get` and `path_filestat_get`. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Filestat {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) filetype: Filetype,
    pub(crate) nlink: u64,
    pub(crate) size: u64,
    pub(crate) atim: u64,
    pub(crate) mtim: u64,
    pub(crate) ctim: u64,
}

impl Filestat {
    /// The metadata of a file of the host, with the host's device and inode numbers.
    #[allow(clippy::unnecessary_cast, reason = "the host's types differ between targets")]
    #[inline(always)]
    pub(crate) fn of_host(filetype: Filetype, stat: &Stat) -> Self {
        Filestat {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
            filetype,
            nlink: stat.st_nlink as u64,
            size: stat.st_size as u64,
            atim: nanoseconds(stat.st_atime as i64, stat.st_atime_nsec as u64),
            mtim: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as u64),
            ctim: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as u64),
        }
    }

    /// The metadata of an object that is not in a file system: only the type.
    pub(crate) fn of_stream(filetype: Filetype) -> Self {
        let nothing = 0;
        Filestat {
            dev: nothing,
            ino: nothing,
            filetype,
            nlink: nothing,
            size: nothing,
            atim: nothing,
            mtim: nothing,
            ctim: nothing,
        }
    }

    /// The record in guest memory.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> [u8; FILESTAT_SIZE] {
        let mut bytes = [0; FILESTAT_SIZE];
        let fields = [
            (0, self.dev),
            (8, self.ino),
            (24, self.nlink),
            (32, self.size),
            (40, self.atim),
            (48, self.mtim),
            (56, self.ctim),
        ];
        for (offset, value) in fields {
            bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        }
        bytes[16] = self.filetype as u8;
        bytes
    }
}

/// A time of the host as a guest's timestamp. Times before 1970 become 0: timestamps are unsigned.
pub(crate) fn nanoseconds(seconds: i64, nanoseconds: u64) -> u64 {
    match u64::try_from(seconds) {
        Ok(seconds) => seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds),
        Err(_) => 0,
    }
}

/// `dirent`, followed by the name:
/// ```text
/// 0      8     16       20     21  24
/// | next | ino | namlen | type |---| name ...
/// ```
pub(crate) const DIRENT_SIZE: usize = 24;

/// Lays out a `dirent`.
pub(crate) fn dirent(next: u64, ino: u64, namlen: u32, filetype: Filetype) -> [u8; DIRENT_SIZE] {
    let mut bytes = [0; DIRENT_SIZE];
    bytes[0..8].copy_from_slice(&next.to_le_bytes());
    bytes[8..16].copy_from_slice(&ino.to_le_bytes());
    bytes[16..20].copy_from_slice(&namlen.to_le_bytes());
    bytes[20] = filetype as u8;
    bytes
}

/// `prestat`:
/// ```text
/// 0          1   4          8
/// | tag: dir |---| name len |
/// ```
pub(crate) const PRESTAT_SIZE: usize = 8;

/// Lays out the `prestat` of a directory; its tag is 0.
pub(crate) fn prestat_dir(name_len: u32) -> [u8; PRESTAT_SIZE] {
    let mut bytes = [0; PRESTAT_SIZE];
    bytes[4..8].copy_from_slice(&name_len.to_le_bytes());
    bytes
}

/// `subscription`; the fields after the tag depend on it:
/// ```text
/// 0          8     9   16         20    24        32          40      42    48
/// | userdata | tag |---| clock id |-----| timeout | precision | flags |-----|
///                  |---| fd       |-----------------------------------------|
/// ```
pub(crate) const SUBSCRIPTION_SIZE: usize = 48;

/// `event`:
/// ```text
/// 0          8       10     11    16       24      26    32
/// | userdata | errno | type |-----| nbytes | flags |-----|
/// ```
pub(crate) const EVENT_SIZE: usize = 32;

/// The origin of an offset of `fd_seek`.
pub(crate) mod whence {
    pub(crate) const SET: u32 = 0;
    pub(crate) const CUR: u32 = 1;
    pub(crate) const END: u32 = 2;
}

/// Tags of `subscription` and `event`.
pub(crate) mod eventtype {
    pub(crate) const CLOCK: u8 = 0;
    pub(crate) const FD_READ: u8 = 1;
    pub(crate) const FD_WRITE: u8 = 2;
}

/// Lays out an `event`.
pub(crate) fn event(
    userdata: u64,
    error: Errno,
    eventtype: u8,
    nbytes: u64,
    flags: Eventrwflags,
) -> [u8; EVENT_SIZE] {
    let mut bytes = [0; EVENT_SIZE];
    bytes[0..8].copy_from_slice(&userdata.to_le_bytes());
    bytes[8..10].copy_from_slice(&error.code().to_le_bytes());
    bytes[10] = eventtype;
    bytes[16..24].copy_from_slice(&nbytes.to_le_bytes());
    bytes[24..26].copy_from_slice(&flags.bits().to_le_bytes());
    bytes
}

/// The little-endian `u16` in `bytes` at `offset`. The record must be long enough.
#[inline(always)]
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, offset))
}

/// The little-endian `u32` in `bytes` at `offset`. The record must be long enough.
#[inline(always)]
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, offset))
}

/// The little-endian `u64` in `bytes` at `offset`. The record must be long enough.
#[inline(always)]
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, offset))
}

/// `N` bytes at `offset`. This compiles to one load, `std::array::from_fn` to a call.
#[inline(always)]
fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[offset..offset + N]);
    array
}
