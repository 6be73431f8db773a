//! `FiberStack`: a mapped stack with a guard page.

use crate::vm::sys;
use corosensei::stack::{Stack, StackPointer};
use std::io;

/// A stack: a guard page, and above it the pages that a fiber uses. They take no memory until they are
/// touched.
pub(super) struct FiberStack {
    /// The guard page.
    at: *mut u8,
    /// Bytes of the mapping, with the guard page.
    len: usize,
}

// SAFETY: it owns its mapping.
unsafe impl Send for FiberStack {}

impl FiberStack {
    /// Maps a stack of at least `bytes`.
    ///
    /// # Errors
    ///
    /// When there is no address space left, or no room for another mapping. The error names the limit
    /// that is reached.
    pub(super) fn map(bytes: usize) -> io::Result<FiberStack> {
        let page = sys::page_size();
        let len = bytes.checked_next_multiple_of(page).and_then(|bytes| bytes.checked_add(page));
        let len = len.ok_or(io::ErrorKind::OutOfMemory)?;
        let at = sys::map_zeros(len).map_err(|error| sys::name_limit(error, len))?;
        let stack = FiberStack { at, len };
        // SAFETY: a page of the new mapping, which nobody uses.
        let guarded = unsafe { sys::make_inaccessible(at, page) };
        guarded.map_err(|error| sys::name_limit(error, 0))?;
        sys::prefer_small_pages(stack.at.wrapping_add(page), len - page);
        Ok(stack)
    }

    /// The lowest usable address.
    pub(super) fn low(&self) -> usize {
        self.at as usize + sys::page_size()
    }

    /// Gives back the memory of all pages.
    pub(super) fn drop_pages(&self) {
        let page = sys::page_size();
        // Without success the pages stay, which is harmless.
        // SAFETY: the pages of a private mapping; no fiber uses the stack.
        let _ = unsafe { sys::drop_pages(self.at.wrapping_add(page), self.len - page) };
    }
}

impl Drop for FiberStack {
    fn drop(&mut self) {
        // SAFETY: the whole mapping; no fiber uses the stack.
        unsafe { sys::unmap(self.at, self.len) };
    }
}

// SAFETY: the lowest page is inaccessible. Compiled code touches the pages of a large frame one by one.
unsafe impl Stack for FiberStack {
    #[inline]
    fn base(&self) -> StackPointer {
        // SAFETY: the end of a mapping is not null.
        unsafe { StackPointer::new_unchecked(self.at as usize + self.len) }
    }

    #[inline]
    fn limit(&self) -> StackPointer {
        // SAFETY: no mapping is at null.
        unsafe { StackPointer::new_unchecked(self.at as usize) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_costs_what_is_touched() {
        let (page, stack) = (sys::page_size(), FiberStack::map(1 << 20).unwrap());
        let resident = || sys::resident(stack.low() as *const u8, stack.len - page);
        // Not every kernel tells.
        let Some(0) = resident() else { return };
        let top = (stack.base().get() - 8) as *mut u64;
        // SAFETY: the mapping's last word.
        unsafe { top.write(1) };
        assert_eq!(resident(), Some(page as u64));
        stack.drop_pages();
        assert_eq!(resident(), Some(0));
        // SAFETY: as above.
        assert_eq!(unsafe { top.read() }, 0);
        assert_eq!(stack.base().get() - stack.low(), 1 << 20);
    }

    #[test]
    fn a_stack_larger_than_the_address_space_is_refused() {
        assert!(FiberStack::map(usize::MAX).is_err());
        assert!(FiberStack::map(1 << 62).is_err());
    }
}
