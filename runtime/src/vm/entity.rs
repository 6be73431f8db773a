//! Entities: functions, tables, memories and globals of a store, as addresses.

use super::code::Module;
use super::host::HostFuncDef;
use super::instance::context::{Context, FuncRef, FuncSlot};
use super::memory::MemoryData;
use super::store::Store;
use super::table::TableData;
use super::types::TypeRef;
use precast_abi::types::{ExternType, GlobalType};
use std::ptr::NonNull;

/// A pointer to something that a store owns, for the handles of the embedding API.
pub(crate) struct StorePtr<T>(*mut T);

impl<T> std::fmt::Debug for StorePtr<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Clone for StorePtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for StorePtr<T> {}

impl<T> PartialEq for StorePtr<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for StorePtr<T> {}

impl<T> std::hash::Hash for StorePtr<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

// SAFETY: the pointer is only followed with a borrow of the store it belongs to.
unsafe impl<T> Send for StorePtr<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for StorePtr<T> {}

impl<T> StorePtr<T> {
    pub(crate) fn new(at: *mut T) -> Self {
        StorePtr(at)
    }

    pub(crate) fn as_ptr(self) -> *mut T {
        self.0
    }

    /// The target; none when the store is closed. The caller has checked that the target belongs to
    /// this store.
    pub(crate) fn get(self, store: &Store) -> Option<&T> {
        // SAFETY: invariant **store**: a store that is not closed still owns all it ever owned.
        (!store.is_closed()).then(|| unsafe { &*self.0 })
    }

    /// As [`StorePtr::get`], to change it.
    pub(crate) fn get_mut(self, store: &mut Store) -> Option<&mut T> {
        // SAFETY: as in `get`; the store is borrowed mutably, so no other call is inside it.
        (!store.is_closed()).then(|| unsafe { &mut *self.0 })
    }
}

// SAFETY: the addresses in an entity are only followed with a borrow of its store.
unsafe impl Send for FuncEntity {}
// SAFETY: as above.
unsafe impl Sync for FuncEntity {}
// SAFETY: as above.
unsafe impl Send for GlobalEntity {}
// SAFETY: as above.
unsafe impl Sync for GlobalEntity {}

/// A function; valid as long as its store.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum FuncEntity {
    /// WebAssembly code, or the thunk of an importer that leads to a host function.
    Wasm(WasmFunc),
    /// A host function.
    Host(HostFunc),
}

/// Code and context.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct WasmFunc {
    pub(crate) ty: TypeRef,
    /// Code in the `tail` convention.
    pub(crate) code: *const u8,
    /// The context to pass.
    pub(crate) ctx: Context,
    /// The entry thunks of its type; the typed one may be null.
    pub(crate) array_entry: *const u8,
    pub(crate) typed_entry: *const u8,
}

/// A host function's definition and the state it works on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct HostFunc {
    /// Lives as long as the host instance, which the store keeps.
    pub(super) def: NonNull<HostFuncDef>,
    /// The environment, through which the function's code finds its closure and state.
    pub(super) env: *const (),
}

impl HostFunc {
    pub(super) fn def(&self) -> &HostFuncDef {
        // SAFETY: invariant **store**: the host instance that has the definition lives as long
        // as the store this entity belongs to.
        unsafe { self.def.as_ref() }
    }
}

impl FuncEntity {
    /// Two addresses that tell functions apart: of code and context, or of definition and state.
    pub(crate) fn address(&self) -> (usize, usize) {
        match self {
            FuncEntity::Wasm(func) => (func.code as usize, func.ctx.as_ptr() as usize),
            FuncEntity::Host(func) => (func.def.as_ptr() as usize, func.env as usize),
        }
    }

    /// Its machine code; none for a host function.
    pub(super) fn code(&self) -> Option<*const u8> {
        match self {
            FuncEntity::Wasm(func) => Some(func.code),
            FuncEntity::Host(_) => None,
        }
    }

    /// The context of the instance whose code it is; none for a host function.
    #[inline]
    pub(super) fn context(&self) -> Option<Context> {
        match self {
            FuncEntity::Wasm(func) => Some(func.ctx),
            FuncEntity::Host(_) => None,
        }
    }

    /// The function's type.
    pub(crate) fn ty(&self) -> TypeRef {
        match self {
            FuncEntity::Wasm(func) => func.ty,
            FuncEntity::Host(func) => func.def().ty(),
        }
    }
}

/// A global's value and its type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct GlobalEntity {
    pub(crate) at: *mut u8,
    pub(crate) ty: GlobalType,
}

impl GlobalEntity {
    /// Its value's bits.
    pub(super) fn get(&self) -> u128 {
        // SAFETY: invariant **store**: the global lives, and only its users write it.
        unsafe {
            if self.ty.value.size() == 16 {
                self.at.cast::<u128>().read_unaligned()
            } else {
                u128::from(self.at.cast::<u64>().read())
            }
        }
    }

    /// Sets its value's bits.
    ///
    /// # Safety
    ///
    /// The bits are a value of the global's type; a reference is one of the same store.
    pub(super) unsafe fn set(&self, bits: u128) {
        // SAFETY: as in `get`.
        unsafe {
            if self.ty.value.size() == 16 {
                self.at.cast::<u128>().write_unaligned(bits);
            } else {
                self.at.cast::<u64>().write(bits as u64);
            }
        }
    }
}

/// Anything that can be imported.
#[derive(Clone, Copy)]
pub(crate) enum Entity {
    Func(FuncEntity),
    Table(*mut TableData),
    Memory(*mut MemoryData),
    Global(GlobalEntity),
}

impl Entity {
    /// Its type, with its size now as the minimum.
    pub(crate) fn ty(&self) -> ExternType {
        match self {
            Entity::Func(func) => ExternType::Func(func.ty().ty.clone()),
            // SAFETY: invariant **store**: what an entity refers to lives as long as the store.
            Entity::Table(table) => ExternType::Table(unsafe { (**table).table_type() }),
            // SAFETY: as above.
            Entity::Memory(memory) => ExternType::Memory(unsafe { (**memory).memory_type() }),
            Entity::Global(global) => ExternType::Global(global.ty),
        }
    }
}

/// The function that a reference stands for, unless the reference is a host function's own record.
///
/// # Safety
///
/// The record is not null, and its context is that of an instance, or a slot of one.
pub(super) unsafe fn func_of(record: &FuncRef) -> Option<FuncEntity> {
    // Host thunks, and the code of host functions themselves, take the importer's slot as their
    // context.
    let code =
        super::code::registry::lookup(record.code as usize, |code, at| !code.is_host_thunk(at));
    let takes_context = code == Some(true);
    // SAFETY: by the contract.
    let ctx = unsafe {
        Context::from_raw(match takes_context {
            true => record.ctx,
            false => (*record.ctx.cast::<FuncSlot>()).importer,
        })
    };
    // SAFETY: by the contract.
    let instance = unsafe { super::instance::of(ctx) };
    // A reference to an import stands for the imported function, not for the importer's thunk.
    if let Some(import) = instance.import_behind(record) {
        return Some(import);
    }
    let ty = instance.module.type_index(record.ty)?;
    Some(FuncEntity::Wasm(WasmFunc::new(&instance.module, ty, record.code, ctx)))
}

impl WasmFunc {
    /// Whether it can be called through a typed entry thunk.
    #[inline]
    pub(crate) fn has_typed_entry(&self) -> bool {
        !self.typed_entry.is_null()
    }

    /// A function of a module's instance, of the module's type at `ty`.
    pub(super) fn new(module: &Module, ty: u32, code: *const u8, ctx: Context) -> WasmFunc {
        let entry = |offset: u32| match offset {
            precast_abi::artifact::NONE => std::ptr::null(),
            offset => module.code().text(offset),
        };
        let desc = module.type_desc(ty);
        let (array_entry, typed_entry) = (entry(desc.array_entry), entry(desc.typed_entry));
        WasmFunc { ty: module.type_ref(ty), code, ctx, array_entry, typed_entry }
    }
}
