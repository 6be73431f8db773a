//! A compiled module: an artifact in memory.

use crate::error::{Error, ErrorKind};
use crate::namespace::admits;
use crate::runtime::Runtime;
use crate::vm::code::CodeMemory;
use crate::vm::entity::Entity;
use crate::vm::sys;
use crate::vm::types::{self, OwnedTypes, Refused, TypeRef};
use precast_abi::artifact::{
    self, Artifact, CallLoc, FormatError, FuncDesc, FuncRefDesc, GlobalDesc, Identity, ImportDesc,
    Info, Kind, MemoryDesc, Place, Section, StrRef, TableDesc, TypeDesc,
};
use precast_abi::types::{ExternType, MemoryType};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// A module's code, ready to be instantiated any number of times. Cheap to clone; the clones are
/// one module.
#[derive(Clone)]
pub struct CompiledModule(Arc<Inner>);

struct Inner {
    /// Tells modules apart; never zero, never used twice.
    id: u64,
    code: Box<CodeMemory>,
    types: OwnedTypes,
    /// Types with entry thunks, by identity and then index; made when a reference is first looked
    /// at.
    types_by_identity: OnceLock<Box<[(u64, u32)]>>,
    /// Defined functions that can be referred to, by text offset, with their positions; made when
    /// the host first needs one.
    func_refs_by_code: OnceLock<Box<[(u32, u32)]>>,
    /// Whether the cold sections are as they were written; found out when one is first read.
    cold_whole: OnceLock<bool>,
    /// The cache it comes from, and its key there.
    #[cfg(feature = "cache")]
    entry: OnceLock<(precast_cache::Cache, precast_cache::Key)>,
    runtime: Runtime,
    closed: AtomicBool,
}

/// An import of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportType {
    /// The module it is imported from.
    pub module: String,
    /// Its name there.
    pub name: String,
    /// What it must be.
    pub ty: ExternType,
}

/// An export of a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportType {
    /// Its name.
    pub name: String,
    /// What it is.
    pub ty: ExternType,
}

/// What this crate loads.
pub(crate) fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| Identity::for_target(&artifact::host_target()))
}

impl CompiledModule {
    pub(crate) fn new(runtime: Runtime, code: Box<CodeMemory>) -> Result<Self, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (artifact, bytes) = (code.artifact(), code.bytes());
        check_features(code.section(Section::Features))?;
        let types = types::intern_all(artifact.types(bytes)).map_err(|refused| match refused {
            Refused::Identity => Error::from(FormatError::Record("a type's identity")),
            Refused::Collision => ErrorKind::Unsupported(
                "a function type was made to have the identity of another one: the module cannot \
                 be used beside those loaded before"
                    .to_owned(),
            )
            .into(),
        })?;
        Ok(CompiledModule(Arc::new(Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            code,
            types,
            types_by_identity: OnceLock::new(),
            func_refs_by_code: OnceLock::new(),
            cold_whole: OnceLock::new(),
            #[cfg(feature = "cache")]
            entry: OnceLock::new(),
            runtime,
            closed: AtomicBool::new(false),
        })))
    }

    /// The name its name section gives it.
    pub fn name(&self) -> Option<&str> {
        let module = self.records_cold::<StrRef>(Section::Names)?.last()?;
        self.name_at(*module)
    }

    /// What it imports, in its order.
    pub fn imports(&self) -> Vec<ImportType> {
        let string = |at| self.artifact().string(self.bytes(), at).to_owned();
        self.records::<ImportDesc>(Section::Imports)
            .iter()
            .map(|import| ImportType {
                module: string(import.module),
                name: string(import.name),
                ty: self.extern_type(import.kind, import.index, import.index),
            })
            .collect()
    }

    /// What it exports.
    pub fn exports(&self) -> Vec<ExportType> {
        self.records::<artifact::ExportDesc>(Section::Exports)
            .iter()
            .map(|export| ExportType {
                name: self.artifact().string(self.bytes(), export.name).to_owned(),
                ty: self.extern_type(export.kind, export.ty, export.index),
            })
            .collect()
    }

    /// The type of the export with this name.
    pub fn export(&self, name: &str) -> Option<ExternType> {
        let export = self.artifact().export(self.bytes(), name)?;
        Some(self.extern_type(export.kind, export.ty, export.index))
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
    /// [`FormatError::Damaged`] names the section that is not as it was written.
    pub fn verify_metadata(&self) -> Result<(), Error> {
        self.verify_sections(|place| place == Place::Cold)
    }

    /// Checks every byte of every section, machine code and data among them.
    ///
    /// # Errors
    ///
    /// As [`CompiledModule::verify_metadata`].
    pub fn verify(&self) -> Result<(), Error> {
        self.verify_sections(|place| place != Place::Hot)
    }

    fn verify_sections(&self, which: impl Fn(Place) -> bool) -> Result<(), Error> {
        for &section in Section::ALL.iter().filter(|section| which(section.place())) {
            if !self.artifact().is_whole(self.bytes(), section) {
                return Err(FormatError::Damaged(section.name()).into());
            }
        }
        Ok(())
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

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn code(&self) -> &CodeMemory {
        &self.0.code
    }

    pub(crate) fn artifact(&self) -> &Artifact {
        self.0.code.artifact()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.code.bytes()
    }

    pub(crate) fn info(&self) -> &Info {
        self.artifact().info(self.bytes())
    }

    pub(crate) fn records<T>(&self, section: Section) -> &[T]
    where
        T: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::KnownLayout,
    {
        self.artifact().records(self.bytes(), section)
    }

    /// The process-wide place of the module's type at `index`.
    pub(crate) fn type_ref(&self, index: u32) -> TypeRef {
        self.0.types.get(index)
    }

    /// The record of the module's type at `index`.
    pub(crate) fn type_desc(&self, index: u32) -> &TypeDesc {
        &self.records(Section::Types)[index as usize]
    }

    /// The index of the module's type with this identity, if it has one with entry thunks.
    pub(crate) fn type_index(&self, identity: u64) -> Option<u32> {
        let all = self.0.types_by_identity.get_or_init(|| {
            let descs = self.records::<TypeDesc>(Section::Types).iter().zip(0..);
            let called = descs.filter(|(desc, _)| desc.array_entry != artifact::NONE);
            sorted(called.map(|(desc, index)| (desc.identity, index)))
        });
        find(all, identity)
    }

    /// The position of the defined function whose code begins at a text offset, among those that
    /// can be referred to.
    pub(crate) fn func_ref_at(&self, code: u32) -> Option<u32> {
        let all = self.0.func_refs_by_code.get_or_init(|| {
            let descs = self.records::<FuncRefDesc>(Section::FuncRefs).iter().zip(0..);
            let defined = descs.filter(|(desc, _)| desc.code != artifact::NONE);
            sorted(defined.map(|(desc, position)| (desc.code, position)))
        });
        find(all, code)
    }

    /// Whether an import may be satisfied by an entity.
    pub(crate) fn import_admits(&self, desc: &ImportDesc, entity: &Entity) -> bool {
        if let Entity::Func(func) = entity {
            return desc.kind == Kind::Func as u32 && self.type_ref(desc.index) == func.ty();
        }
        admits(&self.extern_type(desc.kind, desc.index, desc.index), &entity.ty())
    }

    fn extern_type(&self, kind: u32, ty: u32, index: u32) -> ExternType {
        let index = index as usize;
        match Kind::from_raw(kind).expect("a checked artifact") {
            Kind::Func => ExternType::Func(self.type_ref(ty).ty.clone()),
            Kind::Table => {
                ExternType::Table(self.records::<TableDesc>(Section::Tables)[index].table_type())
            }
            Kind::Memory => {
                let limits = self.records::<MemoryDesc>(Section::Memories)[index].limits();
                ExternType::Memory(MemoryType { limits })
            }
            Kind::Global => {
                let global = self.records::<GlobalDesc>(Section::Globals)[index];
                ExternType::Global(global.global_type())
            }
        }
    }

    fn records_cold<T>(&self, section: Section) -> Option<&[T]>
    where
        T: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::KnownLayout,
    {
        let whole = self.0.cold_whole.get_or_init(|| {
            let whole = self.verify_metadata().is_ok();
            #[cfg(feature = "cache")]
            if let (false, Some((cache, key))) = (whole, self.0.entry.get()) {
                // It was not looked at when it was loaded; nobody else shall load it.
                cache.discard(key);
            }
            whole
        });
        whole.then(|| self.records(section))
    }

    /// Says which entry of a cache it is mapped from.
    #[cfg(feature = "cache")]
    pub(crate) fn set_entry(&self, cache: &precast_cache::Cache, key: &precast_cache::Key) {
        // A module is mapped once.
        let _ = self.0.entry.set((cache.clone(), *key));
    }

    fn name_at(&self, at: StrRef) -> Option<&str> {
        let bytes = self.0.code.section(Section::NameBytes);
        let name = bytes.get(at.offset as usize..)?.get(..at.len as usize)?;
        std::str::from_utf8(name).ok().filter(|name| !name.is_empty())
    }

    /// The index of the function whose code holds a text offset.
    pub(crate) fn func_at(&self, offset: u32) -> Option<u32> {
        let funcs: &[FuncDesc] = self.records_cold(Section::Funcs)?;
        let at = funcs.partition_point(|f| f.start <= offset).checked_sub(1)?;
        let func = funcs[at];
        let inside = offset - func.start < func.len;
        inside.then(|| self.info().func_imports + at as u32)
    }

    /// The name of a function.
    pub(crate) fn func_name(&self, func: u32) -> Option<&str> {
        self.name_at(*self.records_cold::<StrRef>(Section::Names)?.get(func as usize)?)
    }

    /// The offset in the WebAssembly file of a trapping instruction or of the call that returns
    /// to a text offset.
    pub(crate) fn wasm_offset(&self, offset: u32) -> Option<u32> {
        let calls: &[CallLoc] = self.records_cold(Section::CallLocs)?;
        if let Ok(at) = calls.binary_search_by_key(&offset, |call| call.ret) {
            return Some(calls[at].wasm);
        }
        let traps: &[u32] = self.records_cold(Section::TrapOffsets)?;
        let at = traps.binary_search(&offset).ok()?;
        self.records_cold::<u32>(Section::TrapLocs)?.get(at).copied()
    }
}

impl std::fmt::Debug for CompiledModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompiledModule").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// Pairs for [`find`].
fn sorted<K: Ord>(pairs: impl Iterator<Item = (K, u32)>) -> Box<[(K, u32)]> {
    let mut pairs: Box<[_]> = pairs.collect();
    pairs.sort_unstable();
    pairs
}

/// The first number that stands beside a key.
fn find<K: Ord + Copy>(pairs: &[(K, u32)], key: K) -> Option<u32> {
    let at = pairs.partition_point(|&(k, _)| k < key);
    pairs.get(at).filter(|&&(k, _)| k == key).map(|&(_, number)| number)
}

/// Refuses an artifact that uses CPU features this machine lacks.
fn check_features(names: &[u8]) -> Result<(), Error> {
    let names = String::from_utf8_lossy(names);
    let missing: Vec<&str> =
        names.split(',').filter(|name| !name.is_empty() && !sys::has_feature(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ErrorKind::Features(missing.join(", ")).into())
}
