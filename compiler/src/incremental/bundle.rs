//! Bundles: the code of functions by their keys, in a format that is read in place.
//!
//! ```text
//! header | keys, ascending | entries, one per key | relocations | traps | calls | code
//! ```
//!
//! All records are little-endian and need no alignment. Only the code in a bundle is trusted: a
//! function with an inconsistent record counts as not found.

use super::key::{Key, Order};
use crate::link::compiled::{self, Call, CompiledFunction, RelocTarget, Trap};
use crate::plan::func_ids::FuncIds;
use cranelift_codegen::binemit;
use cranelift_module::{ModuleReloc, ModuleRelocTarget};
use precast_abi::artifact::NONE;
use precast_abi::builtin::Builtin;
use std::borrow::Cow;
use std::mem::size_of;
use xxhash_rust::xxh3::xxh3_64;
use zerocopy::little_endian::{I64, U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub(crate) struct $name {
            $($(#[$fdoc])* $field: $ty,)*
        }
    )*};
}

records! {
    /// The first bytes.
    Header {
        magic: [u8; 8],
        /// Hash of everything after this field.
        hash: U64,
        entries: U32,
        relocs: U32,
        traps: U32,
        calls: U32,
    }

    /// The code of a function.
    Entry {
        /// Offset and length in the code.
        code: U32,
        len: U32,
        /// Zero if the code is in the entry of the key [`super::KeyWriter::with_elements`].
        align: U32,
        relocs: Slice,
        traps: Slice,
        calls: Slice,
    }

    /// A range of records.
    Slice {
        first: U32,
        count: U32,
    }

    /// A relocation.
    RelocRecord {
        offset: U32,
        /// A position in [`KINDS`].
        kind: u8,
        /// The numbering that `target` belongs to: one of the constants below.
        space: u8,
        target: U32,
        addend: I64,
    }

    /// A [`Trap`].
    TrapRecord {
        offset: U32,
        wasm: U32,
        code: u8,
    }

    /// A [`Call`].
    CallRecord {
        ret: U32,
        wasm: U32,
    }
}

/// There is no version number: keys depend on the build of the compiler, so nothing is found in a
/// bundle of another build.
const MAGIC: [u8; 8] = *b"precastF";

/// Offset of the bytes that the header's hash covers.
const HASHED: usize = 16;

/// The `n`th function the body calls.
const CALLEE: u8 = 0;
/// The `n`th dispatch table the body calls through.
const DISPATCH: u8 = 1;
/// A builtin.
const BUILTIN: u8 = 2;
/// The `n`th defined function, which is known to be an element of a constant table.
const DEFINED: u8 = 3;

const KINDS: &[binemit::Reloc] = &[
    binemit::Reloc::X86PCRel4,
    binemit::Reloc::X86CallPCRel4,
    binemit::Reloc::Arm64Call,
    binemit::Reloc::Aarch64AdrPrelPgHi21,
    binemit::Reloc::Aarch64AddAbsLo12Nc,
];

/// Maps targets of relocations between a bundle and one function of one module.
pub(crate) struct Names<'n> {
    pub(crate) ids: &'n FuncIds,
    pub(crate) callees: &'n Order,
    pub(crate) data: &'n Order,
}

impl Names<'_> {
    fn to_record(&self, reloc: &ModuleReloc) -> Option<RelocRecord> {
        let (space, target) = match compiled::reloc_target(reloc)? {
            RelocTarget::Data(id) => (DISPATCH, self.data.find(id)?),
            RelocTarget::Func(id) => match id.checked_sub(self.ids.defined_count()) {
                Some(n) => (BUILTIN, Some(n).filter(|&n| (n as usize) < Builtin::ALL.len())?),
                None => self.callees.find(id).map_or((DEFINED, id), |place| (CALLEE, place)),
            },
        };
        Some(RelocRecord {
            offset: reloc.offset.into(),
            kind: KINDS.iter().position(|&kind| kind == reloc.kind)? as u8,
            space,
            target: target.into(),
            addend: reloc.addend.into(),
        })
    }

    fn of_record(&self, record: &RelocRecord, code_len: usize) -> Option<ModuleReloc> {
        let target = record.target.get();
        let func = |id| ModuleRelocTarget::user(0, id);
        let name = match record.space {
            CALLEE => func(self.callees.number(target)?),
            DISPATCH => ModuleRelocTarget::user(1, self.data.number(target)?),
            BUILTIN => func(self.ids.builtin(*Builtin::ALL.get(target as usize)?).as_u32()),
            DEFINED => func(Some(target).filter(|&id| id < self.ids.defined_count())?),
            _ => return None,
        };
        let offset = record.offset.get();
        let kind = *KINDS.get(usize::from(record.kind))?;
        let addend = record.addend.get();
        let inside = (offset as usize).checked_add(4)? <= code_len;
        // Linking adds the addend to an offset; valid addends are small.
        let sane = i16::try_from(addend).is_ok();
        (inside && sane).then_some(ModuleReloc { offset, kind, name, addend })
    }
}

/// The part of a bundle's record that a compiled function does not have.
pub(crate) struct Kept<'b> {
    key: Key,
    /// The key of the code, if that depends on elements of constant tables.
    precise: Option<Key>,
    relocs: Cow<'b, [RelocRecord]>,
}

impl Kept<'_> {
    /// The record of a compiled function; `None` if a bundle cannot represent it.
    pub(crate) fn new(
        key: Key,
        precise: Option<Key>,
        function: &CompiledFunction<'_>,
        names: &Names<'_>,
    ) -> Option<Self> {
        let relocs = function.relocs.iter().map(|reloc| names.to_record(reloc));
        let relocs: Vec<_> = relocs.collect::<Option<_>>()?;
        let told = precise.is_some() || relocs.iter().all(|reloc| reloc.space != DEFINED);
        let whole = told && function.handlers.is_empty();
        whole.then_some(Kept { key, precise, relocs: relocs.into() })
    }
}

/// A bundle whose checksum matches.
#[derive(Clone, Copy)]
pub(crate) struct Bundle<'b> {
    keys: &'b [Key],
    entries: &'b [Entry],
    relocs: &'b [RelocRecord],
    traps: &'b [TrapRecord],
    calls: &'b [CallRecord],
    code: &'b [u8],
}

impl<'b> Bundle<'b> {
    /// Opens a bundle; `None` if the bytes are damaged or not a bundle.
    pub(crate) fn open(bytes: &'b [u8]) -> Option<Self> {
        let (header, rest) = Header::ref_from_prefix(bytes).ok()?;
        if header.magic != MAGIC || header.hash.get() != xxh3_64(&bytes[HASHED..]) {
            return None;
        }
        let (keys, rest) = records(rest, header.entries)?;
        let (entries, rest) = records(rest, header.entries)?;
        let (relocs, rest) = records(rest, header.relocs)?;
        let (traps, rest) = records(rest, header.traps)?;
        let (calls, code) = records(rest, header.calls)?;
        Some(Bundle { keys, entries, relocs, traps, calls, code })
    }

    fn entry(&self, key: &Key) -> Option<&'b Entry> {
        self.entries.get(self.keys.binary_search(key).ok()?)
    }

    /// Finds a function whose body starts at `base`. `precise` computes the key that includes
    /// elements of constant tables.
    pub(crate) fn find(
        &self,
        key: &Key,
        precise: impl FnOnce() -> Key,
        names: &Names<'_>,
        base: u32,
    ) -> Option<(CompiledFunction<'b>, Kept<'b>)> {
        let mut entry = self.entry(key)?;
        let mut more = None;
        if entry.align.get() == 0 {
            let precise = *more.insert(precise());
            entry = self.entry(&precise)?;
        }
        let code = slice(self.code, Slice { first: entry.code, count: entry.len })?;
        let align = entry.align.get();
        if !align.is_power_of_two() || align > 4096 {
            return None;
        }
        let relocs = slice(self.relocs, entry.relocs)?;
        let found = relocs.iter().map(|record| names.of_record(record, code.len()));
        let function = CompiledFunction {
            code: Cow::Borrowed(code),
            align,
            frame: 0,
            base,
            relocs: found.collect::<Option<_>>()?,
            traps: traps(slice(self.traps, entry.traps)?, code.len(), base)?,
            calls: calls(slice(self.calls, entry.calls)?, code.len(), base)?,
            handlers: Box::default(),
        };
        Some((function, Kept { key: *key, precise: more, relocs: relocs.into() }))
    }
}

fn traps(records: &[TrapRecord], code_len: usize, base: u32) -> Option<Box<[Trap]>> {
    let traps = records.iter().map(|trap| {
        let (offset, wasm) = (trap.offset.get(), trap.wasm.get());
        let sane = (offset as usize) < code_len && located(wasm, base);
        sane.then_some(Trap { offset, code: trap.code, wasm })
    });
    let traps: Box<[Trap]> = traps.collect::<Option<_>>()?;
    traps.is_sorted_by_key(|trap| trap.offset).then_some(traps)
}

fn calls(records: &[CallRecord], code_len: usize, base: u32) -> Option<Box<[Call]>> {
    let calls = records.iter().map(|call| {
        let (ret, wasm) = (call.ret.get(), call.wasm.get());
        let sane = (ret as usize) <= code_len && located(wasm, base);
        sane.then_some(Call { ret, wasm })
    });
    let calls: Box<[Call]> = calls.collect::<Option<_>>()?;
    calls.is_sorted_by_key(|call| call.ret).then_some(calls)
}

/// Whether a location relative to `base` is valid.
fn located(wasm: u32, base: u32) -> bool {
    wasm == NONE || wasm.checked_add(base).is_some()
}

fn records<T: FromBytes + Immutable + KnownLayout + Unaligned>(
    bytes: &[u8],
    count: U32,
) -> Option<(&[T], &[u8])> {
    <[T]>::ref_from_prefix_with_elems(bytes, count.get() as usize).ok()
}

fn slice<T>(all: &[T], slice: Slice) -> Option<&[T]> {
    let first = slice.first.get() as usize;
    all.get(first..first.checked_add(slice.count.get() as usize)?)
}

/// Writes a bundle.
#[derive(Default)]
pub(crate) struct Builder {
    entries: Vec<(Key, Entry)>,
    relocs: Vec<RelocRecord>,
    traps: Vec<TrapRecord>,
    calls: Vec<CallRecord>,
    code: Vec<u8>,
}

impl Builder {
    /// A builder with capacity for so many functions and bytes of code.
    pub(crate) fn with_capacity(functions: usize, code: usize) -> Self {
        Builder {
            entries: Vec::with_capacity(functions),
            code: Vec::with_capacity(code),
            ..Self::default()
        }
    }

    /// Adds a function.
    pub(crate) fn add(&mut self, kept: &Kept<'_>, function: &CompiledFunction<'_>) {
        let entry = Entry {
            code: (self.code.len() as u32).into(),
            len: (function.code.len() as u32).into(),
            align: function.align.into(),
            relocs: push(&mut self.relocs, kept.relocs.iter().copied()),
            traps: push(
                &mut self.traps,
                function.traps.iter().map(|trap| TrapRecord {
                    offset: trap.offset.into(),
                    wasm: trap.wasm.into(),
                    code: trap.code,
                }),
            ),
            calls: push(
                &mut self.calls,
                function
                    .calls
                    .iter()
                    .map(|call| CallRecord { ret: call.ret.into(), wasm: call.wasm.into() }),
            ),
        };
        self.code.extend_from_slice(&function.code);
        if let Some(precise) = kept.precise {
            self.entries.push((kept.key, Entry::new_zeroed()));
            self.entries.push((precise, entry));
        } else {
            self.entries.push((kept.key, entry));
        }
    }

    /// The bundle; `None` if it is too large for 32-bit offsets.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        u32::try_from(self.code.len()).ok()?;
        // Equal functions have equal keys.
        self.entries
            .sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.code.get().cmp(&b.1.code.get())));
        self.entries.dedup_by_key(|entry| entry.0);
        let count = |len: usize| u32::try_from(len).ok().map(U32::from);
        let mut header = Header {
            magic: MAGIC,
            hash: 0.into(),
            entries: count(self.entries.len())?,
            relocs: count(self.relocs.len())?,
            traps: count(self.traps.len())?,
            calls: count(self.calls.len())?,
        };
        let sections = [self.relocs.as_bytes(), self.traps.as_bytes(), self.calls.as_bytes()];
        let fixed = self.entries.len() * (size_of::<Key>() + size_of::<Entry>());
        let size = sections.iter().map(|section| section.len()).sum::<usize>() + self.code.len();
        let mut bytes = Vec::with_capacity(size_of::<Header>() + fixed + size);
        bytes.extend_from_slice(header.as_bytes());
        self.entries.iter().for_each(|(key, _)| bytes.extend_from_slice(key));
        self.entries.iter().for_each(|(_, entry)| bytes.extend_from_slice(entry.as_bytes()));
        sections.iter().for_each(|section| bytes.extend_from_slice(section));
        bytes.extend_from_slice(&self.code);
        header.hash = xxh3_64(&bytes[HASHED..]).into();
        bytes[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        Some(bytes)
    }
}

fn push<T>(all: &mut Vec<T>, some: impl Iterator<Item = T>) -> Slice {
    let first = all.len();
    all.extend(some);
    Slice { first: (first as u32).into(), count: ((all.len() - first) as u32).into() }
}
