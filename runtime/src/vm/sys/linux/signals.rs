//! Signals: faults of machine code reach a handler, and a failed write does not end the process.

use crate::vm::sys::isa::{self, GENERAL_REGISTERS};
use crate::vm::sys::{Fault, Registers};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Once, OnceLock};

/// The signals that report a fault.
const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

/// The handlers that were there before ours, in the order of [`SIGNALS`].
static PREVIOUS: OnceLock<[libc::sigaction; 4]> = OnceLock::new();

/// Decides whether a fault is a trap, and if so redirects the thread.
pub(in crate::vm) type Handler = fn(Fault, &mut StoppedThread<'_>) -> bool;

static HANDLER: OnceLock<Handler> = OnceLock::new();

/// The signals by which a failed write ends a process by default: a write to a pipe or a socket that
/// nobody reads, and one beyond the limit on the size of files (`RLIMIT_FSIZE`).
const SIGNALS_OF_WRITES: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// Installs `handler` for the process, once. A fault that it does not claim goes to the handler that
/// was there before. A failed write gives an error, and no signal that ends the process.
pub(in crate::vm) fn install_handlers(handler: Handler) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        ignore_by_default(&SIGNALS_OF_WRITES);
        let _ = HANDLER.set(handler);
        let previous = SIGNALS.map(|signal| {
            // SAFETY: querying a disposition into memory of its type; all zeros is a valid value.
            unsafe {
                let mut old: libc::sigaction = MaybeUninit::zeroed().assume_init();
                libc::sigaction(signal, ptr::null(), &mut old);
                old
            }
        });
        let _ = PREVIOUS.set(previous);
        for signal in SIGNALS {
            // SAFETY: the handler only does what is safe in a signal handler: it reads memory
            // that lives as long as the process or the interrupted code, and thread-locals.
            unsafe {
                let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
                action.sa_sigaction = on_signal as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
                libc::sigemptyset(&mut action.sa_mask);
                libc::sigaction(signal, &action, ptr::null_mut());
            }
        }
    });
}

/// Ignores those of the signals that have the default action. Handlers stay.
fn ignore_by_default(signals: &[libc::c_int]) {
    for &signal in signals {
        // SAFETY: a disposition is read into memory of its type, for which all zeros is a valid
        // value. Ignoring a signal runs no code.
        unsafe {
            let mut old: libc::sigaction = MaybeUninit::zeroed().assume_init();
            libc::sigaction(signal, ptr::null(), &mut old);
            if old.sa_sigaction == libc::SIG_DFL {
                libc::signal(signal, libc::SIG_IGN);
            }
        }
    }
}

/// A thread that a signal stopped, as its handler sees it.
pub(in crate::vm) struct StoppedThread<'a>(&'a mut libc::ucontext_t);

impl StoppedThread<'_> {
    /// The registers that unwinding needs.
    pub(in crate::vm) fn registers(&self) -> Registers {
        isa::registers(self.0)
    }

    /// All general registers.
    pub(in crate::vm) fn general_registers(&self) -> [usize; GENERAL_REGISTERS] {
        isa::general_registers(self.0)
    }

    /// Makes the thread go on at `to` once the signal handler returns.
    pub(in crate::vm) fn go_on_at(&mut self, to: Registers) {
        isa::set_registers(self.0, to);
    }
}

/// The kind of fault that a signal reports.
fn fault(signal: libc::c_int, info: &libc::siginfo_t) -> Fault {
    match signal {
        // SAFETY: for these signals the kernel fills in the address.
        libc::SIGSEGV | libc::SIGBUS => Fault::Memory(unsafe { info.si_addr() as usize }),
        libc::SIGFPE => Fault::Arithmetic,
        _ => Fault::Instruction,
    }
}

extern "C" fn on_signal(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes valid pointers, and the context is ours while the handler runs.
    let (fault, mut thread) =
        unsafe { (fault(signal, &*info), StoppedThread(&mut *context.cast::<libc::ucontext_t>())) };
    if HANDLER.get().is_some_and(|handler| handler(fault, &mut thread)) {
        return;
    }
    pass_on(signal, info, context);
}

/// Passes the signal to the previous handler. Without one the default action follows when the
/// instruction faults again.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let index = SIGNALS.iter().position(|&s| s == signal);
    let previous = PREVIOUS.get().zip(index).map(|(all, i)| &all[i]);
    // SAFETY: a handler the process installed is called with what the kernel gave us; resetting
    // the disposition to a value that was read from the kernel is always valid.
    unsafe {
        match previous {
            Some(old) if old.sa_sigaction == libc::SIG_IGN || old.sa_sigaction == libc::SIG_DFL => {
                libc::sigaction(signal, old, ptr::null_mut());
            }
            Some(old) if old.sa_flags & libc::SA_SIGINFO != 0 => {
                let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                    core::mem::transmute(old.sa_sigaction);
                handler(signal, info, context);
            }
            Some(old) => {
                let handler: extern "C" fn(libc::c_int) = core::mem::transmute(old.sa_sigaction);
                handler(signal);
            }
            None => {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}
