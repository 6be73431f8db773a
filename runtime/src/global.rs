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

    /// Its type.
    pub fn ty(&self, namespace: &Namespace) -> GlobalType {
        namespace.own(self.store);
        self.entity.ty
    }

    /// Its value; zero or null when the namespace is closed.
    ///
    /// # Panics
    ///
    /// When the namespace is another one.
    pub fn get(&self, namespace: &Namespace) -> Value {
        namespace.own(self.store);
        match namespace.store().global(self.entity) {
            Some(raw) => namespace.store().lift(self.entity.ty.value, raw),
            None => Value::default(self.entity.ty.value),
        }
    }

    /// Sets its value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Type`] when it is immutable or the value is of another type or namespace,
    /// [`ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// When the namespace is another one.
    pub fn set(&self, namespace: &mut Namespace, value: Value) -> Result<(), Error> {
        namespace.own(self.store);
        if namespace.is_closed() {
            return Err(ErrorKind::Closed("namespace").into());
        }
        let ty = self.entity.ty;
        if !ty.mutable {
            return Err(Error::types("an immutable global cannot be set"));
        }
        if value.ty() != ty.value {
            return Err(Error::types(format!("a global of {} was given {}", ty.value, value.ty())));
        }
        namespace.store_mut().set_global(self.entity, value)
    }
}
