//! `Wakers`: the tasks to wake when the calls that wait have to stop.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard};
use std::task::Waker;

/// The wakers of waiting tasks, by the tasks' numbers.
///
/// Who stops calls says so first and then wakes. A task adds its waker first and then asks whether it
/// has to stop. The lock is between both, so that one of them sees the other.
#[derive(Default)]
pub(in crate::vm) struct Wakers(Mutex<HashMap<u64, Waker>>);

impl Wakers {
    /// Adds the waker of a task, or replaces it.
    pub(super) fn set(&self, task: u64, waker: &Waker) {
        self.lock().insert(task, waker.clone());
    }

    /// Removes the waker of a task.
    pub(super) fn remove(&self, task: u64) {
        let removed = self.lock().remove(&task);
        // The drop of a waker is code of the executor, which runs without the lock.
        drop(removed);
    }

    /// Wakes all tasks.
    pub(in crate::vm) fn wake_all(&self) {
        let wakers: Vec<Waker> = self.lock().values().cloned().collect();
        for waker in wakers {
            // A panic of the executor must not end the thread of the watch, nor keep others from being
            // woken. The panic hook has reported it.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Waker>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
