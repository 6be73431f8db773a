//! The kinds of arguments of each function, which decide how a trace shows them.

use crate::calls::process;
use crate::fd::Rights;
use crate::guest::layout::{
    Fdflags, Fstflags, Lookupflags, Oflags, Riflags, Sdflags, Subclockflags,
};
use crate::trace::Function;

/// The kind of an argument.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A number.
    Number,
    /// A number that may be negative.
    Signed,
    /// A set of flags, with the names of its bits from the lowest on.
    Flags(&'static [&'static str]),
    /// A number that has a name, with the names.
    Choice(&'static [&'static str]),
    /// The length or count for the argument before it. Not shown by itself.
    Length,
    /// A pointer to a path.
    Path,
    /// A pointer to the buffers that the call writes from.
    Gather,
    /// A pointer to the buffers that the call reads into. The named argument points to the number
    /// of bytes read.
    Scatter(&'static str),
    /// A pointer to subscriptions. The named argument is their number.
    Subscriptions(&'static str),
    /// A pointer to a result.
    Result(Record),
}

/// A result in guest memory.
#[derive(Clone, Copy)]
pub(super) enum Record {
    U16,
    U32,
    U64,
    Fdstat,
    Filestat,
    Prestat,
    /// Bytes. The named argument is their number.
    Bytes(&'static str),
    /// Bytes. The named argument points to their number.
    BytesUsed(&'static str),
    /// Events. The named argument points to their number.
    Events(&'static str),
    /// A result of which only the address is shown, for example a list of strings.
    Address,
}

const CLOCKS: &[&str] = &["REALTIME", "MONOTONIC", "PROCESS_CPUTIME_ID", "THREAD_CPUTIME_ID"];
const WHENCE: &[&str] = &["SET", "CUR", "END"];
const WHENCE_OF_PREVIEW0: &[&str] = &["CUR", "END", "SET"];
const ADVICE: &[&str] = &["NORMAL", "SEQUENTIAL", "RANDOM", "WILLNEED", "DONTNEED", "NOREUSE"];

const FILETYPES: &[&str] = &[
    "UNKNOWN",
    "BLOCK_DEVICE",
    "CHARACTER_DEVICE",
    "DIRECTORY",
    "REGULAR_FILE",
    "SOCKET_DGRAM",
    "SOCKET_STREAM",
    "SYMBOLIC_LINK",
];

/// The kind of the argument `argument` of `function`.
pub(super) fn kind(function: Function, argument: &str) -> Kind {
    if function.module == "preview0" {
        // The records of preview 0 have other layouts and are not decoded.
        match argument {
            "whence" => return Kind::Choice(WHENCE_OF_PREVIEW0),
            "stat" | "subscriptions" => return Kind::Result(Record::Address),
            _ => {}
        }
    }
    match (function.name, argument) {
        ("fd_prestat_dir_name", "path") => Kind::Result(Record::Bytes("path_len")),
        ("fd_prestat_get", "buf") => Kind::Result(Record::Prestat),
        ("fd_readdir", "buf") => Kind::Result(Record::Address),
        ("fd_seek", "offset") => Kind::Signed,
        ("fd_tell", "offset") => Kind::Result(Record::U64),
        ("path_readlink", "buf") => Kind::Result(Record::BytesUsed("bufused")),
        ("random_get", "buf") => Kind::Result(Record::Address),
        ("fd_read", "iovs") => Kind::Scatter("nread"),
        ("fd_pread", "iovs") => Kind::Scatter("nread"),
        ("sock_recv", "data") => Kind::Scatter("received"),
        ("fd_write" | "fd_pwrite", "iovs") | ("sock_send", "data") => Kind::Gather,
        ("fd_fdstat_set_flags" | "sock_accept", "flags") => Kind::Flags(Fdflags::NAMES),
        ("path_filestat_get" | "path_filestat_set_times", "flags") => {
            Kind::Flags(Lookupflags::NAMES)
        }
        (
            "fd_prestat_dir_name"
            | "path_create_directory"
            | "path_filestat_get"
            | "path_filestat_set_times"
            | "path_open"
            | "path_readlink"
            | "path_remove_directory"
            | "path_unlink_file",
            "path_len",
        )
        | (_, "old_path_len" | "new_path_len" | "iovs_len" | "data_len") => Kind::Length,
        ("poll_oneoff", "subscriptions") => Kind::Subscriptions("nsubscriptions"),
        ("poll_oneoff", "events") => Kind::Result(Record::Events("nevents")),
        (_, "path" | "old_path" | "new_path") => Kind::Path,
        (_, "base" | "inheriting") => Kind::Flags(Rights::NAMES),
        (_, "oflags") => Kind::Flags(Oflags::NAMES),
        (_, "fdflags") => Kind::Flags(Fdflags::NAMES),
        (_, "dirflags" | "old_flags") => Kind::Flags(Lookupflags::NAMES),
        (_, "fst_flags") => Kind::Flags(Fstflags::NAMES),
        (_, "ri_flags") => Kind::Flags(Riflags::NAMES),
        (_, "how") => Kind::Flags(Sdflags::NAMES),
        (_, "id") => Kind::Choice(CLOCKS),
        (_, "whence") => Kind::Choice(WHENCE),
        (_, "advice") => Kind::Choice(ADVICE),
        (_, "signal") => Kind::Choice(&process::SIGNAL_NAMES),
        ("fd_fdstat_get", "stat") => Kind::Result(Record::Fdstat),
        (_, "stat") => Kind::Result(Record::Filestat),
        (_, "argv" | "argv_buf" | "environ" | "environ_buf") => Kind::Result(Record::Address),
        (_, "ro_flags") => Kind::Result(Record::U16),
        (_, "time" | "resolution" | "newoffset") => Kind::Result(Record::U64),
        (
            _,
            "argc" | "argv_buf_size" | "count" | "nread" | "nwritten" | "bufused" | "opened"
            | "nevents" | "accepted" | "received" | "sent",
        )
        | ("environ_sizes_get", "size") => Kind::Result(Record::U32),
        _ => Kind::Number,
    }
}

/// The name of the clock with this number.
pub(super) fn clock(id: u32) -> Option<&'static str> {
    CLOCKS.get(id as usize).copied()
}

/// The flags of a clock subscription.
pub(super) const CLOCK_FLAGS: &[&str] = Subclockflags::NAMES;

/// The name of the file type with this number.
pub(super) fn filetype(number: u8) -> Option<&'static str> {
    FILETYPES.get(usize::from(number)).copied()
}
