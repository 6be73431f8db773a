//! Tables.

use crate::error::{Error, ErrorKind};
use crate::namespace::Namespace;
use crate::value::Value;
use crate::vm::entity::Shared;
use crate::vm::table::TableData;
use precast_abi::types::{Limits, TableType, ValType};

/// A handle on a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Table {
    pub(crate) store: u64,
    pub(crate) data: Shared<TableData>,
}

impl Table {
    pub(crate) fn from_raw(store: u64, data: *mut TableData) -> Self {
        Table { store, data: Shared::new(data) }
    }

    fn data<'a>(&self, namespace: &'a Namespace) -> Option<&'a TableData> {
        namespace.own(self.store);
        self.data.get(namespace.store())
    }

    /// Its type, with its size now as the minimum.
    ///
    /// # Panics
    ///
    /// When the namespace is another one, as all functions here.
    pub fn ty(&self, namespace: &Namespace) -> TableType {
        let limits = Limits { min: 0, max: None };
        let closed = TableType { element: ValType::FuncRef, limits };
        self.data(namespace).map_or(closed, TableData::table_type)
    }

    /// Its size in elements.
    pub fn size(&self, namespace: &Namespace) -> u64 {
        self.data(namespace).map_or(0, TableData::size)
    }

    /// The element at `index`, if there is one.
    pub fn get(&self, namespace: &Namespace, index: u64) -> Option<Value> {
        let table = self.data(namespace)?;
        let raw = table.get(index)?;
        Some(namespace.store().lift(table.table_type().element, raw.into()))
    }

    /// Sets the element at `index`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] when there is no such element or the value is of another type or
    /// namespace, [`ErrorKind::Closed`].
    pub fn set(&self, namespace: &mut Namespace, index: u64, value: Value) -> Result<(), Error> {
        self.check(namespace, value)?;
        if namespace.store_mut().set_elements(self.data.as_ptr(), index, value, 1)? {
            Ok(())
        } else {
            Err(Error::types(format!("a table has no element {index}")))
        }
    }

    /// Grows it by `delta` elements of `value` and gives its old size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] when it may not grow so far or the value is of another type or
    /// namespace, [`ErrorKind::Closed`].
    pub fn grow(&self, namespace: &mut Namespace, delta: u64, value: Value) -> Result<u64, Error> {
        self.check(namespace, value)?;
        let old = namespace.store_mut().grow_table(self.data.as_ptr(), delta, value)?;
        old.ok_or_else(|| Error::types(format!("a table cannot grow by {delta}")))
    }

    fn check(&self, namespace: &Namespace, value: Value) -> Result<(), Error> {
        let table = self.data(namespace).ok_or(ErrorKind::Closed("namespace"))?;
        let element = table.table_type().element;
        if value.ty() == element {
            return Ok(());
        }
        Err(Error::types(format!("a table of {element} was given {}", value.ty())))
    }
}
