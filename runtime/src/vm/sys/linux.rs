//! Linux: signals, stacks, pages.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Once, OnceLock};

/// Bytes of a page of memory.
pub(in crate::vm) fn page_size() -> usize {
    rustix::param::page_size()
}

/// The signals a trap arrives as.
const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

/// The handlers that were there before ours, in the order of [`SIGNALS`].
static PREVIOUS: OnceLock<[libc::sigaction; 4]> = OnceLock::new();

/// What decides whether a fault is a trap, and if so redirects the thread.
pub(in crate::vm) type Handler = fn(libc::c_int, usize, &mut libc::ucontext_t) -> bool;

static HANDLER: OnceLock<Handler> = OnceLock::new();

/// Installs `handler` for the process, once. Faults it does not claim go to whoever handled
/// them before.
pub(in crate::vm) fn install_handlers(handler: Handler) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
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

/// The address a fault was about.
fn fault_address(info: &libc::siginfo_t) -> usize {
    // SAFETY: for the signals we handle the kernel fills in the address.
    unsafe { info.si_addr() as usize }
}

extern "C" fn on_signal(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel passes valid pointers, and the context is ours while the handler runs.
    let (address, ucontext) =
        unsafe { (fault_address(&*info), &mut *context.cast::<libc::ucontext_t>()) };
    if HANDLER.get().is_some_and(|handler| handler(signal, address, ucontext)) {
        return;
    }
    pass_on(signal, info, context);
}

/// Lets the previous handler have the signal; without one the default action follows when the
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

/// The bounds of the current thread's stack: its lowest usable address and its end.
pub(in crate::vm) fn thread_stack() -> (usize, usize) {
    // SAFETY: the attribute object is initialised by pthread_getattr_np before it is read, and
    // destroyed after.
    unsafe {
        let mut attr = MaybeUninit::<libc::pthread_attr_t>::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), attr.as_mut_ptr()) != 0 {
            // Nothing known: assume half a MiB below this frame.
            let here = (&raw const attr) as usize;
            return (here.saturating_sub(512 << 10), here);
        }
        let (mut low, mut size, mut guard) = (ptr::null_mut(), 0, 0);
        libc::pthread_attr_getstack(attr.as_ptr(), &mut low, &mut size);
        libc::pthread_attr_getguardsize(attr.as_ptr(), &mut guard);
        libc::pthread_attr_destroy(attr.as_mut_ptr());
        (low as usize + guard, low as usize + size)
    }
}

/// A stack for signal handlers, so that overflowing the thread's own stack can be handled.
pub(in crate::vm) struct SigAltStack {
    memory: region::Allocation,
    previous: libc::stack_t,
}

impl SigAltStack {
    const SIZE: usize = 64 << 10;

    /// Gives the current thread a signal stack until this is dropped.
    pub(in crate::vm) fn install() -> io::Result<Self> {
        let mut memory =
            region::alloc(Self::SIZE, region::Protection::READ_WRITE).map_err(io::Error::other)?;
        let stack = libc::stack_t {
            ss_sp: memory.as_mut_ptr::<u8>().cast(),
            ss_flags: 0,
            ss_size: Self::SIZE,
        };
        // SAFETY: the memory is writable, and outlives its use: Drop takes it back first.
        unsafe {
            let mut previous: libc::stack_t = MaybeUninit::zeroed().assume_init();
            if libc::sigaltstack(&stack, &mut previous) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(SigAltStack { memory, previous })
        }
    }
}

impl Drop for SigAltStack {
    fn drop(&mut self) {
        // SAFETY: reads the current stack, and restores the previous one only when ours is set.
        unsafe {
            let mut current: libc::stack_t = MaybeUninit::zeroed().assume_init();
            libc::sigaltstack(ptr::null(), &mut current);
            if current.ss_sp == self.memory.as_mut_ptr::<u8>().cast() {
                libc::sigaltstack(&self.previous, ptr::null_mut());
            }
        }
    }
}
