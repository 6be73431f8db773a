//! Functions, memories, tables and globals that the host creates in a namespace. They belong to no
//! module; modules import them through [`Linker::define`](crate::Linker::define) or
//! [`Namespace::instantiate_with`].

use crate::error::{Error, ErrorKind, HostError};
use crate::func::Func;
use crate::global::Global;
use crate::host::{Caller, IntoHostFunc, Item, dynamic};
use crate::instance::Extern;
use crate::memory::Memory;
use crate::namespace::Namespace;
use crate::table::Table;
use crate::value::Value;
use crate::vm::host::{HostFuncDef, HostFuncs, HostInstance};
use crate::vm::memory::MemoryData;
use crate::vm::shared::Shared;
use crate::vm::table::TableData;
use precast_abi::types::{FuncType, GlobalType, MemoryType, TableType};
use std::sync::Arc;

/// The name under which a host instance exports its only item.
const ITEM: &str = "";

impl Func {
    /// Creates a host function whose signature is known at compile time. It lives as long as the
    /// namespace.
    ///
    /// ```
    /// # use precast_runtime::{Func, Runtime, Value};
    /// let mut namespace = Runtime::new().namespace();
    /// let add = Func::new(&mut namespace, |a: i32, b: i32| a + b)?;
    /// assert_eq!(add.call(&mut namespace, &[Value::I32(2), Value::I32(3)])?, [Value::I32(5)]);
    /// # Ok::<(), precast_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn new<P, R>(
        namespace: &mut Namespace,
        f: impl IntoHostFunc<(), P, R>,
    ) -> Result<Func, Error> {
        Func::of(namespace, f.into_def()?)
    }

    /// Creates a host function whose signature is known at run time only. The closure takes the
    /// arguments and sets the results, which are zero or null initially.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], and [`ErrorKind::Limit`] for more than 1,000 values.
    pub fn new_dynamic(
        namespace: &mut Namespace,
        ty: FuncType,
        f: impl Fn(&mut Caller<'_, ()>, &[Value], &mut [Value]) -> Result<(), HostError>
        + Send
        + Sync
        + 'static,
    ) -> Result<Func, Error> {
        Func::of(namespace, dynamic(ITEM, ty, f)?)
    }

    fn of(namespace: &mut Namespace, def: HostFuncDef) -> Result<Func, Error> {
        let mut funcs = HostFuncs::default();
        funcs.define(ITEM, Arc::new(def));
        let made = add(namespace, HostInstance::stateless(Shared::new(Arc::new(funcs))))?;
        made.into_func().ok_or_else(Error::closed_namespace)
    }
}

impl Memory {
    /// Creates a memory of zeros. It lives as long as the namespace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if no memory can have this type; [`ErrorKind::System`] if the system
    /// has too little memory; [`ErrorKind::Closed`].
    pub fn new(namespace: &mut Namespace, ty: MemoryType) -> Result<Memory, Error> {
        Item::Memory(ty).check().map_err(|reason| ErrorKind::Invalid(reason.to_owned()))?;
        let mut host = HostInstance::stateless(Shared::new(Arc::new(HostFuncs::default())));
        let what = "reserving the host's memory";
        let memory =
            MemoryData::new(ty.limits).map_err(|error| ErrorKind::System { what, error })?;
        host.add_memory(ITEM, memory);
        add(namespace, host)?.into_memory().ok_or_else(Error::closed_namespace)
    }
}

impl Table {
    /// Creates a table whose elements are all `value`. It lives as long as the namespace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if no table can have this type; [`ErrorKind::TypeMismatch`] if the
    /// value has another type; [`ErrorKind::Foreign`] if it belongs to another namespace;
    /// [`ErrorKind::System`] if the system has too little memory; [`ErrorKind::Closed`].
    pub fn new(namespace: &mut Namespace, ty: TableType, value: Value) -> Result<Table, Error> {
        Item::Table(ty).check().map_err(|reason| ErrorKind::Invalid(reason.to_owned()))?;
        if value.ty() != ty.element.val_type() {
            let found = value.ty();
            return Err(Error::mismatch(format!("a table of {} was given {found}", ty.element)));
        }
        namespace.store().check_open()?;
        // A value of another namespace is an error. It is detected before the table exists.
        let raw = namespace.store_mut().bits(value.for_store())?;
        let what = "making the host's table";
        let table = TableData::new(ty).map_err(|error| ErrorKind::System { what, error })?;
        let mut host = HostInstance::stateless(Shared::new(Arc::new(HostFuncs::default())));
        host.add_table(ITEM, table);
        let made = add(namespace, host)?.into_table().ok_or_else(Error::closed_namespace)?;
        if raw != 0 {
            let data = made.data.as_ptr();
            let filled =
                namespace.store_mut().set_elements(data, 0, value.for_store(), ty.limits.min)?;
            debug_assert!(filled, "a table holds its own size");
        }
        Ok(made)
    }
}

impl Global {
    /// Creates a global. It lives as long as the namespace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`] if the value is a reference of another namespace;
    /// [`ErrorKind::Closed`].
    pub fn new(namespace: &mut Namespace, value: Value, mutable: bool) -> Result<Global, Error> {
        namespace.store().check_open()?;
        let raw = namespace.store_mut().bits(value.for_store())?;
        let mut host = HostInstance::stateless(Shared::new(Arc::new(HostFuncs::default())));
        host.add_global(ITEM, raw, GlobalType::new(value.ty(), mutable));
        add(namespace, host)?.into_global().ok_or_else(Error::closed_namespace)
    }
}

/// Adds a host instance without a name, and returns its only item.
fn add(namespace: &mut Namespace, host: HostInstance) -> Result<Extern, Error> {
    namespace.store().check_open()?;
    let instance = namespace.store_mut().add_host(host);
    let store = namespace.store();
    let entity = store.export(instance, ITEM).ok_or_else(Error::closed_namespace)?;
    Ok(Extern::new(store.id(), entity))
}
