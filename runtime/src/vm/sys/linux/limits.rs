//! Limits of the kernel on the mappings and the memory of a process: which of them refused a request.

use super::page_size;
use super::pages::{address_space, make_accessible, reserve, unmap};
use precast_abi::limits::{MEMORY_GUARD, MEMORY32_SPAN};
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::io;
use std::sync::OnceLock;

/// The number of mappings that the kernel allows a process.
const MAX_MAPPINGS: &str = "/proc/sys/vm/max_map_count";

/// How the kernel accounts for memory; 2 if it never promises more than it has.
const OVERCOMMIT: &str = "/proc/sys/vm/overcommit_memory";

/// The error of a request for `asked` bytes of memory or address space that the kernel has refused. If
/// a limit refused it, the error says which, and how to raise it.
///
/// It asks the kernel again, with small requests. For errors that a guest can cause at will, this is
/// too costly.
#[cold]
pub(in crate::vm) fn name_limit(error: io::Error, asked: usize) -> io::Error {
    if error.kind() != io::ErrorKind::OutOfMemory {
        return error;
    }
    match limit(asked) {
        Some(limit) => io::Error::new(io::ErrorKind::OutOfMemory, limit),
        None => error,
    }
}

/// Whether the process has no address space for memories with guards: at most for a few.
pub(crate) fn refuses_reservations() -> bool {
    /// Memories with guards for which there must be room.
    const LEAST: u64 = 16;
    static REFUSES: OnceLock<bool> = OnceLock::new();
    *REFUSES.get_or_init(|| {
        let span = MEMORY32_SPAN + MEMORY_GUARD;
        let limit = getrlimit(Resource::As).current.unwrap_or(u64::MAX);
        limit < LEAST * span || !can_reserve(span as usize)
    })
}

/// The limit that refuses `asked` bytes.
fn limit(asked: usize) -> Option<String> {
    let used = Used::now();
    for (resource, name, command, used) in [
        (Resource::As, "RLIMIT_AS", "ulimit -v", used.address_space),
        (Resource::Data, "RLIMIT_DATA", "ulimit -d", used.data),
    ] {
        let limit = getrlimit(resource).current.unwrap_or(u64::MAX);
        // Only a page of data is certain to be asked for.
        let asked = if resource == Resource::As { asked } else { page_size() };
        if used.saturating_add(asked as u64) > limit {
            return Some(format!(
                "the process may have {} of address space ({name}), {} are in use and {} more are \
                 needed: raise the limit (`{command}`, or LimitAS= and LimitDATA= of a service)",
                gib(limit),
                gib(used),
                gib(asked as u64)
            ));
        }
    }
    if !can_split() {
        let limit = read(MAX_MAPPINGS).map_or(String::new(), |n| format!(" = {n}"));
        return Some(format!(
            "the process has as many mappings as the kernel allows (vm.max_map_count{limit}; an \
             instance with a memory takes two): raise it, for example with `sysctl \
             vm.max_map_count=1000000`"
        ));
    }
    if !can_reserve(asked) {
        return Some(format!(
            "the process has no {} of contiguous address space left, of {} in all: drop instances, or \
             spread them over several processes",
            gib(asked as u64),
            gib(address_space() as u64)
        ));
    }
    let strict = read(OVERCOMMIT).is_some_and(|mode| mode == "2");
    strict.then(|| {
        "the kernel commits no more memory (vm.overcommit_memory = 2): add memory or swap, or raise \
         vm.overcommit_ratio"
            .to_owned()
    })
}

/// What the process uses, in bytes.
#[derive(Default)]
struct Used {
    address_space: u64,
    data: u64,
}

impl Used {
    /// Zeros where the kernel does not say.
    fn now() -> Used {
        let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let field = |n: usize| -> Option<u64> { statm.split_whitespace().nth(n)?.parse().ok() };
        let bytes = |n| field(n).unwrap_or(0) * page_size() as u64;
        Used { address_space: bytes(0), data: bytes(5) }
    }
}

/// Whether the process may have some more mappings: a reservation can be split into three.
fn can_split() -> bool {
    let page = page_size();
    let Ok(at) = reserve(3 * page) else { return false };
    // SAFETY: the range is a page of the new reservation.
    let split = unsafe { make_accessible(at.wrapping_add(page), page) };
    // SAFETY: the range is the whole reservation, which nobody uses.
    unsafe { unmap(at, 3 * page) };
    split.is_ok()
}

/// Whether the process has so many contiguous bytes of address space left.
fn can_reserve(len: usize) -> bool {
    // SAFETY: the range is the whole reservation, which nobody uses.
    len == 0 || reserve(len).map(|at| unsafe { unmap(at, len) }).is_ok()
}

/// The content of a file of `/proc`.
fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// A number of bytes in GiB, for people.
fn gib(bytes: u64) -> String {
    format!("{:.2} GiB", bytes as f64 / f64::from(1 << 30))
}
