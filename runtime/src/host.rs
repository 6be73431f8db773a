//! Host modules: functions in Rust that guests import.

use crate::error::{Error, ErrorKind, HostError};
use crate::instance::Instance;
use crate::namespace::Namespace;
use crate::runtime::Runtime;
use crate::value::Value;
use crate::vm::host::{
    CheckSnapshot, HostFuncDef, HostFuncs, HostInstance, Invocation, States, TypedStates,
};
use crate::vm::memory::MemoryData;
use crate::vm::shared::Shared;
use crate::vm::store::StoreValue;
use crate::vm::table::TableData;
use crate::vm::types;
use precast_abi::limits::MEMORY32_MAX_PAGES;
use precast_abi::types::{ExternType, FuncType, GlobalType, MemoryType, TableType};
use std::marker::PhantomData;
use std::sync::Arc;

pub use crate::host_func::{HostFunction, Inlined, IntoHostFunc, WithCaller};
pub use crate::vm::host::typed::{HostReturn, HostValues};

/// Builds a host module.
///
/// Every instance of the module has a state of type `T`, which its functions reach through their
/// [`Caller`]. A later definition replaces an earlier one of the same name.
///
/// ```
/// use precast_runtime::{Caller, HostError, HostModuleBuilder, Runtime};
///
/// let runtime = Runtime::new();
/// let counter = HostModuleBuilder::with_state("env", || 0i64)
///     .func("double", |v: i32| v * 2)
///     .func("count", |caller: &mut Caller<'_, i64>, by: i64| -> Result<i64, HostError> {
///         let count = caller.state();
///         *count = count.checked_add(by).ok_or_else(|| HostError::new("too many"))?;
///         Ok(*count)
///     })
///     .build(&runtime)?;
/// let mut namespace = runtime.namespace();
/// let env = namespace.instantiate_host(&counter)?;
/// let count = env.typed::<(i64,), i64>(&namespace, "count")?;
/// assert_eq!(count.call(&mut namespace, (2,))?, 2);
/// assert_eq!(count.call(&mut namespace, (3,))?, 5);
/// # Ok::<(), precast_runtime::Error>(())
/// ```
pub struct HostModuleBuilder<T = ()> {
    name: String,
    make: Arc<dyn Fn() -> T + Send + Sync>,
    check_snapshot: Option<CheckSnapshot<T>>,
    funcs: Arc<HostFuncs>,
    items: Vec<(String, Item)>,
    /// The error of the first definition that failed; `build` returns it.
    error: Option<Error>,
}

/// The maximum number of parameters, and of results, of a function whose signature is known at run
/// time only. It is that of a module's functions.
const MAX_DYNAMIC: usize = 1000;

/// A definition that is not a function.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    Memory(MemoryType),
    Table(TableType),
    Global(Value, bool),
}

impl Item {
    fn ty(self) -> ExternType {
        match self {
            Item::Memory(ty) => ExternType::Memory(ty),
            Item::Table(ty) => ExternType::Table(ty),
            Item::Global(value, mutable) => {
                ExternType::Global(GlobalType::new(value.ty(), mutable))
            }
        }
    }

    /// Refuses a type that validation would refuse in a module.
    pub(crate) fn check(self) -> Result<(), &'static str> {
        let (limits, most) = match self {
            Item::Memory(ty) => (ty.limits, MEMORY32_MAX_PAGES),
            Item::Table(ty) => (ty.limits, u32::MAX.into()),
            Item::Global(..) => return Ok(()),
        };
        let max = limits.max.unwrap_or(most);
        if max > most || limits.min > max {
            return Err("the size is out of range");
        }
        Ok(())
    }
}

impl HostModuleBuilder<()> {
    /// A module without state.
    pub fn new(name: &str) -> Self {
        Self::with_state(name, || ())
    }
}

impl<T: Send + 'static> HostModuleBuilder<T> {
    /// A module whose instances each have a state, which `make` creates.
    pub fn with_state(name: &str, make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        HostModuleBuilder {
            name: name.to_owned(),
            make: Arc::new(make),
            check_snapshot: None,
            funcs: Arc::default(),
            items: Vec::new(),
            error: None,
        }
    }

    /// Sets a check of the state, for [`Instance::snapshot`]: whether what a guest knows of the state is
    /// true of a new state too. It gives an error that says what is not. An open file is an example:
    /// the guest's memory has its number, and a new state does not have the file. Without a check,
    /// snapshots do not ask.
    pub fn check_snapshot(mut self, check: fn(&mut T) -> Result<(), String>) -> Self {
        self.check_snapshot = Some(check);
        self
    }

    /// Renames the module.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Defines a function by a closure whose signature is known at compile time.
    pub fn func<P, R, F: IntoHostFunc<T, P, R>>(self, name: &str, f: F) -> Self {
        let def = f.into_def();
        self.define(name, def)
    }

    /// Defines a function whose signature is known at run time only. The closure takes the
    /// arguments and sets the results, which are zero or null initially.
    ///
    /// Guests can import the function, and references to it can exist, only with the feature
    /// `compiler`.
    pub fn func_dynamic(
        self,
        name: &str,
        ty: FuncType,
        f: impl Fn(&mut Caller<'_, T>, &[Value], &mut [Value]) -> Result<(), HostError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.define(name, dynamic(name, ty, f))
    }

    pub(crate) fn define(mut self, name: &str, def: Result<HostFuncDef, Error>) -> Self {
        self.items.retain(|(n, _)| n != name);
        match def {
            Ok(def) => {
                Arc::make_mut(&mut self.funcs).define(name, Arc::new(def));
            }
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
        self
    }

    /// The functions that are defined so far, for other modules with a state of this type. `None`
    /// if a definition failed.
    pub fn functions(&self) -> Option<HostFunctions<T>> {
        let functions = HostFunctions { funcs: self.funcs.clone(), state: PhantomData };
        self.error.is_none().then_some(functions)
    }

    /// Defines the functions of another builder. If this builder has no other definitions, they are
    /// shared and not copied, which takes a few nanoseconds for any number of functions.
    pub fn with_functions(mut self, functions: &HostFunctions<T>) -> Self {
        if self.funcs.defs.is_empty() && self.items.is_empty() {
            self.funcs = functions.funcs.clone();
            return self;
        }
        let all = &*functions.funcs;
        for (name, &index) in &all.by_name {
            self.items.retain(|(n, _)| n != name);
            Arc::make_mut(&mut self.funcs).define(name, all.defs[index as usize].clone());
        }
        self
    }

    /// Defines a memory of zeros.
    pub fn memory(self, name: &str, ty: MemoryType) -> Self {
        self.define_item(name, Item::Memory(ty))
    }

    /// Defines a table of nulls.
    pub fn table(self, name: &str, ty: TableType) -> Self {
        self.define_item(name, Item::Table(ty))
    }

    /// Defines a global. Its value cannot be a reference other than null, because references belong
    /// to namespaces.
    pub fn global(self, name: &str, value: Value, mutable: bool) -> Self {
        self.define_item(name, Item::Global(value, mutable))
    }

    fn define_item(mut self, name: &str, what: Item) -> Self {
        if let Err(reason) = what.check() {
            self.error
                .get_or_insert_with(|| ErrorKind::Invalid(format!("\"{name}\": {reason}")).into());
        }
        if self.funcs.by_name.contains_key(name) {
            Arc::make_mut(&mut self.funcs).by_name.remove(name);
        }
        self.items.retain(|(n, _)| n != name);
        self.items.push((name.to_owned(), what));
        self
    }

    /// Builds the module, for any namespace of `runtime`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], or the error of the first definition that failed.
    pub fn build(self, runtime: &Runtime) -> Result<HostModule<T>, Error> {
        runtime.check_open()?;
        match self.error {
            Some(error) => Err(error),
            None => Ok(HostModule(Arc::new(Inner {
                runtime: runtime.clone(),
                name: self.name.into(),
                states: states(move || (self.make)(), self.check_snapshot),
                check_snapshot: self.check_snapshot,
                funcs: Shared::new(self.funcs),
                items: self.items.into(),
            }))),
        }
    }
}

/// A host function whose signature is known at run time only.
pub(crate) fn dynamic<T: Send + 'static>(
    name: &str,
    ty: FuncType,
    f: impl Fn(&mut Caller<'_, T>, &[Value], &mut [Value]) -> Result<(), HostError>
    + Send
    + Sync
    + 'static,
) -> Result<HostFuncDef, Error> {
    if ty.params().len().max(ty.results().len()) > MAX_DYNAMIC {
        return Err(ErrorKind::Limit(format!("\"{name}\": more than {MAX_DYNAMIC} values")).into());
    }
    let types = types::intern(&ty).map_err(|_| ErrorKind::Unsupported(types::collision(&ty)))?;
    let f = move |call: Invocation<'_, T>, ty: &FuncType, values: &mut [u128]| {
        call_dynamic(&f, Caller::new(call), ty, values)
    };
    Ok(HostFuncDef::dynamic(types, f))
}

/// Calls a dynamic closure. `values` has the bits of its arguments before, and of its results
/// after.
fn call_dynamic<T>(
    f: impl Fn(&mut Caller<'_, T>, &[Value], &mut [Value]) -> Result<(), HostError>,
    mut caller: Caller<'_, T>,
    ty: &FuncType,
    values: &mut [u128],
) -> Result<(), HostError> {
    let store = caller.call.store();
    let args = ty.params().iter().zip(values.iter());
    let args: Vec<Value> = args.map(|(&ty, &bits)| Value::from_bits(store, ty, bits)).collect();
    let mut results: Vec<Value> = ty.results().iter().map(|&ty| Value::default(ty)).collect();
    f(&mut caller, &args, &mut results)?;
    for (i, (&ty, result)) in ty.results().iter().zip(results).enumerate() {
        if result.ty() != ty {
            let found = result.ty();
            return Err(Error::mismatch(format!(
                "a host function returned {found} instead of {ty}"
            ))
            .into());
        }
        values[i] = caller.call.store().bits(result.for_store())?;
    }
    Ok(())
}

/// Functions for any number of host modules with a state of type `T`, made by
/// [`HostModuleBuilder::functions`]. Cheap to clone.
pub struct HostFunctions<T> {
    funcs: Arc<HostFuncs>,
    state: PhantomData<fn(T)>,
}

impl<T> Clone for HostFunctions<T> {
    fn clone(&self) -> Self {
        HostFunctions { funcs: self.funcs.clone(), state: PhantomData }
    }
}

impl<T> std::fmt::Debug for HostFunctions<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostFunctions")
            .field("count", &self.funcs.defs.len())
            .finish_non_exhaustive()
    }
}

/// A host module, ready to be instantiated any number of times. Cheap to clone.
pub struct HostModule<T>(Arc<Inner<T>>);

/// States of type `T`.
fn states<T: Send + 'static>(
    make: impl Fn() -> T + Send + Sync + 'static,
    check: Option<CheckSnapshot<T>>,
) -> Arc<Shared<dyn States>> {
    Shared::new(Arc::new(TypedStates::new(make, check)))
}

struct Inner<T> {
    runtime: Runtime,
    name: Arc<str>,
    states: Arc<Shared<dyn States>>,
    check_snapshot: Option<CheckSnapshot<T>>,
    funcs: Arc<Shared<HostFuncs>>,
    items: Arc<[(String, Item)]>,
}

impl<T> Clone for HostModule<T> {
    fn clone(&self) -> Self {
        HostModule(self.0.clone())
    }
}

impl<T: Send + 'static> HostModule<T> {
    /// The name under which its instances are registered.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The same module with another function that creates the states of instances. The functions
    /// are shared, so this costs three allocations. An embedder whose requests each have their own
    /// state builds the module once, and calls this and
    /// [`InstancePre::with_host`](crate::InstancePre::with_host) for each request.
    pub fn with_state(&self, make: impl Fn() -> T + Send + Sync + 'static) -> HostModule<T> {
        let Inner { runtime, name, funcs, items, check_snapshot, .. } = &*self.0;
        HostModule(Arc::new(Inner {
            runtime: runtime.clone(),
            name: name.clone(),
            states: states(make, *check_snapshot),
            check_snapshot: *check_snapshot,
            funcs: funcs.clone(),
            items: items.clone(),
        }))
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    pub(crate) fn funcs(&self) -> &Arc<Shared<HostFuncs>> {
        &self.0.funcs
    }

    /// The exports of its instances, in any order.
    pub(crate) fn exports(&self) -> Vec<(String, ExternType)> {
        let Inner { funcs, items, .. } = &*self.0;
        let func = |&index: &u32| ExternType::Func(funcs.defs[index as usize].ty().ty.clone());
        let funcs = funcs.by_name.iter().map(|(name, index)| (name.clone(), func(index)));
        funcs.chain(items.iter().map(|(name, what)| (name.clone(), what.ty()))).collect()
    }

    pub(crate) fn instantiate(&self) -> Result<HostInstance, Error> {
        let inner = &*self.0;
        let mut host = HostInstance::new(inner.funcs.for_thread(), inner.states.for_thread());
        for (name, what) in inner.items.iter() {
            match *what {
                Item::Memory(ty) => {
                    let what = "reserving a host module's memory";
                    let memory = MemoryData::new(ty.limits)
                        .map_err(|error| ErrorKind::System { what, error })?;
                    host.add_memory(name, memory);
                }
                Item::Table(ty) => {
                    let what = "making a host module's table";
                    let table =
                        TableData::new(ty).map_err(|error| ErrorKind::System { what, error })?;
                    host.add_table(name, table);
                }
                Item::Global(value, mutable) => {
                    let StoreValue::Bits(bits) = value.for_store() else {
                        return Err(ErrorKind::Invalid(format!(
                            "global \"{name}\": a reference belongs to a namespace"
                        ))
                        .into());
                    };
                    host.add_global(name, bits, GlobalType::new(value.ty(), mutable));
                }
            }
        }
        Ok(host)
    }
}

impl<T> std::fmt::Debug for HostModule<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostModule").field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for HostModuleBuilder<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostModuleBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Access of a host function to the state of its module, the memory of its caller, and the
/// namespace.
pub struct Caller<'a, T> {
    call: Invocation<'a, T>,
}

impl<'a, T> Caller<'a, T> {
    #[inline]
    pub(crate) fn new(call: Invocation<'a, T>) -> Self {
        Caller { call }
    }

    /// The state of the host module's instance.
    #[inline]
    pub fn state(&mut self) -> &mut T {
        self.call.state()
    }

    /// The memory that the calling instance exports as `memory`; `None` if there is none, or if the
    /// host is the caller.
    #[inline]
    pub fn memory(&mut self) -> Option<&mut [u8]> {
        self.call.memory_and_state().0
    }

    /// The caller's memory and the state at once.
    #[inline]
    pub fn memory_and_state(&mut self) -> (Option<&mut [u8]>, &mut T) {
        self.call.memory_and_state()
    }

    /// The namespace, for calls back into WebAssembly.
    #[inline]
    pub fn namespace(&mut self) -> &mut Namespace {
        Namespace::of_handle(self.call.store_handle())
    }

    /// The calling instance; `None` if the host is the caller.
    pub fn instance(&mut self) -> Option<Instance> {
        let index = self.call.instance()?;
        Some(Instance { store: self.call.store_id(), index })
    }
}

impl<T> std::fmt::Debug for Caller<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}
