//! The plan: the layout of an instance's context, and facts that hold in all bodies. It is made
//! after parsing, before any body is translated.

pub(crate) mod constant_table;
pub(crate) mod func_ids;
mod stack_checks;

use crate::error::{CompileError, ErrorKind};
use crate::parse::module::{Item, Mode, Module};
use crate::parse::scan::Scan;
use crate::settings::Settings;
use crate::spectre;
use crate::target;
use constant_table::{ConstantTable, constant_tables};
use cranelift_codegen::isa::TargetIsa;
use func_ids::FuncIds;
use precast_abi::artifact::Kind;
use precast_abi::index::{FuncIndex, GlobalIndex, MemoryIndex, TableIndex};
use precast_abi::vmctx::{Counts, Regions};
use stack_checks::stack_checks;
use std::collections::{BTreeMap, BTreeSet};

/// The layout of an instance's context, and facts about its content.
pub(crate) struct Plan<'m> {
    pub(crate) module: &'m Module<'m>,
    pub(crate) ids: FuncIds,
    pub(crate) regions: Regions,
    pub(crate) constant_tables: BTreeMap<TableIndex, ConstantTable>,
    /// Functions that have a reference record, ascending.
    pub(crate) func_refs: Vec<FuncIndex>,
    /// Per global, the offset of its value, or of its address if it is imported.
    pub(crate) global_offsets: Vec<i32>,
    /// Per defined table, its position among the tables that exist at run time.
    table_slots: Vec<Option<u32>>,
    /// Per table, whether its length and address never change.
    fixed_tables: Vec<bool>,
    /// Defined functions, by position, that branch through a table.
    dispatching: BTreeSet<usize>,
    /// Per defined function, whether it compares its stack pointer with the stack limit.
    stack_checks: Vec<bool>,
    /// Whether code refers to data segments, so that dropped segments keep their index.
    pub(crate) names_data: bool,
    /// The same for element segments.
    pub(crate) names_elems: bool,
    /// The widest store, in bytes, that writes nothing if it faults.
    pub(crate) widest_whole_store: u32,
    /// Whether code has guards against speculation.
    pub(crate) spectre_guards: bool,
    /// Whether code counts the operators that it executes.
    pub(crate) counts_fuel: bool,
    /// Whether code relies on no guard behind memories.
    pub(crate) explicit_bounds: bool,
}

/// How code reaches a table.
pub(crate) enum TablePlace<'p> {
    /// Through dispatch tables: its content is known at compile time.
    Constant(&'p ConstantTable),
    /// Its definition is at this offset from the context.
    Own(i32),
    /// The address of its definition is at this offset from the context.
    Imported(i32),
}

/// How code reaches a memory.
#[derive(Clone, Copy)]
pub(crate) enum MemoryPlace {
    /// Its base is the context pointer.
    Context,
    /// Its definition is at this offset from the context.
    Own(i32),
    /// Its slot is at this offset from the context.
    Imported(i32),
}

impl<'m> Plan<'m> {
    pub(crate) fn new(
        module: &'m Module<'m>,
        scan: &Scan,
        isa: &dyn TargetIsa,
        settings: &Settings,
    ) -> Result<Plan<'m>, CompileError> {
        let constant_tables = constant_tables(module, scan);
        let func_refs = func_refs(module, scan, &constant_tables);
        let (global_offsets, global_bytes) = global_layout(module);
        let mut slots = 0;
        let table_slots: Vec<_> = (module.table_imports..module.tables.len() as u32)
            .map(|index| {
                let exists = !constant_tables.contains_key(&TableIndex(index));
                slots += u32::from(exists);
                exists.then(|| slots - 1)
            })
            .collect();
        let own_memories = module.memories.len() as u32 - module.memory_imports;
        let counts = Counts {
            global_bytes,
            tables: slots,
            func_imports: module.func_imports,
            global_imports: module.global_imports,
            table_imports: module.table_imports,
            memory_imports: module.memory_imports,
            memories: own_memories - u32::from(module.owns_memory0()),
            func_refs: func_refs.len() as u32,
        };
        let regions = Regions::new(&counts).ok_or_else(|| {
            CompileError::new(ErrorKind::Limit, 0, "its instances would be too large")
        })?;
        let mut plan = Plan {
            module,
            ids: FuncIds::new(module),
            regions,
            constant_tables,
            func_refs,
            global_offsets,
            table_slots,
            fixed_tables: fixed_tables(module, scan),
            dispatching: scan.dispatching.clone(),
            stack_checks: stack_checks(module, scan),
            names_data: scan.names_data,
            names_elems: scan.names_elems,
            widest_whole_store: target::widest_whole_store(isa),
            spectre_guards: spectre::guarded(isa),
            counts_fuel: settings.fuel,
            explicit_bounds: settings.explicit_bounds,
        };
        for (index, offset) in plan.global_offsets.iter_mut().enumerate() {
            *offset = match module.defined_global(GlobalIndex::from(index)) {
                Some(_) => regions.globals + *offset,
                None => regions.global_import(index as u32),
            };
        }
        Ok(plan)
    }

    /// How code reaches a table.
    pub(crate) fn table(&self, table: TableIndex) -> TablePlace<'_> {
        let Some(n) = self.module.defined_table(table) else {
            return TablePlace::Imported(self.regions.table_import(table.0));
        };
        match self.table_slots[n as usize] {
            Some(slot) => TablePlace::Own(self.regions.table(slot)),
            None => TablePlace::Constant(&self.constant_tables[&table]),
        }
    }

    /// The position of a table among the tables that exist at run time; none for an imported table.
    pub(crate) fn table_slot(&self, table: TableIndex) -> Option<u32> {
        self.table_slots[self.module.defined_table(table)? as usize]
    }

    /// The length of a table, if that never changes.
    pub(crate) fn fixed_table_len(&self, table: TableIndex) -> Option<u64> {
        let min = self.module.tables[table.index()].limits.min;
        self.fixed_tables[table.index()].then_some(min)
    }

    /// How code reaches a memory.
    pub(crate) fn memory(&self, memory: MemoryIndex) -> MemoryPlace {
        let own = self.module.owns_memory0();
        match self.module.defined_memory(memory) {
            None => MemoryPlace::Imported(self.regions.memory_import(memory.0)),
            Some(0) if own => MemoryPlace::Context,
            Some(n) => MemoryPlace::Own(self.regions.memory(n, own)),
        }
    }

    /// Whether the `n`th defined function branches through a table.
    pub(crate) fn dispatches(&self, n: u32) -> bool {
        self.dispatching.contains(&(n as usize))
    }

    /// Whether the `n`th defined function has a stack check, whatever the size of its frame.
    pub(crate) fn checks_stack(&self, n: usize) -> bool {
        self.stack_checks[n]
    }

    /// The offset of the reference record of a function, to which a valid body refers.
    pub(crate) fn func_ref_offset(&self, func: FuncIndex) -> i32 {
        let position = self.func_ref(func);
        self.regions
            .func_ref(position.expect("the scan collects every function that code refers to"))
    }

    /// The position of a function's reference record, if it has one.
    pub(crate) fn func_ref(&self, func: FuncIndex) -> Option<u32> {
        self.func_refs.binary_search(&func).ok().map(|at| at as u32)
    }
}

/// Collects the functions that need a reference record: those that code, segments that exist at run
/// time, or initial values of globals refer to.
fn func_refs(
    module: &Module<'_>,
    scan: &Scan,
    constant_tables: &BTreeMap<TableIndex, ConstantTable>,
) -> Vec<FuncIndex> {
    // Bodies that are not validated yet may refer to functions that do not exist.
    let known = |func: &&FuncIndex| func.index() < module.funcs.len();
    let mut set: BTreeSet<FuncIndex> = scan.referenced.iter().filter(known).copied().collect();
    for elem in &module.elems {
        let at_run_time = match &elem.mode {
            Mode::Passive => true,
            Mode::Declared => false,
            Mode::Active { target, .. } => !constant_tables.contains_key(target),
        };
        if at_run_time {
            set.extend(elem.items.iter().filter_map(|item| match item {
                Item::Func(func) => Some(*func),
                _ => None,
            }));
        }
        if let Mode::Active { offset, .. } = &elem.mode {
            set.extend(offset.functions());
        }
    }
    set.extend(module.globals.iter().flat_map(|global| global.init.functions()));
    set.into_iter().collect()
}

/// Lays out defined globals, vectors first so that all are aligned. Returns their offsets from the
/// start of the region (zero for imported globals), and the size of the region.
fn global_layout(module: &Module<'_>) -> (Vec<i32>, u32) {
    let mut offsets = vec![0; module.globals.len()];
    let mut end = 0;
    for size in [16, 8] {
        for (index, global) in module.globals.iter().enumerate() {
            let defined = module.defined_global(GlobalIndex::from(index)).is_some();
            if defined && global.ty.value.size() == size {
                offsets[index] = end as i32;
                end += size;
            }
        }
    }
    (offsets, end)
}

/// Per table, whether nothing can grow it.
fn fixed_tables(module: &Module<'_>, scan: &Scan) -> Vec<bool> {
    let mut fixed: Vec<bool> = (0..module.tables.len() as u32)
        .map(|i| module.defined_table(TableIndex(i)).is_some() && !scan.grown.contains(&i))
        .collect();
    for export in module.exports_of(Kind::Table) {
        fixed[export.index as usize] = false;
    }
    for (fixed, ty) in fixed.iter_mut().zip(&module.tables) {
        *fixed |= ty.limits.max == Some(ty.limits.min);
    }
    fixed
}
