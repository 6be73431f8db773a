//! Checks whether bytes are an undamaged artifact of this version for this machine. The checks are
//! no defence against malice: an attacker who changes bytes can recompute the checksum, and machine
//! code is not inspected. So the caller must know from elsewhere that the artifact may be executed:
//! from a seal, from a folder that only its owner can write to, or from the user's consent.
//!
//! For an accepted artifact, no reader panics, reads out of bounds, or takes time out of proportion
//! to its size. Mistakes of the compiler are found when an artifact is loaded: every index and
//! offset in the hot sections is in bounds, every constant has the type of what it initialises, and
//! neither regions nor sections overlap. What records mean is checked in `deep.rs`, for verifiers.

pub(super) mod deep;
mod init;

use super::header::{HEADER_SIZE, Header, MAGIC, Place, Producer, Section, VERSION};
use super::records::*;
use super::view::Artifact;
use crate::types::ValType;
use crate::vmctx::{Counts, Regions};
use zerocopy::{FromBytes, IntoBytes};

/// The reason why bytes are not an artifact that can be used here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The first bytes are not those of an artifact.
    #[error("not a precast artifact")]
    Magic,
    /// The file ends early.
    #[error("the artifact is truncated: {have} of {want} bytes")]
    Truncated {
        /// Length of the bytes.
        have: u64,
        /// Length according to the header.
        want: u64,
    },
    /// The format has another version.
    #[error("the artifact has format version {0}, this precast reads version {VERSION}")]
    Version(u32),
    /// Another compiler, or another version of it, made the artifact.
    #[error("the artifact was compiled by {found}, this is {expected}: compile it again")]
    Compiler {
        /// The compiler that made it.
        found: String,
        /// This compiler.
        expected: String,
    },
    /// The artifact is for another machine.
    #[error("the artifact is for {found}, this machine is {expected}")]
    Target {
        /// The machine it is for.
        found: String,
        /// This machine.
        expected: String,
    },
    /// The artifact was compiled for other memory layouts.
    #[error("the artifact was compiled with other memory layouts: compile it again")]
    Tunables,
    /// The header or a hot section does not match the checksum.
    #[error("the artifact is damaged: checksum mismatch")]
    Checksum,
    /// A section is out of bounds, misaligned, or overlaps another.
    #[error("the artifact is damaged: section '{0}' is misplaced")]
    Section(&'static str),
    /// A section does not match its checksum.
    #[error("the artifact is damaged: section '{0}' has changed")]
    Damaged(&'static str),
    /// A record is inconsistent.
    #[error("the artifact is damaged: {0}")]
    Record(&'static str),
}

/// Checks the header and the checksum it holds.
pub(super) fn header<'a>(bytes: &'a [u8], expect: &Producer) -> Result<&'a Header, FormatError> {
    let have = bytes.len() as u64;
    if !bytes.starts_with(&MAGIC) {
        return Err(FormatError::Magic);
    }
    let truncated = FormatError::Truncated { have, want: HEADER_SIZE as u64 };
    if bytes.len() < HEADER_SIZE {
        return Err(truncated);
    }
    let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| truncated)?;
    if header.version != VERSION {
        return Err(FormatError::Version(header.version));
    }
    producer(&header.producer, expect)?;
    if header.file_len != have {
        return Err(FormatError::Truncated { have, want: header.file_len });
    }
    let hot_end = header.hot_end;
    if header.sections as usize != Section::ALL.len()
        || hot_end < HEADER_SIZE as u64
        || hot_end > have
        || header.checksum != checksum(&bytes[..hot_end as usize])
    {
        return Err(FormatError::Checksum);
    }
    // Sections are in the order of the table, so this also excludes overlaps.
    let mut free = HEADER_SIZE as u64;
    for &section in Section::ALL {
        let entry = header.table[section as usize];
        let end = entry.offset.checked_add(entry.len);
        let limit = if section.place() == Place::Hot { hot_end } else { have };
        let align = if section.place() == Place::Mapped { HEADER_SIZE as u64 } else { 16 };
        if end.is_none_or(|end| end > limit)
            || entry.offset < free
            || !entry.offset.is_multiple_of(align)
        {
            return Err(FormatError::Section(section.name()));
        }
        free = entry.offset + entry.len;
    }
    Ok(header)
}

/// The checksum of a header page followed by hot sections, as if its checksum field were zero.
pub(super) fn checksum(hot: &[u8]) -> u64 {
    let at = core::mem::offset_of!(Header, checksum);
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    hasher.update(&hot[..at]);
    hasher.update(0u64.as_bytes());
    hasher.update(&hot[at + 8..]);
    hasher.digest()
}

fn producer(found: &Producer, expected: &Producer) -> Result<(), FormatError> {
    let text = |padded: &[u8; 64]| {
        String::from_utf8_lossy(padded).trim_end_matches('\0').escape_debug().to_string()
    };
    if found.target != expected.target {
        let (found, expected) = (text(&found.target), text(&expected.target));
        return Err(FormatError::Target { found, expected });
    }
    if found.compiler != expected.compiler {
        let (found, expected) = (text(&found.compiler), text(&expected.compiler));
        return Err(FormatError::Compiler { found, expected });
    }
    if found.tunables != expected.tunables {
        return Err(FormatError::Tunables);
    }
    Ok(())
}

/// Maximum bytes of an entry thunk's frame. It holds the arguments and results that do not fit in
/// registers: at most a thousand each, of 16 bytes, some of them twice.
const MAX_FRAME: u32 = 256 << 10;

/// Alignment of the stack pointer at calls.
const STACK_ALIGN: u32 = 16;

/// An artifact under check.
struct Checker<'a> {
    artifact: &'a Artifact,
    bytes: &'a [u8],
    info: &'a Info,
    text: u64,
}

/// Checks every record of the hot sections.
pub(super) fn sections(artifact: &Artifact, bytes: &[u8]) -> Result<(), FormatError> {
    let c = Checker::new(artifact, bytes)?;
    c.types()?;
    c.context()?;
    let imports = c.imports()?;
    c.exports(&imports)?;
    init::check(&c, &imports)?;
    c.handlers()
}

fn records<'a, T>(a: &Artifact, bytes: &'a [u8], section: Section) -> Result<&'a [T], FormatError>
where
    T: FromBytes + zerocopy::Immutable + zerocopy::KnownLayout,
{
    <[T]>::ref_from_bytes(a.bytes(bytes, section)).map_err(|_| FormatError::Section(section.name()))
}

fn ensure(condition: bool, what: &'static str) -> Result<(), FormatError> {
    if condition { Ok(()) } else { Err(FormatError::Record(what)) }
}

impl<'a> Checker<'a> {
    fn new(artifact: &'a Artifact, bytes: &'a [u8]) -> Result<Self, FormatError> {
        let info: &[Info] = records(artifact, bytes, Section::Info)?;
        let [info] = info else {
            return Err(FormatError::Record("there is not exactly one info record"));
        };
        let text = artifact.entry(Section::Text).len;
        Ok(Checker { artifact, bytes, info, text })
    }

    fn records<T>(&self, section: Section) -> Result<&'a [T], FormatError>
    where
        T: FromBytes + zerocopy::Immutable + zerocopy::KnownLayout,
    {
        records(self.artifact, self.bytes, section)
    }

    fn count(&self, section: Section, size: usize) -> u32 {
        u32::try_from(self.artifact.entry(section).len / size as u64).unwrap_or(u32::MAX)
    }

    fn code(&self, offset: u32, optional: bool) -> Result<(), FormatError> {
        let fits = u64::from(offset) < self.text || (optional && offset == NONE);
        ensure(fits, "code outside the text")
    }

    fn string(&self, at: StrRef) -> Result<(), FormatError> {
        let strings = self.artifact.bytes(self.bytes, Section::Strings);
        let end = at.offset as usize + at.len as usize;
        let name = strings.get(at.offset as usize..end);
        ensure(
            name.is_some_and(|n| core::str::from_utf8(n).is_ok()),
            "a name is not UTF-8 inside the strings",
        )
    }

    fn value_type(&self, raw: u32) -> Result<ValType, FormatError> {
        let ty = u8::try_from(raw).ok().and_then(ValType::from_raw);
        ty.ok_or(FormatError::Record("unknown value type"))
    }

    fn types(&self) -> Result<(), FormatError> {
        let values = self.artifact.bytes(self.bytes, Section::TypeValues);
        ensure(values.iter().all(|&v| ValType::from_raw(v).is_some()), "unknown value type")?;
        for ty in self.records::<TypeDesc>(Section::Types)? {
            let end = u64::from(ty.first) + u64::from(ty.params) + u64::from(ty.results);
            ensure(end <= values.len() as u64, "a type's values are out of bounds")?;
            self.code(ty.typed_entry, true)?;
            self.code(ty.array_entry, true)?;
            // Hashing every type would double the cost of loading. The checksum finds damage, and
            // interning finds digests that contradict types in use.
            ensure(ty.digest != 0, "a type's digest")?;
        }
        Ok(())
    }

    /// Checks that the layout of the context is the one that follows from the sizes of its parts.
    fn context(&self) -> Result<(), FormatError> {
        let info = self.info;
        let tables: &[TableDesc] = self.records(Section::Tables)?;
        let memories = self.count(Section::Memories, size_of::<MemoryDesc>());
        let own_memories = memories.checked_sub(info.memory_imports);
        let own_memories = own_memories.ok_or(FormatError::Record("the number of imports"))?;
        let global_bytes = u32::try_from(self.artifact.entry(Section::GlobalInit).len);
        let counts = Counts {
            global_bytes: global_bytes.map_err(|_| FormatError::Record("context too large"))?,
            tables: tables.iter().filter(|t| t.slot != NONE).count() as u32,
            func_imports: info.func_imports,
            global_imports: info.global_imports,
            table_imports: info.table_imports,
            memory_imports: info.memory_imports,
            // Memory 0 is in the header if the module defines it.
            memories: own_memories - u32::from(own_memories > 0 && info.memory_imports == 0),
            func_refs: self.count(Section::FuncRefs, size_of::<FuncRefDesc>()),
        };
        let regions = Regions::new(&counts).ok_or(FormatError::Record("context too large"))?;
        ensure(info.regions() == regions, "the layout of the context")
    }

    /// Checks the imports; returns the types of the imported functions.
    fn imports(&self) -> Result<Vec<u32>, FormatError> {
        let info = self.info;
        let types = self.count(Section::Types, size_of::<TypeDesc>());
        let mut counts = [0u32; 4];
        let mut funcs = Vec::new();
        for import in self.records::<ImportDesc>(Section::Imports)? {
            self.string(import.module)?;
            self.string(import.name)?;
            let kind = Kind::from_raw(import.kind).ok_or(FormatError::Record("unknown kind"))?;
            let nth = counts[kind as usize];
            let ok = if kind == Kind::Func { import.index < types } else { import.index == nth };
            ensure(ok, "an import's type")?;
            if kind == Kind::Func {
                funcs.push(import.index);
            }
            counts[kind as usize] += 1;
        }
        let expected =
            [info.func_imports, info.table_imports, info.memory_imports, info.global_imports];
        ensure(counts == expected, "the number of imports")?;
        ensure(info.func_imports <= info.funcs, "the number of functions")?;
        ensure(
            info.table_imports <= self.count(Section::Tables, size_of::<TableDesc>())
                && info.memory_imports <= self.count(Section::Memories, size_of::<MemoryDesc>())
                && info.global_imports <= self.count(Section::Globals, size_of::<GlobalDesc>()),
            "the number of imports",
        )?;
        Ok(funcs)
    }

    fn exports(&self, imports: &[u32]) -> Result<(), FormatError> {
        let info = self.info;
        let types: &[TypeDesc] = self.records(Section::Types)?;
        let spaces = [
            info.funcs,
            self.count(Section::Tables, size_of::<TableDesc>()),
            self.count(Section::Memories, size_of::<MemoryDesc>()),
            self.count(Section::Globals, size_of::<GlobalDesc>()),
        ];
        let mut last = 0;
        for export in self.records::<ExportDesc>(Section::Exports)? {
            self.string(export.name)?;
            let kind = Kind::from_raw(export.kind).ok_or(FormatError::Record("unknown kind"))?;
            ensure(export.index < spaces[kind as usize], "an export's index")?;
            ensure(export.hash >= last, "exports out of order")?;
            last = export.hash;
            if kind == Kind::Func {
                self.callable(types, imports, export.index, export.ty, export.code)?;
            }
            if kind == Kind::Table {
                let table = &self.records::<TableDesc>(Section::Tables)?[export.index as usize];
                let exists = export.index < info.table_imports || table.slot != NONE;
                ensure(exists, "an exported table")?;
            }
        }
        let memories = spaces[Kind::Memory as usize];
        ensure(info.counts_fuel <= 1, "whether code counts fuel")?;
        ensure(info.is_snapshot <= 1, "whether it is a snapshot")?;
        ensure(info.explicit_bounds <= 1 && info.reserved == 0, "whether code checks bounds")?;
        let exported = info.exported_memory;
        ensure(exported == NONE || exported < memories, "the exported memory")?;
        if info.start_func != NONE {
            self.callable(types, imports, info.start_func, info.start_type, info.start_code)?;
            let start = &types[info.start_type as usize];
            ensure((start.params, start.results) == (0, 0), "the start function's type")?;
        }
        Ok(())
    }

    /// Checks a function that the host can call: its type has entry thunks, and it has code.
    fn callable(
        &self,
        types: &[TypeDesc],
        imports: &[u32],
        func: u32,
        ty: u32,
        code: u32,
    ) -> Result<(), FormatError> {
        ensure(func < self.info.funcs, "a function's index")?;
        let desc = types.get(ty as usize).ok_or(FormatError::Record("a function's type"))?;
        ensure(desc.array_entry != NONE, "a function without an entry thunk")?;
        match imports.get(func as usize) {
            Some(&imported) => ensure(ty == imported && code == NONE, "a function's type or code"),
            None => self.code(code, false),
        }
    }

    fn handlers(&self) -> Result<(), FormatError> {
        let thunks: &[u32] = self.records(Section::HostThunks)?;
        ensure(thunks.len() == self.info.func_imports as usize, "the number of host thunks")?;
        thunks.iter().try_for_each(|&thunk| self.code(thunk, false))?;
        let mut last = 0;
        for handler in self.records::<HandlerDesc>(Section::Handlers)? {
            self.code(handler.ret, false)?;
            self.code(handler.handler, false)?;
            let frame = handler.frame <= MAX_FRAME && handler.frame.is_multiple_of(STACK_ALIGN);
            ensure(frame, "the frame of a handler")?;
            ensure(handler.ret > last, "handlers out of order")?;
            last = handler.ret;
        }
        Ok(())
    }
}
