//! Instances and their exports.

use crate::error::{Error, ErrorKind};
use crate::func::{Func, TypedFunc, WasmParams, WasmResults};
use crate::global::Global;
use crate::memory::Memory;
use crate::namespace::Namespace;
use crate::table::Table;
use crate::value::Value;
use crate::vm::entity::Entity;
use precast_abi::types::ExternType;

/// A handle on an instance of a module or of a host module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Instance {
    pub(crate) store: u64,
    pub(crate) index: u32,
}

/// An export of an instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A table.
    Table(Table),
    /// A memory.
    Memory(Memory),
    /// A global.
    Global(Global),
}

impl Extern {
    pub(crate) fn new(store: u64, entity: Entity) -> Self {
        match entity {
            Entity::Func(entity) => Extern::Func(Func { store, entity }),
            Entity::Table(table) => Extern::Table(Table::from_raw(store, table)),
            Entity::Memory(memory) => Extern::Memory(Memory::from_raw(store, memory)),
            Entity::Global(global) => Extern::Global(Global::from_raw(store, global)),
        }
    }

    /// The type. The minimum of a table or memory is its current size.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// If it belongs to another namespace.
    pub fn ty(&self, namespace: &Namespace) -> Result<ExternType, Error> {
        Ok(match self {
            Extern::Func(func) => ExternType::Func(func.ty(namespace)?),
            Extern::Table(table) => ExternType::Table(table.ty(namespace)?),
            Extern::Memory(memory) => ExternType::Memory(memory.ty(namespace)?),
            Extern::Global(global) => ExternType::Global(global.ty(namespace)),
        })
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        if let Extern::Func(func) = self { Some(func) } else { None }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        if let Extern::Table(table) = self { Some(table) } else { None }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        if let Extern::Memory(memory) = self { Some(memory) } else { None }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        if let Extern::Global(global) = self { Some(global) } else { None }
    }

    pub(crate) fn belongs_to(&self, namespace: &Namespace) -> bool {
        let store = match self {
            Extern::Func(func) => func.store,
            Extern::Table(table) => table.store,
            Extern::Memory(memory) => memory.store,
            Extern::Global(global) => global.store,
        };
        store == namespace.store().id()
    }

    /// The entity of the handle, in the namespace to which it belongs.
    pub(crate) fn entity(&self) -> Entity {
        match *self {
            Extern::Func(func) => Entity::Func(func.entity),
            Extern::Table(table) => Entity::Table(table.data.as_ptr()),
            Extern::Memory(memory) => Entity::Memory(memory.data.as_ptr()),
            Extern::Global(global) => Entity::Global(global.entity),
        }
    }

    /// The entity of a handle that belongs to `namespace`.
    #[track_caller]
    pub(crate) fn entity_of(&self, namespace: &Namespace) -> Entity {
        assert!(self.belongs_to(namespace), "a handle of another namespace was used");
        self.entity()
    }
}

macro_rules! from {
    ($($kind:ident)*) => {$(
        impl From<$kind> for Extern {
            fn from(value: $kind) -> Extern {
                Extern::$kind(value)
            }
        }
    )*};
}

from! { Func Table Memory Global }

impl Instance {
    /// The export with a name. `None` if the namespace is closed.
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    pub fn export(&self, namespace: &Namespace, name: &str) -> Option<Extern> {
        namespace.own(self.store);
        let entity = namespace.store().export(self.index, name)?;
        Some(Extern::new(self.store, entity))
    }

    /// All exports.
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    pub fn exports(&self, namespace: &Namespace) -> Vec<(String, Extern)> {
        namespace.own(self.store);
        let exports = namespace.store().exports(self.index).into_iter();
        exports.map(|(name, entity)| (name, Extern::new(self.store, entity))).collect()
    }

    /// The exported function with a name.
    pub fn func(&self, namespace: &Namespace, name: &str) -> Option<Func> {
        self.export(namespace, name)?.into_func()
    }

    /// The exported table with a name.
    pub fn table(&self, namespace: &Namespace, name: &str) -> Option<Table> {
        self.export(namespace, name)?.into_table()
    }

    /// The exported memory with a name.
    pub fn memory(&self, namespace: &Namespace, name: &str) -> Option<Memory> {
        self.export(namespace, name)?.into_memory()
    }

    /// The exported global with a name.
    pub fn global(&self, namespace: &Namespace, name: &str) -> Option<Global> {
        self.export(namespace, name)?.into_global()
    }

    /// The exported function with a name, for calls with these Rust types.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::NotFound`] if there is no such function;
    /// [`crate::ErrorKind::TypeMismatch`] if it has other types; [`crate::ErrorKind::Closed`].
    pub fn typed<P: WasmParams, R: WasmResults>(
        &self,
        namespace: &Namespace,
        name: &str,
    ) -> Result<TypedFunc<P, R>, Error> {
        self.must(namespace, name)?.typed(namespace)
    }

    /// Calls the exported function with a name.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::NotFound`] if there is no such function; otherwise as [`Func::call`].
    pub fn call(
        &self,
        namespace: &mut Namespace,
        name: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Error> {
        self.must(namespace, name)?.call(namespace, args)
    }

    pub(crate) fn must(&self, namespace: &Namespace, name: &str) -> Result<Func, Error> {
        namespace.store().check_open()?;
        let missing = || ErrorKind::NotFound(format!("no function is exported as \"{name}\""));
        Ok(self.func(namespace, name).ok_or_else(missing)?)
    }
}
