//! The groups of the page: the rows of each, and the text above them.

use crate::record::{Outcome, Row};

/// A group of rows, which has a section, a table and a plot.
pub(crate) struct Group {
    /// The name of its plot's file, without extension.
    pub(crate) file: &'static str,
    /// Its heading.
    pub(crate) title: &'static str,
    /// The text below the heading.
    pub(crate) text: &'static str,
    /// The kinds of its rows: what their names begin with.
    kinds: &'static [&'static str],
}

/// The file of the group that has the servers' rows.
pub(crate) const SERVER: &str = "server";

/// The groups in the order of the page. The last one takes all rows of other kinds.
pub(crate) const GROUPS: [Group; 11] = [
    Group {
        file: "calls",
        title: "Calls",
        text: "One call between the host and WebAssembly.",
        kinds: &["call"],
    },
    Group {
        file: "wasi",
        title: "WASI",
        text: "One call of a WASI function by a guest, system call included. Files lie in memory.",
        kinds: &["wasi"],
    },
    Group {
        file: "instantiation",
        title: "Instantiation",
        text: "An instance is made and dropped. Rows with \"written\" also call a function that \
               writes to that much of the memory. In rows with \"(pooling)\" wasmtime uses its \
               pooling allocator, in the others it allocates on demand; precast is the same in both.",
        kinds: &["instantiate"],
    },
    Group {
        file: "load",
        title: "Loading and cache hits",
        text: "`load` maps an artifact file and unmaps it. `cache` finds a WebAssembly file in \
               precast's cache, with the header or the whole entry verified; wasmtime loads an \
               artifact file that the program has kept by itself.",
        kinds: &["load", "cache"],
    },
    Group {
        file: "compile",
        title: "Compilation",
        text: "From the bytes of a module to one that can be instantiated, on two threads.",
        kinds: &["compile"],
    },
    Group {
        file: "size",
        title: "Size of code",
        text: "`text` is machine code, `artifact` the whole file.",
        kinds: &["text size", "artifact size", "aarch64 text size"],
    },
    Group {
        file: "compute",
        title: "Computation",
        text: "Guests that compute, from the call of the start function to its end.",
        kinds: &["compute"],
    },
    Group {
        file: "bounded",
        title: "Guests that can be stopped",
        text: "How many times as long a compute guest takes with a deadline and with fuel as without. \
               Deadlines are signals in precast and epochs in wasmtime; no deadline passes, and no \
               fuel runs out. Each factor is that of the fastest rounds.",
        kinds: &["deadline", "fuel"],
    },
    Group {
        file: "programs",
        title: "Whole programs",
        text: "`program` is a compiled program that reads files, from the call of its start \
               function to its end. `start` is the whole life of a guest: its artifact is loaded, \
               instantiated with WASI, run and dropped.",
        kinds: &["program", "start"],
    },
    Group {
        file: SERVER,
        title: "Server",
        text: "`examples/server.rs` and the same server on wasmtime (`InstancePre`, WASI preview 1, async \
               calls, epochs), both on axum: each request is an HTTP request on a connection of its \
               own, and gets a fresh instance of `tests/guests/stdin_upper.wasm` with a WASI state, a \
               deadline and a memory limit. Clients run on one and two threads of the same machine, \
               each with one request at a time. Servers take turns in every round. `start` is the \
               time from the start of the server's process until it listens. `time per request` is \
               the inverse of requests a second; `p99` is the 99th percentile.",
        kinds: &["server"],
    },
    Group { file: "other", title: "Other rows", text: "", kinds: &[] },
];

impl Group {
    /// The rows of the group.
    pub(crate) fn rows<'a>(&self, rows: &'a [Row]) -> Vec<&'a Row> {
        rows.iter().filter(|row| group_of(row).file == self.file).collect()
    }
}

/// The group of a row.
fn group_of(row: &Row) -> &'static Group {
    let kind = row.name.split(['/', ',']).next().unwrap_or_default();
    let (last, groups) = GROUPS.split_last().expect("there are groups");
    groups.iter().find(|group| group.kinds.contains(&kind)).unwrap_or(last)
}

/// The rows that failed, with their reasons.
pub(crate) fn failures(rows: &[Row]) -> Vec<(&str, &str)> {
    rows.iter()
        .filter_map(|row| match &row.outcome {
            Outcome::Failed(reason) => Some((row.name.as_str(), reason.as_str())),
            Outcome::Measured(_) | Outcome::Mean(_) => None,
        })
        .collect()
}
