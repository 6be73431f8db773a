//! The address ranges of all memories, readable in signal handlers: a lock-free list of chunks that
//! only grows.
//!
//! An entry is reused when its range is removed, so a reader must not combine the start of one range
//! with the end of another. Each entry has a version for that, whose two lowest bits are its state:
//!
//! ```text
//!   FREE --insert--> WRITING --insert--> LIVE --remove--> FREE of the next version
//! ```
//!
//! A reader takes the bounds between two loads of the version, and only if both give the same one.
//! It never retries: an entry that changes meanwhile holds no range that lives during the whole
//! call, and the caller that looks up an address of a memory keeps that memory alive.
//!
//! A position from which on to look for a free entry keeps an insertion from reading all entries.

use crate::vm::sync::{self, AtomicPtr, AtomicUsize, Ordering, fence};
use std::ptr;

/// Entries of a chunk. Models use few, so that they reach the second chunk.
const CHUNK: usize = if cfg!(all(test, loom)) { 1 } else { 256 };

/// The bits of a version that are the entry's state.
const STATE: usize = 3;
const FREE: usize = 0;
const WRITING: usize = 1;
const LIVE: usize = 2;

struct Entry {
    version: AtomicUsize,
    start: AtomicUsize,
    end: AtomicUsize,
}

impl Entry {
    sync::constructor! {
        fn new() -> Self {
            Entry {
                version: AtomicUsize::new(FREE),
                start: AtomicUsize::new(0),
                end: AtomicUsize::new(0),
            }
        }
    }

    /// Makes the entry hold a range; false if it holds one already.
    fn claim(&self, start: usize, end: usize) -> bool {
        let version = self.version.load(Ordering::Relaxed);
        let writing = version.wrapping_add(WRITING - FREE);
        if version & STATE != FREE
            || self
                .version
                .compare_exchange(version, writing, Ordering::AcqRel, Ordering::Relaxed)
                .is_err()
        {
            return false;
        }
        // With the fence in `read`, a reader that sees one of the stores below sees WRITING or later.
        fence(Ordering::Release);
        self.start.store(start, Ordering::Relaxed);
        self.end.store(end, Ordering::Relaxed);
        self.version.store(writing.wrapping_add(LIVE - WRITING), Ordering::Release);
        true
    }

    /// The entry's range and its version, if it is live.
    fn read(&self) -> Option<(usize, usize, usize)> {
        let version = self.version.load(Ordering::Acquire);
        if version & STATE != LIVE {
            return None;
        }
        let (start, end) = (self.start.load(Ordering::Relaxed), self.end.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        (self.version.load(Ordering::Relaxed) == version).then_some((start, end, version))
    }

    /// Frees the entry if it still has the version at which it was read.
    fn free(&self, version: usize) -> bool {
        let next = (version & !STATE).wrapping_add(STATE + 1);
        self.version.compare_exchange(version, next, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

struct Chunk {
    entries: [Entry; CHUNK],
    next: AtomicPtr<Chunk>,
}

impl Chunk {
    sync::constructor! {
        fn new() -> Self {
            Chunk {
                entries: sync::array![Entry::new(); CHUNK],
                next: AtomicPtr::new(ptr::null_mut()),
            }
        }
    }
}

/// The number of an entry, counted from the first chunk's first.
pub(in crate::vm) type Position = usize;

/// A set of ranges that do not overlap.
pub(in crate::vm) struct Ranges {
    first: Chunk,
    /// Most free entries lie from here on. Threads that add and remove ranges at the same time may
    /// leave free entries before it.
    next: AtomicUsize,
}

sync::global! {
    static ALL: Ranges = Ranges::new();
}

/// Adds a range to those of the process, and gives its position.
pub(in crate::vm) fn insert(start: usize, end: usize) -> Position {
    ALL.insert(start, end)
}

/// Removes the range at a position, which starts at `start`.
pub(in crate::vm) fn remove(at: Position, start: usize) {
    ALL.remove(at, start);
}

/// Whether an address lies in a range of the process. Callable in signal handlers.
pub(in crate::vm) fn contains(address: usize) -> bool {
    ALL.contains(address)
}

impl Ranges {
    sync::constructor! {
        /// No ranges.
        pub(in crate::vm) fn new() -> Self {
            Ranges { first: Chunk::new(), next: AtomicUsize::new(0) }
        }
    }

    fn chunks(&self) -> impl Iterator<Item = &Chunk> {
        std::iter::successors(Some(&self.first), |chunk| {
            // SAFETY: a chunk is published whole, and freed with `self` alone.
            unsafe { chunk.next.load(Ordering::Acquire).as_ref() }
        })
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chunks().flat_map(|chunk| &chunk.entries)
    }

    /// The entries from a position on, with their positions.
    fn entries_from(&self, at: Position) -> impl Iterator<Item = (Position, &Entry)> {
        let chunks = self.chunks().enumerate().skip(at / CHUNK);
        let entries = chunks.flat_map(|(n, chunk)| (n * CHUNK..).zip(&chunk.entries));
        entries.skip(at % CHUNK)
    }

    /// Adds a range, and gives its position.
    pub(in crate::vm) fn insert(&self, start: usize, end: usize) -> Position {
        let claim = |from: Position| {
            let mut entries = self.entries_from(from);
            entries.find(|(_, entry)| entry.claim(start, end)).map(|(at, _)| at)
        };
        loop {
            let next = self.next.load(Ordering::Relaxed);
            // Before there is another chunk, all entries are tried.
            if let Some(at) = claim(next).or_else(|| claim(0)) {
                let (set, read) = (Ordering::Relaxed, Ordering::Relaxed);
                // If an entry before it was freed meanwhile, that one is next.
                let _ = self.next.compare_exchange(next, at + 1, set, read);
                return at;
            }
            let chunk = Box::into_raw(Box::new(Chunk::new()));
            let last = self.chunks().last().unwrap_or(&self.first);
            let null = ptr::null_mut();
            if last.next.compare_exchange(null, chunk, Ordering::AcqRel, Ordering::Relaxed).is_err()
            {
                // SAFETY: the chunk was not published.
                drop(unsafe { Box::from_raw(chunk) });
            }
        }
    }

    /// Removes the range at a position, if one that starts at `start` is there.
    pub(in crate::vm) fn remove(&self, at: Position, start: usize) {
        let Some((_, entry)) = self.entries_from(at).next() else { return };
        match entry.read() {
            Some((found, _, version)) if found == start && entry.free(version) => {
                self.next.fetch_min(at, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    /// Whether an address lies in one of the ranges. Callable in signal handlers.
    pub(in crate::vm) fn contains(&self, address: usize) -> bool {
        self.entries()
            .filter_map(Entry::read)
            .any(|(start, end, _)| address >= start && address < end)
    }
}

impl Drop for Ranges {
    fn drop(&mut self) {
        let mut next = self.first.next.load(Ordering::Acquire);
        while !next.is_null() {
            // SAFETY: nobody else has `self`, and each chunk is in the list once.
            let chunk = unsafe { Box::from_raw(next) };
            next = chunk.next.load(Ordering::Acquire);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn ranges_come_and_go() {
        let ranges = Ranges::new();
        let start = |i: usize| (i + 1) << 12;
        let count = 2 * CHUNK + 1;
        for i in 0..count {
            assert_eq!(ranges.insert(start(i), start(i) + 16), i);
        }
        assert!((0..count).all(|i| ranges.contains(start(i)) && ranges.contains(start(i) + 15)));
        assert!((0..count).all(|i| !ranges.contains(start(i) + 16)));
        assert!(!ranges.contains(0) && !ranges.contains(1) && !ranges.contains(usize::MAX));
        (0..count).step_by(2).for_each(|i| ranges.remove(i, start(i)));
        assert!((0..count).all(|i| ranges.contains(start(i)) == (i % 2 == 1)));
        // Neither an empty entry, nor one of another range, nor one that does not exist.
        [(0, start(0)), (1, start(0)), (4 * CHUNK, start(1))]
            .into_iter()
            .for_each(|(at, start)| ranges.remove(at, start));
        assert!((0..count).all(|i| ranges.contains(start(i)) == (i % 2 == 1)));
        for i in 0..CHUNK {
            assert_eq!(ranges.insert(start(count + i), start(count + i) + 16), 2 * i);
        }
        assert_eq!(ranges.chunks().count(), 3, "entries are reused");
    }
}
