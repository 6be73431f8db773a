//! Stacks: the bounds of a thread's stack, and the alternate stack that signal handlers run on.

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

/// The bounds of the current thread's stack: its lowest usable address and its end.
pub(in crate::vm) fn thread_stack() -> (usize, usize) {
    // SAFETY: the attribute object is initialised by pthread_getattr_np before it is read, and
    // destroyed after.
    unsafe {
        let mut attr = MaybeUninit::<libc::pthread_attr_t>::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), attr.as_mut_ptr()) != 0 {
            // The bounds are unknown: assume half a MiB below this frame.
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
    /// Bytes that our handler needs, besides the registers that the kernel stores.
    const SIZE: usize = 64 << 10;

    /// Gives the current thread a signal stack until this is dropped.
    pub(in crate::vm) fn install() -> io::Result<Self> {
        // Vector registers of some machines fill tens of kilobytes; the kernel gives their size.
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
