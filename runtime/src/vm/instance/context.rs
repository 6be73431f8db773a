//! Contexts: reading and writing their fields, and the records that machine code reads.

use precast_abi::{store_context, vmctx};
use std::ptr::{self, NonNull};

/// A context pointer, as machine code passes it.
///
/// Invariant **context**: it points to the near end of a context whose header is initialised.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Context(*mut u8);

impl Context {
    /// The context at this address.
    ///
    /// # Safety
    ///
    /// The address is that of a context that lives as long as the store it is used with.
    pub(in crate::vm) unsafe fn from_raw(at: *mut u8) -> Self {
        Context(at)
    }

    /// The pointer machine code takes.
    pub(crate) fn as_ptr(self) -> *mut u8 {
        self.0
    }

    /// The address of a field.
    pub(in crate::vm) fn field<T>(self, offset: i32) -> *mut T {
        self.0.wrapping_offset(offset as isize).cast()
    }

    /// Reads a field.
    ///
    /// # Safety
    ///
    /// The offset is that of an initialised field of type `T` of this context.
    pub(in crate::vm) unsafe fn read<T: Copy>(self, offset: i32) -> T {
        // SAFETY: by the contract; fields are aligned to their size.
        unsafe { self.field::<T>(offset).read() }
    }

    /// Writes a field.
    ///
    /// # Safety
    ///
    /// The offset is that of a field of type `T` of this context.
    pub(in crate::vm) unsafe fn write<T: Copy>(self, offset: i32, value: T) {
        // SAFETY: by the contract; fields are aligned to their size.
        unsafe { self.field::<T>(offset).write(value) }
    }
}

/// [`vmctx::MemoryDef`].
#[repr(C)]
pub(crate) struct MemoryDef {
    pub(crate) base: *mut u8,
    pub(crate) len: u64,
}

/// [`vmctx::TableDef`].
#[repr(C)]
pub(crate) struct TableDef {
    pub(crate) base: *mut u8,
    pub(crate) len: u64,
}

/// [`vmctx::FuncRef`].
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct FuncRef {
    pub(crate) code: *const u8,
    pub(crate) ctx: *mut u8,
    pub(crate) ty: u64,
    pub(crate) this: *const FuncRef,
}

impl FuncRef {
    /// The null entry of a table.
    pub(crate) const NULL: FuncRef =
        FuncRef { code: ptr::null(), ctx: ptr::null_mut(), ty: 0, this: ptr::null() };
}

/// [`vmctx::FuncSlot`].
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct FuncSlot {
    pub(crate) code: *const u8,
    pub(crate) ctx: *mut u8,
    pub(crate) func: *const (),
    pub(crate) env: *const (),
    pub(crate) importer: *mut u8,
    pub(crate) exit_sp: usize,
    pub(crate) exit_fp: usize,
    pub(crate) thunk: *const u8,
}

impl FuncSlot {
    /// A slot of a function of another instance.
    pub(in crate::vm) fn wasm(code: *const u8, ctx: *mut u8) -> Self {
        let null = ptr::null();
        FuncSlot {
            code,
            ctx,
            func: null,
            env: null,
            importer: ptr::null_mut(),
            exit_sp: 0,
            exit_fp: 0,
            thunk: ptr::null(),
        }
    }
}

/// [`vmctx::MemorySlot`].
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct MemorySlot {
    pub(crate) def: *mut MemoryDef,
    pub(crate) base: *mut u8,
}

/// [`vmctx::HostRecord`].
#[repr(C, align(16))]
pub(crate) struct HostRecord {
    pub(crate) slot: FuncSlot,
    /// Points to the store's first field, the store context.
    pub(crate) store: NonNull<crate::vm::store::Store>,
}

/// [`store_context`].
#[repr(C)]
pub(crate) struct StoreContext {
    pub(crate) stack_limit: usize,
    pub(crate) fuel_used: u64,
}

const _: () = {
    use std::mem::{offset_of, size_of};
    assert!(size_of::<MemoryDef>() == vmctx::MemoryDef::SIZE as usize);
    assert!(offset_of!(MemoryDef, len) == vmctx::MemoryDef::LEN as usize);
    assert!(size_of::<TableDef>() == vmctx::TableDef::SIZE as usize);
    assert!(offset_of!(TableDef, len) == vmctx::TableDef::LEN as usize);
    assert!(size_of::<FuncRef>() == vmctx::FuncRef::SIZE as usize);
    assert!(offset_of!(FuncRef, ctx) == vmctx::FuncRef::CTX as usize);
    assert!(offset_of!(FuncRef, ty) == vmctx::FuncRef::TYPE as usize);
    assert!(offset_of!(FuncRef, this) == vmctx::FuncRef::REF as usize);
    assert!(size_of::<FuncSlot>() == vmctx::FuncSlot::SIZE as usize);
    assert!(offset_of!(FuncSlot, func) == vmctx::FuncSlot::FUNC as usize);
    assert!(offset_of!(FuncSlot, env) == vmctx::FuncSlot::ENV as usize);
    assert!(offset_of!(FuncSlot, importer) == vmctx::FuncSlot::IMPORTER as usize);
    assert!(offset_of!(FuncSlot, exit_sp) == vmctx::FuncSlot::EXIT_SP as usize);
    assert!(offset_of!(FuncSlot, exit_fp) == vmctx::FuncSlot::EXIT_FP as usize);
    assert!(offset_of!(FuncSlot, thunk) == vmctx::FuncSlot::THUNK as usize);
    assert!(size_of::<MemorySlot>() == vmctx::MemorySlot::SIZE as usize);
    assert!(offset_of!(MemorySlot, base) == vmctx::MemorySlot::BASE as usize);
    assert!(offset_of!(HostRecord, store) == vmctx::HostRecord::STORE as usize);
    assert!(size_of::<StoreContext>() == store_context::SIZE as usize);
    assert!(offset_of!(StoreContext, stack_limit) == store_context::STACK_LIMIT as usize);
    assert!(offset_of!(StoreContext, fuel_used) == store_context::FUEL_USED as usize);
};
