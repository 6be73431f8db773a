//! The handle of a store: something without bytes at the store's address, which owns the store.

use super::Store;
use crate::vm::engine::Engine;
use crate::vm::shared::Shared;
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

/// The handle of a store; dropping it drops the store.
///
/// It has no size, so that it stays in its box: a host function that is lent the handle of the store
/// it runs in cannot put another handle in its place.
///
/// It has no bytes, and its address is that of the store. So the borrow of an outer call and the one
/// that a host function is lent share no bytes that the compiler could assume to be unchanged.
#[repr(C)]
pub(crate) struct StoreHandle {
    /// It can be sent to other threads, and not be shared between them.
    sent_not_shared: PhantomData<Cell<()>>,
    unsized_tail: [()],
}

impl StoreHandle {
    /// A new, empty store.
    pub(crate) fn new(engine: Arc<Shared<Engine>>) -> Box<StoreHandle> {
        let owner = Box::into_raw(Box::new(Store::new(engine)));
        owner.expose_provenance();
        // SAFETY: a handle has no bytes, so any address that is not null is one of a box.
        unsafe { Box::from_raw(handle_at(owner)) }
    }

    /// The store, with the provenance of its owner.
    #[inline]
    pub(crate) fn pointer(&self) -> NonNull<Store> {
        owner((&raw const *self).cast::<Store>())
    }

    /// The store.
    #[inline]
    pub(crate) fn store(&self) -> &Store {
        // SAFETY: invariant **owner**; the handle is borrowed as long as the store.
        unsafe { self.pointer().as_ref() }
    }

    /// As [`StoreHandle::store`], to change it.
    #[inline]
    pub(crate) fn store_mut(&mut self) -> &mut Store {
        // SAFETY: as in `store`; the mutable borrow of the handle excludes all others.
        unsafe { self.pointer().as_mut() }
    }
}

impl Drop for StoreHandle {
    fn drop(&mut self) {
        // SAFETY: invariant **owner**; nothing reaches the store after its handle is dropped.
        drop(unsafe { Box::from_raw(self.pointer().as_ptr()) });
    }
}

/// The handle of the store at an address.
pub(in crate::vm) fn handle_at(store: *mut Store) -> *mut StoreHandle {
    std::ptr::slice_from_raw_parts_mut(store.cast::<()>(), 0) as *mut StoreHandle
}

/// The pointer that owns the store at an address.
#[inline]
pub(super) fn owner(at: *const Store) -> NonNull<Store> {
    let owner = std::ptr::with_exposed_provenance_mut(at.addr());
    // SAFETY: the address is that of a box.
    unsafe { NonNull::new_unchecked(owner) }
}
