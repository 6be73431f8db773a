//! `Namespace`: instances that can import from each other.

use crate::error::{Error, ErrorKind, LinkError};
use crate::host::HostModule;
use crate::instance::{Extern, Instance};
use crate::module::CompiledModule;
use crate::runtime::Runtime;
use crate::value::ExternRef;
use crate::vm::activation::call;
use crate::vm::entity::{Entity, FuncEntity};
use crate::vm::store::{Store, StoreHandle};
use precast_abi::artifact::{ImportDesc, Section};
use precast_abi::types::ExternType;
use std::any::Any;
use std::ptr::NonNull;

/// Owns instances, and links new ones to those that have a name.
///
/// [`Runtime::namespace`] creates one, in a box. Handles such as [`Instance`] or [`crate::Func`]
/// are small copies that refer to its entities; using one with another namespace panics. A
/// namespace can be sent to another thread, with all that it owns.
///
/// The type is unsized, so that a namespace stays in its box: a host function that borrows the
/// namespace in which it runs cannot replace it by another one.
#[repr(transparent)]
pub struct Namespace(pub(crate) StoreHandle);

impl Namespace {
    #[inline]
    pub(crate) fn store(&self) -> &Store {
        self.0.store()
    }

    #[inline]
    pub(crate) fn store_mut(&mut self) -> &mut Store {
        self.0.store_mut()
    }

    #[inline]
    pub(crate) fn store_pointer(&self) -> NonNull<Store> {
        self.0.pointer()
    }

    /// Panics if a handle belongs to another namespace.
    #[inline]
    #[track_caller]
    pub(crate) fn own(&self, store: u64) {
        assert!(self.store().id() == store, "a handle of another namespace was used");
    }

    /// The runtime to which the namespace belongs.
    pub fn runtime(&self) -> &Runtime {
        Runtime::of_engine(self.store().engine())
    }

    /// Creates an instance of a module: resolves its imports with the named instances, creates its
    /// memories, tables and globals, and runs its start function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if an import is missing or has another type; [`ErrorKind::Trap`] if a
    /// segment is out of bounds or the start function traps; [`ErrorKind::System`] if the system
    /// has too little memory; [`ErrorKind::Closed`]; and the errors of host functions that the
    /// start function calls.
    pub fn instantiate(&mut self, module: &CompiledModule) -> Result<Instance, Error> {
        self.check_can_instantiate(module)?;
        let imports = self.resolve(module)?;
        self.instantiate_entities(module, &imports)
    }

    /// As [`Namespace::instantiate`], with the given imports in the module's order. Their names are
    /// ignored.
    ///
    /// # Errors
    ///
    /// As [`Namespace::instantiate`]; also [`ErrorKind::Link`] if there are too few imports, and
    /// [`ErrorKind::Invalid`] if there are too many.
    ///
    /// # Panics
    ///
    /// If an import belongs to another namespace.
    pub fn instantiate_with(
        &mut self,
        module: &CompiledModule,
        imports: &[Extern],
    ) -> Result<Instance, Error> {
        self.check_can_instantiate(module)?;
        let descs: &[ImportDesc] = module.records(Section::Imports);
        let mut entities = Vec::with_capacity(descs.len());
        for (i, desc) in descs.iter().enumerate() {
            let entity = imports.get(i).map(|import| import.entity_of(self));
            match entity.filter(|entity| module.import_admits(desc, entity)) {
                Some(entity) => entities.push(entity),
                None => return Err(self.explain(module, i, entity)),
            }
        }
        if imports.len() > descs.len() {
            let message = format!("{} imports for a module of {}", imports.len(), descs.len());
            return Err(ErrorKind::Invalid(message).into());
        }
        self.instantiate_entities(module, &entities)
    }

    /// Checks that the namespace and the module are open and belong to the same runtime.
    pub(crate) fn check_can_instantiate(&self, module: &CompiledModule) -> Result<(), Error> {
        self.store().check_open()?;
        module.check_open()?;
        if !module.runtime().same(self.runtime()) {
            return Err(ErrorKind::Foreign("a module of another runtime").into());
        }
        Ok(())
    }

    /// Creates an instance. The imports belong to this namespace, are in the module's order and
    /// have the types that the module demands.
    pub(crate) fn instantiate_entities(
        &mut self,
        module: &CompiledModule,
        imports: &[Entity],
    ) -> Result<Instance, Error> {
        let _span = tracing::debug_span!("instantiate", module = module.name()).entered();
        let (instance, start) = self.prepare_instance(module, imports)?;
        if let Some(start) = start {
            call::call(self.store_pointer(), &start, |_, _, _| Ok(()), |_, _, _| ())?;
        }
        Ok(instance)
    }

    /// Creates an instance, and gives it with its start function, which has not been called.
    pub(crate) fn prepare_instance(
        &mut self,
        module: &CompiledModule,
        imports: &[Entity],
    ) -> Result<(Instance, Option<FuncEntity>), Error> {
        // The start function of a module that provides imports may have closed the namespace.
        self.store().check_open()?;
        let (index, start) = self.store_mut().instantiate(module.code_module(), imports)?;
        Ok((Instance { store: self.store().id(), index }, start))
    }

    /// As [`Namespace::instantiate`], and gives the instance a name, by which other modules can
    /// import from it.
    ///
    /// # Errors
    ///
    /// As [`Namespace::instantiate`].
    pub fn instantiate_as(
        &mut self,
        name: &str,
        module: &CompiledModule,
    ) -> Result<Instance, Error> {
        let instance = self.instantiate(module)?;
        self.register(name, instance);
        Ok(instance)
    }

    /// Creates an instance of a host module, under the module's name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`] if the system has too little memory; [`ErrorKind::Closed`].
    pub fn instantiate_host<T: Send + 'static>(
        &mut self,
        module: &HostModule<T>,
    ) -> Result<Instance, Error> {
        self.instantiate_host_as(module.name(), module)
    }

    /// Creates an instance of a host module, under another name.
    ///
    /// # Errors
    ///
    /// As [`Namespace::instantiate_host`].
    pub fn instantiate_host_as<T: Send + 'static>(
        &mut self,
        name: &str,
        module: &HostModule<T>,
    ) -> Result<Instance, Error> {
        self.store().check_open()?;
        if !module.runtime().same(self.runtime()) {
            return Err(ErrorKind::Foreign("a host module of another runtime").into());
        }
        let host = module.instantiate()?;
        let index = self.store_mut().add_host(host);
        let instance = Instance { store: self.store().id(), index };
        self.register(name, instance);
        Ok(instance)
    }

    /// Gives an instance a name, in addition to its earlier names. If another instance has the
    /// name, modules that are instantiated later import from the new one.
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    pub fn register(&mut self, name: &str, instance: Instance) {
        self.own(instance.store);
        self.store_mut().name(name, instance.index);
    }

    /// Removes an instance: its names become free, its exports are no longer found, and the pages
    /// of its memories are freed. A memory that another instance imports is freed when that
    /// instance is removed too.
    ///
    /// Functions that handles, tables or other instances refer to stay callable. They then find the
    /// memory in its initial state, without the writes of segments and of the guest at run time,
    /// and it cannot grow. A few KiB for the context and its tables are freed only when the
    /// namespace is closed. A program that creates an unlimited number of instances therefore needs
    /// a namespace for each.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    pub fn remove(&mut self, instance: Instance) -> Result<(), Error> {
        self.own(instance.store);
        self.store().check_open()?;
        self.store_mut().remove(instance.index);
        Ok(())
    }

    /// The instance with a name.
    pub fn instance(&self, name: &str) -> Option<Instance> {
        let index = self.store().named(name)?;
        Some(Instance { store: self.store().id(), index })
    }

    /// Creates a reference to a value of the host, which guests can store. The value lives as long
    /// as the namespace.
    pub fn extern_ref<V: Any + Send>(&mut self, value: V) -> ExternRef {
        let raw = self.store_mut().add_extern(Box::new(value));
        ExternRef { store: self.store().id(), raw }
    }

    /// Stores a value in the namespace, and drops the one stored before. Host functions reach it
    /// through [`Caller::namespace`](crate::Caller::namespace). It lives as long as the namespace.
    pub fn set_data<V: Any + Send>(&mut self, value: V) {
        self.store_mut().data = Some(Box::new(value));
    }

    /// The value that [`Namespace::set_data`] stored, if it has type `V`.
    pub fn data<V: Any>(&self) -> Option<&V> {
        self.store().data.as_ref()?.downcast_ref()
    }

    /// As [`Namespace::data`], mutable.
    pub fn data_mut<V: Any>(&mut self) -> Option<&mut V> {
        self.store_mut().data.as_mut()?.downcast_mut()
    }

    pub(crate) fn extern_value(&self, value: ExternRef) -> Option<&(dyn Any + Send)> {
        let own = value.store == self.store().id();
        own.then(|| self.store().extern_value(value.raw)).flatten()
    }

    /// Closes the namespace and all its instances. New calls fail at once. If a host function
    /// closes the namespace, calls that are running in it continue until they return to the host.
    pub fn close(&mut self) {
        self.store_mut().close();
    }

    /// Whether the namespace or its runtime is closed.
    pub fn is_closed(&self) -> bool {
        self.store().is_closed()
    }

    /// Looks up a module's imports and checks their types (specification 4.5.4, step 4).
    pub(crate) fn resolve(&self, module: &CompiledModule) -> Result<Vec<Entity>, Error> {
        let descs: &[ImportDesc] = module.records(Section::Imports);
        let string = |at| module.artifact().string(module.bytes(), at);
        let found = |desc: &ImportDesc| {
            let instance = self.store().named(string(desc.module))?;
            self.store().export(instance, string(desc.name))
        };
        let mut entities = Vec::with_capacity(descs.len());
        for (i, desc) in descs.iter().enumerate() {
            let entity = found(desc).filter(|entity| module.import_admits(desc, entity));
            match entity {
                Some(entity) => entities.push(entity),
                None => return Err(self.explain(module, i, found(desc))),
            }
        }
        Ok(entities)
    }

    /// The error of an import that is not satisfied.
    #[cold]
    fn explain(&self, module: &CompiledModule, index: usize, found: Option<Entity>) -> Error {
        let import = module.imports().swap_remove(index);
        let is_named = self.store().named(&import.module).is_some();
        let found = found.map(|entity| entity.ty());
        let wanted = (import.module, import.name, import.ty);
        ErrorKind::Link(LinkError::unsatisfied(wanted, found.as_ref(), is_named)).into()
    }
}

impl std::fmt::Debug for Namespace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Namespace").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}

/// Whether an entity of type `have` may be imported as `want` (specification 3.2.7).
pub(crate) fn admits(want: &ExternType, have: &ExternType) -> bool {
    match (want, have) {
        (ExternType::Func(want), ExternType::Func(have)) => want == have,
        (ExternType::Table(want), ExternType::Table(have)) => {
            want.element == have.element && want.limits.admits(have.limits.min, have.limits.max)
        }
        (ExternType::Memory(want), ExternType::Memory(have)) => {
            want.limits.admits(have.limits.min, have.limits.max)
        }
        (ExternType::Global(want), ExternType::Global(have)) => want == have,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Func, HostModuleBuilder, MemoryType};
    use precast_abi::types::{FuncType, GlobalType, Limits, RefType, TableType, ValType};

    #[test]
    fn an_import_admits_what_the_specification_says() {
        let func = |results: &[ValType]| ExternType::Func(FuncType::new([], results.to_vec()));
        let limits = |min, max| Limits::new(min, max);
        let memory = |min, max| ExternType::Memory(MemoryType::new(limits(min, max)));
        let table =
            |min, max| ExternType::Table(TableType::new(RefType::FUNCREF, limits(min, max)));
        let externs = ExternType::Table(TableType::new(RefType::EXTERNREF, limits(1, None)));
        let global = |ty, mutable| ExternType::Global(GlobalType::new(ty, mutable));
        let (i32, i64) = (ValType::I32, ValType::I64);
        for (want, have, admitted) in [
            (func(&[i32]), func(&[i32]), true),
            (func(&[i32]), func(&[i64]), false),
            (func(&[i32]), func(&[]), false),
            (memory(1, None), memory(2, None), true),
            (memory(1, None), memory(1, Some(1)), true),
            (memory(2, None), memory(1, None), false),
            (memory(1, Some(3)), memory(1, Some(3)), true),
            (memory(1, Some(3)), memory(1, Some(2)), true),
            (memory(1, Some(3)), memory(1, Some(4)), false),
            (memory(1, Some(3)), memory(1, None), false),
            (table(1, Some(3)), table(2, Some(3)), true),
            (table(1, Some(3)), table(2, None), false),
            (table(1, None), externs.clone(), false),
            (externs.clone(), externs.clone(), true),
            (global(i32, true), global(i32, true), true),
            (global(i32, true), global(i32, false), false),
            (global(i32, false), global(i32, true), false),
            (global(i32, false), global(i64, false), false),
            (table(1, None), memory(1, None), false),
            (func(&[]), global(i32, false), false),
        ] {
            assert_eq!(admits(&want, &have), admitted, "{want} imports {have}");
        }
    }

    /// A namespace with one instance of a host module.
    fn with_host() -> (Box<Namespace>, Instance, Func) {
        let runtime = Runtime::new();
        let host = HostModuleBuilder::new("env")
            .func("one", || 1i32)
            .memory("memory", MemoryType::new(Limits::new(1, None)));
        let mut namespace = runtime.namespace();
        let instance = namespace.instantiate_host(&host.build(&runtime).unwrap()).unwrap();
        let one = instance.func(&namespace, "one").unwrap();
        (namespace, instance, one)
    }

    #[test]
    fn a_removed_instance_has_no_name_and_no_exports() {
        let (mut namespace, instance, one) = with_host();
        namespace.register("again", instance);
        let memory = instance.memory(&namespace, "memory").unwrap();
        memory.grow(&mut namespace, 2).unwrap();
        memory.write(&mut namespace, 5, &[7]).unwrap();
        namespace.remove(instance).unwrap();
        assert!(namespace.instance("env").is_none() && namespace.instance("again").is_none());
        assert!(instance.exports(&namespace).is_empty());
        assert!(instance.func(&namespace, "one").is_none());
        // What is held stays usable. The memory is as it was first.
        assert_eq!(one.call(&mut namespace, &[]).unwrap(), [crate::Value::I32(1)]);
        assert_eq!(memory.size(&namespace).unwrap(), 1);
        assert_eq!(memory.data(&namespace).unwrap()[5], 0);
        assert!(memory.grow(&mut namespace, 1).is_err());
        namespace.remove(instance).unwrap();
        assert!(namespace.instance("env").is_none());
    }

    #[test]
    fn a_later_instance_takes_a_name_over() {
        let (mut namespace, first, _) = with_host();
        let runtime = namespace.runtime().clone();
        let other = HostModuleBuilder::new("env").func("two", || 2i32).build(&runtime).unwrap();
        let second = namespace.instantiate_host(&other).unwrap();
        assert_eq!(namespace.instance("env"), Some(second));
        // The name belongs to the second now, so the removal of the first keeps it.
        namespace.remove(first).unwrap();
        assert_eq!(namespace.instance("env"), Some(second));
    }
}
