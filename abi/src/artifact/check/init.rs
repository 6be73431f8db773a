//! Checks of the records that instantiation evaluates: tables, memories, globals, segments, and the
//! types of their initial values.

use super::{Checker, FormatError, ensure};
use crate::artifact::header::Section;
use crate::artifact::records::*;
use crate::limits::{MEMORY32_MAX_PAGES, WASM_PAGE};
use crate::types::ValType;

/// A value on the stack of a constant expression.
#[derive(Clone, Copy)]
enum Value {
    /// Bits of a constant, which can be of any type that they fit.
    Bits(u128),
    Typed(ValType),
}

impl Value {
    /// Whether this can be a value of type `ty`.
    fn is(self, ty: ValType) -> bool {
        match self {
            Value::Typed(have) => have == ty,
            Value::Bits(bits) => match ty {
                ValType::I32 | ValType::F32 => bits <= u32::MAX.into(),
                ValType::I64 | ValType::F64 => bits <= u64::MAX.into(),
                ValType::V128 => true,
                // The only reference that is a constant is null.
                ValType::FuncRef | ValType::ExternRef => bits == 0,
            },
        }
    }
}

/// The constant expressions and elements of an artifact that are not used yet. Each is used once,
/// in order.
struct Inputs<'a> {
    globals: &'a [GlobalDesc],
    func_refs: u32,
    ops: &'a [ConstOp],
    /// Number of operations that are used.
    used: u32,
    items: &'a [ElemItem],
    stack: Vec<Value>,
}

/// Checks the records that instantiation reads, besides imports. `imports` has the types of
/// imported functions.
pub(super) fn check(c: &Checker<'_>, imports: &[u32]) -> Result<(), FormatError> {
    let mut inputs = Inputs {
        globals: c.records(Section::Globals)?,
        func_refs: c.count(Section::FuncRefs, size_of::<FuncRefDesc>()),
        ops: c.records(Section::ConstOps)?,
        used: 0,
        items: c.records(Section::ElemItems)?,
        stack: Vec::new(),
    };
    let tables: &[TableDesc] = c.records(Section::Tables)?;
    let memories: &[MemoryDesc] = c.records(Section::Memories)?;
    globals(c, &mut inputs)?;
    check_tables(c, &inputs, tables)?;
    for memory in memories {
        let sizes = memory.min <= MEMORY32_MAX_PAGES && is_max(memory.max, memory.min);
        ensure(sizes, "a memory's size")?;
    }
    func_refs(c, imports)?;
    elems(c, &mut inputs, tables)?;
    data(c, &mut inputs, memories.len())?;
    ensure(inputs.ops.is_empty(), "an unused constant expression")?;
    ensure(inputs.items.is_empty(), "elements outside every segment")?;
    image(c, memories)
}

/// Whether `max`, which is `u64::MAX` for none, is at least `min`.
fn is_max(max: u64, min: u64) -> bool {
    min <= max
}

impl<'a> Inputs<'a> {
    /// Takes the next constant expression, whose value must be of type `ty`. It may read the
    /// globals before `before`.
    fn expr(&mut self, expr: ConstExpr, ty: ValType, before: u32) -> Result<(), FormatError> {
        let wrong = FormatError::Record("a constant expression");
        let (ops, rest) = self.ops.split_at_checked(expr.count as usize).ok_or(wrong.clone())?;
        ensure(expr.first == self.used, "a constant expression")?;
        self.ops = rest;
        self.used = self.used.checked_add(expr.count).ok_or(wrong.clone())?;
        self.stack.clear();
        for op in ops {
            let opcode = u32::try_from(op.op).ok().and_then(ConstOpcode::from_raw);
            let value = match opcode.ok_or(wrong.clone())? {
                ConstOpcode::Const => Value::Bits(u128::from(op.lo) | u128::from(op.hi) << 64),
                ConstOpcode::GlobalGet => {
                    let index = u32::try_from(op.lo).ok().filter(|&index| index < before);
                    Value::Typed(self.global(index.ok_or(wrong.clone())?)?)
                }
                ConstOpcode::RefFunc => {
                    ensure(op.lo < self.func_refs.into(), "a constant expression")?;
                    Value::Typed(ValType::FuncRef)
                }
                ConstOpcode::I32Add | ConstOpcode::I32Sub | ConstOpcode::I32Mul => {
                    self.binary(ValType::I32)?
                }
                ConstOpcode::I64Add | ConstOpcode::I64Sub | ConstOpcode::I64Mul => {
                    self.binary(ValType::I64)?
                }
            };
            self.stack.push(value);
        }
        match *self.stack {
            [value] if value.is(ty) => Ok(()),
            _ => Err(FormatError::Record("the type of a constant expression")),
        }
    }

    fn binary(&mut self, ty: ValType) -> Result<Value, FormatError> {
        for _ in 0..2 {
            let operand = self.stack.pop();
            ensure(operand.is_some_and(|value| value.is(ty)), "the type of a constant expression")?;
        }
        Ok(Value::Typed(ty))
    }

    /// The type of a global that a constant expression may read.
    fn global(&self, index: u32) -> Result<ValType, FormatError> {
        let global = self.globals.get(index as usize).filter(|global| global.mutable == 0);
        let ty = global.and_then(|global| raw_type(global.ty));
        ty.ok_or(FormatError::Record("a global that is not constant"))
    }

    /// The type of an element; none for null, which has every reference type.
    fn item(&self, kind: u32, index: u32) -> Result<Option<ValType>, FormatError> {
        match ElemKind::from_raw(kind) {
            Some(ElemKind::Null) => Ok(None),
            Some(ElemKind::FuncRef) if index < self.func_refs => Ok(Some(ValType::FuncRef)),
            Some(ElemKind::Global) => {
                let ty = self.global(index)?;
                ensure(ty.is_ref(), "an element that is not a reference")?;
                Ok(Some(ty))
            }
            _ => Err(FormatError::Record("an element")),
        }
    }

    /// Takes the next elements, which must all have one type: `ty`, if it is given.
    fn items(&mut self, count: u32, mut ty: Option<ValType>) -> Result<(), FormatError> {
        let missing = FormatError::Record("an element segment");
        let (items, rest) = self.items.split_at_checked(count as usize).ok_or(missing)?;
        self.items = rest;
        // The fast path for elements that are functions, as nearly all are; the loop is vectorised.
        let func = |item: &ElemItem| {
            (item.kind == ElemKind::FuncRef as u32) & (item.index < self.func_refs)
        };
        let funcs = items.iter().fold(true, |all, item| all & func(item));
        if funcs && ty.is_none_or(|ty| ty == ValType::FuncRef) {
            return Ok(());
        }
        for item in items {
            if let Some(have) = self.item(item.kind, item.index)? {
                ensure(*ty.get_or_insert(have) == have, "an element of another type")?;
            }
        }
        Ok(())
    }
}

fn raw_type(raw: u32) -> Option<ValType> {
    u8::try_from(raw).ok().and_then(ValType::from_raw)
}

fn globals(c: &Checker<'_>, inputs: &mut Inputs<'_>) -> Result<(), FormatError> {
    let regions = c.info.regions();
    let init = c.artifact.bytes(c.bytes, Section::GlobalInit);
    // The words of the region that a global occupies.
    let mut taken = vec![false; init.len().div_ceil(8)];
    for (i, global) in (0..).zip(inputs.globals) {
        let ty = c.value_type(global.ty)?;
        ensure(global.mutable <= 1, "a global's type")?;
        if i < c.info.global_imports {
            ensure(global.offset == regions.global_import(i), "a global's offset")?;
            ensure(global.init.is_empty(), "an imported global's value")?;
            continue;
        }
        let size = ty.size() as usize;
        let start = i64::from(global.offset) - i64::from(regions.globals);
        let start = usize::try_from(start).ok().filter(|start| start.is_multiple_of(size));
        let bytes = start.and_then(|start| init.get(start..start.checked_add(size)?));
        let words = start.and_then(|start| taken.get_mut(start / 8..(start + size) / 8));
        let (bytes, words) = bytes.zip(words).ok_or(FormatError::Record("a global's offset"))?;
        ensure(words.iter().all(|taken| !taken), "globals that overlap")?;
        words.fill(true);
        if !global.init.is_empty() {
            inputs.expr(global.init, ty, i)?;
        } else if size == 8 {
            let bits = bytes.iter().rev().fold(0, |bits, &byte| bits << 8 | u128::from(byte));
            ensure(Value::Bits(bits).is(ty), "a global's value")?;
        }
    }
    Ok(())
}

fn check_tables(
    c: &Checker<'_>,
    inputs: &Inputs<'_>,
    tables: &[TableDesc],
) -> Result<(), FormatError> {
    let mut slots = 0;
    for (i, table) in (0..).zip(tables) {
        let element = c.value_type(table.element)?;
        ensure(element.is_ref(), "a table of non-references")?;
        ensure(is_max(table.max, table.min), "a table's size")?;
        let init = inputs.item(table.init_kind, table.init_index)?;
        ensure(init.is_none_or(|ty| ty == element), "a table's initial value")?;
        if table.slot != NONE {
            ensure(table.slot == slots && i >= c.info.table_imports, "a table's slot")?;
            slots += 1;
        }
    }
    Ok(())
}

fn func_refs(c: &Checker<'_>, imports: &[u32]) -> Result<(), FormatError> {
    let types = c.count(Section::Types, size_of::<TypeDesc>());
    for func in c.records::<FuncRefDesc>(Section::FuncRefs)? {
        ensure(func.func < c.info.funcs && func.ty < types, "a func ref")?;
        match imports.get(func.func as usize) {
            Some(&ty) => ensure(func.ty == ty && func.code == NONE, "a func ref")?,
            None => c.code(func.code, false)?,
        }
    }
    Ok(())
}

fn elems(
    c: &Checker<'_>,
    inputs: &mut Inputs<'_>,
    tables: &[TableDesc],
) -> Result<(), FormatError> {
    let wrong = FormatError::Record("an element segment");
    let mut next = 0;
    for elem in c.records::<ElemDesc>(Section::Elems)? {
        let mode = SegmentMode::from_raw(elem.mode).ok_or(FormatError::Record("a segment"))?;
        ensure(elem.first == next, "an element segment")?;
        // A count beyond the elements fails below.
        next = next.checked_add(elem.count).ok_or(wrong.clone())?;
        let ty = match mode {
            SegmentMode::Active => {
                let table = tables.get(elem.table as usize).ok_or(wrong.clone())?;
                let exists = elem.table < c.info.table_imports || table.slot != NONE;
                ensure(exists && !elem.offset.is_empty(), "an element segment")?;
                inputs.expr(elem.offset, ValType::I32, u32::MAX)?;
                Some(c.value_type(table.element)?)
            }
            SegmentMode::Passive => None,
            SegmentMode::Dropped => {
                ensure(elem.count == 0, "an element segment")?;
                None
            }
        };
        ensure(mode == SegmentMode::Active || elem.offset.is_empty(), "an element segment")?;
        inputs.items(elem.count, ty)?;
    }
    Ok(())
}

fn data(c: &Checker<'_>, inputs: &mut Inputs<'_>, memories: usize) -> Result<(), FormatError> {
    let data = c.artifact.entry(Section::Data).len;
    for segment in c.records::<DataDesc>(Section::DataSegments)? {
        let mode = SegmentMode::from_raw(segment.mode).ok_or(FormatError::Record("a segment"))?;
        let end = segment.start.checked_add(segment.len);
        ensure(end.is_some_and(|end| end <= data), "a data segment")?;
        if mode == SegmentMode::Active {
            let exists = (segment.memory as usize) < memories;
            ensure(exists && !segment.offset.is_empty(), "a data segment")?;
            inputs.expr(segment.offset, ValType::I32, u32::MAX)?;
        } else {
            ensure(segment.offset.is_empty(), "a data segment")?;
        }
    }
    Ok(())
}

fn image(c: &Checker<'_>, memories: &[MemoryDesc]) -> Result<(), FormatError> {
    let image = c.artifact.entry(Section::Image);
    if image.len == 0 {
        return Ok(());
    }
    let own = memories.first().filter(|_| c.info.memory_imports == 0);
    let end = c.info.image_start.checked_add(image.len);
    let fits = own.zip(end).is_some_and(|(memory, end)| end <= memory.min * WASM_PAGE);
    ensure(fits && c.info.image_start.is_multiple_of(WASM_PAGE), "the memory image")
}
