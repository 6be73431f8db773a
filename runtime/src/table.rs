//! Tables.

use crate::error::{Error, ErrorKind};
use crate::namespace::Namespace;
use crate::value::Value;
use crate::vm::entity::StorePtr;
use crate::vm::table::TableData;
use precast_abi::types::TableType;

/// A handle on a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Table {
    pub(crate) store: u64,
    pub(crate) data: StorePtr<TableData>,
}

impl Table {
    pub(crate) fn from_raw(store: u64, data: *mut TableData) -> Self {
        Table { store, data: StorePtr::new(data) }
    }

    fn data<'a>(&self, namespace: &'a Namespace) -> Result<&'a TableData, Error> {
        namespace.own(self.store);
        namespace.store().check_open()?;
        self.data.get(namespace.store()).ok_or_else(Error::closed_namespace)
    }

    /// The table's type, with its current size as the minimum.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], as for all functions of a table.
    ///
    /// # Panics
    ///
    /// If the table belongs to another namespace, as for all functions of a table.
    pub fn ty(&self, namespace: &Namespace) -> Result<TableType, Error> {
        Ok(self.data(namespace)?.table_type())
    }

    /// The number of elements.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn size(&self, namespace: &Namespace) -> Result<u64, Error> {
        Ok(self.data(namespace)?.size())
    }

    /// The element at `index`; `None` beyond the end.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn get(&self, namespace: &Namespace, index: u64) -> Result<Option<Value>, Error> {
        let table = self.data(namespace)?;
        let (store, ty) = (namespace.store(), table.table_type().element.val_type());
        Ok(table.get(index).map(|raw| Value::from_bits(store, ty, raw.into())))
    }

    /// Sets the element at `index`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if there is no such element; [`ErrorKind::TypeMismatch`] if the
    /// value has another type; [`ErrorKind::Foreign`] if it belongs to another namespace;
    /// [`ErrorKind::Closed`].
    pub fn set(&self, namespace: &mut Namespace, index: u64, value: Value) -> Result<(), Error> {
        self.check(namespace, value)?;
        if namespace.store_mut().set_elements(self.data.as_ptr(), index, value.for_store(), 1)? {
            Ok(())
        } else {
            Err(ErrorKind::NotFound(format!("a table has no element {index}")).into())
        }
    }

    /// Grows the table by `delta` elements with the value `value`, and returns its old size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if the table cannot have the new size, or the limits or the limiter of
    /// the namespace do not allow it; [`ErrorKind::TypeMismatch`] if
    /// the value has another type; [`ErrorKind::Foreign`] if it belongs to another namespace;
    /// [`ErrorKind::Closed`].
    pub fn grow(&self, namespace: &mut Namespace, delta: u64, value: Value) -> Result<u64, Error> {
        self.check(namespace, value)?;
        let old = namespace.store_mut().grow_table(self.data.as_ptr(), delta, value.for_store())?;
        Ok(old.ok_or_else(|| ErrorKind::Limit(format!("a table cannot grow by {delta}")))?)
    }

    fn check(&self, namespace: &Namespace, value: Value) -> Result<(), Error> {
        let element = self.data(namespace)?.table_type().element.val_type();
        if value.ty() == element {
            return Ok(());
        }
        Err(Error::mismatch(format!("a table of {element} was given {}", value.ty())))
    }
}
