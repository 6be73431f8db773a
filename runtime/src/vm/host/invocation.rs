//! An invocation: one call of a host function, with its state and its caller's context.

use crate::vm::instance::context::{Context, FuncSlot, HostRecord, MemoryDef};
use crate::vm::store::{Store, StoreHandle, handle_at};
use crate::vm::{instance, memory};
use precast_abi::vmctx;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// One call of a host function that has a state of type `T`.
///
/// Invariant: it is made for one call of a host function, has pointers of one live store that the
/// call is inside of, and is not used after the call.
pub(crate) struct Invocation<'a, T> {
    store: NonNull<Store>,
    /// The calling instance's context, or null.
    ctx: *mut u8,
    state: *mut T,
    /// The stack pointer at which machine code called; none for a call by the host.
    exit_sp: Option<usize>,
    call: PhantomData<&'a mut T>,
}

// SAFETY: host functions lend the store and the state to futures, which run on one thread at a time.
// Both can be sent: the state by the bounds of host modules.
#[cfg(feature = "async")]
unsafe impl<T: Send> Send for Invocation<'_, T> {}

impl<T> Invocation<'_, T> {
    /// A call through a slot.
    ///
    /// # Safety
    ///
    /// The slot is that of a live context or host record, and `state` that of the function.
    #[inline]
    pub(super) unsafe fn of_slot(slot: *const FuncSlot, state: *mut T, exit_sp: usize) -> Self {
        // SAFETY: by the contract: the importer of a slot is its context, and a slot without one is
        // the first field of a host record.
        unsafe {
            let ctx = (*slot).importer;
            let store = if ctx.is_null() {
                (*slot.cast::<HostRecord>()).store
            } else {
                Context::from_raw(ctx).read(vmctx::STORE)
            };
            Invocation { store, ctx, state, exit_sp: Some(exit_sp), call: PhantomData }
        }
    }

    /// A call by the host.
    ///
    /// # Safety
    ///
    /// `state` is that of the function in the store, which the call is inside of.
    pub(super) unsafe fn of_host(store: NonNull<Store>, state: *mut T) -> Self {
        let ctx = std::ptr::null_mut();
        Invocation { store, ctx, state, exit_sp: None, call: PhantomData }
    }

    /// The handle of the store the call is inside of.
    #[inline]
    pub(crate) fn store_handle(&mut self) -> &mut StoreHandle {
        if let Some(sp) = self.exit_sp {
            self.store().left_guest_at(sp);
        }
        // SAFETY: invariant of the type. The outer call has the handle borrowed until it returns, and
        // lends it to the host function it waits for. A handle has no bytes, so that the two borrows
        // have none in common, and no size, so that no other can be put in its place.
        unsafe { &mut *handle_at(self.store.as_ptr()) }
    }

    /// The store's identity.
    pub(crate) fn store_id(&self) -> u64 {
        // SAFETY: invariant of the type.
        unsafe { self.store.as_ref().id() }
    }

    /// The pointer that owns the store.
    #[inline]
    pub(super) fn store_pointer(&self) -> NonNull<Store> {
        self.store
    }

    /// The store.
    pub(crate) fn store(&mut self) -> &mut Store {
        // SAFETY: invariant of the type; invariant **owner**.
        unsafe { self.store.as_mut() }
    }

    /// The context of the calling instance; null if it is not known.
    pub(super) fn caller(&self) -> *mut u8 {
        self.ctx
    }

    /// The state of the function's host module.
    #[inline]
    pub(crate) fn state(&mut self) -> &mut T {
        // SAFETY: the state lives as long as the host instance. This borrow ends before the store's
        // handle can be borrowed, through which a call could come back to the state.
        unsafe { &mut *self.state }
    }

    /// The memory that the calling instance exports as `memory`, and the state.
    #[inline]
    pub(crate) fn memory_and_state(&mut self) -> (Option<&mut [u8]>, &mut T) {
        // SAFETY: the field is null or the definition of a live memory; machine code waits, and
        // this borrow excludes other uses through the namespace. Memory and state are distinct.
        unsafe {
            let memory = (!self.ctx.is_null()).then(|| {
                let def =
                    Context::from_raw(self.ctx).read::<*mut MemoryDef>(vmctx::EXPORTED_MEMORY);
                (!def.is_null()).then(|| memory::bytes_of(def))
            });
            (memory.flatten(), &mut *self.state)
        }
    }

    /// The index of the calling instance; none for a call by the host.
    pub(crate) fn instance(&self) -> Option<u32> {
        if self.ctx.is_null() {
            return None;
        }
        // SAFETY: a context that is not null is that of a live instance.
        Some(unsafe { instance::of(Context::from_raw(self.ctx)).index })
    }
}
