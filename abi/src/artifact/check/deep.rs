//! Checks of what records mean: code that records name is where a function or a thunk of that type
//! begins, types have the digests of their structure, and no number becomes a reference.
//!
//! Loading does not need these checks, because whoever loads an artifact trusts its machine code,
//! which can do worse than a forged record. A verifier of machine code needs them: it shows that the
//! code of each function and thunk fits its type, and these checks show that the runtime calls that
//! code with that type alone. They take linear time, and also sort what names thunks.

use super::{Checker, FormatError, ensure};
use crate::artifact::header::{Place, Section};
use crate::artifact::records::*;
use crate::artifact::view::Artifact;
use crate::entry::has_typed_entry;
use crate::trap::TrapCode;
use crate::types::{FuncType, ValType};
use std::collections::HashMap;
use std::ops::Range;

/// Alignment of the first byte of functions and thunks on every target.
const CODE_ALIGN: u32 = 16;

/// What the code at a place in the text is, and the type that it has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CodeRole {
    /// A function that the module defines.
    Function {
        /// Its index in the module.
        func: u32,
        /// Its type.
        ty: u32,
    },
    /// The typed entry thunk of a type. If types are equal, it is the first of them.
    TypedEntry {
        /// The type.
        ty: u32,
    },
    /// The array entry thunk of a type. If types are equal, it is the first of them.
    ArrayEntry {
        /// The type.
        ty: u32,
    },
    /// The host thunk of a type. If types are equal, it is the first of them.
    HostThunk {
        /// The type.
        ty: u32,
    },
}

/// Code that a record names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodePlace {
    /// Text offset of its first byte.
    pub start: u32,
    /// Text offset behind its last byte. Records do not have the lengths of thunks: a thunk's place
    /// ends where the next place begins, so padding and stubs may follow the thunk in it.
    pub end: u32,
    /// What it is.
    pub role: CodeRole,
}

/// All code that records name, in the order of the text. The places do not overlap. Code that no
/// record names, which is that of stubs, can be in other places and at the end of thunks' places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CodeMap {
    places: Vec<CodePlace>,
}

impl CodeMap {
    /// The places, in the order of the text.
    pub fn places(&self) -> &[CodePlace] {
        &self.places
    }

    /// The place that begins at a text offset.
    pub fn starting_at(&self, start: u32) -> Option<&CodePlace> {
        let at = self.places.binary_search_by_key(&start, |place| place.start).ok()?;
        Some(&self.places[at])
    }

    /// The entry thunks, each of which has one handler.
    fn entry_thunks(&self) -> impl Iterator<Item = &CodePlace> {
        self.places.iter().filter(|place| {
            matches!(place.role, CodeRole::TypedEntry { .. } | CodeRole::ArrayEntry { .. })
        })
    }
}

/// Checks all sections of an artifact that [`Artifact::check`] accepts.
pub(in crate::artifact) fn check(
    artifact: &Artifact,
    bytes: &[u8],
) -> Result<CodeMap, FormatError> {
    whole(artifact, bytes)?;
    let c = Checker::new(artifact, bytes)?;
    let canonical = types(&c)?;
    let funcs = functions(&c)?;
    references(&c, funcs)?;
    let code = code_map(&c, funcs, thunks(&c, &canonical)?)?;
    handlers(&c, &code)?;
    locations(&c)?;
    globals(&c)?;
    exported_memory(&c)?;
    Ok(code)
}

/// Checks the checksums of the sections that are not hot.
fn whole(artifact: &Artifact, bytes: &[u8]) -> Result<(), FormatError> {
    for &section in Section::ALL.iter().filter(|section| section.place() != Place::Hot) {
        if !artifact.is_whole(bytes, section) {
            return Err(FormatError::Damaged(section.name()));
        }
    }
    Ok(())
}

/// Checks that each type has the digest of its structure and the entry thunks that it must have.
/// Returns for each type the first type that equals it.
fn types(c: &Checker<'_>) -> Result<Vec<u32>, FormatError> {
    let descs: &[TypeDesc] = c.records(Section::Types)?;
    // The values of types lie back to back, so hashing all types takes linear time.
    let mut next = 0;
    let mut by_structure = HashMap::with_capacity(descs.len());
    let mut by_digest = HashMap::with_capacity(descs.len());
    let mut canonical = Vec::with_capacity(descs.len());
    for ((desc, raw), index) in descs.iter().zip(c.artifact.types(c.bytes)).zip(0u32..) {
        ensure(u64::from(desc.first) == next && desc.reserved == 0, "a type's values")?;
        next += u64::from(desc.params) + u64::from(desc.results);
        let ty = FuncType::from_raw(raw.params, raw.values);
        let ty = ty.ok_or(FormatError::Record("unknown value type"))?;
        ensure(ty.digest() == desc.digest, "a type's digest")?;
        let first = *by_structure.entry((raw.params, raw.values)).or_insert(index);
        ensure(*by_digest.entry(desc.digest).or_insert(first) == first, "a type's digest")?;
        canonical.push(first);
        let typed = desc.array_entry != NONE && has_typed_entry(&ty);
        ensure((desc.typed_entry != NONE) == typed, "a type's entry thunks")?;
    }
    ensure(next == c.artifact.entry(Section::TypeValues).len, "a type's values")?;
    Ok(canonical)
}

/// Checks that defined functions do not overlap and have types; returns them.
fn functions<'a>(c: &Checker<'a>) -> Result<&'a [FuncDesc], FormatError> {
    let funcs: &[FuncDesc] = c.records(Section::Funcs)?;
    let types = c.count(Section::Types, size_of::<TypeDesc>());
    let defined = c.info.funcs - c.info.func_imports;
    ensure(funcs.len() as u64 == u64::from(defined), "the number of functions")?;
    let mut free = 0;
    for func in funcs {
        let start = u64::from(func.start);
        let end = start + u64::from(func.len);
        let fits = start >= free && end > start && end <= c.text;
        ensure(fits && func.start.is_multiple_of(CODE_ALIGN), "the place of a function")?;
        ensure(func.ty < types, "the type of a function")?;
        free = end;
    }
    Ok(funcs)
}

/// Checks that exports, the start function and function references have the code and the type of
/// the function with their index. [`super::sections`] has checked those of imported functions.
fn references(c: &Checker<'_>, funcs: &[FuncDesc]) -> Result<(), FormatError> {
    let check = |func: u32, ty: u32, code: u32, what| match func.checked_sub(c.info.func_imports) {
        None => Ok(()),
        Some(n) => {
            let func = funcs.get(n as usize);
            ensure(func.is_some_and(|func| (func.start, func.ty) == (code, ty)), what)
        }
    };
    for export in c.records::<ExportDesc>(Section::Exports)? {
        if export.kind == Kind::Func as u32 {
            check(export.index, export.ty, export.code, "the code of an export")?;
        }
    }
    let info = c.info;
    if info.start_func != NONE {
        let what = "the code of the start function";
        check(info.start_func, info.start_type, info.start_code, what)?;
    }
    let func_refs: &[FuncRefDesc] = c.records(Section::FuncRefs)?;
    ensure(func_refs.is_sorted_by(|a, b| a.func < b.func), "func refs out of order")?;
    for func in func_refs {
        check(func.func, func.ty, func.code, "the code of a func ref")?;
    }
    Ok(())
}

/// All thunks that records name, in the order of the text. Checks that no code is a thunk of two
/// kinds or of two types.
fn thunks(c: &Checker<'_>, canonical: &[u32]) -> Result<Vec<(u32, CodeRole)>, FormatError> {
    let mut thunks = Vec::new();
    for (desc, &ty) in c.records::<TypeDesc>(Section::Types)?.iter().zip(canonical) {
        thunks.push((desc.typed_entry, CodeRole::TypedEntry { ty }));
        thunks.push((desc.array_entry, CodeRole::ArrayEntry { ty }));
    }
    let imports: &[ImportDesc] = c.records(Section::Imports)?;
    let imports = imports.iter().filter(|import| import.kind == Kind::Func as u32);
    for (&start, import) in c.records::<u32>(Section::HostThunks)?.iter().zip(imports) {
        thunks.push((start, CodeRole::HostThunk { ty: canonical[import.index as usize] }));
    }
    thunks.retain(|&(start, _)| start != NONE);
    thunks.sort_unstable();
    thunks.dedup();
    ensure(thunks.is_sorted_by(|a, b| a.0 < b.0), "a thunk of two types")?;
    Ok(thunks)
}

/// All code that records name. Checks that no thunk begins in a function.
fn code_map(
    c: &Checker<'_>,
    funcs: &[FuncDesc],
    thunks: Vec<(u32, CodeRole)>,
) -> Result<CodeMap, FormatError> {
    for &(start, _) in &thunks {
        let before = &funcs[..funcs.partition_point(|func| func.start <= start)];
        let outside = before.last().is_none_or(|func| start - func.start >= func.len);
        ensure(outside && start.is_multiple_of(CODE_ALIGN), "the place of a thunk")?;
    }
    let own = funcs.iter().zip(c.info.func_imports..).map(|(desc, func)| CodePlace {
        start: desc.start,
        end: desc.start + desc.len,
        role: CodeRole::Function { func, ty: desc.ty },
    });
    let text = u32::try_from(c.text).map_err(|_| FormatError::Record("the size of the text"))?;
    let thunks = thunks.into_iter().map(|(start, role)| CodePlace { start, end: text, role });
    let mut places: Vec<CodePlace> = own.chain(thunks).collect();
    places.sort_unstable_by_key(|place| place.start);
    let mut next = text;
    for place in places.iter_mut().rev() {
        place.end = place.end.min(next);
        next = place.start;
    }
    Ok(CodeMap { places })
}

/// Checks that each entry thunk has one handler, in the thunk itself.
fn handlers(c: &Checker<'_>, code: &CodeMap) -> Result<(), FormatError> {
    let handlers: &[HandlerDesc] = c.records(Section::Handlers)?;
    ensure(handlers.len() == code.entry_thunks().count(), "the number of handlers")?;
    // Both are in the order of the text.
    for (handler, thunk) in handlers.iter().zip(code.entry_thunks()) {
        let inside = |at: u32| thunk.start < at && at < thunk.end;
        let inside = inside(handler.ret) && inside(handler.handler);
        ensure(inside && handler.reserved == 0, "a handler outside its entry thunk")?;
    }
    Ok(())
}

/// Checks the records of traps and calls.
fn locations(c: &Checker<'_>) -> Result<(), FormatError> {
    let traps: &[u32] = c.records(Section::TrapOffsets)?;
    let codes: &[u8] = c.records(Section::TrapCodes)?;
    let locations: &[u32] = c.records(Section::TrapLocs)?;
    let equal = traps.len() == codes.len() && traps.len() == locations.len();
    ensure(equal, "the number of traps")?;
    ensure(traps.is_sorted_by(|a, b| a < b), "traps out of order")?;
    ensure(traps.last().is_none_or(|&at| u64::from(at) < c.text), "a trap outside the text")?;
    ensure(codes.iter().all(|&code| TrapCode::from_raw(code).is_some()), "the code of a trap")?;
    let calls: &[CallLoc] = c.records(Section::CallLocs)?;
    ensure(calls.is_sorted_by(|a, b| a.ret < b.ret), "calls out of order")?;
    // A call that does not return can be the last instruction of the text.
    ensure(calls.last().is_none_or(|call| u64::from(call.ret) <= c.text), "a call outside the text")
}

/// Checks that the initial bytes of globals have no references, also where an expression replaces
/// them.
fn globals(c: &Checker<'_>) -> Result<(), FormatError> {
    let init = c.artifact.bytes(c.bytes, Section::GlobalInit);
    let globals: &[GlobalDesc] = c.records(Section::Globals)?;
    for global in globals.iter().skip(c.info.global_imports as usize) {
        let ty = c.value_type(global.ty)?;
        if ty.is_ref() {
            let bytes = place(c, global, ty).and_then(|place| init.get(place));
            let null = bytes.is_some_and(|bytes| bytes.iter().all(|&byte| byte == 0));
            ensure(null, "a reference in the initial bytes of a global")?;
        }
    }
    Ok(())
}

/// Where a defined global's initial value lies in its section.
fn place(c: &Checker<'_>, global: &GlobalDesc, ty: ValType) -> Option<Range<usize>> {
    let start = usize::try_from(i64::from(global.offset) - i64::from(c.info.globals_at)).ok()?;
    Some(start..start.checked_add(ty.size() as usize)?)
}

/// Checks that the memory that host functions see is the one with that name.
fn exported_memory(c: &Checker<'_>) -> Result<(), FormatError> {
    let export = c.artifact.export(c.bytes, "memory");
    let memory = export.filter(|export| export.kind == Kind::Memory as u32);
    ensure(c.info.exported_memory == memory.map_or(NONE, |m| m.index), "the exported memory")
}
