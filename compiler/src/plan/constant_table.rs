//! Constant tables: tables of functions whose content is known at compile time, and the read-only
//! dispatch tables that replace them.
//!
//! A call through a constant table loads a code offset from a dispatch table and calls it. A
//! dispatch table has one of two forms:
//!
//! ```text
//! unchecked   i32 per element: offset of the code to call, from the start of the dispatch table
//! checked     i32 as above, then the u32 number of the element's type, zero for null
//! ```
//!
//! An unchecked dispatch table serves calls of one type: its entries for null elements and for
//! elements of other types lead to stubs that trap, so a call checks the index alone. A checked
//! dispatch table serves all types that are too rare for an unchecked one: a call compares type
//! numbers.
//!
//! In code with guards against speculation, a dispatch table has one more entry, of type zero, whose
//! code is a stub that traps. Code replaces every index beyond the elements by the index of this
//! entry, with a conditional move: there is no branch that could be mispredicted.

use crate::parse::module::{Item, Mode, Module};
use crate::parse::scan::Scan;
use crate::plan::Plan;
use cranelift_module::{DataDescription, DataId, FuncId, ModuleRelocTarget};
use precast_abi::artifact::Kind;
use precast_abi::index::{FuncIndex, TableIndex, TypeIndex};
use precast_abi::types::RefType;
use std::collections::BTreeMap;

/// A table known at compile time.
pub(crate) struct ConstantTable {
    /// The functions; none for null.
    pub(crate) elements: Vec<Option<FuncIndex>>,
    /// The number of the unchecked dispatch table, for each canonical type that has one.
    unchecked: BTreeMap<TypeIndex, DataId>,
    /// The number of the checked dispatch table.
    checked: DataId,
}

/// The dispatch table a call uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dispatch {
    /// Its entries are code of the call's type, or trap.
    Unchecked(DataId),
    /// Its entries have type numbers, which the call compares.
    Checked(DataId),
}

/// Bytes of an entry of the checked form.
pub(crate) const CHECKED_ENTRY: i64 = 8;

/// Finds the constant tables of a module.
pub(crate) fn constant_tables(
    module: &Module<'_>,
    scan: &Scan,
) -> BTreeMap<TableIndex, ConstantTable> {
    let mut next = 0;
    let mut tables = BTreeMap::new();
    let exported: Vec<u32> = module.exports_of(Kind::Table).map(|e| e.index).collect();
    for index in module.table_imports..module.tables.len() as u32 {
        if exported.contains(&index) || scan.touched.contains(&index) {
            continue;
        }
        let index = TableIndex(index);
        if let Some(elements) = contents(module, index) {
            tables.insert(index, ConstantTable::new(module, elements, &mut next));
        }
    }
    tables
}

/// The elements of a table after instantiation, if they are known and not too sparse.
fn contents(module: &Module<'_>, table: TableIndex) -> Option<Vec<Option<FuncIndex>>> {
    let ty = &module.tables[table.index()];
    let segments = module.elems.iter().filter_map(|elem| match &elem.mode {
        Mode::Active { target, offset } if *target == table => Some((offset, &elem.items)),
        _ => None,
    });
    let segments: Vec<_> = segments.collect();
    let items: u64 = segments.iter().map(|(_, items)| items.len() as u64).sum();
    let worthwhile = ty.limits.min <= 16 * items + 4096;
    if ty.element != RefType::FUNCREF || !worthwhile {
        return None;
    }
    let mut elements = vec![None; usize::try_from(ty.limits.min).ok()?];
    for (offset, items) in segments {
        let start = usize::try_from(offset.constant()?).ok()?;
        let end = start.checked_add(items.len())?;
        for (element, item) in elements.get_mut(start..end)?.iter_mut().zip(items) {
            *element = match *item {
                Item::Null => None,
                Item::Func(func) => Some(func),
                Item::Global(_) => return None,
            };
        }
    }
    Some(elements)
}

impl ConstantTable {
    fn new(module: &Module<'_>, elements: Vec<Option<FuncIndex>>, next: &mut u32) -> Self {
        let mut counts: BTreeMap<TypeIndex, usize> = BTreeMap::new();
        for &func in elements.iter().flatten() {
            *counts.entry(module.canonical_type(func)).or_default() += 1;
        }
        let mut id = || {
            *next += 1;
            DataId::from_u32(*next - 1)
        };
        let checked = id();
        let unchecked = counts
            .into_iter()
            .filter(|&(_, count)| elements.len() * 4 <= count * 64 + 256)
            .map(|(ty, _)| (ty, id()))
            .collect();
        ConstantTable { elements, unchecked, checked }
    }

    /// The dispatch table for calls of a canonical type.
    pub(crate) fn dispatch(&self, ty: TypeIndex) -> Dispatch {
        self.unchecked
            .get(&ty)
            .map_or(Dispatch::Checked(self.checked), |&id| Dispatch::Unchecked(id))
    }

    /// All its dispatch tables: the data object, and the type that an unchecked one serves.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (DataId, Option<TypeIndex>)> {
        let unchecked = self.unchecked.iter().map(|(&ty, &id)| (id, Some(ty)));
        std::iter::once((self.checked, None)).chain(unchecked)
    }

    /// The content of the unchecked dispatch table of a type, or of the checked one.
    pub(crate) fn data(&self, plan: &Plan<'_>, of_type: Option<TypeIndex>) -> DataDescription {
        let (module, ids) = (plan.module, &plan.ids);
        let stride = if of_type.is_some() { 4 } else { CHECKED_ENTRY as usize };
        let guards = usize::from(plan.spectre_guards);
        let mut bytes = vec![0; (self.elements.len() + guards) * stride];
        let mut data = DataDescription::new();
        let mut refs = BTreeMap::new();
        for (i, &element) in self.elements.iter().enumerate() {
            let ty = element.map(|func| module.canonical_type(func));
            let code = match (element, of_type) {
                (None, _) => ids.null_stub(),
                (Some(_), Some(_)) if ty != of_type => ids.mismatch_stub(),
                (Some(func), _) => ids.code(module, func),
            };
            if let (None, Some(ty)) = (of_type, ty) {
                let number = type_number(ty).to_le_bytes();
                bytes[i * stride + 4..][..4].copy_from_slice(&number);
            }
            let code = *refs.entry(code).or_insert_with(|| data.import_function(target(code)));
            data.write_function_addr((i * stride) as u32, code);
        }
        if plan.spectre_guards {
            let stub = data.import_function(target(ids.undefined_stub()));
            data.write_function_addr((self.elements.len() * stride) as u32, stub);
        }
        data.define(bytes.into());
        data.set_align(16);
        data
    }
}

/// The number of a canonical type in checked dispatch tables; zero is null.
pub(crate) fn type_number(ty: TypeIndex) -> u32 {
    ty.0 + 1
}

fn target(id: FuncId) -> ModuleRelocTarget {
    ModuleRelocTarget::user(0, id.as_u32())
}
