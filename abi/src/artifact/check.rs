//! Deciding whether bytes are an artifact that may be used.

use super::header::{HEADER_SIZE, Header, Identity, MAGIC, Place, Section, VERSION};
use super::records::*;
use super::view::Artifact;
use crate::limits::MEMORY32_MAX_PAGES;
use crate::types::ValType;
use crate::vmctx::{self, FuncRef, FuncSlot, MemoryDef, MemorySlot, TableDef};
use zerocopy::{FromBytes, IntoBytes};

/// Why bytes are not an artifact that can be used here.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The first bytes are not those of an artifact.
    #[error("not a precast artifact")]
    Magic,
    /// The file ends early.
    #[error("the artifact is truncated: {have} of {want} bytes")]
    Truncated {
        /// Bytes there are.
        have: u64,
        /// Bytes there should be.
        want: u64,
    },
    /// The format has another version.
    #[error("the artifact has format version {0}, this precast reads version {VERSION}")]
    Version(u32),
    /// Another compiler made it.
    #[error("the artifact was compiled by {found}, this is {expected}: compile it again")]
    Compiler {
        /// The compiler that made it.
        found: String,
        /// This compiler.
        expected: String,
    },
    /// It is for another machine.
    #[error("the artifact is for {found}, this machine is {expected}")]
    Target {
        /// The machine it is for.
        found: String,
        /// This machine.
        expected: String,
    },
    /// It was compiled for other memory layouts.
    #[error("the artifact was compiled with other memory layouts: compile it again")]
    Tunables,
    /// Header or hot sections are not as they were written.
    #[error("the artifact is damaged: checksum mismatch")]
    Checksum,
    /// A section does not lie where it may.
    #[error("the artifact is damaged: section '{0}' lies outside the file")]
    Section(&'static str),
    /// A section is not as it was written.
    #[error("the artifact is damaged: section '{0}' has changed")]
    Damaged(&'static str),
    /// A record refers to something that is not there.
    #[error("the artifact is damaged: {0}")]
    Record(&'static str),
}

/// Checks the header and the checksum it holds.
pub(super) fn header<'a>(bytes: &'a [u8], expect: &Identity) -> Result<&'a Header, FormatError> {
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
    identity(&header.identity, expect)?;
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
    for &section in Section::ALL {
        let entry = header.table[section as usize];
        let end = entry.offset.checked_add(entry.len);
        let limit = if section.place() == Place::Hot { hot_end } else { have };
        let align = if section.place() == Place::Mapped { HEADER_SIZE as u64 } else { 16 };
        if end.is_none_or(|end| end > limit)
            || entry.offset < HEADER_SIZE as u64
            || !entry.offset.is_multiple_of(align)
        {
            return Err(FormatError::Section(section.name()));
        }
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

fn identity(found: &Identity, expected: &Identity) -> Result<(), FormatError> {
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

/// The checks of one artifact: what its records may refer to.
struct Checker<'a> {
    artifact: &'a Artifact,
    bytes: &'a [u8],
    info: &'a Info,
    text: u64,
}

/// Checks every record of the hot sections.
pub(super) fn sections(artifact: &Artifact, bytes: &[u8]) -> Result<(), FormatError> {
    let info: &[Info] = records(artifact, bytes, Section::Info)?;
    let [info] = info else {
        return Err(FormatError::Record("not one info record"));
    };
    let text = artifact.entry(Section::Text).len;
    let c = Checker { artifact, bytes, info, text };
    c.types()?;
    c.context()?;
    c.imports()?;
    c.exports()?;
    c.state()?;
    c.segments()?;
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
        ensure(name.is_some_and(|n| core::str::from_utf8(n).is_ok()), "a name is not a string")
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
            ensure(end <= values.len() as u64, "a type has no values")?;
            self.code(ty.typed_entry, true)?;
            self.code(ty.array_entry, true)?;
            // A digest of each would cost as much as all the rest of loading. The checksum finds
            // damage, and what disagrees with types in use is found when they are interned.
            ensure(ty.identity != 0, "a type's identity")?;
        }
        Ok(())
    }

    /// Every region lies inside the context and below its header.
    fn context(&self) -> Result<(), FormatError> {
        let (info, regions) = (self.info, self.info.regions());
        let tables: &[TableDesc] = self.records(Section::Tables)?;
        let runtime_tables = tables.iter().filter(|t| t.slot != NONE).count() as u64;
        let memories = u64::from(self.count(Section::Memories, size_of::<MemoryDesc>()));
        let own_memories = memories.saturating_sub(u64::from(info.memory_imports));
        // Memory 0 stands in the header when the module defines it.
        let behind_first = own_memories - u64::from(own_memories > 0 && info.memory_imports == 0);
        ensure(regions.size <= vmctx::Regions::MAX_SIZE, "context too large")?;
        ensure(regions.size.is_multiple_of(16), "context size")?;
        let func_refs = u64::from(self.count(Section::FuncRefs, size_of::<FuncRefDesc>()));
        for (start, count, size) in [
            (regions.globals, self.artifact.entry(Section::GlobalInit).len, 1),
            (regions.tables, runtime_tables, TableDef::SIZE),
            (regions.func_imports, info.func_imports.into(), FuncSlot::SIZE),
            (regions.global_imports, info.global_imports.into(), 8),
            (regions.table_imports, info.table_imports.into(), 8),
            (regions.memory_imports, info.memory_imports.into(), MemorySlot::SIZE),
            (regions.memories, behind_first, MemoryDef::SIZE),
            (regions.func_refs, func_refs, FuncRef::SIZE),
        ] {
            let bytes = count.checked_mul(u64::from(size)).filter(|&b| b <= regions.size.into());
            let bytes = bytes.ok_or(FormatError::Record("a region outside the context"))? as i64;
            let (low, high) = (-i64::from(regions.size), -i64::from(vmctx::HEADER_SIZE));
            let start = i64::from(start);
            let fits = start >= low && start + bytes <= high && start % 8 == 0;
            ensure(fits || vmctx::MEMORY0_OFFSET != 0, "a region outside the context")?;
        }
        Ok(())
    }

    fn imports(&self) -> Result<(), FormatError> {
        let info = self.info;
        let types = self.count(Section::Types, size_of::<TypeDesc>());
        let mut counts = [0u32; 4];
        for import in self.records::<ImportDesc>(Section::Imports)? {
            self.string(import.module)?;
            self.string(import.name)?;
            let kind = Kind::from_raw(import.kind).ok_or(FormatError::Record("unknown kind"))?;
            let nth = counts[kind as usize];
            let ok = if kind == Kind::Func { import.index < types } else { import.index == nth };
            ensure(ok, "an import's type")?;
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
        )
    }

    fn exports(&self) -> Result<(), FormatError> {
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
                self.callable(types, export.index, export.ty, export.code)?;
            }
            if kind == Kind::Table {
                let table = &self.records::<TableDesc>(Section::Tables)?[export.index as usize];
                let exists = export.index < info.table_imports || table.slot != NONE;
                ensure(exists, "an exported table")?;
            }
        }
        let memories = spaces[Kind::Memory as usize];
        let exported = info.exported_memory;
        ensure(exported == NONE || exported < memories, "the exported memory")?;
        if info.start_func != NONE {
            self.callable(types, info.start_func, info.start_type, info.start_code)?;
        }
        Ok(())
    }

    /// A function that is called from outside has a type with entry thunks, and code.
    fn callable(
        &self,
        types: &[TypeDesc],
        func: u32,
        ty: u32,
        code: u32,
    ) -> Result<(), FormatError> {
        ensure(func < self.info.funcs, "a function's index")?;
        let ty = types.get(ty as usize).ok_or(FormatError::Record("a function's type"))?;
        ensure(ty.array_entry != NONE, "a function without entry thunk")?;
        self.code(code, func < self.info.func_imports)?;
        ensure((code == NONE) == (func < self.info.func_imports), "a function's code")
    }

    fn state(&self) -> Result<(), FormatError> {
        let regions = self.info.regions();
        let tables: &[TableDesc] = self.records(Section::Tables)?;
        let mut slots = 0;
        for (i, table) in tables.iter().enumerate() {
            ensure(self.value_type(table.element)?.is_ref(), "a table of values")?;
            self.item(&ElemItem { kind: table.init_kind, index: table.init_index })?;
            if table.slot != NONE {
                ensure(table.slot == slots, "a table's slot")?;
                ensure(i as u32 >= self.info.table_imports, "a table's slot")?;
                slots += 1;
            }
        }
        for memory in self.records::<MemoryDesc>(Section::Memories)? {
            ensure(memory.min <= MEMORY32_MAX_PAGES, "a memory's size")?;
        }
        let init = self.artifact.entry(Section::GlobalInit).len as i64;
        for (i, global) in self.records::<GlobalDesc>(Section::Globals)?.iter().enumerate() {
            let size = i64::from(self.value_type(global.ty)?.size());
            let offset = i64::from(global.offset);
            if (i as u32) < self.info.global_imports {
                let expected = regions.global_import(i as u32);
                ensure(global.offset == expected, "a global's offset")?;
            } else {
                let start = i64::from(regions.globals);
                let fits = offset >= start && offset + size <= start + init && offset % size == 0;
                ensure(fits, "a global's offset")?;
            }
            self.expr(global.init)?;
        }
        let types = self.count(Section::Types, size_of::<TypeDesc>());
        for func in self.records::<FuncRefDesc>(Section::FuncRefs)? {
            ensure(func.func < self.info.funcs && func.ty < types, "a func ref")?;
            self.code(func.code, func.func < self.info.func_imports)?;
        }
        for op in self.records::<ConstOp>(Section::ConstOps)? {
            let opcode = u32::try_from(op.op).ok().and_then(ConstOpcode::from_raw);
            let limit = match opcode.ok_or(FormatError::Record("a constant expression"))? {
                ConstOpcode::GlobalGet => self.count(Section::Globals, size_of::<GlobalDesc>()),
                ConstOpcode::RefFunc => self.count(Section::FuncRefs, size_of::<FuncRefDesc>()),
                _ => continue,
            };
            ensure(op.lo < u64::from(limit), "a constant expression")?;
        }
        Ok(())
    }

    fn expr(&self, expr: ConstExpr) -> Result<(), FormatError> {
        let ops = u64::from(self.count(Section::ConstOps, size_of::<ConstOp>()));
        let end = u64::from(expr.first) + u64::from(expr.count);
        ensure(expr.is_empty() || end <= ops, "a constant expression")
    }

    fn item(&self, item: &ElemItem) -> Result<(), FormatError> {
        let limit = match ElemKind::from_raw(item.kind) {
            Some(ElemKind::Null) => return Ok(()),
            Some(ElemKind::FuncRef) => self.count(Section::FuncRefs, size_of::<FuncRefDesc>()),
            Some(ElemKind::Global) => self.count(Section::Globals, size_of::<GlobalDesc>()),
            None => 0,
        };
        ensure(item.index < limit, "an element")
    }

    fn segments(&self) -> Result<(), FormatError> {
        let tables: &[TableDesc] = self.records(Section::Tables)?;
        let items: &[ElemItem] = self.records(Section::ElemItems)?;
        items.iter().try_for_each(|item| self.item(item))?;
        for elem in self.records::<ElemDesc>(Section::Elems)? {
            let mode = SegmentMode::from_raw(elem.mode).ok_or(FormatError::Record("a segment"))?;
            let end = u64::from(elem.first) + u64::from(elem.count);
            ensure(end <= items.len() as u64, "an element segment")?;
            self.expr(elem.offset)?;
            if mode == SegmentMode::Active {
                let table = tables.get(elem.table as usize);
                let table = table.ok_or(FormatError::Record("an element segment"))?;
                let exists = elem.table < self.info.table_imports || table.slot != NONE;
                ensure(exists && !elem.offset.is_empty(), "an element segment")?;
            }
        }
        let data = self.artifact.entry(Section::Data).len;
        let memories: &[MemoryDesc] = self.records(Section::Memories)?;
        for segment in self.records::<DataDesc>(Section::DataSegments)? {
            let mode =
                SegmentMode::from_raw(segment.mode).ok_or(FormatError::Record("a segment"))?;
            let end = segment.start.checked_add(segment.len);
            ensure(end.is_some_and(|end| end <= data), "a data segment")?;
            self.expr(segment.offset)?;
            if mode == SegmentMode::Active {
                let exists = (segment.memory as usize) < memories.len();
                ensure(exists && !segment.offset.is_empty(), "a data segment")?;
            }
        }
        let image = self.artifact.entry(Section::Image);
        if image.len > 0 {
            let own = memories.get(self.info.memory_imports as usize);
            let own = own.filter(|_| self.info.memory_imports == 0);
            let end = self.info.image_start.checked_add(image.len);
            let fits = own.zip(end).is_some_and(|(m, end)| end <= m.min * crate::limits::WASM_PAGE);
            let aligned = self.info.image_start.is_multiple_of(crate::limits::WASM_PAGE);
            ensure(fits && aligned, "the memory image")?;
        }
        Ok(())
    }

    fn handlers(&self) -> Result<(), FormatError> {
        let thunks: &[u32] = self.records(Section::HostThunks)?;
        ensure(thunks.len() == self.info.func_imports as usize, "the number of host thunks")?;
        thunks.iter().try_for_each(|&thunk| self.code(thunk, false))?;
        let mut last = 0;
        for handler in self.records::<HandlerDesc>(Section::Handlers)? {
            self.code(handler.ret, false)?;
            self.code(handler.handler, false)?;
            ensure(handler.ret > last, "handlers out of order")?;
            last = handler.ret;
        }
        Ok(())
    }
}
