//! `Linker`: definitions that modules import, for any number of namespaces.

use crate::error::{Error, ErrorKind, HostError, LinkError};
use crate::host::{Caller, HostModule, HostModuleBuilder, IntoHostFunc, dynamic};
use crate::instance::{Extern, Instance};
use crate::instance_pre::{InstancePre, Provider, Resolved, Source};
use crate::interface::ImportType;
use crate::module::CompiledModule;
use crate::namespace::{Namespace, admits};
use crate::runtime::Runtime;
use crate::value::Value;
use crate::vm::host::{HostFuncDef, HostFuncs, HostInstance};
use crate::vm::shared::Shared;
use precast_abi::types::{ExternType, FuncType};
use std::collections::HashMap;
use std::sync::Arc;

/// Definitions that modules import, for any number of namespaces.
///
/// A definition is a host function, an export of a host module or of a module, or an entity of one
/// namespace. Modules import it by the names of its module and of itself. A linker creates no
/// instances until it instantiates a module. Each namespace then gets one instance of each host
/// module and module that is needed; modules that are linked in this namespace later share them.
///
/// [`Linker::instantiate_pre`] looks up and checks a module's imports once. The result creates
/// namespaces with an instance on any thread.
///
/// ```
/// # #[cfg(feature = "compiler")] {
/// use precast_runtime::{Linker, Runtime};
///
/// let runtime = Runtime::new();
/// let wasm = wat::parse_str(r#"(module
///     (import "env" "double" (func $double (param i32) (result i32)))
///     (func (export "run") (result i32) (call $double (i32.const 21))))"#)?;
/// let module = runtime.compile(&wasm)?;
/// let mut linker = Linker::new(&runtime);
/// linker.func("env", "double", |v: i32| v * 2)?;
/// let pre = linker.instantiate_pre(&module)?;
/// for _ in 0..3 {
///     let (mut namespace, instance) = pre.instantiate()?;
///     let run = instance.typed::<(), i32>(&namespace, "run")?;
///     assert_eq!(run.call(&mut namespace, ())?, 42);
/// }
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Linker {
    runtime: Runtime,
    allow_shadowing: bool,
    /// Definitions by the name of the module and then by their own name.
    definitions: HashMap<Box<str>, HashMap<Box<str>, Definition>>,
    /// The modules of the definitions. A module comes after those from which it imports.
    providers: Vec<Provider>,
    /// The index of the provider of host functions that were defined singly.
    single_funcs: Option<usize>,
}

/// A definition that can be imported.
#[derive(Clone)]
struct Definition {
    ty: ExternType,
    from: From,
}

/// The origin of a definition.
#[derive(Clone)]
enum From {
    /// An export of a provider, of which each namespace gets an instance.
    Provider(Resolved),
    /// An entity of one namespace.
    Namespace(Extern),
}

/// The error of a call of an undefined function, which
/// [`Linker::define_unknown_imports_as_traps`] defined.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown import {module:?} {name:?} was called")]
#[non_exhaustive]
pub struct UnknownImport {
    /// The module from which the function is imported.
    pub module: String,
    /// The name of the function in that module.
    pub name: String,
}

/// A host module whose state may have any type.
pub(crate) trait AnyHostModule: Send + Sync {
    /// Makes an instance.
    fn instantiate(&self) -> Result<HostInstance, Error>;
}

impl<T: Send + 'static> AnyHostModule for HostModule<T> {
    fn instantiate(&self) -> Result<HostInstance, Error> {
        HostModule::instantiate(self)
    }
}

/// Host functions without state.
struct SingleFuncs(Arc<Shared<HostFuncs>>);

impl AnyHostModule for SingleFuncs {
    fn instantiate(&self) -> Result<HostInstance, Error> {
        Ok(HostInstance::stateless(self.0.for_thread()))
    }
}

impl Linker {
    /// A linker without definitions.
    pub fn new(runtime: &Runtime) -> Linker {
        Linker {
            runtime: runtime.clone(),
            allow_shadowing: false,
            definitions: HashMap::new(),
            providers: Vec::new(),
            single_funcs: None,
        }
    }

    /// The runtime of the linker.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Whether a definition may replace an earlier one with the same name. If not, which is the
    /// default, this is an error. Modules that are already resolved keep the earlier one.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.allow_shadowing = allow;
        self
    }

    /// Defines a host function by a closure whose signature is known at compile time.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if the name is already defined; [`ErrorKind::Closed`].
    pub fn func<P, R>(
        &mut self,
        module: &str,
        name: &str,
        f: impl IntoHostFunc<(), P, R>,
    ) -> Result<&mut Self, Error> {
        self.single_func(module, name, f.into_def())
    }

    /// Defines a host function whose signature is known at run time only. The closure takes the
    /// arguments and sets the results, which are zero or null initially.
    ///
    /// # Errors
    ///
    /// As [`Linker::func`], and [`ErrorKind::Limit`] for more than 1,000 values.
    pub fn func_dynamic(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        f: impl Fn(&mut Caller<'_, ()>, &[Value], &mut [Value]) -> Result<(), HostError>
        + Send
        + Sync
        + 'static,
    ) -> Result<&mut Self, Error> {
        self.single_func(module, name, dynamic(name, ty, f))
    }

    pub(crate) fn single_func(
        &mut self,
        module: &str,
        name: &str,
        def: Result<HostFuncDef, Error>,
    ) -> Result<&mut Self, Error> {
        self.runtime.check_open()?;
        self.check_free(module, name)?;
        let def = def?;
        let ty = ExternType::Func(def.ty().ty.clone());
        let provider = *self.single_funcs.get_or_insert(self.providers.len());
        let mut funcs = match self.providers.get(provider) {
            Some(Provider { source: Source::Host { funcs, .. }, .. }) => {
                HostFuncs::clone(&***funcs)
            }
            _ => HostFuncs::default(),
        };
        let position = funcs.push(Arc::new(def));
        let funcs = Shared::new(Arc::new(funcs));
        let host = Arc::new(SingleFuncs(funcs.clone()));
        // A namespace that has an instance with the earlier functions needs another instance.
        let new = Provider::new(Source::Host { host, funcs });
        match self.providers.get_mut(provider) {
            Some(old) => *old = new,
            None => self.providers.push(new),
        }
        self.insert(module, name, ty, From::Provider(Resolved::func(provider, position)));
        Ok(self)
    }

    /// Defines all exports of a host module, under the module's name. Each namespace has its own
    /// instance with its own state.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if a name is already defined; [`ErrorKind::Foreign`] for a module of
    /// another runtime; [`ErrorKind::Closed`].
    pub fn host<T: Send + 'static>(&mut self, module: &HostModule<T>) -> Result<&mut Self, Error> {
        self.host_as(module.name(), module)
    }

    /// As [`Linker::host`], under another name.
    ///
    /// # Errors
    ///
    /// As [`Linker::host`].
    pub fn host_as<T: Send + 'static>(
        &mut self,
        name: &str,
        module: &HostModule<T>,
    ) -> Result<&mut Self, Error> {
        self.runtime.check_open()?;
        if !module.runtime().same(&self.runtime) {
            return Err(ErrorKind::Foreign("a host module of another runtime").into());
        }
        let funcs = module.funcs();
        let exports = module.exports();
        exports.iter().try_for_each(|(export, _)| self.check_free(name, export))?;
        let provider = self.providers.len();
        let source = Source::Host { host: Arc::new(module.clone()), funcs: funcs.clone() };
        self.providers.push(Provider::new(source));
        for (export, ty) in exports {
            let resolved = match funcs.by_name.get(&export) {
                Some(&func) => Resolved::func(provider, func),
                None => Resolved::named(provider, &export),
            };
            self.insert(name, &export, ty, From::Provider(resolved));
        }
        Ok(self)
    }

    /// Defines all exports of a module, under a name. The module's own imports are resolved with
    /// the definitions so far. Each namespace has its own instance. If it exports `_initialize` and
    /// not `_start`, `_initialize` is called.
    ///
    /// # Errors
    ///
    /// As [`Linker::host`]; also [`ErrorKind::Link`] if an import is undefined or has another type.
    pub fn module(&mut self, name: &str, module: &CompiledModule) -> Result<&mut Self, Error> {
        let imports = self.resolve(module)?;
        let imports = imports.into_iter().map(|from| match from {
            From::Provider(resolved) => Ok(resolved),
            From::Namespace(_) => Err(ErrorKind::Foreign(
                "a module for all namespaces cannot import from one namespace",
            )),
        });
        let imports = imports.collect::<Result<Vec<_>, _>>()?;
        let exports = module.exports();
        exports.iter().try_for_each(|export| self.check_free(name, &export.name))?;
        let provider = self.providers.len();
        let source = Source::Module { module: module.clone(), imports: imports.into() };
        self.providers.push(Provider::new(source));
        for (export, position) in exports.into_iter().zip(0..) {
            let resolved = Resolved::of_module(provider, position);
            self.insert(name, &export.name, export.ty, From::Provider(resolved));
        }
        Ok(self)
    }

    /// Defines all exports of an instance, under a name. Modules that import them can be
    /// instantiated only in its namespace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if a name is already defined; [`ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    pub fn instance(
        &mut self,
        namespace: &Namespace,
        name: &str,
        instance: Instance,
    ) -> Result<&mut Self, Error> {
        namespace.store().check_open()?;
        let exports = instance.exports(namespace);
        exports.iter().try_for_each(|(export, _)| self.check_free(name, export))?;
        for (export, value) in exports {
            self.insert(name, &export, value.ty(namespace)?, From::Namespace(value));
        }
        Ok(self)
    }

    /// Defines an entity of one namespace. Modules that import it can be instantiated only there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if the name is already defined; [`ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// If `value` belongs to another namespace.
    pub fn define(
        &mut self,
        namespace: &Namespace,
        module: &str,
        name: &str,
        value: Extern,
    ) -> Result<&mut Self, Error> {
        namespace.store().check_open()?;
        self.check_free(module, name)?;
        self.insert(module, name, value.ty(namespace)?, From::Namespace(value));
        Ok(self)
    }

    /// Defines every function that `module` imports and that is undefined. A call of it stops the
    /// guest, and the outer call fails with [`ErrorKind::Host`], whose error is an
    /// [`UnknownImport`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`]. Undefined imports that are not functions stay undefined.
    pub fn define_unknown_imports_as_traps(
        &mut self,
        module: &CompiledModule,
    ) -> Result<&mut Self, Error> {
        for ImportType { module, name, ty } in self.unknown_imports(module) {
            let ExternType::Func(ty) = ty else { continue };
            let error = UnknownImport { module: module.clone(), name: name.clone() };
            self.func_dynamic(&module, &name, ty, move |_, _, _| {
                Err(HostError::new(error.clone()))
            })?;
        }
        Ok(self)
    }

    /// Defines all undefined imports of `module`: functions that do nothing and return zeros and
    /// nulls, globals that are zero or null, memories and tables of the minimum size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn define_unknown_imports_as_zeros(
        &mut self,
        module: &CompiledModule,
    ) -> Result<&mut Self, Error> {
        for ImportType { module, name, ty } in self.unknown_imports(module) {
            let host = HostModuleBuilder::new(&module);
            let host = match ty {
                // Results are zero or null before the closure runs.
                ExternType::Func(ty) => host.func_dynamic(&name, ty, |_, _, _| Ok(())),
                ExternType::Memory(ty) => host.memory(&name, ty),
                ExternType::Table(ty) => host.table(&name, ty),
                ExternType::Global(ty) => host.global(&name, Value::default(ty.value), ty.mutable),
                ty => unreachable!("no module imports {ty}"),
            };
            self.host(&host.build(&self.runtime)?)?;
        }
        Ok(self)
    }

    /// The undefined imports of a module, without repetitions.
    pub fn unknown_imports(&self, module: &CompiledModule) -> Vec<ImportType> {
        let mut unknown: Vec<ImportType> = Vec::new();
        for import in module.imports() {
            let again =
                || unknown.iter().any(|u| (&u.module, &u.name) == (&import.module, &import.name));
            if self.definition(&import.module, &import.name).is_none() && !again() {
                unknown.push(import);
            }
        }
        unknown
    }

    /// The type of a definition.
    pub fn ty(&self, module: &str, name: &str) -> Option<&ExternType> {
        Some(&self.definition(module, name)?.ty)
    }

    /// Creates an instance in a namespace. Host modules and modules that it needs, and of which the
    /// namespace has no instance, are instantiated first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if an import is undefined, has another type, or belongs to another
    /// namespace; otherwise as [`Namespace::instantiate`], for all instances that are created.
    pub fn instantiate(
        &self,
        namespace: &mut Namespace,
        module: &CompiledModule,
    ) -> Result<Instance, Error> {
        let (pre, own) = self.resolve_for(namespace, module)?;
        pre.instantiate_with(namespace, &own)
    }

    /// A module with its imports from providers, and its imports from the namespace, by index.
    pub(crate) fn resolve_for(
        &self,
        namespace: &Namespace,
        module: &CompiledModule,
    ) -> Result<(InstancePre, Vec<(usize, Extern)>), Error> {
        let imports = self.resolve(module)?;
        let (mut resolved, mut own) = (Vec::new(), Vec::new());
        for (position, from) in imports.into_iter().enumerate() {
            match from {
                From::Provider(from) => resolved.push(from),
                From::Namespace(value) if value.belongs_to(namespace) => {
                    own.push((position, value))
                }
                From::Namespace(_) => {
                    let reason = "it belongs to another namespace".to_owned();
                    return Err(link_error(module, position, reason));
                }
            }
        }
        Ok((InstancePre::new(module, &self.providers, &resolved), own))
    }

    /// Looks up and checks the imports of a module, for any number of instances.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Link`] if an import is undefined, has another type, or belongs to one
    /// namespace; [`ErrorKind::Foreign`] for a module of another runtime; [`ErrorKind::Closed`].
    pub fn instantiate_pre(&self, module: &CompiledModule) -> Result<InstancePre, Error> {
        let imports = self.resolve(module)?;
        let resolved = imports.into_iter().enumerate().map(|(position, from)| match from {
            From::Provider(resolved) => Ok(resolved),
            From::Namespace(_) => {
                Err(link_error(module, position, "it belongs to one namespace".to_owned()))
            }
        });
        let resolved = resolved.collect::<Result<Vec<_>, _>>()?;
        Ok(InstancePre::new(module, &self.providers, &resolved))
    }

    /// Looks up a module's imports and checks their types (specification 4.5.4, step 4).
    fn resolve(&self, module: &CompiledModule) -> Result<Vec<From>, Error> {
        module.check_open()?;
        if !module.runtime().same(&self.runtime) {
            return Err(ErrorKind::Foreign("a module of another runtime").into());
        }
        let resolve = |import: ImportType| match self.definition(&import.module, &import.name) {
            Some(found) if admits(&import.ty, &found.ty) => Ok(found.from.clone()),
            found => Err(self.explain(import, found)),
        };
        module.imports().into_iter().map(resolve).collect()
    }

    #[cold]
    fn explain(&self, import: ImportType, found: Option<&Definition>) -> Error {
        let is_named = self.definitions.contains_key(&*import.module);
        let found = found.map(|found| &found.ty);
        let wanted = (import.module, import.name, import.ty);
        ErrorKind::Link(LinkError::unsatisfied(wanted, found, is_named)).into()
    }

    fn definition(&self, module: &str, name: &str) -> Option<&Definition> {
        self.definitions.get(module)?.get(name)
    }

    fn check_free(&self, module: &str, name: &str) -> Result<(), Error> {
        if self.allow_shadowing || self.definition(module, name).is_none() {
            return Ok(());
        }
        let (module, name) = (module.to_owned(), name.to_owned());
        let reason = "it is already defined".to_owned();
        Err(ErrorKind::Link(LinkError { module, name, reason }).into())
    }

    fn insert(&mut self, module: &str, name: &str, ty: ExternType, from: From) {
        let definitions = self.definitions.entry(module.into()).or_default();
        definitions.insert(name.into(), Definition { ty, from });
    }
}

impl std::fmt::Debug for Linker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let modules: Vec<&str> = self.definitions.keys().map(|name| &**name).collect();
        f.debug_struct("Linker").field("modules", &modules).finish_non_exhaustive()
    }
}

/// The error of an import that cannot be satisfied.
#[cold]
fn link_error(module: &CompiledModule, import: usize, reason: String) -> Error {
    let ImportType { module, name, .. } = module.imports().swap_remove(import);
    ErrorKind::Link(LinkError { module, name, reason }).into()
}
