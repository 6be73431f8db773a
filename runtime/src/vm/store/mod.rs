//! A store: what a namespace owns, and who is inside it.

mod references;

use crate::error::{Error, ErrorKind};
use crate::module::CompiledModule;
use crate::namespace::Namespace;
use crate::runtime::Runtime;
use crate::trap::Trap;
use crate::value::ExternRef;
use crate::vm::activation::stack::{Limits, Outer};
use crate::vm::entity::{Entity, FuncEntity, HostFunc};
use crate::vm::host::HostInstance;
use crate::vm::instance::context::{FuncRef, FuncSlot, HostRecord, StoreContext};
use crate::vm::instance::{self, InstanceData};
use precast_abi::trap::TrapCode;
use std::any::Any;
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// An instance of a module or of a host module.
pub(in crate::vm) enum Member {
    Wasm(Box<InstanceData>),
    Host(Box<HostInstance>),
}

/// Everything a namespace owns.
///
/// Invariant **owner**: the one pointer that owns a store is made by [`Store::boxed`], and its
/// provenance is exposed. Everything that reaches the store (a [`Namespace`], a context, a host
/// record) holds its address and follows it with that provenance. A reference to the store is held
/// by Rust code only while no machine code and no host function runs.
#[repr(C)]
pub(crate) struct Store {
    /// First, so that a pointer to the store is one to the store context too.
    context: StoreContext,
    limits: Limits,
    /// The stack pointer at which the host function left the guest that is now given the
    /// namespace; at first the one at which the host called.
    guest_sp: usize,
    id: u64,
    runtime: Runtime,
    closed: bool,
    /// Calls that are inside.
    depth: u32,
    names: HashMap<Box<str>, u32>,
    /// Members that linkers made, by what they are made from.
    linked: Vec<(u64, u32)>,
    externs: Vec<Box<dyn Any + Send>>,
    /// What the embedder keeps with the namespace.
    pub(crate) data: Option<Box<dyn Any + Send>>,
    /// Records of functions that have none in their instance, by code and context.
    func_refs: HashMap<(usize, usize), Box<FuncRef>>,
    /// What host functions that machine code reaches without an importer's thunk need, by the
    /// record's address, which is their context.
    host_records: HashMap<usize, (Box<HostRecord>, HostFunc)>,
    /// Records of host functions, by definition and environment.
    host_refs: HashMap<(usize, usize), Box<FuncRef>>,
    pub(in crate::vm) members: Vec<Member>,
}

/// A record of a host function that no store keeps yet: a context that is given up takes its own
/// with it.
pub(super) struct NewRecord {
    /// What machine code calls.
    pub(super) slot: FuncSlot,
    record: Box<HostRecord>,
    func: HostFunc,
}

impl Store {
    /// A new store, in a namespace of its own.
    pub(crate) fn boxed(runtime: Runtime) -> Box<Namespace> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let limits = Limits::new(runtime.config());
        let store = Store {
            context: StoreContext { stack_limit: usize::MAX },
            limits,
            guest_sp: 0,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            runtime,
            closed: false,
            depth: 0,
            names: HashMap::new(),
            linked: Vec::new(),
            externs: Vec::new(),
            data: None,
            func_refs: HashMap::new(),
            host_records: HashMap::new(),
            host_refs: HashMap::new(),
            members: Vec::new(),
        };
        let owner = Box::into_raw(Box::new(store));
        owner.expose_provenance();
        // SAFETY: a namespace has no bytes, so any address that is not null is one of a box.
        unsafe { Box::from_raw(namespace_at(owner)) }
    }
}

/// The namespace of a store: something without bytes at the store's address.
pub(super) fn namespace_at(store: *mut Store) -> *mut Namespace {
    std::ptr::slice_from_raw_parts_mut(store.cast::<()>(), 0) as *mut Namespace
}

/// The store of a namespace, with the provenance of its owner.
#[inline]
pub(crate) fn pointer(namespace: &Namespace) -> NonNull<Store> {
    owner((&raw const *namespace).cast::<Store>())
}

/// The pointer that owns the store at an address.
#[inline]
fn owner(at: *const Store) -> NonNull<Store> {
    let owner = std::ptr::with_exposed_provenance_mut(at.addr());
    // SAFETY: the address is that of a box.
    unsafe { NonNull::new_unchecked(owner) }
}

/// The store of a namespace that is borrowed.
#[inline]
pub(crate) fn of(namespace: &Namespace) -> &Store {
    // SAFETY: invariant **owner**; the namespace is borrowed as long as the store.
    unsafe { pointer(namespace).as_ref() }
}

/// As [`of`], to change it.
#[inline]
pub(crate) fn of_mut(namespace: &mut Namespace) -> &mut Store {
    // SAFETY: as in `of`; whoever has the namespace borrowed mutably is the only one inside.
    unsafe { pointer(namespace).as_mut() }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // SAFETY: invariant **owner**; nothing reaches the store after its namespace is dropped.
        drop(unsafe { Box::from_raw(pointer(self).as_ptr()) });
    }
}

// SAFETY: everything a store owns can be sent: host state and external values are `Send` by the
// bounds of the functions that take them, and all other pointers lead to memory it owns.
unsafe impl Send for Store {}

/// Somebody inside a store; leaves it when dropped.
pub(super) struct Inside {
    store: NonNull<Store>,
    /// What holds for the call that this one is inside of, if there is one.
    outer: Outer,
}

impl Inside {
    /// Enters a store to run machine code on this thread. It comes as a pointer because host
    /// functions that machine code calls use it too, until this is dropped. `sp` is the stack
    /// pointer of the function that calls machine code: what is below it is the guest's.
    #[inline(always)]
    pub(super) fn enter(mut store: NonNull<Store>, sp: usize) -> Result<Inside, Error> {
        // SAFETY: the caller has the namespace borrowed; this borrow ends here.
        let outer = unsafe { store.as_mut() }.enter(sp)?;
        Ok(Inside { store, outer })
    }

    /// The store. No reference to it is kept while machine code runs.
    pub(super) fn store(&mut self) -> &mut Store {
        // SAFETY: the caller of `enter` still has the namespace borrowed.
        unsafe { self.store.as_mut() }
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        let Outer { stack_limit, guest_sp } = self.outer;
        let store = self.store();
        store.context.stack_limit = stack_limit;
        store.guest_sp = guest_sp;
        store.depth -= 1;
        if store.depth == 0 && store.closed {
            store.clear();
        }
    }
}

impl Store {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed || self.runtime.is_closed()
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        if self.is_closed() { Err(self.closed()) } else { Ok(()) }
    }

    /// Inlined with everything but its failures: it is most of what a call costs.
    #[inline(always)]
    fn enter(&mut self, sp: usize) -> Result<Outer, Error> {
        if self.is_closed() {
            return Err(self.closed());
        }
        let outer = Outer { stack_limit: self.context.stack_limit, guest_sp: self.guest_sp };
        let budget = match self.depth {
            0 => self.limits.guest,
            _ => outer.left(),
        };
        let limit = self.limits.stack_limit(sp, budget);
        if sp < limit {
            return Err(no_stack());
        }
        self.context.stack_limit = limit;
        self.guest_sp = sp;
        self.depth += 1;
        Ok(outer)
    }

    /// What of it is closed.
    #[cold]
    fn closed(&self) -> Error {
        let what = if self.runtime.is_closed() { "runtime" } else { "namespace" };
        ErrorKind::Closed(what).into()
    }

    /// Says at which stack pointer the host function left the guest that is about to be given the
    /// namespace.
    #[inline]
    pub(super) fn left_guest_at(&mut self, sp: usize) {
        self.guest_sp = sp;
    }

    /// The pointer that owns this store.
    pub(super) fn pointer(&self) -> NonNull<Store> {
        owner(self)
    }

    pub(super) fn next_index(&self) -> u32 {
        self.members.len() as u32
    }

    /// Closes the store; frees what it owns at once, or when the last call inside returns.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        if self.depth == 0 {
            self.clear();
        }
    }

    #[cold]
    fn clear(&mut self) {
        self.names.clear();
        self.linked.clear();
        self.members.clear();
        self.externs.clear();
        self.func_refs.clear();
        self.host_refs.clear();
        self.host_records.clear();
    }

    /// Gives a member a name.
    pub(crate) fn name(&mut self, name: &str, member: u32) {
        self.names.insert(name.into(), member);
    }

    /// The member with a name.
    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// An export of a member; none in a closed store.
    pub(crate) fn export(&self, member: u32, name: &str) -> Option<Entity> {
        match self.members.get(member as usize)? {
            Member::Wasm(instance) => instance.export(name),
            Member::Host(host) => host.export(name),
        }
    }

    /// The export of a module's instance at a position among the module's; none in a closed store.
    pub(crate) fn export_at(&self, member: u32, position: u32) -> Option<Entity> {
        match self.members.get(member as usize)? {
            Member::Wasm(instance) => Some(instance.export_at(position)),
            Member::Host(_) => None,
        }
    }

    /// The function of a host module's instance at a position; none in a closed store.
    pub(crate) fn host_func(&self, member: u32, position: u32) -> Option<Entity> {
        match self.members.get(member as usize)? {
            Member::Host(host) => Some(host.func(position)),
            Member::Wasm(_) => None,
        }
    }

    /// The member that a linker made from a provider.
    pub(crate) fn linked(&self, provider: u64) -> Option<u32> {
        let found = self.linked.iter().find(|(id, _)| *id == provider);
        found.map(|&(_, member)| member)
    }

    /// Says which member a linker made from a provider.
    pub(crate) fn set_linked(&mut self, provider: u64, member: u32) {
        self.linked.push((provider, member));
    }

    /// All exports of a member.
    pub(crate) fn exports(&self, member: u32) -> Vec<(String, Entity)> {
        match self.members.get(member as usize) {
            Some(Member::Wasm(instance)) => instance.exports(),
            Some(Member::Host(host)) => host.exports(),
            None => Vec::new(),
        }
    }

    /// Adds a host module's instance.
    pub(crate) fn add_host(&mut self, host: HostInstance) -> u32 {
        self.members.push(Member::Host(Box::new(host)));
        self.next_index() - 1
    }

    /// Makes an instance of a module, runs its segments, and gives it with its start function.
    ///
    /// The caller has checked that the imports are in order and of the right types.
    pub(crate) fn instantiate(
        &mut self,
        module: &CompiledModule,
        imports: &[Entity],
    ) -> Result<(u32, Option<FuncEntity>), Error> {
        // SAFETY: the caller looked the imports up in this store and checked them.
        let instance = unsafe { instance::build(self, module, imports)? };
        // An instance whose segments or start function trap stays: what it wrote into imported
        // tables may refer to it.
        self.members.push(Member::Wasm(instance));
        let index = self.next_index() - 1;
        let Some(Member::Wasm(instance)) = self.members.last_mut() else { unreachable!() };
        instance.run_segments()?;
        let info = instance.module.info();
        let has_start = info.start_func != precast_abi::artifact::NONE;
        let start =
            has_start.then(|| instance.func(info.start_func, info.start_type, info.start_code));
        Ok((index, start))
    }

    /// Keeps a value that guests can refer to.
    pub(crate) fn extern_ref(&mut self, value: Box<dyn Any + Send>) -> ExternRef {
        self.externs.push(value);
        ExternRef { store: self.id, raw: self.externs.len() as u64 }
    }

    /// The value a reference stands for.
    pub(crate) fn extern_value(&self, value: ExternRef) -> Option<&(dyn Any + Send)> {
        let index = value.raw.checked_sub(1).filter(|_| value.store == self.id)?;
        self.externs.get(index as usize).map(|value| &**value)
    }
}

/// There is not enough stack for a call.
#[cold]
fn no_stack() -> Error {
    Trap::new(TrapCode::StackOverflow, None, Vec::new()).into()
}
