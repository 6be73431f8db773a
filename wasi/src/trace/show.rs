//! The text of a call: function, arguments and results.

use std::fmt::{self, Write};

use super::arguments::{self, Kind, Record};
use crate::errno::Errno;
use crate::fd::Rights;
use crate::guest::MAX_PATH_LEN;
use crate::guest::Memory;
use crate::guest::layout::{
    EVENT_SIZE, FDSTAT_SIZE, FILESTAT_SIZE, PRESTAT_SIZE, SUBSCRIPTION_SIZE, eventtype, u16_at,
    u32_at, u64_at,
};
use crate::trace::{Argument, Function};

/// The number of bytes of a buffer that are shown, as in strace.
const BYTES: usize = 32;

/// The number of elements of an array that are shown.
const ELEMENTS: u32 = 8;

/// The text of every argument that is an input; `None` for results and lengths.
pub(super) fn inputs(
    function: Function,
    arguments: &[Argument],
    memory: &Memory<'_>,
) -> Vec<Option<String>> {
    let mut shown = Vec::with_capacity(arguments.len());
    for (i, &(name, value)) in arguments.iter().enumerate() {
        // The argument after a pointer is the length or count.
        let next = arguments.get(i + 1).map_or(0, |&(_, value)| value as u32);
        let ptr = value as u32;
        shown.push(match arguments::kind(function, name) {
            Kind::Number => Some(value.to_string()),
            Kind::Signed => Some((value as i64).to_string()),
            Kind::Flags(names) => Some(flags(value, names)),
            Kind::Choice(names) => Some(choice(value, names)),
            Kind::Path => Some(path(memory, ptr, next)),
            Kind::Gather => Some(buffers(memory, ptr, next, None)),
            Kind::Subscriptions(number) => {
                Some(subscriptions(memory, ptr, argument(arguments, number)))
            }
            Kind::Length | Kind::Scatter(_) | Kind::Result(_) => None,
        });
    }
    shown
}

/// The line of a call that returned `errno`, up to the closing parenthesis.
pub(super) fn call(
    function: Function,
    arguments: &[Argument],
    memory: &Memory<'_>,
    inputs: Vec<Option<String>>,
    errno: Errno,
) -> String {
    let mut line = format!("{}(", function.name);
    let mut separator = "";
    for (i, (&(name, value), input)) in arguments.iter().zip(inputs).enumerate() {
        let ptr = value as u32;
        let text = match (input, arguments::kind(function, name)) {
            (Some(text), _) => text,
            (None, Kind::Length) => continue,
            (None, Kind::Result(record)) if errno == Errno::Success => {
                result(memory, ptr, record, arguments).unwrap_or_else(|| address(ptr))
            }
            (None, Kind::Scatter(filled)) => {
                let count = arguments.get(i + 1).map_or(0, |&(_, value)| value as u32);
                let filled = match errno {
                    Errno::Success => number(memory, argument(arguments, filled)).unwrap_or(0),
                    _ => 0,
                };
                buffers(memory, ptr, count, Some(filled))
            }
            (None, _) => address(ptr),
        };
        line.push_str(separator);
        line.push_str(name);
        line.push('=');
        line.push_str(&text);
        separator = ", ";
    }
    line.push(')');
    line
}

/// The value of the argument `name`.
fn argument(arguments: &[Argument], name: &str) -> u32 {
    arguments.iter().find(|(n, _)| *n == name).map_or(0, |&(_, value)| value as u32)
}

fn number(memory: &Memory<'_>, ptr: u32) -> Option<u32> {
    memory.bytes(ptr, 4).ok().map(|bytes| u32_at(bytes, 0))
}

fn address(ptr: u32) -> String {
    format!("{ptr:#x}")
}

/// `CREAT|TRUNC`. Bits without a name are shown as a number, and all 64 bits as `~0`.
fn flags(bits: u64, names: &[&str]) -> String {
    match bits {
        0 => return "0".to_owned(),
        u64::MAX => return "~0".to_owned(),
        _ => {}
    }
    let mut rest = bits;
    let mut words = Vec::new();
    for (bit, name) in names.iter().enumerate() {
        if bits >> bit & 1 == 1 {
            words.push((*name).to_owned());
            rest &= !(1 << bit);
        }
    }
    if rest != 0 {
        words.push(format!("{rest:#x}"));
    }
    words.join("|")
}

fn choice(value: u64, names: &[&str]) -> String {
    let name = usize::try_from(value).ok().and_then(|index| names.get(index));
    name.map_or_else(|| value.to_string(), |name| (*name).to_owned())
}

fn path(memory: &Memory<'_>, ptr: u32, len: u32) -> String {
    let Ok(bytes) = memory.bytes(ptr, len) else {
        return address(ptr);
    };
    // A guest may pass a path as long as its memory, which is refused.
    let (start, dots) = match bytes.get(..MAX_PATH_LEN) {
        Some(start) if bytes.len() > MAX_PATH_LEN => (start, "..."),
        _ => (bytes, ""),
    };
    format!("{:?}{dots}", String::from_utf8_lossy(start))
}

/// `"the first bytes"...`
fn bytes(bytes: &[u8]) -> String {
    let (start, dots) = match bytes.get(..BYTES) {
        Some(start) if bytes.len() > BYTES => (start, "..."),
        _ => (bytes, ""),
    };
    format!("\"{}\"{dots}", start.escape_ascii())
}

/// `[{"abc", 3}, {"", 10}]`: the bytes and the size of each buffer. `filled` is the number of bytes
/// that the call has read into them.
fn buffers(memory: &Memory<'_>, table: u32, count: u32, mut filled: Option<u32>) -> String {
    let one = |i: u32| {
        let iovec = memory.bytes(table.checked_add(i * 8)?, 8).ok()?;
        let (ptr, len) = (u32_at(iovec, 0), u32_at(iovec, 4));
        let used = filled.as_mut().map_or(len, |filled| {
            let used = len.min(*filled);
            *filled -= used;
            used
        });
        let text = memory.bytes(ptr, used).map_or_else(|_| address(ptr), bytes);
        Some(format!("{{{text}, {len}}}"))
    };
    list(count, one).unwrap_or_else(|| address(table))
}

/// `[a, b, ...]` with the first elements; `None` if one of them is `None`.
fn list(count: u32, one: impl FnMut(u32) -> Option<String>) -> Option<String> {
    let shown = (0..count.min(ELEMENTS)).map(one).collect::<Option<Vec<_>>>()?.join(", ");
    let dots = if count > ELEMENTS { ", ..." } else { "" };
    Some(format!("[{shown}{dots}]"))
}

fn result(memory: &Memory<'_>, ptr: u32, record: Record, arguments: &[Argument]) -> Option<String> {
    let record_of = |len: usize| memory.bytes(ptr, len as u32).ok();
    Some(match record {
        Record::U16 => u16_at(record_of(2)?, 0).to_string(),
        Record::U32 => u32_at(record_of(4)?, 0).to_string(),
        Record::U64 => u64_at(record_of(8)?, 0).to_string(),
        Record::Fdstat => fdstat(record_of(FDSTAT_SIZE)?),
        Record::Filestat => filestat(record_of(FILESTAT_SIZE)?),
        Record::Prestat => format!("{{DIR, {}}}", u32_at(record_of(PRESTAT_SIZE)?, 4)),
        Record::Bytes(len) => bytes(memory.bytes(ptr, argument(arguments, len)).ok()?),
        Record::BytesUsed(used) => {
            bytes(memory.bytes(ptr, number(memory, argument(arguments, used))?).ok()?)
        }
        Record::Events(used) => {
            let count = number(memory, argument(arguments, used))?;
            let events = memory.bytes(ptr, count.checked_mul(EVENT_SIZE as u32)?).ok()?;
            let mut events = events.chunks_exact(EVENT_SIZE);
            list(count, |_| events.next().map(event))?
        }
        Record::Address => return None,
    })
}

fn filetype(number: u8) -> String {
    arguments::filetype(number).map_or_else(|| number.to_string(), str::to_owned)
}

fn fdstat(record: &[u8]) -> String {
    let names = crate::guest::layout::Fdflags::NAMES;
    format!(
        "{{{}, flags={}, base={}, inheriting={}}}",
        filetype(record[0]),
        flags(u16_at(record, 2).into(), names),
        flags(u64_at(record, 8), Rights::NAMES),
        flags(u64_at(record, 16), Rights::NAMES),
    )
}

fn filestat(record: &[u8]) -> String {
    format!(
        "{{dev={:#x}, ino={}, {}, nlink={}, size={}, mtim={}}}",
        u64_at(record, 0),
        u64_at(record, 8),
        filetype(record[16]),
        u64_at(record, 24),
        u64_at(record, 32),
        Seconds(u64_at(record, 48)),
    )
}

/// Nanoseconds as seconds.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

fn subscriptions(memory: &Memory<'_>, ptr: u32, count: u32) -> String {
    let one = |i: u32| {
        let at = ptr.checked_add(i * SUBSCRIPTION_SIZE as u32)?;
        memory.bytes(at, SUBSCRIPTION_SIZE as u32).ok().map(subscription)
    };
    list(count, one).unwrap_or_else(|| address(ptr))
}

fn subscription(record: &[u8]) -> String {
    let mut text = format!("{{userdata={:#x}, ", u64_at(record, 0));
    let id = u32_at(record, 16);
    let what = match record[8] {
        eventtype::CLOCK => {
            let clock = arguments::clock(id).map_or_else(|| id.to_string(), str::to_owned);
            let flags = flags(u16_at(record, 40).into(), arguments::CLOCK_FLAGS);
            let timeout = Seconds(u64_at(record, 24));
            format!("CLOCK, {clock}, timeout={timeout}, flags={flags}")
        }
        eventtype::FD_READ => format!("FD_READ, fd={id}"),
        eventtype::FD_WRITE => format!("FD_WRITE, fd={id}"),
        other => other.to_string(),
    };
    write!(text, "{what}}}").expect("writing to a string does not fail");
    text
}

fn event(record: &[u8]) -> String {
    let errno = Errno::from_code(u16_at(record, 8)).unwrap_or(Errno::Io);
    let mut text = format!("{{userdata={:#x}, ", u64_at(record, 0));
    let what = match record[10] {
        eventtype::CLOCK => "CLOCK",
        eventtype::FD_READ => "FD_READ",
        _ => "FD_WRITE",
    };
    text.push_str(what);
    if errno != Errno::Success {
        text.push_str(", ");
        text.push_str(errno.name());
    } else if record[10] != eventtype::CLOCK {
        let flags = flags(u16_at(record, 24).into(), crate::guest::layout::Eventrwflags::NAMES);
        write!(text, ", nbytes={}, flags={flags}", u64_at(record, 16))
            .expect("writing to a string does not fail");
    }
    text.push('}');
    text
}
