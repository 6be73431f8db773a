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
        let _ = PREVIOUS.set(SIGNALS.map(disposition));
        for signal in SIGNALS {
            set_handler(signal, on_signal, libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER);
        }
    });
}

/// A handler, as the kernel calls it with [`libc::SA_SIGINFO`].
type KernelHandler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

/// What happens at a signal.
fn disposition(signal: libc::c_int) -> libc::sigaction {
    // SAFETY: querying a disposition into memory of its type; all zeros is a valid value.
    unsafe {
        let mut old: libc::sigaction = MaybeUninit::zeroed().assume_init();
        libc::sigaction(signal, ptr::null(), &mut old);
        old
    }
}

/// Sets one of the handlers of this file.
fn set_handler(signal: libc::c_int, handler: KernelHandler, flags: libc::c_int) {
    // SAFETY: the handlers only do what is safe in a signal handler: they access memory that lives as
    // long as the process or the interrupted code, and thread-locals.
    unsafe {
        let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signal, &action, ptr::null_mut());
    }
}

/// The signal that interrupts a thread. By default it is ignored, so one that comes late, or that
/// reaches a thread without our handler, does no harm. Go's runtime uses it in the same way.
const INTERRUPT: libc::c_int = libc::SIGURG;

/// The handler of [`INTERRUPT`] that was there before ours.
static PREVIOUS_INTERRUPT: OnceLock<libc::sigaction> = OnceLock::new();

/// Stops the call of the thread, if it has to stop. Says whether it has redirected the thread.
pub(in crate::vm) type InterruptHandler = fn(&mut StoppedThread<'_>) -> bool;

static INTERRUPT_HANDLER: OnceLock<InterruptHandler> = OnceLock::new();

/// Installs the handler of interrupts for the process, once. Interrupts that redirect no thread go to
/// the handler that was there before, too: others may use the signal.
///
/// System calls that an interrupt stops fail with `EINTR`, and are not restarted.
pub(in crate::vm) fn install_interrupt_handler(handler: InterruptHandler) {
    if INTERRUPT_HANDLER.set(handler).is_ok() {
        let _ = PREVIOUS_INTERRUPT.set(disposition(INTERRUPT));
        set_handler(INTERRUPT, on_interrupt, libc::SA_SIGINFO | libc::SA_ONSTACK);
    }
}

extern "C" fn on_interrupt(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the location of the thread's `errno` is constant.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above. The code that was interrupted may be about to read it.
    let before = unsafe { *errno };
    // SAFETY: the kernel passes a valid pointer, and the context is ours while the handler runs.
    let mut thread = unsafe { StoppedThread(&mut *context.cast::<libc::ucontext_t>()) };
    let redirected = INTERRUPT_HANDLER.get().is_some_and(|handler| handler(&mut thread));
    if !redirected && let Some(previous) = PREVIOUS_INTERRUPT.get() {
        // SAFETY: the arguments are those of the kernel.
        unsafe { call_handler(previous, signal, info, context) };
    }
    // SAFETY: as above.
    unsafe { *errno = before };
}

/// Lets interrupts reach this thread, which may have inherited a mask that blocks them.
pub(in crate::vm) fn admit_interrupts() {
    // SAFETY: the set is initialised before it is used, and only this thread's mask changes.
    unsafe {
        let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), INTERRUPT);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut());
    }
}

/// Interrupts a thread of this process; false when it has ended.
pub(in crate::vm) fn interrupt_thread(tid: i32) -> bool {
    // SAFETY: a signal that has our handler, or that is ignored.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, INTERRUPT) == 0 }
}

/// The kernel's number of this thread.
pub(in crate::vm) fn thread_id() -> i32 {
    // SAFETY: no preconditions.
    unsafe { libc::gettid() }
}

/// Has every thread of the process run a memory barrier: what it wrote before is visible, and what it
/// reads later it reads anew. False when the kernel cannot do that.
pub(in crate::vm) fn barrier_on_all_threads() -> bool {
    /// `enum membarrier_cmd` of `linux/membarrier.h`.
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    // SAFETY: commands without memory arguments.
    let membarrier =
        |command: libc::c_int| unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 };
    let registered = *REGISTERED.get_or_init(|| membarrier(REGISTER_PRIVATE_EXPEDITED));
    registered && membarrier(PRIVATE_EXPEDITED)
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
    // SAFETY: the arguments are those of the kernel; resetting the disposition to a value that was
    // read from the kernel is always valid.
    unsafe {
        match previous {
            Some(old) if call_handler(old, signal, info, context) => {}
            Some(old) => {
                libc::sigaction(signal, old, ptr::null_mut());
            }
            None => {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}

/// Calls the handler of a disposition; false if it has none.
///
/// # Safety
///
/// The disposition was read from the kernel, and the arguments are those of a handler.
unsafe fn call_handler(
    of: &libc::sigaction,
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) -> bool {
    if of.sa_sigaction == libc::SIG_IGN || of.sa_sigaction == libc::SIG_DFL {
        return false;
    }
    // SAFETY: a handler that the process installed is called with what the kernel gave us.
    unsafe {
        if of.sa_flags & libc::SA_SIGINFO != 0 {
            let handler: KernelHandler = core::mem::transmute(of.sa_sigaction);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = core::mem::transmute(of.sa_sigaction);
            handler(signal);
        }
    }
    true
}
