//! Preview 0, `wasi_unstable`: the four functions whose records or numbers preview 1 changed. All
//! others are those of preview 1.
//!
//! Source: `phases/old/snapshot_0/witx/typenames.witx` of the WASI repository, and the size
//! assertions in `wasi/core.h` of C libraries of that time.

use super::poll::SubscriptionLayout;
use super::{fd_io, fd_meta, path, poll};
use crate::errno::Errno;
use crate::guest::Memory;
use crate::guest::layout::{Filestat, whence};
use crate::state::Wasi;

/// `filestat` with a link count of 32 bits:
/// ```text
/// 0     8     16         17 20      24     32     40     48     56
/// | dev | ino | filetype |--| nlink | size | atim | mtim | ctim |
/// ```
const FILESTAT_SIZE: usize = 56;

/// `subscription`; that to a clock has an identifier, which no implementation has read:
/// ```text
/// 0          8     9   16           24         32        40          48      50    56
/// | userdata | tag |---| identifier | clock id | timeout | precision | flags |-----|
///                  |---| fd       |------------------------------------------------|
/// ```
/// `event` has the layout of preview 1.
pub(crate) const SUBSCRIPTION: SubscriptionLayout =
    SubscriptionLayout { size: 56, fd: 16, clock: 24, timeout: 32, flags: 48 };

fn filestat(stat: &Filestat) -> [u8; FILESTAT_SIZE] {
    let mut bytes = [0; FILESTAT_SIZE];
    let nlink = u32::try_from(stat.nlink).unwrap_or(u32::MAX);
    bytes[16] = stat.filetype as u8;
    bytes[20..24].copy_from_slice(&nlink.to_le_bytes());
    let fields = [
        (0, stat.dev),
        (8, stat.ino),
        (24, stat.size),
        (32, stat.atim),
        (40, stat.mtim),
        (48, stat.ctim),
    ];
    for (offset, value) in fields {
        bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// Like [`fd_meta::fd_filestat_get`], with this version's record.
pub(crate) fn fd_filestat_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    stat: u32,
) -> Result<(), Errno> {
    memory.write(stat, &filestat(&fd_meta::filestat(wasi, fd)?))
}

/// Like [`path::path_filestat_get`], with this version's record.
pub(crate) fn path_filestat_get(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    flags: u32,
    path: u32,
    path_len: u32,
    stat: u32,
) -> Result<(), Errno> {
    let found = path::filestat(wasi, memory, fd, flags, path, path_len)?;
    memory.write(stat, &filestat(&found))
}

/// Like [`fd_io::fd_seek`], with other numbers for `whence`.
pub(crate) fn fd_seek(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    offset: i64,
    whence: u32,
    newoffset: u32,
) -> Result<(), Errno> {
    /// The numbers of preview 1, in the order of this version.
    const WHENCES: [u32; 3] = [whence::CUR, whence::END, whence::SET];

    let whence = *WHENCES.get(whence as usize).ok_or(Errno::Inval)?;
    fd_io::fd_seek(wasi, memory, fd, offset, whence, newoffset)
}

/// Like [`poll::poll_oneoff`], with this version's record.
pub(crate) fn poll_oneoff(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    subscriptions: u32,
    events: u32,
    nsubscriptions: u32,
    nevents: u32,
) -> Result<(), Errno> {
    poll::poll(wasi, memory, subscriptions, events, nsubscriptions, nevents, &SUBSCRIPTION)
}
