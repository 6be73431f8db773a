//! A module whose imports are resolved: instantiation looks up no names and checks no types.

use crate::error::{Error, ErrorKind};
use crate::func::TypedFunc;
use crate::host::HostModule;
use crate::instance::{Extern, Instance};
use crate::linker::AnyHostModule;
use crate::module::CompiledModule;
use crate::namespace::Namespace;
use crate::vm::entity::Entity;
use crate::vm::host::HostFuncs;
use crate::vm::shared::Shared;
use crate::vm::store::Store;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A module with resolved imports, made by
/// [`Linker::instantiate_pre`](crate::Linker::instantiate_pre). Cheap to clone, and usable from any
/// thread.
#[derive(Clone)]
pub struct InstancePre(Arc<Inner>);

struct Inner {
    module: CompiledModule,
    /// The modules that an instance needs. Each comes after those from which it imports.
    providers: Box<[Provider]>,
    /// The module's imports that come from providers, in their order.
    imports: Box<[Resolved]>,
}

/// A module, or a host module, of which each namespace gets one instance.
#[derive(Clone)]
pub(crate) struct Provider {
    /// Identifies the provider; never used twice.
    id: u64,
    pub(crate) source: Source,
}

/// The module that a provider instantiates.
#[derive(Clone)]
pub(crate) enum Source {
    Host { host: Arc<dyn AnyHostModule>, funcs: Arc<Shared<HostFuncs>> },
    Module { module: CompiledModule, imports: Arc<[Resolved]> },
}

/// An export of a provider's instance.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    /// The index of the provider.
    provider: usize,
    export: Export,
}

#[derive(Clone, Debug)]
enum Export {
    /// The index of a host module's function.
    HostFunc(u32),
    /// The name of a host module's memory, table or global.
    Named(Box<str>),
    /// The index of a module's export.
    OfModule(u32),
}

impl Resolved {
    /// A host module's function, by index.
    pub(crate) fn func(provider: usize, position: u32) -> Resolved {
        Resolved { provider, export: Export::HostFunc(position) }
    }

    /// A host module's memory, table or global.
    pub(crate) fn named(provider: usize, name: &str) -> Resolved {
        Resolved { provider, export: Export::Named(name.into()) }
    }

    /// A module's export, by index.
    pub(crate) fn of_module(provider: usize, position: u32) -> Resolved {
        Resolved { provider, export: Export::OfModule(position) }
    }

    /// The entity in a namespace in which `instances` are those of the providers.
    fn find(&self, store: &Store, instances: &[u32]) -> Option<Entity> {
        let instance = instances[self.provider];
        match &self.export {
            Export::HostFunc(position) => store.host_func(instance, *position),
            Export::Named(name) => store.export(instance, name),
            Export::OfModule(position) => store.export_at(instance, *position),
        }
    }
}

impl InstancePre {
    /// `imports` come from `providers` and have the types that the module demands.
    pub(crate) fn new(
        module: &CompiledModule,
        providers: &[Provider],
        imports: &[Resolved],
    ) -> InstancePre {
        let needed = needed(providers, imports);
        let position = |resolved: &Resolved| Resolved {
            provider: needed[&resolved.provider],
            export: resolved.export.clone(),
        };
        let kept = needed.keys().map(|&at| {
            let Provider { id, source } = &providers[at];
            let source = match source {
                Source::Module { module, imports } => {
                    let imports = imports.iter().map(position).collect();
                    Source::Module { module: module.clone(), imports }
                }
                host => host.clone(),
            };
            Provider { id: *id, source }
        });
        InstancePre(Arc::new(Inner {
            module: module.clone(),
            providers: kept.collect(),
            imports: imports.iter().map(position).collect(),
        }))
    }

    /// The module.
    pub fn module(&self) -> &CompiledModule {
        &self.0.module
    }

    /// The same, with a host module replaced by another one with the same functions: one that
    /// [`HostModule::with_state`] made from a linked module, or a WASI module of another builder.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if no import comes from a module with these functions;
    /// [`ErrorKind::Foreign`] if the host module belongs to another runtime.
    pub fn with_host<T: Send + 'static>(
        &self,
        module: &HostModule<T>,
    ) -> Result<InstancePre, Error> {
        if !module.runtime().same(self.0.module.runtime()) {
            return Err(ErrorKind::Foreign("a host module of another runtime").into());
        }
        let mut providers = self.0.providers.clone();
        let replaced = providers.iter_mut().find(|provider| match &provider.source {
            Source::Host { funcs, .. } => funcs.same(module.funcs()),
            Source::Module { .. } => false,
        });
        let Some(replaced) = replaced else {
            let name = module.name();
            let message = format!("no import comes from this host module {name:?}");
            return Err(ErrorKind::NotFound(message).into());
        };
        let (host, funcs) = (Arc::new(module.clone()), module.funcs().clone());
        *replaced = Provider::new(Source::Host { host, funcs });
        let (module, imports) = (self.0.module.clone(), self.0.imports.clone());
        Ok(InstancePre(Arc::new(Inner { module, providers, imports })))
    }

    /// Creates a namespace with an instance of the module and of all modules that it needs.
    ///
    /// # Errors
    ///
    /// As [`Namespace::instantiate`], for all instances that are created.
    pub fn instantiate(&self) -> Result<(Box<Namespace>, Instance), Error> {
        let mut namespace = self.0.module.runtime().namespace();
        let instance = self.instantiate_in(&mut namespace)?;
        Ok((namespace, instance))
    }

    /// Creates an instance in a namespace. Modules that it needs, and of which the namespace has no
    /// instance, are instantiated first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Foreign`] for a namespace of another runtime; else as
    /// [`InstancePre::instantiate`].
    pub fn instantiate_in(&self, namespace: &mut Namespace) -> Result<Instance, Error> {
        self.instantiate_with(namespace, &[])
    }

    /// As [`InstancePre::instantiate_in`]. `own` has the imports that come from no provider, with
    /// their indices; they belong to the namespace and have the types that the module demands.
    pub(crate) fn instantiate_with(
        &self,
        namespace: &mut Namespace,
        own: &[(usize, Extern)],
    ) -> Result<Instance, Error> {
        let Inner { module, providers, imports } = &*self.0;
        namespace.check_can_instantiate(module)?;
        let mut instances = Vec::with_capacity(providers.len());
        for provider in providers {
            let instance = provider.instance(namespace, &instances)?;
            instances.push(instance);
        }
        let entities = entities(namespace.store(), imports, &instances, own)?;
        namespace.instantiate_entities(module, &entities)
    }

    /// As [`InstancePre::instantiate_with`], as a future.
    #[cfg(feature = "async")]
    pub(crate) async fn instantiate_with_async(
        &self,
        namespace: &mut Namespace,
        own: &[(usize, Extern)],
    ) -> Result<Instance, Error> {
        let Inner { module, providers, imports } = &*self.0;
        namespace.check_can_instantiate(module)?;
        let mut instances = Vec::with_capacity(providers.len());
        for provider in providers {
            let instance = provider.instance_async(namespace, &instances).await?;
            instances.push(instance);
        }
        let prepared = {
            let entities = entities(namespace.store(), imports, &instances, own)?;
            namespace.prepare_to_start(module, &entities)?
        };
        namespace.start(prepared).await
    }
}

impl Provider {
    pub(crate) fn new(source: Source) -> Provider {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Provider { id: NEXT.fetch_add(1, Ordering::Relaxed), source }
    }

    /// The provider's instance in a namespace, which is created if there is none. `instances` are
    /// those of the providers before this one.
    fn instance(&self, namespace: &mut Namespace, instances: &[u32]) -> Result<u32, Error> {
        if let Some(instance) = namespace.store().linked(self.id) {
            return Ok(instance);
        }
        let instance = match &self.source {
            Source::Host { host, .. } => namespace.store_mut().add_host(host.instantiate()?),
            Source::Module { module, imports } => {
                module.check_open()?;
                let entities = find_all(namespace.store(), imports, instances)?;
                let instance = namespace.instantiate_entities(module, &entities)?;
                if let Some(initialize) = initialize(namespace, module, instance)? {
                    initialize.call(namespace, ())?;
                }
                instance.index
            }
        };
        namespace.store_mut().set_linked(self.id, instance);
        Ok(instance)
    }

    /// As [`Provider::instance`], as a future.
    #[cfg(feature = "async")]
    async fn instance_async(
        &self,
        namespace: &mut Namespace,
        instances: &[u32],
    ) -> Result<u32, Error> {
        let Source::Module { module, imports } = &self.source else {
            return self.instance(namespace, instances);
        };
        if let Some(instance) = namespace.store().linked(self.id) {
            return Ok(instance);
        }
        module.check_open()?;
        let prepared = {
            let entities = find_all(namespace.store(), imports, instances)?;
            namespace.prepare_to_start(module, &entities)?
        };
        let instance = namespace.start(prepared).await?;
        if let Some(initialize) = initialize(namespace, module, instance)? {
            initialize.call_async(namespace, ()).await?;
        }
        namespace.store_mut().set_linked(self.id, instance.index);
        Ok(instance.index)
    }
}

/// The function that initialises an instance of a library.
fn initialize(
    namespace: &Namespace,
    module: &CompiledModule,
    instance: Instance,
) -> Result<Option<TypedFunc<(), ()>>, Error> {
    if module.export("_start").is_some() || module.export("_initialize").is_none() {
        return Ok(None);
    }
    instance.typed::<(), ()>(namespace, "_initialize").map(Some)
}

/// The entities of a module's imports in a namespace, those that come from no provider among them.
fn entities(
    store: &Store,
    imports: &[Resolved],
    instances: &[u32],
    own: &[(usize, Extern)],
) -> Result<Vec<Entity>, Error> {
    let mut entities = find_all(store, imports, instances)?;
    for (position, value) in own {
        entities.insert(*position, value.entity());
    }
    Ok(entities)
}

/// The entities of imports in a namespace.
fn find_all(store: &Store, imports: &[Resolved], instances: &[u32]) -> Result<Vec<Entity>, Error> {
    let found = imports.iter().map(|import| import.find(store, instances));
    // A start function may have closed the namespace.
    found.collect::<Option<_>>().ok_or_else(Error::closed_namespace)
}

/// The providers that imports need, each with its new index.
fn needed(providers: &[Provider], imports: &[Resolved]) -> BTreeMap<usize, usize> {
    let mut needed = BTreeMap::new();
    let mut open: Vec<usize> = imports.iter().map(|import| import.provider).collect();
    while let Some(at) = open.pop() {
        if needed.insert(at, 0).is_none()
            && let Source::Module { imports, .. } = &providers[at].source
        {
            open.extend(imports.iter().map(|import| import.provider));
        }
    }
    needed.values_mut().zip(0..).for_each(|(position, n)| *position = n);
    needed
}

impl std::fmt::Debug for InstancePre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InstancePre").field("module", &self.0.module).finish_non_exhaustive()
    }
}
