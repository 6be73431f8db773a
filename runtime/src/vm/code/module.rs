//! A module: the machine code of an artifact, its types, and lookups of its functions.

use super::code_memory::CodeMemory;
use super::fixed::Fixed;
use crate::error::{Error, ErrorKind};
use crate::vm::sys;
use crate::vm::types::{self, OwnedTypes, Refused, TypeRef};
use precast_abi::artifact::{
    self, Artifact, CallLoc, FormatError, FuncDesc, FuncRefDesc, Info, Place, Section, StrRef,
    TypeDesc,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// A module's code, ready to be instantiated any number of times.
pub(crate) struct Module {
    /// Tells modules apart; never zero, never used twice.
    id: u64,
    code: Box<CodeMemory>,
    types: OwnedTypes,
    /// Types with entry thunks, by digest and then index; made when a reference is first looked
    /// at.
    types_by_digest: OnceLock<Box<[(u64, u32)]>>,
    /// Defined functions that can be referred to, by text offset, with their positions; made when
    /// the host first needs one.
    func_refs_by_code: OnceLock<Box<[(u32, u32)]>>,
    /// Made when the module is first instantiated.
    fixed: OnceLock<Fixed>,
    /// Whether the cold sections are undamaged; found out when one is first read.
    cold_whole: OnceLock<bool>,
    /// Called when a cold section turns out to be damaged.
    on_damage: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Module {
    /// The module whose artifact is in memory.
    ///
    /// # Errors
    ///
    /// When the machine lacks a CPU feature of its code, or one of its types is refused.
    pub(crate) fn new(code: Box<CodeMemory>) -> Result<Arc<Self>, Error> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (artifact, bytes) = (code.artifact(), code.bytes());
        check_features(code.section(Section::Features))?;
        let types = types::intern_all(artifact.types(bytes)).map_err(|refused| match refused {
            Refused::Digest => Error::from(FormatError::Record("a type's digest")),
            Refused::Collision => ErrorKind::Unsupported(
                "a function type was made to have the digest of another one: the module cannot \
                 be used beside those loaded before"
                    .to_owned(),
            )
            .into(),
        })?;
        let module = Arc::new(Module {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            code,
            types,
            types_by_digest: OnceLock::new(),
            func_refs_by_code: OnceLock::new(),
            fixed: OnceLock::new(),
            cold_whole: OnceLock::new(),
            on_damage: OnceLock::new(),
        });
        module.code.set_module(&module);
        Ok(module)
    }

    /// Has `f` called when a cold section turns out to be damaged. Only the first call counts.
    #[cfg(feature = "cache")]
    pub(crate) fn on_damage(&self, f: impl Fn() + Send + Sync + 'static) {
        let _ = self.on_damage.set(Box::new(f));
    }

    /// The name its name section gives it.
    pub(crate) fn name(&self) -> Option<&str> {
        let module = self.records_cold::<StrRef>(Section::Names)?.last()?;
        self.name_at(*module)
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn code(&self) -> &CodeMemory {
        &self.code
    }

    pub(crate) fn artifact(&self) -> &Artifact {
        self.code.artifact()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.code.bytes()
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
        self.types.get(index)
    }

    /// The record of the module's type at `index`.
    pub(in crate::vm) fn type_desc(&self, index: u32) -> &TypeDesc {
        &self.records(Section::Types)[index as usize]
    }

    /// The index of the module's type with this digest, if it has one with entry thunks.
    pub(in crate::vm) fn type_index(&self, digest: u64) -> Option<u32> {
        let all = self.types_by_digest.get_or_init(|| {
            let descs = self.records::<TypeDesc>(Section::Types).iter().zip(0..);
            let called = descs.filter(|(desc, _)| desc.array_entry != artifact::NONE);
            sorted(called.map(|(desc, index)| (desc.digest, index)))
        });
        find(all, digest)
    }

    /// The position of the defined function whose code begins at a text offset, among those that
    /// can be referred to.
    pub(in crate::vm) fn func_ref_at(&self, code: u32) -> Option<u32> {
        let all = self.func_refs_by_code.get_or_init(|| {
            let descs = self.records::<FuncRefDesc>(Section::FuncRefs).iter().zip(0..);
            let defined = descs.filter(|(desc, _)| desc.code != artifact::NONE);
            sorted(defined.map(|(desc, position)| (desc.code, position)))
        });
        find(all, code)
    }

    /// What is the same for all of its instances.
    pub(in crate::vm) fn fixed(&self) -> &Fixed {
        self.fixed.get_or_init(|| Fixed::of(self))
    }

    /// Checks the bytes of the sections in certain places.
    ///
    /// # Errors
    ///
    /// [`FormatError::Damaged`] names the first damaged section.
    pub(crate) fn verify_sections(&self, which: impl Fn(Place) -> bool) -> Result<(), FormatError> {
        for &section in Section::ALL.iter().filter(|section| which(section.place())) {
            if !self.artifact().is_whole(self.bytes(), section) {
                return Err(FormatError::Damaged(section.name()));
            }
        }
        Ok(())
    }

    /// Records of a cold section; none when cold sections are damaged.
    fn records_cold<T>(&self, section: Section) -> Option<&[T]>
    where
        T: zerocopy::FromBytes + zerocopy::Immutable + zerocopy::KnownLayout,
    {
        let whole = self.cold_whole.get_or_init(|| {
            let whole = self.verify_sections(|place| place == Place::Cold).is_ok();
            if let (false, Some(on_damage)) = (whole, self.on_damage.get()) {
                on_damage();
            }
            whole
        });
        whole.then(|| self.records(section))
    }

    fn name_at(&self, at: StrRef) -> Option<&str> {
        let bytes = self.code.section(Section::NameBytes);
        let name = bytes.get(at.offset as usize..)?.get(..at.len as usize)?;
        std::str::from_utf8(name).ok().filter(|name| !name.is_empty())
    }

    /// The index of the function whose code holds a text offset.
    pub(in crate::vm) fn func_at(&self, offset: u32) -> Option<u32> {
        let funcs: &[FuncDesc] = self.records_cold(Section::Funcs)?;
        let at = funcs.partition_point(|f| f.start <= offset).checked_sub(1)?;
        let func = funcs[at];
        let inside = offset - func.start < func.len;
        inside.then(|| self.info().func_imports + at as u32)
    }

    /// The name of a function.
    pub(in crate::vm) fn func_name(&self, func: u32) -> Option<&str> {
        self.name_at(*self.records_cold::<StrRef>(Section::Names)?.get(func as usize)?)
    }

    /// The offset in the WebAssembly file of a trapping instruction or of the call that returns
    /// to a text offset.
    pub(in crate::vm) fn wasm_offset(&self, offset: u32) -> Option<u32> {
        let calls: &[CallLoc] = self.records_cold(Section::CallLocs)?;
        if let Ok(at) = calls.binary_search_by_key(&offset, |call| call.ret) {
            return Some(calls[at].wasm);
        }
        let traps: &[u32] = self.records_cold(Section::TrapOffsets)?;
        let at = traps.binary_search(&offset).ok()?;
        self.records_cold::<u32>(Section::TrapLocs)?.get(at).copied()
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
