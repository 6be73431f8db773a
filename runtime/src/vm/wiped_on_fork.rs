//! Memory that a forked child does not inherit: it finds zeros.

use super::sys;
use std::io;
use std::marker::PhantomData;
use std::ptr::NonNull;
use zerocopy::FromZeros;

/// A value whose bytes are zero in the child when the process forks. It is for state that two
/// processes must not share, such as that of a random number generator: zeros must mean that there
/// is none yet.
///
/// The value has a mapping of its own, so it costs at least a page. It is never dropped.
pub struct WipedOnFork<T> {
    /// Invariant: the start of a mapping of [`len`] bytes, which this value owns.
    at: NonNull<T>,
    owned: PhantomData<T>,
}

/// The bytes of the mapping of a `T`.
fn len<T>() -> usize {
    size_of::<T>().next_multiple_of(sys::page_size())
}

impl<T: FromZeros> WipedOnFork<T> {
    /// A value of zeros.
    ///
    /// # Errors
    ///
    /// When the kernel has no room for another mapping, or cannot wipe memory in forked children
    /// (before Linux 4.14).
    pub fn zeroed() -> io::Result<Self> {
        // The smallest page of any machine.
        const { assert!(size_of::<T>() > 0 && align_of::<T>() <= 4096) };
        let at = NonNull::new(sys::map_wiped_on_fork(len::<T>())?.cast());
        let at = at.ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(WipedOnFork { at, owned: PhantomData })
    }

    /// The value. If the process forks while it is borrowed, the child sees it change.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: the mapping is large enough and aligned to pages; a `T` may be all zeros, and
        // only this value has the address. The kernel wipes it inside a system call that forks. The
        // compiler knows of no code that cannot write to it there.
        unsafe { self.at.as_mut() }
    }
}

impl<T> Drop for WipedOnFork<T> {
    fn drop(&mut self) {
        // SAFETY: the invariant of the field, and nothing borrows the value.
        unsafe { sys::unmap(self.at.as_ptr().cast(), len::<T>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_begins_as_zeros_and_keeps_what_is_written() {
        // Not every kernel can do it.
        let Ok(mut value) = WipedOnFork::<[u64; 1000]>::zeroed() else { return };
        assert_eq!(*value.get_mut(), [0; 1000], "more than a page");
        *value.get_mut() = [7; 1000];
        assert_eq!(*value.get_mut(), [7; 1000]);
    }
}
