//! The states of a host module's instances: how they are made, and made again.

use std::mem;

/// Makes the states of a host module's instances, and knows their type.
///
/// # Safety
///
/// `make` gives a pointer that the other functions take, of a value that is owned by its holder.
pub(crate) unsafe trait States: Send + Sync {
    /// A new state.
    fn make(&self) -> *mut ();

    /// Puts a new state in the place of one.
    ///
    /// # Safety
    ///
    /// The state was made by this, and nothing refers to it.
    unsafe fn renew(&self, state: *mut ());

    /// Drops a state.
    ///
    /// # Safety
    ///
    /// The state was made by this, and is not used any more.
    unsafe fn free(&self, state: *mut ());

    /// Whether a snapshot of an instance that uses the state has all that the instance relies on; else
    /// the reason why not.
    ///
    /// # Safety
    ///
    /// The state was made by this, and nothing refers to it.
    unsafe fn check_snapshot(&self, state: *mut ()) -> Result<(), String>;
}

/// Checks whether what a state of type `T` has is the same in a new state.
pub(crate) type CheckSnapshot<T> = fn(&mut T) -> Result<(), String>;

/// States of one type.
pub(crate) struct TypedStates<F, T> {
    make: F,
    check: Option<CheckSnapshot<T>>,
}

impl<F: Fn() -> T, T> TypedStates<F, T> {
    pub(crate) fn new(make: F, check: Option<CheckSnapshot<T>>) -> Self {
        TypedStates { make, check }
    }
}

// SAFETY: all functions take the pointer of a box of `T`, which `make` leaks.
unsafe impl<F: Fn() -> T + Send + Sync, T: Send + 'static> States for TypedStates<F, T> {
    fn make(&self) -> *mut () {
        Box::into_raw(Box::new((self.make)())).cast()
    }

    unsafe fn renew(&self, state: *mut ()) {
        // The closure may panic: the state is replaced after it has returned.
        let new = (self.make)();
        // SAFETY: by the contract.
        drop(mem::replace(unsafe { &mut *state.cast::<T>() }, new));
    }

    unsafe fn free(&self, state: *mut ()) {
        // SAFETY: by the contract.
        drop(unsafe { Box::from_raw(state.cast::<T>()) });
    }

    unsafe fn check_snapshot(&self, state: *mut ()) -> Result<(), String> {
        // SAFETY: by the contract.
        self.check.map_or(Ok(()), |check| check(unsafe { &mut *state.cast::<T>() }))
    }
}
