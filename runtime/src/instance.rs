//! Instances, and what they export.

use crate::error::Error;
use crate::func::{Func, TypedFunc, WasmParams, WasmResults};
use crate::global::Global;
use crate::memory::Memory;
use crate::namespace::Namespace;
use crate::table::Table;
use crate::value::Value;
use crate::vm::entity::Entity;

/// A handle on an instance of a module or of a host module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Instance {
    pub(crate) store: u64,
    pub(crate) index: u32,
}

/// Something an instance exports.
#[derive(Clone, Copy, Debug)]
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
    fn new(store: u64, entity: Entity) -> Self {
        match entity {
            Entity::Func(entity) => Extern::Func(Func { store, entity }),
            Entity::Table(table) => Extern::Table(Table::new(store, table)),
            Entity::Memory(memory) => Extern::Memory(Memory::new(store, memory)),
            Entity::Global(global) => Extern::Global(Global::new(store, global)),
        }
    }
}

impl Instance {
    /// The export with a name. None of a closed namespace.
    ///
    /// # Panics
    ///
    /// When the namespace is another one.
    pub fn export(&self, namespace: &Namespace, name: &str) -> Option<Extern> {
        namespace.own(self.store);
        let entity = namespace.store().export(self.index, name)?;
        Some(Extern::new(self.store, entity))
    }

    /// All exports.
    ///
    /// # Panics
    ///
    /// When the namespace is another one.
    pub fn exports(&self, namespace: &Namespace) -> Vec<(String, Extern)> {
        namespace.own(self.store);
        let exports = namespace.store().exports(self.index).into_iter();
        exports.map(|(name, entity)| (name, Extern::new(self.store, entity))).collect()
    }

    /// The exported function with a name.
    pub fn func(&self, namespace: &Namespace, name: &str) -> Option<Func> {
        match self.export(namespace, name)? {
            Extern::Func(func) => Some(func),
            _ => None,
        }
    }

    /// The exported table with a name.
    pub fn table(&self, namespace: &Namespace, name: &str) -> Option<Table> {
        match self.export(namespace, name)? {
            Extern::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The exported memory with a name.
    pub fn memory(&self, namespace: &Namespace, name: &str) -> Option<Memory> {
        match self.export(namespace, name)? {
            Extern::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    /// The exported global with a name.
    pub fn global(&self, namespace: &Namespace, name: &str) -> Option<Global> {
        match self.export(namespace, name)? {
            Extern::Global(global) => Some(global),
            _ => None,
        }
    }

    /// The exported function with a name, for calls with these Rust types.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Type`] when there is no such function or it has other types.
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
    /// [`crate::ErrorKind::Type`] when there is no such function; else as [`Func::call`].
    pub fn call(
        &self,
        namespace: &mut Namespace,
        name: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Error> {
        self.must(namespace, name)?.call(namespace, args)
    }

    fn must(&self, namespace: &Namespace, name: &str) -> Result<Func, Error> {
        namespace.store().check_open()?;
        let missing = || Error::types(format!("no function is exported as \"{name}\""));
        self.func(namespace, name).ok_or_else(missing)
    }
}
