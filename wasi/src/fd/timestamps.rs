//! `NewTimestamps`: the timestamps that a guest sets on a file.

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use crate::errno::Errno;
use crate::fs::Times;
use crate::guest::layout::Fstflags;

/// Timestamps to set, in the forms that the two kinds of file systems take.
pub(crate) struct NewTimestamps {
    /// For a file of the host.
    pub(crate) host: Timestamps,
    /// For a file of a virtual file system.
    pub(crate) virtual_fs: Times,
}

impl NewTimestamps {
    /// The timestamps in the arguments of a call. `now` returns the time of the guest's clock.
    /// `EINVAL`: no such flag, or a timestamp with both a value and the flag for now.
    pub(crate) fn from_guest(
        atim: u64,
        mtim: u64,
        flags: u32,
        now: impl Fn() -> Result<u64, Errno>,
    ) -> Result<Self, Errno> {
        let flags = Fstflags::from_guest(flags)?;
        let timestamp = |value_flag: Fstflags, now_flag: Fstflags, value: u64| {
            let special = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
            match (flags.contains(value_flag), flags.contains(now_flag)) {
                (true, true) => Err(Errno::Inval),
                (true, false) => Ok((timespec(value), Some(value))),
                (false, true) => Ok((special(UTIME_NOW), Some(now()?))),
                (false, false) => Ok((special(UTIME_OMIT), None)),
            }
        };
        let (last_access, accessed) = timestamp(Fstflags::ATIM, Fstflags::ATIM_NOW, atim)?;
        let (last_modification, modified) = timestamp(Fstflags::MTIM, Fstflags::MTIM_NOW, mtim)?;
        Ok(NewTimestamps {
            host: Timestamps { last_access, last_modification },
            virtual_fs: Times { accessed, modified },
        })
    }
}

fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as _,
    }
}
