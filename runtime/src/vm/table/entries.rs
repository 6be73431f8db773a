//! The entries of a table: in the heap when they are few, else in pages that cost nothing until they
//! are touched.

use crate::vm::sys;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::io;
use std::ops::{Deref, DerefMut, Range};
use std::ptr::NonNull;

/// An entry of a table.
///
/// # Safety
///
/// The null entry is all zeros, and the size is a power of two of at most a page.
pub(in crate::vm) unsafe trait Entry: Copy {
    /// The null entry.
    const NULL: Self;

    /// Whether it is the null entry.
    fn is_null(&self) -> bool;
}

/// Most bytes of entries that the heap holds. More are mapped: a mapping costs some microseconds, and
/// a fault per page that is touched.
const HEAP_MAX: usize = 1 << 20;

/// Most bytes that are allocated uninitialised and cleared here: for so few, that is faster than an
/// allocation of zeroed memory.
const CLEARED_MAX: usize = 4 << 10;

/// Least bytes of whole pages that are dropped, rather than written, to make their entries null.
const DROP_MIN: usize = 64 << 10;

/// A growing array of entries that are null at first.
///
/// Invariant **entries**: `base` is the start of `capacity` entries that this owns: an allocation of
/// the heap up to [`HEAP_MAX`] bytes, a mapping of whole pages above, and nothing for no entries.
/// The entries from `len` on are null.
pub(in crate::vm) struct Entries<T: Entry> {
    base: NonNull<T>,
    len: usize,
    capacity: usize,
}

impl<T: Entry> Entries<T> {
    /// `len` null entries.
    ///
    /// # Errors
    ///
    /// When the machine has no address space or memory left.
    #[inline]
    pub(in crate::vm) fn new(len: usize) -> io::Result<Self> {
        Ok(Entries { base: allocate(len)?, len, capacity: len })
    }

    /// Bytes of memory that the entries take, and those for which there is room.
    pub(in crate::vm) fn capacity_bytes(&self) -> usize {
        self.capacity * size_of::<T>()
    }

    /// Adds null entries until there are `len`. There are never going to be more than `most`. The
    /// entries may move; large tables move without copying.
    ///
    /// # Errors
    ///
    /// When the machine has no address space or memory left; then nothing has changed.
    pub(in crate::vm) fn grow(&mut self, len: usize, most: usize) -> io::Result<()> {
        if len > self.capacity {
            // Doubling keeps the number of moves small.
            let roomy = (2 * self.capacity).min(most).max(len);
            self.reserve(roomy).or_else(|_| self.reserve(len))?;
        }
        self.len = self.len.max(len);
        Ok(())
    }

    fn reserve(&mut self, capacity: usize) -> io::Result<()> {
        let (old, new) = (bytes::<T>(self.capacity)?, bytes::<T>(capacity)?);
        self.base = if old > HEAP_MAX {
            let at = self.base.as_ptr().cast();
            let (old, new) = (whole_pages(old), whole_pages(new));
            // SAFETY: invariant **entries**; no reference to an entry exists.
            let moved = unsafe { sys::remap(at, old, new) };
            NonNull::new(moved?.cast()).ok_or(io::ErrorKind::OutOfMemory)?
        } else {
            let base = allocate::<T>(capacity)?;
            // SAFETY: there is room for more than `len` entries, and the old ones are elsewhere
            // and not used any more.
            unsafe {
                base.copy_from_nonoverlapping(self.base, self.len);
                free(self.base, self.capacity);
            }
            base
        };
        self.capacity = capacity;
        Ok(())
    }

    /// Makes entries null. Pages that were never touched stay untouched.
    ///
    /// # Panics
    ///
    /// When the range exceeds the entries.
    pub(in crate::vm) fn clear(&mut self, range: Range<usize>) {
        let size = size_of::<T>();
        if self.capacity * size <= HEAP_MAX {
            return self[range].fill(T::NULL);
        }
        let entries = &mut self[range.clone()];
        let per_page = sys::page_size() / size;
        let first = range.start.next_multiple_of(per_page).min(range.end);
        let last = (range.end - range.end % per_page).max(first);
        let len = (last - first) * size;
        let middle = first - range.start..last - range.start;
        // SAFETY: the range is whole pages of our own private mapping, so they are zeros after.
        let dropped = len >= DROP_MIN
            && unsafe {
                let at = entries[middle.clone()].as_mut_ptr();
                sys::drop_pages(at.cast(), len).is_ok()
            };
        if dropped {
            make_null(&mut entries[..middle.start]);
            make_null(&mut entries[middle.end..]);
        } else {
            make_null(entries);
        }
    }
}

/// Makes entries null, and writes only to those that are not.
fn make_null<T: Entry>(entries: &mut [T]) {
    for entry in entries.iter_mut().filter(|entry| !entry.is_null()) {
        *entry = T::NULL;
    }
}

impl<T: Entry> Deref for Entries<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: invariant **entries**.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

impl<T: Entry> DerefMut for Entries<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: invariant **entries**.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.len) }
    }
}

impl<T: Entry> Drop for Entries<T> {
    fn drop(&mut self) {
        // SAFETY: invariant **entries**; they are not used any more.
        unsafe { free(self.base, self.capacity) }
    }
}

/// Bytes of so many entries.
fn bytes<T>(count: usize) -> io::Result<usize> {
    let layout = Layout::array::<T>(count);
    layout.map(|layout| layout.size()).map_err(|_| io::ErrorKind::OutOfMemory.into())
}

fn whole_pages(bytes: usize) -> usize {
    bytes.next_multiple_of(sys::page_size())
}

/// Allocates null entries.
#[inline]
fn allocate<T: Entry>(count: usize) -> io::Result<NonNull<T>> {
    let size = bytes::<T>(count)?;
    let at: *mut u8 = if size == 0 {
        return Ok(NonNull::dangling());
    } else if size <= HEAP_MAX {
        let layout = Layout::array::<T>(count).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: the size is not zero, and what was allocated can be written.
        unsafe {
            if size <= CLEARED_MAX {
                let at = alloc(layout);
                if !at.is_null() {
                    at.write_bytes(0, size);
                }
                at
            } else {
                alloc_zeroed(layout)
            }
        }
    } else {
        sys::map_zeros(whole_pages(size))?
    };
    NonNull::new(at.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

/// Frees entries of [`allocate`] or of a remapping.
///
/// # Safety
///
/// `base` is the start of `count` entries, as in invariant **entries**, which are not used any more.
unsafe fn free<T: Entry>(base: NonNull<T>, count: usize) {
    let Ok(layout) = Layout::array::<T>(count) else { return };
    let at: *mut u8 = base.as_ptr().cast();
    // SAFETY: by the contract.
    unsafe {
        match layout.size() {
            0 => {}
            size if size <= HEAP_MAX => dealloc(at, layout),
            size => sys::unmap(at, whole_pages(size)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_null(entries: &Entries<u64>, range: Range<usize>) -> bool {
        entries[range].iter().all(Entry::is_null)
    }

    #[test]
    fn entries_survive_growth_and_new_ones_are_null() {
        let mut entries = Entries::<u64>::new(0).unwrap();
        let most = 1 << 20;
        let mut len = 0;
        while len < most {
            let next = (len + 1 + len / 3).min(most);
            entries.grow(next, most).unwrap();
            assert!(is_null(&entries, len..next), "{len}..{next}");
            assert!(entries[..len].iter().enumerate().all(|(n, &entry)| entry == n as u64 + 1));
            assert!(entries.capacity <= most);
            (len..next).for_each(|n| entries[n] = n as u64 + 1);
            len = next;
        }
    }

    #[test]
    fn what_is_cleared_is_null_and_nothing_else() {
        let len = 4 * HEAP_MAX / size_of::<u64>();
        for len in [100, len] {
            let mut random = fastrand::Rng::with_seed(len as u64);
            let mut entries = Entries::<u64>::new(len).unwrap();
            for _ in 0..50 {
                entries.fill(7);
                let (a, b) = (random.usize(0..=len), random.usize(0..=len));
                let range = a.min(b)..a.max(b);
                entries.clear(range.clone());
                assert!(is_null(&entries, range.clone()));
                let outside = [&entries[..range.start], &entries[range.end..]].concat();
                assert!(outside.iter().all(|&entry| entry == 7), "{range:?} of {len}");
            }
        }
    }

    #[test]
    fn what_nobody_touches_costs_nothing() {
        let before = sys::resident_bytes();
        let most = 1 << 27;
        let mut entries = Entries::<u64>::new(most / 4).unwrap();
        entries.clear(0..most / 4);
        (1..1000).for_each(|n| entries.clear(n * 5000..n * 5000 + 4000));
        entries.grow(most, most).unwrap();
        assert_eq!(entries[most - 1], 0);
        entries[most - 1] = 1;
        entries.clear(5..most);
        assert_eq!(entries[most - 1], 0);
        // 1 GiB of entries. Other tests run beside this one.
        let after = sys::resident_bytes();
        assert!(after < before + (100 << 20), "{before} -> {after}");
    }

    #[test]
    fn what_cannot_be_had_is_an_error() {
        assert!(Entries::<u64>::new(usize::MAX).is_err());
        assert!(Entries::<u64>::new(1 << 50).is_err());
        let mut entries = Entries::<u64>::new(HEAP_MAX).unwrap();
        entries[5] = 5;
        assert!(entries.grow(1 << 50, usize::MAX).is_err());
        assert!(entries.grow(usize::MAX, usize::MAX).is_err());
        assert_eq!((entries.len(), entries[5]), (HEAP_MAX, 5));
    }
}
