//! References and other values, as machine code holds them and as the host does.

use super::{NewRecord, Store};
use crate::error::{Error, ErrorKind};
use crate::func::Func;
use crate::value::{ExternRef, Value};
use crate::vm::entity::{FuncEntity, GlobalEntity, HostFunc, func_of};
use crate::vm::instance::context::{Context, FuncRef, FuncSlot, HostRecord};
use crate::vm::table::{RawRef, TableData};
use crate::vm::types::TypeRef;
use precast_abi::types::ValType;

impl Store {
    /// A record for calls of a host function that an importer's artifact has no thunk for. Its
    /// slot leads machine code to it, once the store keeps the record.
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

    /// Keeps a record until the store is cleared. Its importer must be there as long.
    pub(in crate::vm) fn keep_record(&mut self, NewRecord { slot, record, func }: NewRecord) {
        self.host_records.insert(slot.ctx as usize, (record, func));
    }

    #[cfg(test)]
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
                    let ty = func.ty.identity;
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
                let ty = func.def().ty().identity;
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

    /// The function a reference stands for.
    fn func_of(&self, raw: RawRef) -> Option<FuncEntity> {
        // A call that closed the store from within may still give references to what is gone.
        if raw == 0 || (self.closed && self.depth == 0) {
            return None;
        }
        // SAFETY: invariant **store**: references that are not null point to live records.
        let record = unsafe { &*(raw as *const FuncRef) };
        if let Some((_, func)) = self.host_records.get(&(record.ctx as usize)) {
            return Some(FuncEntity::Host(*func));
        }
        // SAFETY: a record whose context is no host record has an instance's.
        unsafe { func_of(record) }
    }

    /// A value's bits, as machine code holds it.
    pub(crate) fn lower(&mut self, value: Value) -> Result<u128, Error> {
        let foreign = || -> Error { ErrorKind::Foreign("a reference of another namespace").into() };
        Ok(match value {
            Value::I32(v) => u128::from(v as u32),
            Value::I64(v) => u128::from(v as u64),
            Value::F32(v) => v.into(),
            Value::F64(v) => v.into(),
            Value::V128(v) => v,
            Value::FuncRef(None) | Value::ExternRef(None) => 0,
            Value::FuncRef(Some(func)) if func.store == self.id => {
                self.func_ref(func.entity)?.into()
            }
            Value::ExternRef(Some(value)) if value.store == self.id => value.raw.into(),
            Value::FuncRef(_) | Value::ExternRef(_) => return Err(foreign()),
        })
    }

    /// The value that bits from machine code are.
    pub(crate) fn lift(&self, ty: ValType, raw: u128) -> Value {
        match ty {
            ValType::I32 => Value::I32(raw as i32),
            ValType::I64 => Value::I64(raw as i64),
            ValType::F32 => Value::F32(raw as u32),
            ValType::F64 => Value::F64(raw as u64),
            ValType::V128 => Value::V128(raw),
            ValType::FuncRef => {
                let entity = self.func_of(raw as RawRef);
                Value::FuncRef(entity.map(|entity| Func { store: self.id, entity }))
            }
            ValType::ExternRef => {
                let raw = raw as u64;
                Value::ExternRef((raw != 0).then_some(ExternRef { store: self.id, raw }))
            }
        }
    }

    /// The bits of a global of this store; none when it is closed.
    pub(crate) fn global(&self, global: GlobalEntity) -> Option<u128> {
        (!self.is_closed()).then(|| global.get())
    }

    /// Sets a global of this store; the value must have its type.
    pub(crate) fn set_global(&mut self, global: GlobalEntity, value: Value) -> Result<(), Error> {
        let raw = self.lower(value)?;
        // SAFETY: the caller compared the types, and `lower` refuses foreign references.
        unsafe { global.set(raw) };
        Ok(())
    }

    /// Sets `len` elements from `index` on of a table of this store; the value must have its element
    /// type. False when there are not so many.
    pub(crate) fn set_elements(
        &mut self,
        table: *mut TableData,
        index: u64,
        value: Value,
        len: u64,
    ) -> Result<bool, Error> {
        let raw = self.lower(value)? as RawRef;
        // SAFETY: the caller compared the types, and `lower` refuses foreign references.
        Ok(unsafe { (*table).fill(index, raw, len) })
    }

    /// Grows a table of this store; the value must have its element type.
    pub(crate) fn grow_table(
        &mut self,
        table: *mut TableData,
        delta: u64,
        value: Value,
    ) -> Result<Option<u64>, Error> {
        let raw = self.lower(value)? as RawRef;
        // SAFETY: as in `set_elements`.
        Ok(unsafe { (*table).grow(delta, raw) })
    }
}

/// The thunk that leads machine code to host functions of a type.
#[cfg(feature = "compiler")]
fn host_thunk(ty: TypeRef, dynamic: bool) -> Result<*const u8, Error> {
    crate::vm::code::jit::host_thunk(ty, dynamic)
}

/// Without a compiler there is no thunk for a signature that no artifact has one for.
#[cfg(not(feature = "compiler"))]
fn host_thunk(ty: TypeRef, _dynamic: bool) -> Result<*const u8, Error> {
    Err(crate::ErrorKind::Unsupported(format!(
        "a host function {} here needs the feature `compiler`: its thunk is made at run time",
        ty.ty
    ))
    .into())
}
