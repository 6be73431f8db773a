//! Static tables: tables of functions whose content is known at compile time, and the read-only
//! dispatch tables that stand in for them.
//!
//! A call through a static table loads a code offset from a dispatch table and calls it. For a
//! call of type `t` there are two forms:
//!
//! ```text
//! dense    i32 per element: offset of the code to call, from the dispatch table's own start
//! shared   i32 as above, u32 number of the element's type, zero for null
//! ```
//!
//! The dense table belongs to one type: null elements and those of other types lead to stubs
//! that trap, so the call needs no check but that of the index. Types too rare for a table of
//! their own use the shared one, and compare type numbers.
//!
//! In code that is guarded against speculation a dispatch table has one entry more, of type zero,
//! which leads to a stub that traps. All indices beyond the elements are made that of this entry,
//! without a branch: no misprediction leads outside the table, and there is none left to make.

use crate::module::{Item, Mode, Module};
use crate::plan::Plan;
use crate::scan::Scan;
use cranelift_module::{DataDescription, DataId, FuncId, ModuleRelocTarget};
use precast_abi::artifact::Kind;
use precast_abi::index::{FuncIndex, TableIndex, TypeIndex};
use precast_abi::types::ValType;
use std::collections::BTreeMap;

/// A table known at compile time.
pub(crate) struct StaticTable {
    /// What its elements are.
    pub(crate) elements: Vec<Option<FuncIndex>>,
    /// The canonical types that have a dense dispatch table, and its number.
    dense: BTreeMap<TypeIndex, DataId>,
    /// The number of the shared dispatch table.
    shared: DataId,
}

/// The dispatch table a call uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dispatch {
    Dense(DataId),
    Shared(DataId),
}

/// Bytes of an entry of the shared form.
pub(crate) const SHARED_ENTRY: i64 = 8;

/// Finds the static tables of a module.
pub(crate) fn static_tables(module: &Module<'_>, scan: &Scan) -> BTreeMap<TableIndex, StaticTable> {
    let mut next = 0;
    let mut tables = BTreeMap::new();
    let exported: Vec<u32> = module.exports_of(Kind::Table).map(|e| e.index).collect();
    for index in module.table_imports..module.tables.len() as u32 {
        if exported.contains(&index) || scan.touched.contains(&index) {
            continue;
        }
        let index = TableIndex(index);
        if let Some(elements) = contents(module, index) {
            tables.insert(index, StaticTable::new(module, elements, &mut next));
        }
    }
    tables
}

/// What a table holds after instantiation, if that is known and worth writing down.
fn contents(module: &Module<'_>, table: TableIndex) -> Option<Vec<Option<FuncIndex>>> {
    let ty = &module.tables[table.index()];
    let segments = module.elems.iter().filter_map(|elem| match &elem.mode {
        Mode::Active { target, offset } if *target == table => Some((offset, &elem.items)),
        _ => None,
    });
    let segments: Vec<_> = segments.collect();
    let items: u64 = segments.iter().map(|(_, items)| items.len() as u64).sum();
    let worthwhile = ty.limits.min <= 16 * items + 4096;
    if ty.element != ValType::FuncRef || !worthwhile {
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

impl StaticTable {
    fn new(module: &Module<'_>, elements: Vec<Option<FuncIndex>>, next: &mut u32) -> Self {
        let mut counts: BTreeMap<TypeIndex, usize> = BTreeMap::new();
        for &func in elements.iter().flatten() {
            *counts.entry(module.canonical_type(func)).or_default() += 1;
        }
        let mut id = || {
            *next += 1;
            DataId::from_u32(*next - 1)
        };
        let shared = id();
        let dense = counts
            .into_iter()
            .filter(|&(_, count)| elements.len() * 4 <= count * 64 + 256)
            .map(|(ty, _)| (ty, id()))
            .collect();
        StaticTable { elements, dense, shared }
    }

    /// The dispatch table for calls of a canonical type.
    pub(crate) fn dispatch(&self, ty: TypeIndex) -> Dispatch {
        self.dense.get(&ty).map_or(Dispatch::Shared(self.shared), |&id| Dispatch::Dense(id))
    }

    /// All its dispatch tables: the data object, and the type of a dense one.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (DataId, Option<TypeIndex>)> {
        let dense = self.dense.iter().map(|(&ty, &id)| (id, Some(ty)));
        std::iter::once((self.shared, None)).chain(dense)
    }

    /// The content of a dispatch table: dense for a type, or shared.
    pub(crate) fn data(&self, plan: &Plan<'_>, dense: Option<TypeIndex>) -> DataDescription {
        let (module, ids) = (plan.module, &plan.ids);
        let stride = if dense.is_some() { 4 } else { SHARED_ENTRY as usize };
        let guards = usize::from(plan.spectre_guards);
        let mut bytes = vec![0; (self.elements.len() + guards) * stride];
        let mut data = DataDescription::new();
        let mut refs = BTreeMap::new();
        for (i, &element) in self.elements.iter().enumerate() {
            let ty = element.map(|func| module.canonical_type(func));
            let code = match (element, dense) {
                (None, _) => ids.null_stub(),
                (Some(_), Some(dense)) if ty != Some(dense) => ids.mismatch_stub(),
                (Some(func), _) => ids.code(module, func),
            };
            if let (None, Some(ty)) = (dense, ty) {
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

/// The number of a canonical type in shared dispatch tables; zero is null.
pub(crate) fn type_number(ty: TypeIndex) -> u32 {
    ty.0 + 1
}

fn target(id: FuncId) -> ModuleRelocTarget {
    ModuleRelocTarget::user(0, id.as_u32())
}
