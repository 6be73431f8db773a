//! Values that the host gives to a store, and what takes them: globals, tables, external values.

use super::Store;
use crate::error::{Error, ErrorKind};
use crate::vm::entity::{FuncEntity, GlobalEntity};
use crate::vm::table::{RawRef, TableData};
use std::any::Any;

/// A value that the host gives to a store.
#[derive(Clone, Copy)]
pub(crate) enum StoreValue {
    /// The bits of a number or a vector, as machine code holds them; zero for a null reference.
    Bits(u128),
    /// A function of the store with this identity.
    Func(u64, FuncEntity),
    /// An external value of the store with this identity, by its number.
    Extern(u64, u64),
}

impl Store {
    /// The bits of a value, as machine code holds them.
    ///
    /// # Errors
    ///
    /// When the value is a reference of another store.
    #[inline]
    pub(crate) fn bits(&mut self, value: StoreValue) -> Result<u128, Error> {
        match value {
            StoreValue::Bits(bits) => Ok(bits),
            StoreValue::Func(store, func) if store == self.id => Ok(self.func_ref(func)?.into()),
            StoreValue::Extern(store, number) if store == self.id => Ok(number.into()),
            _ => Err(ErrorKind::Foreign("a reference of another namespace").into()),
        }
    }

    /// The bits of a global of this store; none when it is closed.
    pub(crate) fn global(&self, global: GlobalEntity) -> Option<u128> {
        (!self.is_closed()).then(|| global.get())
    }

    /// Sets a global of this store; the value must have its type.
    pub(crate) fn set_global(
        &mut self,
        global: GlobalEntity,
        value: StoreValue,
    ) -> Result<(), Error> {
        let bits = self.bits(value)?;
        // SAFETY: the caller compared the types, and `bits` refuses foreign references.
        unsafe { global.set(bits) };
        Ok(())
    }

    /// Sets `len` elements from `index` on of a table of this store; the value must have its element
    /// type. False when there are fewer elements.
    pub(crate) fn set_elements(
        &mut self,
        table: *mut TableData,
        index: u64,
        value: StoreValue,
        len: u64,
    ) -> Result<bool, Error> {
        let raw = self.bits(value)? as RawRef;
        // SAFETY: the caller compared the types, and `bits` refuses foreign references.
        Ok(unsafe { (*table).fill(index, raw, len) })
    }

    /// Grows a table of this store; the value must have its element type.
    pub(crate) fn grow_table(
        &mut self,
        table: *mut TableData,
        delta: u64,
        value: StoreValue,
    ) -> Result<Option<u64>, Error> {
        let raw = self.bits(value)? as RawRef;
        // SAFETY: as in `set_elements`.
        Ok(unsafe { self.grow_elements(table, delta, raw) })
    }

    /// Keeps an external value, and gives its number, which is never zero.
    pub(crate) fn add_extern(&mut self, value: Box<dyn Any + Send>) -> u64 {
        self.externs.push(value);
        self.externs.len() as u64
    }

    /// The external value with a number.
    pub(crate) fn extern_value(&self, number: u64) -> Option<&(dyn Any + Send)> {
        let index = number.checked_sub(1)?;
        self.externs.get(index as usize).map(|value| &**value)
    }
}
