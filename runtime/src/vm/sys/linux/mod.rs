//! Linux: signals, stacks, pages.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock};

/// Bytes of a page of memory.
pub(in crate::vm) fn page_size() -> usize {
    rustix::param::page_size()
}

/// Bytes of address space a process has: the stack lies close to its end.
pub(in crate::vm) fn address_space() -> usize {
    let highest_bit = usize::BITS - 1 - super::stack_pointer().leading_zeros();
    2 << highest_bit
}

/// Magic numbers of file systems that are this machine's own: ext2 to 4, XFS, Btrfs, F2FS, ZFS,
/// bcachefs, tmpfs, ramfs, overlayfs, and the read-only squashfs and EROFS.
#[cfg(feature = "cache")]
const LOCAL_FILE_SYSTEMS: &[u32] = &[
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0xf2f5_2010,
    0x2fc1_2fc1,
    0xca45_1a4e,
    0x0102_1994,
    0x8584_58f6,
    0x794c_7630,
    0x7371_7368,
    0xe0f5_e1e2,
];

/// Whether somebody who is not this process's user may change an open file: another user, or the
/// server of a network file system.
#[cfg(feature = "cache")]
pub(in crate::vm) fn is_exposed(file: &File) -> bool {
    let (Ok(stat), Ok(system)) = (rustix::fs::fstat(file), rustix::fs::fstatfs(file)) else {
        return true;
    };
    let own = stat.st_uid == rustix::process::geteuid().as_raw();
    let local = LOCAL_FILE_SYSTEMS.contains(&(system.f_type as u32));
    // An access control list shows in the group's bits what it grants at most.
    !own || stat.st_mode & 0o022 != 0 || !local
}

/// The signals a trap arrives as.
const SIGNALS: [libc::c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL];

/// The handlers that were there before ours, in the order of [`SIGNALS`].
static PREVIOUS: OnceLock<[libc::sigaction; 4]> = OnceLock::new();

/// What decides whether a fault is a trap, and if so redirects the thread.
pub(in crate::vm) type Handler = fn(libc::c_int, usize, &mut libc::ucontext_t) -> bool;

static HANDLER: OnceLock<Handler> = OnceLock::new();

/// The signals by which a write that fails ends a process that does nothing about them: to a pipe
/// or a socket that nobody reads, and beyond the limit on the size of files (`RLIMIT_FSIZE`).
const SIGNALS_OF_WRITES: [libc::c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

/// Installs `handler` for the process, once. Faults it does not claim go to whoever handled
/// them before. Writes that fail give an error, and no signal that ends the process.
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

/// Has the process ignore those signals for which it has the default action. Handlers stay.
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
    /// What our handler needs, backtrace and all, besides the registers the kernel stores.
    const SIZE: usize = 64 << 10;

    /// Gives the current thread a signal stack until this is dropped.
    pub(in crate::vm) fn install() -> io::Result<Self> {
        // Vector registers of some machines fill tens of kilobytes; the kernel tells how many.
        // SAFETY: reads a constant of the process, zero where the kernel does not give it.
        let registers = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
        let size = Self::SIZE + registers;
        let mut memory =
            region::alloc(size, region::Protection::READ_WRITE).map_err(io::Error::other)?;
        let stack = libc::stack_t {
            ss_sp: memory.as_mut_ptr::<u8>().cast(),
            ss_flags: 0,
            ss_size: memory.len(),
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

/// A range of pages, as `PAGEMAP_SCAN` gives them (`struct page_region`).
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(in crate::vm) struct PageRange {
    pub(in crate::vm) start: u64,
    pub(in crate::vm) end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
struct ScanArg {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: libc::Ioctl = 0xc060_6610_u32 as libc::Ioctl;

const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;
const PAGE_IS_PFNZERO: u64 = 1 << 5;

/// The page map of this process. A forked child has none: its descriptor still describes the
/// parent, whose pages say nothing about its own.
fn pagemap() -> Option<&'static File> {
    static PAGEMAP: OnceLock<Option<File>> = OnceLock::new();
    static FORKED: AtomicBool = AtomicBool::new(false);

    extern "C" fn in_child() {
        FORKED.store(true, Ordering::Relaxed);
    }

    let pagemap = PAGEMAP.get_or_init(|| {
        // SAFETY: the function may be called in a forked child: all it does is one store.
        let registered = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        File::open("/proc/self/pagemap").ok().filter(|_| registered == 0)
    });
    pagemap.as_ref().filter(|_| !FORKED.load(Ordering::Relaxed))
}

/// The pages between two addresses that hold something of their own: neither untouched, nor the
/// zero page, nor those of a file. None when there are more than `max` or the ranges do not fit
/// `ranges`, and on kernels before 6.7, which cannot tell.
pub(in crate::vm) fn dirty_pages(
    start: usize,
    end: usize,
    max: usize,
    ranges: &mut [PageRange],
) -> Option<&[PageRange]> {
    let pagemap = pagemap()?;
    let mut arg = ScanArg {
        size: size_of::<ScanArg>() as u64,
        flags: 0,
        start: start as u64,
        end: end as u64,
        walk_end: 0,
        vec: ranges.as_mut_ptr() as u64,
        vec_len: ranges.len() as u64,
        max_pages: max as u64 + 1,
        category_inverted: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_mask: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        return_mask: PAGE_IS_PRESENT,
    };
    // SAFETY: the argument has the layout the kernel expects, and its vector is `ranges`.
    let found = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &mut arg) };
    let found = &ranges[..usize::try_from(found).ok()?];
    let pages: u64 = found.iter().map(|r| (r.end - r.start) / page_size() as u64).sum();
    (arg.walk_end == end as u64 && pages <= max as u64).then_some(found)
}

const _: () = {
    assert!(size_of::<PageRange>() == 24);
    assert!(size_of::<ScanArg>() == 96);
};

/// Whether nobody in the system has a file open for writing, at this moment. A shared mapping that
/// can be written keeps its file open.
///
/// The kernel grants a read lease only then (fcntl(2), `F_SETLEASE`), and only to the file's owner
/// or with `CAP_LEASE`; whoever gets none is told no. The lease is given back at once.
#[cfg(feature = "cache")]
pub(crate) fn is_unwritten(file: &File) -> bool {
    let control = |command: libc::c_int, argument: libc::c_int| {
        // SAFETY: these commands take a number, and touch no memory of this process.
        unsafe { libc::fcntl(file.as_raw_fd(), command, argument) }
    };
    // A lease that is there already is somebody else's business.
    if control(libc::F_GETLEASE, 0) != libc::F_UNLCK {
        return false;
    }
    // Whoever opens the file for writing meanwhile has the kernel send a signal to this process:
    // by default SIGIO, which would end it. SIGURG is ignored.
    let signal = control(F_GETSIG, 0);
    if signal < 0 || control(F_SETSIG, libc::SIGURG) != 0 {
        return false;
    }
    let granted = control(libc::F_SETLEASE, libc::F_RDLCK) == 0;
    if granted {
        control(libc::F_SETLEASE, libc::F_UNLCK);
    }
    control(F_SETSIG, signal);
    granted
}

/// Commands of fcntl(2) on the signal that tells of a file, the same on every machine.
#[cfg(feature = "cache")]
const F_SETSIG: libc::c_int = 10;
#[cfg(feature = "cache")]
const F_GETSIG: libc::c_int = 11;
