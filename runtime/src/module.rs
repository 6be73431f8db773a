//! A compiled module: an artifact in memory.

use crate::error::{Error, ErrorKind};
use crate::interface::{ExportType, ImportType, Interface};
use crate::namespace::admits;
use crate::runtime::Runtime;
use crate::vm::code::{CodeMemory, Module};
use crate::vm::entity::Entity;
use precast_abi::artifact::{self, Artifact, ImportDesc, Kind, Place, Producer, Section};
use precast_abi::types::ExternType;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// A module's code, ready to be instantiated any number of times. Cheap to clone; the clones are
/// one module.
#[derive(Clone)]
pub struct CompiledModule(Arc<Inner>);

struct Inner {
    module: Arc<Module>,
    runtime: Runtime,
    closed: AtomicBool,
}

/// What this crate loads.
pub(crate) fn producer() -> &'static Producer {
    static PRODUCER: OnceLock<Producer> = OnceLock::new();
    PRODUCER.get_or_init(|| Producer::for_target(&artifact::host_target()))
}

impl CompiledModule {
    pub(crate) fn new(runtime: Runtime, code: Box<CodeMemory>) -> Result<Self, Error> {
        let (module, closed) = (Module::new(code)?, AtomicBool::new(false));
        Ok(CompiledModule(Arc::new(Inner { module, runtime, closed })))
    }

    /// The name its name section gives it.
    pub fn name(&self) -> Option<&str> {
        self.0.module.name()
    }

    /// What it imports, in its order.
    pub fn imports(&self) -> Vec<ImportType> {
        self.interface().imports()
    }

    /// What it exports.
    pub fn exports(&self) -> Vec<ExportType> {
        self.interface().exports()
    }

    /// The type of the export with this name.
    pub fn export(&self, name: &str) -> Option<ExternType> {
        let export = self.artifact().export(self.bytes(), name)?;
        Some(self.interface().export_type(export))
    }

    /// The artifact's bytes, for [`Runtime::load`] and [`Runtime::load_bytes`].
    /// [`CompiledModule::serialize_sealed`] gives those that can be loaded safely.
    pub fn serialize(&self) -> &[u8] {
        self.bytes()
    }

    /// Checks what loading leaves for later: the sections that traps and inspection read. Takes
    /// time in proportion to their size, some milliseconds for the largest programs.
    ///
    /// # Errors
    ///
    /// [`FormatError::Damaged`](crate::FormatError::Damaged) names the section that is not as it was written.
    pub fn verify_metadata(&self) -> Result<(), Error> {
        Ok(self.0.module.verify_sections(|place| place == Place::Cold)?)
    }

    /// Checks every byte of every section, machine code and data among them.
    ///
    /// # Errors
    ///
    /// As [`CompiledModule::verify_metadata`].
    pub fn verify(&self) -> Result<(), Error> {
        Ok(self.0.module.verify_sections(|place| place != Place::Hot)?)
    }

    /// Closes the module: it can no longer be instantiated. Instances it has go on.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
    }

    /// The runtime it belongs to.
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

    /// Its code, as instances use it.
    pub(crate) fn code_module(&self) -> &Arc<Module> {
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

    /// Says which entry of a cache it is mapped from: one that is damaged is removed.
    #[cfg(feature = "cache")]
    pub(crate) fn set_entry(&self, cache: &precast_cache::Cache, key: &precast_cache::Key) {
        let (cache, key) = (cache.clone(), *key);
        // It was not checked when it was loaded; nobody else shall load it.
        self.0.module.on_damage(move || cache.discard(&key));
    }
}

impl std::fmt::Debug for CompiledModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledModule").field("name", &self.name()).finish_non_exhaustive()
    }
}
