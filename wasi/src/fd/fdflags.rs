//! Descriptor flags: translation between `fdflags` of WASI and the flags of the host.

use rustix::fs::OFlags;

use crate::guest::layout::Fdflags;

/// The flags of a descriptor: WASI's and the host's.
///
/// On Linux `RSYNC` equals `SYNC`, and `SYNC` includes the bit of `DSYNC`. The flag with more bits
/// comes first.
const FDFLAGS: [(Fdflags, OFlags); 5] = [
    (Fdflags::APPEND, OFlags::APPEND),
    (Fdflags::NONBLOCK, OFlags::NONBLOCK),
    (Fdflags::SYNC, OFlags::SYNC),
    (Fdflags::RSYNC, OFlags::RSYNC),
    (Fdflags::DSYNC, OFlags::DSYNC),
];

/// Translates a guest's flags to the host's.
pub(crate) fn host_flags(flags: Fdflags) -> OFlags {
    FDFLAGS
        .iter()
        .filter(|(guest, _)| flags.contains(*guest))
        .fold(OFlags::empty(), |flags, (_, host)| flags | *host)
}

/// Translates the host's flags to the guest's. Each bit of the host counts for one flag only.
pub(crate) fn guest_flags(mut host: OFlags) -> Fdflags {
    let mut flags = Fdflags::empty();
    for (guest, bits) in FDFLAGS {
        if host.contains(bits) {
            flags = flags.with(guest);
            host -= bits;
        }
    }
    flags
}
