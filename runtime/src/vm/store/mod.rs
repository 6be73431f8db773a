//! A store: the instances of a namespace, and everything else that the namespace owns.

mod entry;
mod func_refs;
mod handle;
mod identity;
mod instances;
mod interruption;
mod removal;
mod reset;
mod resources;
#[cfg(feature = "async")]
mod suspension;
mod unusable;
mod values;

use super::activation::stack::StackBounds;
use super::engine::Engine;
use super::entity::HostFunc;
use super::instance::context::{FuncRef, HostRecord, StoreContext};
use super::shared::Shared;
use crate::error::{Error, ErrorKind};
use precast_abi::store_context::MOST_FUEL;
use std::any::Any;
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::Arc;

pub(in crate::vm) use entry::Entered;
pub(in crate::vm) use func_refs::NewRecord;
pub(crate) use handle::StoreHandle;
pub(in crate::vm) use handle::handle_at;
use instances::{ContextIndex, Instance};
pub(in crate::vm) use interruption::INTERRUPTED;
use interruption::Interruption;
use removal::Removed;
use resources::Resources;
pub use resources::{Growth, GrowthRefused, MemoryUsage, RefusedBy, Resource, ResourceLimiter};
pub(crate) use resources::{ResourceLimits, UNLIMITED};
#[cfg(feature = "async")]
pub(in crate::vm) use suspension::Suspended;
pub(crate) use values::StoreValue;

/// Everything a namespace owns.
///
/// Invariant **owner**: the one pointer that owns a store is made by [`StoreHandle::new`], and its
/// provenance is exposed. A handle, a context and a host record hold the store's address and follow
/// it with that provenance. Rust code holds a reference to the store only while no machine code and
/// no host function runs.
#[repr(C)]
pub(crate) struct Store {
    /// First, so that a pointer to the store is one to the store context too.
    context: StoreContext,
    stack: StackBounds,
    /// The stack pointer at which the guest called the host function that now runs; before that,
    /// the one at which the host called the guest.
    guest_sp: usize,
    id: u64,
    engine: Arc<Shared<Engine>>,
    closed: bool,
    /// Whether calls do more than usual when they enter and leave: the store is closed, can be
    /// interrupted, or was interrupted.
    attention: bool,
    /// Whether calls have spans: whether the level was enabled when the store was made.
    has_spans: bool,
    /// Calls that are inside.
    depth: u32,
    /// Whether a call was ever inside. Before, no code of an instance can have run.
    was_entered: bool,
    interruption: Interruption,
    resources: Resources,
    names: HashMap<Box<str>, u32>,
    /// Instances that linkers made, by the identity of their provider.
    linked: Vec<(u64, u32)>,
    externs: Vec<Box<dyn Any + Send>>,
    /// A value that the embedder keeps with the namespace.
    pub(crate) data: Option<Box<dyn Any + Send>>,
    /// Records of functions that have none in their instance, by code and context.
    func_refs: HashMap<(usize, usize), Box<FuncRef>>,
    /// Records of host functions that machine code calls without an importer's thunk, by the
    /// record's address, which is the function's context.
    host_records: HashMap<usize, (Box<HostRecord>, HostFunc)>,
    /// References to host functions, by definition and environment.
    host_refs: HashMap<(usize, usize), Box<FuncRef>>,
    instances: Vec<Instance>,
    removed: Removed,
    contexts: ContextIndex,
}

// SAFETY: everything a store owns can be sent: host state and external values are `Send` by the
// bounds of the functions that take them, and all other pointers lead to memory it owns.
unsafe impl Send for Store {}

impl Store {
    fn new(engine: Arc<Shared<Engine>>) -> Store {
        Store {
            context: StoreContext { stack_limit: usize::MAX, fuel_used: u64::MAX - MOST_FUEL },
            stack: engine.stack(),
            guest_sp: 0,
            id: identity::next(),
            engine,
            closed: false,
            attention: false,
            has_spans: tracing::level_enabled!(tracing::Level::TRACE),
            depth: 0,
            was_entered: false,
            interruption: Interruption::default(),
            resources: Resources::default(),
            names: HashMap::new(),
            linked: Vec::new(),
            externs: Vec::new(),
            data: None,
            func_refs: HashMap::new(),
            host_records: HashMap::new(),
            host_refs: HashMap::new(),
            instances: Vec::new(),
            removed: Removed::default(),
            contexts: ContextIndex::default(),
        }
    }

    /// Tells stores apart; never zero, never used twice.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The number of calls that are inside.
    pub(in crate::vm) fn depth(&self) -> u32 {
        self.depth
    }

    pub(crate) fn engine(&self) -> &Arc<Shared<Engine>> {
        &self.engine
    }

    /// The pointer that owns this store.
    pub(in crate::vm) fn pointer(&self) -> NonNull<Store> {
        handle::owner(self)
    }

    #[inline]
    fn has_attention(&self) -> bool {
        self.attention
    }

    #[inline(always)]
    pub(in crate::vm) fn has_spans(&self) -> bool {
        self.has_spans
    }

    /// The stack limit of a store's running call. Callable in signal handlers.
    ///
    /// # Safety
    ///
    /// The store lives, and no other thread uses it.
    pub(in crate::vm) unsafe fn stack_limit(store: *const Store) -> usize {
        // SAFETY: by the contract. The handler interrupts machine code, or Rust code of this thread.
        unsafe { (&raw const (*store).context.stack_limit).read_volatile() }
    }

    /// Replaces the stack limit of a store's running call. Callable in signal handlers.
    ///
    /// # Safety
    ///
    /// As [`Store::stack_limit`].
    pub(in crate::vm) unsafe fn set_stack_limit(store: *mut Store, limit: usize) {
        // SAFETY: as in `stack_limit`.
        unsafe { (&raw mut (*store).context.stack_limit).write_volatile(limit) }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed || self.engine.is_closed()
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.is_closed() { Err(self.closed()) } else { Ok(()) }
    }

    /// The error that says whether the runtime or the namespace is closed.
    #[cold]
    fn closed(&self) -> Error {
        if self.engine.is_closed() {
            ErrorKind::Closed("runtime").into()
        } else {
            Error::closed_namespace()
        }
    }

    /// Closes the store; frees what it owns at once, or when the last call inside returns.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.attention = true;
        if self.depth == 0 {
            self.clear();
        }
    }

    /// Tells the instances if no code has run, so that what they leave can be reused as it is.
    fn tell_what_ran(&self) {
        if self.was_entered {
            return;
        }
        for instance in &self.instances {
            if let Instance::Module(instance) = instance {
                instance.nothing_has_run();
            }
        }
    }

    #[cold]
    fn clear(&mut self) {
        self.tell_what_ran();
        self.names.clear();
        self.linked.clear();
        self.contexts.clear();
        self.instances.clear();
        self.removed.clear();
        self.externs.clear();
        self.func_refs.clear();
        self.host_refs.clear();
        self.host_records.clear();
        self.interruption.clear();
        self.resources.clear();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.tell_what_ran();
    }
}
