//! Exit and signals: `proc_exit`, `proc_raise`.

use precast_runtime::HostError;

use crate::errno::Errno;

/// Ends the guest with an exit code. Every code is passed on unchanged.
///
/// [`proc_exit`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#proc_exit)
pub(crate) fn proc_exit(code: u32) -> HostError {
    HostError::exit(code as i32)
}

/// The default action of a signal. A guest cannot install handlers.
#[derive(Clone, Copy)]
enum Action {
    Ignore,
    /// Ends the guest. The number of the signal on the host is part of the exit code.
    Terminate(u8),
    /// Stops the guest until another signal. Not supported, because no other signal can arrive.
    Stop,
}

/// The signals, numbered as in the specification, with their numbers on Linux.
const SIGNALS: [(&str, Action); 31] = [
    ("none", Action::Ignore),
    ("hup", Action::Terminate(1)),
    ("int", Action::Terminate(2)),
    ("quit", Action::Terminate(3)),
    ("ill", Action::Terminate(4)),
    ("trap", Action::Terminate(5)),
    ("abrt", Action::Terminate(6)),
    ("bus", Action::Terminate(7)),
    ("fpe", Action::Terminate(8)),
    ("kill", Action::Terminate(9)),
    ("usr1", Action::Terminate(10)),
    ("segv", Action::Terminate(11)),
    ("usr2", Action::Terminate(12)),
    ("pipe", Action::Ignore),
    ("alrm", Action::Terminate(14)),
    ("term", Action::Terminate(15)),
    ("chld", Action::Ignore),
    ("cont", Action::Ignore),
    ("stop", Action::Stop),
    ("tstp", Action::Stop),
    ("ttin", Action::Stop),
    ("ttou", Action::Stop),
    ("urg", Action::Ignore),
    ("xcpu", Action::Terminate(24)),
    ("xfsz", Action::Terminate(25)),
    ("vtalrm", Action::Terminate(26)),
    ("prof", Action::Terminate(27)),
    ("winch", Action::Ignore),
    ("poll", Action::Terminate(29)),
    ("pwr", Action::Terminate(30)),
    ("sys", Action::Terminate(31)),
];

/// The names of the signals, by number.
pub(crate) const SIGNAL_NAMES: [&str; SIGNALS.len()] = {
    let mut names = [""; SIGNALS.len()];
    let mut number = 0;
    while number < names.len() {
        names[number] = SIGNALS[number].0;
        number += 1;
    }
    names
};

/// Raises a signal in the guest. The process of the host gets no signal.
///
/// A signal that terminates ends the guest with the exit code that a shell reports: 128 plus the
/// number of the signal.
///
/// - `EINVAL`: no such signal.
/// - `ENOTSUP`: a signal that stops the process.
///
/// [`proc_raise`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#proc_raise),
/// [raise(3)](https://man7.org/linux/man-pages/man3/raise.3.html)
pub(crate) fn proc_raise(signal: u32) -> Result<Errno, HostError> {
    Ok(match SIGNALS.get(signal as usize) {
        None => Errno::Inval,
        Some((_, Action::Ignore)) => Errno::Success,
        Some((_, Action::Stop)) => Errno::Notsup,
        Some((_, Action::Terminate(number))) => {
            return Err(HostError::exit(128 + i32::from(*number)));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_stay_in_the_guest() {
        assert_eq!(proc_raise(0).unwrap(), Errno::Success);
        assert_eq!(proc_raise(16).unwrap(), Errno::Success);
        assert_eq!(proc_raise(18).unwrap(), Errno::Notsup);
        assert_eq!(proc_raise(31).unwrap(), Errno::Inval);
        assert!(proc_raise(9).is_err());
    }
}
