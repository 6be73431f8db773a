//! Tracing: every call as a line of text, in the manner of strace.
//!
//! Tracing is a second set of host functions, made by the same table as the first: [`Traced`] stands
//! around each call where [`Untraced`] stands around none. An untraced guest is linked with functions
//! that know nothing of tracing, so that it costs them nothing, not even a look whether it is on.

mod arguments;
mod show;

use std::fmt::Write as _;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::blueprint::Wasi;

/// An argument of a call: its name, and its value as the bits the guest gave.
pub(crate) type Argument = (&'static str, u64);

/// A function of WASI.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    /// The module of this crate that has it: what tells preview 0 from preview 1.
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
}

/// What stands around every call of a host module.
pub(crate) trait Around: 'static {
    /// Makes `call`, the call of `function` with `arguments`.
    fn call(
        function: Function,
        arguments: &[Argument],
        wasi: &mut Wasi,
        memory: &mut Memory<'_>,
        call: impl FnOnce(&mut Wasi, &mut Memory<'_>) -> Result<(), Errno>,
    ) -> Result<(), Errno>;

    /// Is told of a call that may end the guest, before it does.
    fn last(function: Function, arguments: &[Argument], wasi: &mut Wasi, memory: &mut Memory<'_>);
}

/// Nothing around any call.
pub(crate) struct Untraced;

impl Around for Untraced {
    #[inline(always)]
    fn call(
        _: Function,
        _: &[Argument],
        wasi: &mut Wasi,
        memory: &mut Memory<'_>,
        call: impl FnOnce(&mut Wasi, &mut Memory<'_>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        call(wasi, memory)
    }

    #[inline(always)]
    fn last(_: Function, _: &[Argument], _: &mut Wasi, _: &mut Memory<'_>) {}
}

/// A line of the instance's trace for every call.
///
/// ```text
/// fd_write(fd=1, iovs=[{"hello\n", 6}], nwritten=6) = 0 <2.105 us>
/// path_open(fd=3, dirflags=SYMLINK_FOLLOW, path="x", ...) = ENOENT (no such file or directory) <...>
/// proc_exit(code=0) = ?
/// ```
pub(crate) struct Traced;

impl Around for Traced {
    fn call(
        function: Function,
        arguments: &[Argument],
        wasi: &mut Wasi,
        memory: &mut Memory<'_>,
        call: impl FnOnce(&mut Wasi, &mut Memory<'_>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        // What the guest gives is shown as it was before the call, which may write over it.
        let given = show::given(function, arguments, memory);
        let start = Instant::now();
        let result = call(wasi, memory);
        let time = start.elapsed();
        let errno = result.err().unwrap_or(Errno::Success);
        let mut line = show::call(function, arguments, memory, given, errno);
        end_of_line(&mut line, errno, time);
        write(wasi, &line);
        result
    }

    fn last(function: Function, arguments: &[Argument], wasi: &mut Wasi, memory: &mut Memory<'_>) {
        let given = show::given(function, arguments, memory);
        let mut line = show::call(function, arguments, memory, given, Errno::Success);
        line.push_str(" = ?\n");
        write(wasi, &line);
    }
}

/// ` = 0 <1.234 us>`, ` = ENOENT (no such file or directory) <1.234 us>`
fn end_of_line(line: &mut String, errno: Errno, time: Duration) {
    let nanoseconds = time.as_nanos();
    let (us, ns) = (nanoseconds / 1000, nanoseconds % 1000);
    let result = match errno {
        Errno::Success => write!(line, " = 0"),
        _ => write!(line, " = {} ({})", errno.name(), errno.message()),
    };
    result.and_then(|()| writeln!(line, " <{us}.{ns:03} us>")).expect("a string takes everything");
}

/// Writes a line at once, so that lines of several instances do not mix. A trace that cannot be
/// written must not change what the guest does.
fn write(wasi: &mut Wasi, line: &str) {
    if let Some(trace) = &mut wasi.trace {
        let _ = trace.write(&[IoSlice::new(line.as_bytes())]);
    }
}
