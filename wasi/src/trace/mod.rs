//! Tracing: a line of text for every call, similar to strace.
//!
//! The table of functions is exported in two forms, with calls of this module and without. An
//! untraced guest is linked with functions that contain no code for tracing, not even a test whether
//! it is on.

mod arguments;
mod show;

use std::fmt::Write as _;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::Wasi;

/// An argument of a call: its name, and the bits that the guest passed.
pub(crate) type Argument = (&'static str, u64);

/// A function of WASI.
#[derive(Clone, Copy)]
pub(crate) struct Function {
    /// The module of this crate that defines it. It distinguishes preview 0 from preview 1.
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
}

/// Makes `call`, the call of `function` with `arguments`, and writes a line to the instance's trace.
///
/// ```text
/// fd_write(fd=1, iovs=[{"hello\n", 6}], nwritten=6) = 0 <2.105 us>
/// path_open(fd=3, dirflags=SYMLINK_FOLLOW, path="x", ...) = ENOENT (no such file or directory) <...>
/// proc_exit(code=0) = ?
/// ```
pub(crate) fn call(
    function: Function,
    arguments: &[Argument],
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    call: impl FnOnce(&mut Wasi, &mut Memory<'_>) -> Result<(), Errno>,
) -> Result<(), Errno> {
    // Inputs are formatted before the call, which may overwrite them.
    let inputs = show::inputs(function, arguments, memory);
    let start = Instant::now();
    let result = call(wasi, memory);
    let time = start.elapsed();
    let errno = result.err().unwrap_or(Errno::Success);
    let mut line = show::call(function, arguments, memory, inputs, errno);
    end_of_line(&mut line, errno, time);
    write(wasi, &line);
    result
}

/// Writes the line of a call that may end the guest and then does not return.
pub(crate) fn before_exit(
    function: Function,
    arguments: &[Argument],
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
) {
    let inputs = show::inputs(function, arguments, memory);
    let mut line = show::call(function, arguments, memory, inputs, Errno::Success);
    line.push_str(" = ?\n");
    write(wasi, &line);
}

/// Adds the result and the time: ` = 0 <1.234 us>` or ` = ENOENT (no such file ...) <1.234 us>`.
fn end_of_line(line: &mut String, errno: Errno, time: Duration) {
    let nanoseconds = time.as_nanos();
    let (us, ns) = (nanoseconds / 1000, nanoseconds % 1000);
    let result = match errno {
        Errno::Success => write!(line, " = 0"),
        _ => write!(line, " = {} ({})", errno.name(), errno.message()),
    };
    result
        .and_then(|()| writeln!(line, " <{us}.{ns:03} us>"))
        .expect("writing to a string does not fail");
}

/// Writes a line with one call, so that lines of several instances do not mix. An error is ignored:
/// it must not change the guest's behaviour.
fn write(wasi: &mut Wasi, line: &str) {
    if let Some(trace) = &mut wasi.trace {
        let _ = trace.write(&[IoSlice::new(line.as_bytes())]);
    }
}
