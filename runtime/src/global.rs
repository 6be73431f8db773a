//! Globals.

use crate::error::{Error, ErrorKind};
use crate::namespace::Namespace;
use crate::value::Value;
use crate::vm::entity::GlobalEntity;
use precast_abi::types::GlobalType;

/// A handle on a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Global {
    pub(crate) store: u64,
    pub(crate) entity: GlobalEntity,
}

impl Global {
    pub(crate) fn from_raw(store: u64, entity: GlobalEntity) -> Self {
        Global { store, entity }
    }

    /// The global's type.
    pub fn ty(&self, namespace: &Namespace) -> GlobalType {
        namespace.own(self.store);
        self.entity.ty
    }

    /// The global's value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// If the global belongs to another namespace.
    pub fn get(&self, namespace: &Namespace) -> Result<Value, Error> {
        namespace.own(self.store);
        let store = namespace.store();
        store.check_open()?;
        let raw = store.global(self.entity).ok_or_else(Error::closed_namespace)?;
        Ok(Value::from_bits(store, self.entity.ty.value, raw))
    }

    /// Sets the global's value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Immutable`]; [`ErrorKind::TypeMismatch`] if the value has another type;
    /// [`ErrorKind::Foreign`] if it is a reference of another namespace; [`ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// If the global belongs to another namespace.
    pub fn set(&self, namespace: &mut Namespace, value: Value) -> Result<(), Error> {
        namespace.own(self.store);
        namespace.store().check_open()?;
        let ty = self.entity.ty;
        if !ty.mutable {
            return Err(ErrorKind::Immutable.into());
        }
        if value.ty() != ty.value {
            return Err(Error::mismatch(format!(
                "a global of {} was given {}",
                ty.value,
                value.ty()
            )));
        }
        namespace.store_mut().set_global(self.entity, value.for_store())
    }
}
