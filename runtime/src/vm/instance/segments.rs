//! Element and data segments: the active ones at instantiation, the others by instructions.

use super::context::FuncRef;
use super::state::ModuleInstance;
use crate::error::Error;
use crate::trap::Trap;
use crate::vm::memory;
use crate::vm::speculation;
use crate::vm::table::RawRef;
use precast_abi::artifact::{DataDesc, ElemDesc, ElemItem, ElemKind, Section, SegmentMode};
use precast_abi::trap::TrapCode;
use std::cell::Cell;

impl ModuleInstance {
    /// Runs the active segments, in their order: elements, then data.
    pub(in crate::vm) fn run_segments(&mut self) -> Result<(), Error> {
        let elems: &[ElemDesc] = self.module.records(Section::Elems);
        let data: &[DataDesc] = self.module.records(Section::DataSegments);
        let passive = SegmentMode::Passive as u32;
        self.dropped_elems = elems.iter().map(|e| Cell::new(e.mode != passive)).collect();
        self.dropped_data = data.iter().map(|d| Cell::new(d.mode != passive)).collect();
        let active = SegmentMode::Active as u32;
        let (elems, data) = (elems.len() as u32, data.len() as u32);
        if elems > 0 && self.module.info().table_imports > 0 {
            // Segments make functions known to those who have an imported table.
            self.touch();
        }
        for i in 0..if self.usage.tables_are_filled { 0 } else { elems } {
            let desc = self.module.records::<ElemDesc>(Section::Elems)[i as usize];
            if desc.mode == active {
                let to = self.evaluate(desc.offset) as u64;
                if !self.init_table(desc.table, i, to, 0, desc.count.into(), true) {
                    return Err(trap(TrapCode::TableOutOfBounds));
                }
            }
        }
        self.usage.tables_are_filled = !self.own_tables.is_empty() && self.module.fixed().tables;
        for i in 0..data {
            let desc = self.module.records::<DataDesc>(Section::DataSegments)[i as usize];
            if desc.mode == active {
                let to = self.evaluate(desc.offset) as u64;
                self.touch();
                if !self.init_memory(desc.memory, i, to, 0, desc.len, true) {
                    return Err(trap(TrapCode::MemoryOutOfBounds));
                }
            }
        }
        Ok(())
    }

    /// Does `table.init`. `active` says that instantiation initialises the table with an active
    /// segment. False when out of bounds.
    pub(in crate::vm) fn init_table(
        &self,
        table: u32,
        elem: u32,
        to: u64,
        from: u64,
        len: u64,
        active: bool,
    ) -> bool {
        let desc = self.module.records::<ElemDesc>(Section::Elems)[elem as usize];
        let dropped = self.dropped_elems[elem as usize].get() && !active;
        let count = if dropped { 0 } else { u64::from(desc.count) };
        let Some(range) = speculation::range(from, len, count) else {
            return false;
        };
        let items: &[ElemItem] = self.module.records(Section::ElemItems);
        let items = &items[desc.first as usize..][range];
        let table = self.tables[table as usize];
        let func_refs = self.func_ref(0) as *const FuncRef;
        let values = items.iter().map(|item| match ElemKind::from_raw(item.kind) {
            // Nearly all items are functions: their records lie at a constant distance.
            Some(ElemKind::FuncRef) => func_refs.wrapping_add(item.index as usize) as RawRef,
            _ => self.item(item),
        });
        // SAFETY: invariant **store**: the table lives, no other reference to it exists while
        // this instance runs, and validated items have its type.
        unsafe { (*table).set_all(to, values) }
    }

    /// Does `memory.init`. `active` says that instantiation initialises the memory with an active
    /// segment. False when out of bounds.
    pub(in crate::vm) fn init_memory(
        &self,
        memory: u32,
        data: u32,
        to: u64,
        from: u64,
        len: u64,
        active: bool,
    ) -> bool {
        let desc = self.module.records::<DataDesc>(Section::DataSegments)[data as usize];
        let dropped = self.dropped_data[data as usize].get() && !active;
        let size = if dropped { 0 } else { desc.len };
        let Some(range) = speculation::range(from, len, size) else {
            return false;
        };
        let all = self.module.code().section(Section::Data);
        let source = &all[desc.start as usize..][range];
        let memory = self.memories[memory as usize];
        // SAFETY: invariant **store**: the memory lives, and nothing else uses it now.
        let bytes = unsafe { memory::bytes_of((*memory).def()) };
        let target = speculation::range(to, len, bytes.len() as u64);
        target.map(|target| bytes[target].copy_from_slice(source)).is_some()
    }

    /// The reference that an item of an element segment stands for.
    pub(super) fn item(&self, item: &ElemItem) -> RawRef {
        match ElemKind::from_raw(item.kind).expect("a checked artifact") {
            ElemKind::Null => 0,
            ElemKind::FuncRef => self.func_ref(item.index),
            ElemKind::Global => self.global(item.index).get() as RawRef,
        }
    }
}

fn trap(code: TrapCode) -> Error {
    Trap::new(code, None, Vec::new()).into()
}
