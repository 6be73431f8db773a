//! Values that many threads refer to: a thread mostly counts its references in a cache line of its own.
//!
//! ```text
//!   Arc<Shared> of the owner ── value ──> Arc<T>
//!        │ handles: one Arc<Shared> per group of threads      ^
//!        └──────────────> Arc<Shared> of a group ── value ────┘
//! ```
//!
//! A reference of a group keeps the value alive, and not the owner. So nothing refers to itself, and all
//! counts are those of `Arc`.

use std::cell::Cell;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Groups of threads.
const GROUPS: usize = 32;

/// References that threads take before there are groups: a value that is used once needs none.
const FIRST: usize = 16;

/// A value that many threads refer to. The alignment keeps the counts of two groups apart.
///
/// ```
/// use precast_runtime::Shared;
/// use std::sync::Arc;
///
/// let names = Shared::new(Arc::new(vec!["a", "b"]));
/// // For each of many states that threads make at once:
/// let state = names.for_thread();
/// assert_eq!(state.len(), 2);
/// ```
#[derive(Debug)]
#[repr(align(128))]
pub struct Shared<T: ?Sized> {
    value: Arc<T>,
    /// The references that the groups copy. None in a reference of a group.
    handles: OnceLock<Box<[Arc<Shared<T>>]>>,
    /// References that were taken without a group.
    taken: AtomicUsize,
}

impl<T: ?Sized> Shared<T> {
    /// The owner's reference to a value.
    pub fn new(value: Arc<T>) -> Arc<Shared<T>> {
        Arc::new(Shared { value, handles: OnceLock::new(), taken: AtomicUsize::new(0) })
    }

    /// A reference for something that this thread makes.
    pub fn for_thread(self: &Arc<Self>) -> Arc<Self> {
        let handles = match self.handles.get() {
            Some(handles) => handles,
            None if self.taken.fetch_add(1, Ordering::Relaxed) < FIRST => return self.clone(),
            None => self.handles.get_or_init(|| (0..GROUPS).map(|_| self.handle()).collect()),
        };
        // A reference of a group has no groups itself.
        handles.get(group() % GROUPS).unwrap_or(self).clone()
    }

    fn handle(&self) -> Arc<Self> {
        let (value, none) = (self.value.clone(), OnceLock::from(Box::default()));
        Arc::new(Shared { value, handles: none, taken: AtomicUsize::new(0) })
    }

    /// Whether both refer to one value.
    pub(crate) fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value)
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

/// The group of this thread.
fn group() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static GROUP: Cell<Option<usize>> = const { Cell::new(None) };
    }
    GROUP.get().unwrap_or_else(|| {
        let group = NEXT.fetch_add(1, Ordering::Relaxed);
        GROUP.set(Some(group));
        group
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lives_as_long_as_its_last_reference() {
        let value = Arc::new(5);
        let weak = Arc::downgrade(&value);
        let owner = Shared::new(value);
        let taken: Vec<_> = (0..2 * FIRST).map(|_| owner.for_thread()).collect();
        let other = std::thread::scope(|scope| {
            let other = scope.spawn(|| owner.for_thread());
            other.join().unwrap()
        });
        assert!(taken.iter().chain([&other]).all(|one| one.same(&owner) && ***one == 5));
        let again = taken.last().unwrap().for_thread();
        drop((owner, taken));
        assert_eq!(weak.upgrade().as_deref(), Some(&5));
        drop(other);
        assert!(weak.upgrade().is_some());
        drop(again);
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn threads_count_apart() {
        let owner = Shared::new(Arc::new(()));
        (0..2 * FIRST).for_each(|_| drop(owner.for_thread()));
        let (count, here) = (Arc::strong_count(&owner), owner.for_thread());
        let there = std::thread::scope(|scope| {
            let there = scope.spawn(|| owner.for_thread());
            there.join().unwrap()
        });
        assert_eq!(Arc::strong_count(&owner), count);
        assert!(!Arc::ptr_eq(&here, &owner) && !Arc::ptr_eq(&there, &owner));
    }
}
