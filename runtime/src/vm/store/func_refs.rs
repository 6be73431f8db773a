//! Function references: the records that they point to, and the functions that records stand for.

use super::Store;
use crate::error::Error;
use crate::vm::entity::{FuncEntity, HostFunc, func_of};
use crate::vm::instance::context::{Context, FuncRef, FuncSlot, HostRecord};
use crate::vm::table::RawRef;
use crate::vm::types::TypeRef;

/// A record of a host function that no store keeps yet. It is dropped with the context that needs
/// it when the instantiation fails.
pub(in crate::vm) struct NewRecord {
    /// The slot that machine code calls through.
    pub(in crate::vm) slot: FuncSlot,
    record: Box<HostRecord>,
    func: HostFunc,
}

impl Store {
    /// A record for calls of a host function that the importer's artifact has no thunk for. Machine
    /// code may call through its slot once the store keeps the record.
    pub(in crate::vm) fn host_record(
        &mut self,
        func: HostFunc,
        importer: Option<Context>,
    ) -> Result<NewRecord, Error> {
        let def = func.def();
        let code = host_thunk(def.ty(), def.is_dynamic())?;
        let importer = importer.map_or(std::ptr::null_mut(), |ctx| ctx.as_ptr());
        let ctx = std::ptr::null_mut();
        let slot =
            FuncSlot { func: def.code(), env: func.env, importer, ..FuncSlot::wasm(code, ctx) };
        let mut record = Box::new(HostRecord { slot, store: self.pointer() });
        let at: *mut HostRecord = &mut *record;
        Ok(NewRecord { slot: FuncSlot { ctx: at.cast(), ..slot }, record, func })
    }

    /// Keeps a record until the store is cleared. Its importer must live as long.
    pub(in crate::vm) fn keep_record(&mut self, NewRecord { slot, record, func }: NewRecord) {
        self.host_records.insert(slot.ctx as usize, (record, func));
    }

    #[cfg(all(test, feature = "compiler"))]
    pub(in crate::vm) fn host_records(&self) -> usize {
        self.host_records.len()
    }

    /// The record that a reference to a function points to.
    pub(crate) fn func_ref(&mut self, func: FuncEntity) -> Result<RawRef, Error> {
        match func {
            FuncEntity::Wasm(func) => {
                // SAFETY: the context is an instance's, as the entity is of this store.
                let instance = unsafe { crate::vm::instance::of(func.ctx) };
                let offset = instance.module.code().offset_of(func.code as usize);
                if let Some(own) = offset.and_then(|code| instance.module.func_ref_at(code)) {
                    return Ok(instance.func_ref(own));
                }
                let (code, ctx) = (func.code, func.ctx.as_ptr());
                let key = (code as usize, ctx as usize);
                let record = self.func_refs.entry(key).or_insert_with(|| {
                    let ty = func.ty.digest;
                    Box::new(FuncRef { code, ctx, ty, this: std::ptr::null() })
                });
                record.this = &**record;
                Ok(record.this as RawRef)
            }
            FuncEntity::Host(func) => {
                let key = (func.def.as_ptr() as usize, func.env as usize);
                if let Some(record) = self.host_refs.get(&key) {
                    return Ok(record.this as RawRef);
                }
                let new = self.host_record(func, None)?;
                let slot = new.slot;
                self.keep_record(new);
                let ty = func.def().ty().digest;
                let mut record = Box::new(FuncRef {
                    code: slot.code,
                    ctx: slot.ctx,
                    ty,
                    this: std::ptr::null(),
                });
                record.this = &*record;
                let this = record.this;
                self.host_refs.insert(key, record);
                Ok(this as RawRef)
            }
        }
    }

    /// The function that a reference stands for; none for null.
    pub(crate) fn func_of(&self, raw: RawRef) -> Option<FuncEntity> {
        // A call that closed the store from within may return a reference to a record that is gone.
        if raw == 0 || (self.closed && self.depth == 0) {
            return None;
        }
        // SAFETY: invariant **store**: references that are not null point to live records.
        let record = unsafe { &*(raw as *const FuncRef) };
        if let Some((_, func)) = self.host_records.get(&(record.ctx as usize)) {
            return Some(FuncEntity::Host(*func));
        }
        // SAFETY: the context of a record is a host record, or else an instance's.
        unsafe { func_of(record) }
    }
}

/// The thunk that leads machine code to host functions of a type.
#[cfg(feature = "compiler")]
fn host_thunk(ty: TypeRef, dynamic: bool) -> Result<*const u8, Error> {
    crate::vm::code::jit::host_thunk(ty, dynamic)
}

/// Without a compiler no thunk can be made at run time.
#[cfg(not(feature = "compiler"))]
fn host_thunk(ty: TypeRef, _dynamic: bool) -> Result<*const u8, Error> {
    Err(crate::error::ErrorKind::Unsupported(format!(
        "a host function {} here needs the feature `compiler`: its thunk is made at run time",
        ty.ty
    ))
    .into())
}
