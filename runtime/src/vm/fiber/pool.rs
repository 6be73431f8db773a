//! `StackPool`: stacks that are used again.

use super::stack::FiberStack;
use std::io;
use std::sync::{Mutex, MutexGuard};

/// Most unused stacks that keep their pages.
const WARM: usize = 8;
/// Most unused stacks without pages. More are unmapped.
const COLD: usize = 256;

/// Stacks of one size. Those that are unused are bounded in number and in memory.
pub(super) struct StackPool {
    /// Bytes of each stack.
    bytes: usize,
    idle: Mutex<Idle>,
}

/// The unused stacks. The one that was used last is the first to be used again.
struct Idle {
    warm: Vec<FiberStack>,
    cold: Vec<FiberStack>,
}

impl StackPool {
    pub(super) fn new(bytes: usize) -> StackPool {
        StackPool { bytes, idle: Mutex::new(Idle { warm: Vec::new(), cold: Vec::new() }) }
    }

    /// Takes a stack.
    ///
    /// # Errors
    ///
    /// As [`FiberStack::map`].
    pub(super) fn take(&self) -> io::Result<FiberStack> {
        let mut idle = self.lock();
        let found = idle.warm.pop().or_else(|| idle.cold.pop());
        drop(idle);
        found.map_or_else(|| FiberStack::map(self.bytes), Ok)
    }

    /// Gives a stack back.
    pub(super) fn give(&self, stack: FiberStack) {
        let mut idle = self.lock();
        if idle.warm.len() < WARM {
            idle.warm.push(stack);
            return;
        }
        let full = idle.cold.len() >= COLD;
        drop(idle);
        if !full {
            // Other threads do not wait for the system calls.
            stack.drop_pages();
            self.lock().cold.push(stack);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_used_again_and_few_are_kept() {
        let pool = StackPool::new(64 << 10);
        let first = pool.take().unwrap();
        let low = first.low();
        pool.give(first);
        let mut stacks = vec![pool.take().unwrap()];
        assert_eq!(stacks[0].low(), low);
        stacks.extend((0..WARM + COLD + 10).map(|_| pool.take().unwrap()));
        stacks.into_iter().for_each(|stack| pool.give(stack));
        let idle = pool.lock();
        assert_eq!((idle.warm.len(), idle.cold.len()), (WARM, COLD));
    }
}
