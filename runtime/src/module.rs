//! A compiled module: an artifact in memory.

use crate::error::{Error, ErrorKind};
use crate::interface::{ExportType, ImportType, Interface};
use crate::namespace::admits;
use crate::runtime::Runtime;
use crate::vm::code::{CodeMemory, Module};
use crate::vm::entity::Entity;
use crate::vm::shared::Shared;
use precast_abi::artifact::{self, Artifact, ImportDesc, Kind, Place, Producer, Section};
use precast_abi::types::ExternType;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A module's code, ready to be instantiated any number of times. Cheap to clone; clones are
/// handles on the same module.
#[derive(Clone)]
pub struct CompiledModule(Arc<Inner>);

struct Inner {
    module: Arc<Shared<Module>>,
    runtime: Runtime,
    closed: AtomicBool,
}

/// The producer whose artifacts this crate loads.
pub(crate) fn producer() -> &'static Producer {
    static PRODUCER: OnceLock<Producer> = OnceLock::new();
    PRODUCER.get_or_init(|| Producer::for_target(&artifact::host_target()))
}

impl CompiledModule {
    pub(crate) fn new(runtime: Runtime, code: Box<CodeMemory>) -> Result<Self, Error> {
        let (module, closed) = (Shared::new(Module::new(code)?), AtomicBool::new(false));
        Ok(CompiledModule(Arc::new(Inner { module, runtime, closed })))
    }

    /// The module's name, from its name section.
    pub fn name(&self) -> Option<&str> {
        self.0.module.name()
    }

    /// The imports, in the module's order.
    pub fn imports(&self) -> Vec<ImportType> {
        self.interface().imports()
    }

    /// The exports.
    pub fn exports(&self) -> Vec<ExportType> {
        self.interface().exports()
    }

    /// The type of the export with this name.
    pub fn export(&self, name: &str) -> Option<ExternType> {
        let export = self.artifact().export(self.bytes(), name)?;
        Some(self.interface().export_type(export))
    }

    /// The artifact's bytes, for [`Runtime::load`] and [`Runtime::load_bytes`].
    /// [`CompiledModule::serialize_sealed`] returns bytes that can be loaded safely.
    pub fn serialize(&self) -> &[u8] {
        self.bytes()
    }

    /// Checks the sections that loading does not check: those that traps and inspection read. The
    /// time is proportional to their size: some milliseconds for the largest programs.
    ///
    /// # Errors
    ///
    /// [`FormatError::Damaged`](crate::FormatError::Damaged) with the name of a damaged section.
    pub fn verify_metadata(&self) -> Result<(), Error> {
        Ok(self.0.module.verify_sections(|place| place == Place::Cold)?)
    }

    /// Checks every byte of every section, including machine code and data.
    ///
    /// # Errors
    ///
    /// As [`CompiledModule::verify_metadata`].
    pub fn verify(&self) -> Result<(), Error> {
        Ok(self.0.module.verify_sections(|place| place != Place::Hot)?)
    }

    /// Closes the module: it can no longer be instantiated. Its instances stay usable.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
    }

    /// The runtime to which the module belongs.
    pub fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    pub(crate) fn check_open(&self) -> Result<(), Error> {
        self.0.runtime.check_open()?;
        if self.0.closed.load(Ordering::Relaxed) {
            return Err(ErrorKind::Closed("module").into());
        }
        Ok(())
    }

    /// The code, as instances use it.
    pub(crate) fn code_module(&self) -> &Arc<Shared<Module>> {
        &self.0.module
    }

    pub(crate) fn artifact(&self) -> &Artifact {
        self.0.module.artifact()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.module.bytes()
    }

    pub(crate) fn records<T>(&self, section: Section) -> &[T]
    where
        T: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::KnownLayout,
    {
        self.0.module.records(section)
    }

    /// Whether an import may be satisfied by an entity.
    pub(crate) fn import_admits(&self, desc: &ImportDesc, entity: &Entity) -> bool {
        if let Entity::Func(func) = entity {
            return desc.kind == Kind::Func as u32
                && self.0.module.type_ref(desc.index) == func.ty();
        }
        admits(&self.interface().import_type(desc), &entity.ty())
    }

    fn interface(&self) -> Interface<'_> {
        Interface { artifact: self.artifact(), bytes: self.bytes() }
    }

    /// Sets the cache entry from which the module is mapped. It is removed if it proves damaged.
    #[cfg(feature = "cache")]
    pub(crate) fn set_entry(&self, cache: &precast_cache::Cache, key: &precast_cache::Key) {
        let (cache, key) = (cache.clone(), *key);
        // Loading did not check all of the entry. Nobody else shall load a damaged one.
        self.0.module.on_damage(move || cache.discard(&key));
    }
}

impl std::fmt::Debug for CompiledModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledModule").field("name", &self.name()).finish_non_exhaustive()
    }
}
