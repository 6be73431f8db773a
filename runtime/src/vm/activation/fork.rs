//! Forks: a child has one thread of its parent's, and locks as they were. It gets lists with that thread
//! alone, so that its calls can be interrupted too.

use super::thread;
use super::threads::{self, Threads};
use super::watch::{self, Watch};
use crate::vm::alloc::counts;
use crate::vm::sys;
use std::cell::RefCell;
use std::sync::MutexGuard;

thread_local! {
    /// The locks that the thread holds while it forks, so that no other thread is changing what they
    /// protect.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

struct Held {
    watch: MutexGuard<'static, Watch>,
    threads: MutexGuard<'static, Threads>,
    _counts: counts::Lock,
}

/// Prepares the process for forks. Called once.
pub(super) fn install() {
    sys::around_forks(before, in_parent, in_child);
}

extern "C" fn before() {
    // While the thread ends, the cell may be gone. Then it is left to chance.
    let _ = HELD.try_with(|held| {
        let (watch, threads, _counts) = (watch::lock(), threads::lock(), counts::lock());
        *held.borrow_mut() = Some(Held { watch, threads, _counts });
    });
}

extern "C" fn in_parent() {
    let _ = HELD.try_with(|held| held.borrow_mut().take());
}

extern "C" fn in_child() {
    let held = HELD.try_with(|held| held.borrow_mut().take()).ok().flatten();
    let Some(Held { mut watch, mut threads, _counts }) = held else { return };
    watch.begin_again();
    threads.keep_only(thread::record());
}
