//! What the arguments of each function are, for who reads a trace.

use crate::calls::process;
use crate::fd::rights::Rights;
use crate::guest::layout::{
    Fdflags, Fstflags, Lookupflags, Oflags, Riflags, Sdflags, Subclockflags,
};
use crate::trace::Function;

/// What an argument is.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A number.
    Number,
    /// A number that may be negative.
    Signed,
    /// A set of flags; the names of its bits, from the lowest on.
    Flags(&'static [&'static str]),
    /// One of several things; their names.
    Choice(&'static [&'static str]),
    /// The length or number of what the argument before points to, which shows it.
    Shown,
    /// Where a path lies.
    Path,
    /// Where the buffers lie that are written from.
    Gather,
    /// Where the buffers lie that are read into; the named argument points to how much was.
    Scatter(&'static str),
    /// Where subscriptions lie; the named argument is their number.
    Subscriptions(&'static str),
    /// Where a result goes.
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
    /// Bytes; the named argument is their number.
    Bytes(&'static str),
    /// Bytes; the named argument points to their number.
    BytesUsed(&'static str),
    /// Events; the named argument points to their number.
    Events(&'static str),
    /// Strings, or pointers to them: where they are is all that a line has room for.
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

/// What the argument `argument` of `function` is.
pub(super) fn kind(function: Function, argument: &str) -> Kind {
    if function.module == "preview0" {
        // Its records lie otherwise: where they are must do.
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
        | (_, "old_path_len" | "new_path_len" | "iovs_len" | "data_len") => Kind::Shown,
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

/// The name of a clock, if there is one of this number.
pub(super) fn clock(id: u32) -> Option<&'static str> {
    CLOCKS.get(id as usize).copied()
}

/// The flags of a clock subscription.
pub(super) const CLOCK_FLAGS: &[&str] = Subclockflags::NAMES;

/// The name of a file type, if there is one of this number.
pub(super) fn filetype(number: u8) -> Option<&'static str> {
    FILETYPES.get(usize::from(number)).copied()
}
