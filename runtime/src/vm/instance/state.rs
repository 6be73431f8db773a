//! The state of a module's instance: its context, memories, tables and imports.

use crate::vm::alloc::{ContextSpace, allocator};
use crate::vm::code::Module;
use crate::vm::entity::{Entity, FuncEntity, GlobalEntity, WasmFunc};
use crate::vm::instance::context::{Context, FuncRef, FuncSlot};
use crate::vm::instance::remains::{Remains, Tables};
use crate::vm::memory::MemoryData;
use crate::vm::shared::Shared;
use crate::vm::store::Store;
use crate::vm::table::TableData;
use precast_abi::artifact::{ExportDesc, FuncRefDesc, GlobalDesc, Kind, NONE, Section};
use precast_abi::vmctx::{self, Regions};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;

/// An instance of a module. The header of its context points here.
pub(crate) struct ModuleInstance {
    pub(crate) store: NonNull<Store>,
    /// Its position in the store.
    pub(crate) index: u32,
    pub(crate) ctx: Context,
    /// The module's memories and tables, imports first. A table that was compiled away is null.
    pub(in crate::vm) memories: Vec<*mut MemoryData>,
    pub(in crate::vm) tables: Vec<*mut TableData>,
    pub(in crate::vm) imported_funcs: Vec<FuncEntity>,
    /// Whether each segment was dropped; an active one is dropped by instantiation.
    pub(in crate::vm) dropped_elems: Vec<Cell<bool>>,
    pub(in crate::vm) dropped_data: Vec<Cell<bool>>,
    // Boxed, because imports of other instances point at them.
    #[expect(clippy::vec_box)]
    pub(in crate::vm) own_memories: Vec<Box<MemoryData>>,
    #[expect(clippy::vec_box)]
    pub(in crate::vm) own_tables: Vec<Box<TableData>>,
    /// The bytes of the context, when it lies below no memory.
    pub(in crate::vm) _own_context: Option<ContextSpace>,
    pub(in crate::vm) usage: Usage,
    /// Last, so that it is dropped last: memories are reset from its image.
    pub(crate) module: Arc<Shared<Module>>,
}

/// What has happened to an instance, which decides what the next one can reuse of it.
#[derive(Default)]
pub(in crate::vm) struct Usage {
    /// Whether the context and everything it leads to was made. Only then it can be reused.
    pub(in crate::vm) is_built: bool,
    /// Whether the tables held, after instantiation, what they hold in every instance.
    pub(in crate::vm) tables_are_filled: bool,
    /// Whether its memories, tables or globals became known outside it, or instantiation ran its code or
    /// changed a memory. Until then only its code can change it.
    is_touched: Cell<bool>,
    /// Whether its functions became known outside it, so that its code may have run.
    has_known_funcs: Cell<bool>,
}

impl Usage {
    /// Whether anything may have changed since instantiation.
    pub(super) fn is_touched(&self) -> bool {
        self.is_touched.get() || self.has_known_funcs.get()
    }
}

impl Drop for ModuleInstance {
    /// Gives the address space of memory 0 back, with what the next instance can use.
    fn drop(&mut self) {
        let Some(memory) = self.own_memories.first_mut() else { return };
        if self.module.info().memory_imports > 0 {
            return;
        }
        let Some(reservation) = memory.take_reservation() else { return };
        let untouched = !self.usage.is_touched();
        let remains = match self.usage.is_built {
            true => {
                let tables = std::mem::take(&mut self.own_tables);
                let filled = self.usage.tables_are_filled && untouched;
                // SAFETY: this instance has made the records and the tables in the context below
                // its memory 0.
                unsafe { Remains::new(self.module.id(), Tables { tables, filled }) }
            }
            false => Remains::default(),
        };
        allocator().release_memory(reservation, untouched, remains);
    }
}

/// The instance a context belongs to.
///
/// # Safety
///
/// The context is that of an instance of a live store.
pub(in crate::vm) unsafe fn of<'a>(ctx: Context) -> &'a ModuleInstance {
    // SAFETY: by the contract. Instantiation sets the field before the context is used. The fields
    // of an instance that change afterwards are cells, or lie behind pointers.
    unsafe { &*ctx.read::<*const ModuleInstance>(vmctx::INSTANCE) }
}

impl ModuleInstance {
    pub(in crate::vm) fn regions(&self) -> Regions {
        self.module.info().regions()
    }

    /// The slot of an imported function.
    pub(in crate::vm) fn func_slot(&self, index: u32) -> FuncSlot {
        // SAFETY: invariant **context**: the regions are those of this context.
        unsafe { self.ctx.read(self.regions().func_import(index)) }
    }

    /// The export with this name.
    pub(crate) fn export(&self, name: &str) -> Option<Entity> {
        let export = self.module.artifact().export(self.module.bytes(), name)?;
        Some(self.entity(export))
    }

    /// The export at a position.
    pub(in crate::vm) fn export_at(&self, position: u32) -> Entity {
        self.entity(&self.module.records::<ExportDesc>(Section::Exports)[position as usize])
    }

    /// All exports.
    pub(crate) fn exports(&self) -> Vec<(String, Entity)> {
        let exports = self.module.records::<ExportDesc>(Section::Exports);
        let name =
            |e: &ExportDesc| self.module.artifact().string(self.module.bytes(), e.name).to_owned();
        exports.iter().map(|export| (name(export), self.entity(export))).collect()
    }

    /// Says that what is known outside the instance may change it from now on.
    pub(super) fn touch(&self) {
        self.usage.is_touched.set(true);
    }

    /// Says that no machine code of the store has run yet, so that known functions have changed nothing.
    pub(in crate::vm) fn nothing_has_run(&self) {
        self.usage.has_known_funcs.set(false);
    }

    fn entity(&self, export: &ExportDesc) -> Entity {
        let index = export.index as usize;
        let kind = Kind::from_raw(export.kind).expect("a checked artifact");
        match kind {
            Kind::Func => self.usage.has_known_funcs.set(true),
            Kind::Table | Kind::Memory | Kind::Global => self.touch(),
        }
        match kind {
            Kind::Func => Entity::Func(self.func_entity(export.index, export.ty, export.code)),
            Kind::Table => Entity::Table(self.tables[index]),
            Kind::Memory => Entity::Memory(self.memories[index]),
            Kind::Global => Entity::Global(self.global(export.index)),
        }
    }

    /// A function by index, type and code offset, the latter [`NONE`] for imports.
    pub(in crate::vm) fn func(&self, index: u32, ty: u32, code: u32) -> FuncEntity {
        self.touch();
        self.func_entity(index, ty, code)
    }

    fn func_entity(&self, index: u32, ty: u32, code: u32) -> FuncEntity {
        if code == NONE {
            return self.imported_funcs[index as usize];
        }
        let module = &self.module;
        FuncEntity::Wasm(WasmFunc::new(module, ty, module.code().text(code), self.ctx))
    }

    /// The start function.
    pub(in crate::vm) fn start_func(&self) -> Option<FuncEntity> {
        let info = self.module.info();
        let exists = info.start_func != NONE;
        exists.then(|| self.func(info.start_func, info.start_type, info.start_code))
    }

    /// A global by index.
    pub(in crate::vm) fn global(&self, index: u32) -> GlobalEntity {
        let desc = &self.module.records::<GlobalDesc>(Section::Globals)[index as usize];
        let at = if index < self.module.info().global_imports {
            // SAFETY: invariant **context**: an imported global's field holds its address.
            unsafe { self.ctx.read(desc.offset) }
        } else {
            self.ctx.field(desc.offset)
        };
        GlobalEntity { at, ty: desc.global_type() }
    }

    /// The module's globals, imports first.
    pub(in crate::vm) fn globals(&self) -> impl Iterator<Item = GlobalEntity> {
        let count = self.module.records::<GlobalDesc>(Section::Globals).len() as u32;
        (0..count).map(|index| self.global(index))
    }

    /// The address of the record of the function at a position among those that can be referred
    /// to.
    pub(in crate::vm) fn func_ref(&self, position: u32) -> u64 {
        self.ctx.field::<u8>(self.regions().func_ref(position)) as u64
    }

    /// The imported function that a record of this instance refers to; none for a defined one.
    pub(in crate::vm) fn import_behind(&self, record: &FuncRef) -> Option<FuncEntity> {
        let offset = (record as *const FuncRef as usize).checked_sub(self.func_ref(0) as usize)?;
        let desc = self.func_ref_descs().get(offset / vmctx::FuncRef::SIZE as usize)?;
        (desc.code == NONE).then(|| self.imported_funcs[desc.func as usize])
    }

    /// The functions that can be referred to.
    pub(in crate::vm) fn func_ref_descs(&self) -> &[FuncRefDesc] {
        self.module.records(Section::FuncRefs)
    }
}
