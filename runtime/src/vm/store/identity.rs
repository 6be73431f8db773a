//! Identities of stores. A thread takes them in blocks, so that threads do not share a counter.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Identities that a thread takes at once, plus one.
const BLOCK: u64 = 1 << 16;

/// An identity that is never zero and never used twice.
pub(super) fn next() -> u64 {
    static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        /// The last one taken. The block is used up when the next one is a multiple of its size.
        static LAST: Cell<u64> = const { Cell::new(BLOCK - 1) };
    }
    let mut next = LAST.get() + 1;
    if next.is_multiple_of(BLOCK) {
        next = NEXT_BLOCK.fetch_add(BLOCK, Ordering::Relaxed) + 1;
    }
    LAST.set(next);
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_identity_is_used_twice() {
        let take = || (0..2 * BLOCK + 10).map(|_| next()).collect::<Vec<_>>();
        let all = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|_| scope.spawn(take)).collect();
            threads.into_iter().flat_map(|t| t.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(!all.contains(&0));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
