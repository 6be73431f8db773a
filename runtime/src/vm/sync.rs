//! Atomics and locks for the lock-free structures: the standard library's, or loom's in models.
//!
//! Loom's values exist only while a model runs and have no constant constructors, so statics,
//! constructors and arrays go through the macros of this module. Only the crate's own tests use
//! loom: a program that depends on this crate may set `cfg(loom)` for models of its own.

#[cfg(all(test, loom))]
pub(super) use loom::{
    sync::Mutex,
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence},
    thread::yield_now,
};
#[cfg(not(all(test, loom)))]
pub(super) use std::{
    sync::Mutex,
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence},
    thread::yield_now,
};

/// A static that is initialised at compile time, or in a model at first use.
macro_rules! global {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $value:expr;) => {
        #[cfg(not(all(test, loom)))]
        $(#[$meta])*
        static $name: $type = $value;
        #[cfg(all(test, loom))]
        loom::lazy_static! { $(#[$meta])* static ref $name: $type = $value; }
    };
}

/// A constructor, constant except in models.
macro_rules! constructor {
    ($(#[$meta:meta])* $vis:vis fn $name:ident() -> $type:ty $body:block) => {
        #[cfg(not(all(test, loom)))]
        $(#[$meta])*
        $vis const fn $name() -> $type $body
        #[cfg(all(test, loom))]
        $(#[$meta])*
        $vis fn $name() -> $type $body
    };
}

/// An array of values that are made one by one.
macro_rules! array {
    ($value:expr; $len:expr) => {{
        #[cfg(not(all(test, loom)))]
        let array = [const { $value }; $len];
        #[cfg(all(test, loom))]
        let array = std::array::from_fn::<_, { $len }, _>(|_| $value);
        array
    }};
}

pub(super) use {array, constructor, global};

/// A field of a structure that is freed while others may read it. A model fails when a read does
/// not happen before the structure is dropped; elsewhere this does nothing.
#[derive(Default)]
pub(super) struct Watch(#[cfg(all(test, loom))] loom::cell::UnsafeCell<()>);

impl Watch {
    /// The structure is being read.
    #[inline(always)]
    pub(super) fn read(&self) {
        #[cfg(all(test, loom))]
        self.0.with(|_| ());
    }
}

#[cfg(all(test, loom))]
impl Drop for Watch {
    fn drop(&mut self) {
        self.0.with_mut(|_| ());
    }
}
