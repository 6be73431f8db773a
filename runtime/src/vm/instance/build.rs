//! Building an instance: allocating its context and memories, and filling in its context.

use crate::error::{Error, ErrorKind};
use crate::vm::alloc::{Allocator, ContextSpace, allocator};
use crate::vm::builtins;
use crate::vm::code::Module;
use crate::vm::entity::{Entity, FuncEntity};
use crate::vm::instance::ModuleInstance;
use crate::vm::instance::context::{Context, FuncRef, FuncSlot, MemoryDef, MemorySlot, TableDef};
use crate::vm::instance::remains::{Remains, Tables};
use crate::vm::instance::state::Usage;
use crate::vm::memory::Image;
use crate::vm::memory::MemoryData;
use crate::vm::memory::plan::MemoryPlan;
use crate::vm::memory::reservation::Reservation;
use crate::vm::shared::Shared;
use crate::vm::store::{NewRecord, Store};
use crate::vm::sys;
use crate::vm::table::TableData;
use precast_abi::artifact::{
    ElemItem, FuncRefDesc, GlobalDesc, MemoryDesc, NONE, Section, TableDesc,
};
use precast_abi::limits::WASM_PAGE;
use precast_abi::vmctx;
use std::io;
use std::sync::Arc;

/// Makes an instance of `module` with imports that fit it. Its start function is not run.
///
/// # Safety
///
/// The imports are in the module's order, have the types it wants, and belong to `store`.
pub(in crate::vm) unsafe fn build(
    store: &mut Store,
    shared: &Arc<Shared<Module>>,
    imports: &[Entity],
) -> Result<Box<ModuleInstance>, Error> {
    let (allocator, module): (_, &Module) = (allocator(), shared);
    let Allocated { ctx, own, reservation, remains } = allocate(module, allocator)?;
    let mut instance = Box::new(ModuleInstance {
        module: shared.for_thread(),
        store: store.pointer(),
        index: store.next_index(),
        ctx,
        memories: Vec::new(),
        tables: Vec::new(),
        imported_funcs: Vec::with_capacity(module.info().func_imports as usize),
        dropped_elems: Vec::new(),
        dropped_data: Vec::new(),
        own_memories: Vec::new(),
        own_tables: Vec::new(),
        _own_context: own,
        usage: Usage::default(),
    });
    // SAFETY: the context was just allocated with the size the module's regions say, and the
    // instance is boxed, so that its address stays. The order matters: imports before what can
    // refer to them, references before tables and globals that hold them.
    let records = unsafe {
        let records = instance.link_imports(module, store, imports)?;
        instance.make_memories(module, allocator, reservation)?;
        instance.write_header();
        instance.write_func_refs(module, &remains);
        instance.write_globals();
        instance.make_tables(module, remains)?;
        records
    };
    // Nothing fails from here on, and the context lives as long as the store.
    records.into_iter().for_each(|record| store.keep_record(record));
    instance.usage.is_built = true;
    Ok(instance)
}

/// A new context, and the owner of its bytes.
struct Allocated {
    ctx: Context,
    /// The bytes of a context that lies below no memory.
    own: Option<ContextSpace>,
    /// The reservation of memory 0, with the context below it.
    reservation: Option<Reservation>,
    /// What an instance has left in the reservation.
    remains: Remains,
}

/// A context for the module, below its memory 0 if it defines one.
fn allocate(module: &Module, allocator: &dyn Allocator) -> Result<Allocated, Error> {
    let info = module.info();
    let size = info.vmctx_size as usize;
    let memories: &[MemoryDesc] = module.records(Section::Memories);
    let own_memory = memories.first().filter(|_| info.memory_imports == 0);
    if let Some(memory) = own_memory {
        let image = module.artifact().entry(Section::Image);
        let plan = MemoryPlan {
            module: module.id(),
            context: size,
            len: (memory.min * WASM_PAGE) as usize,
            guarded: info.explicit_bounds == 0,
            image: Some(Image {
                file: module.code().file(),
                file_offset: image.offset,
                memory_offset: info.image_start as usize,
                len: image.len as usize,
                bytes: module.code().section(Section::Image).as_ptr(),
            }),
        };
        let allocated = allocator.allocate_memory(&plan).map_err(out_of_memory)?;
        let (reservation, remains) = allocated;
        // SAFETY: the reservation has `size` bytes below its base, and the instance keeps it.
        let ctx = unsafe { Context::from_raw(reservation.base()) };
        return Ok(Allocated { ctx, own: None, reservation: Some(reservation), remains });
    }
    let mut own = allocator.allocate_context(size).map_err(out_of_memory)?;
    // SAFETY: the fields lie below the end of the space, which the instance keeps.
    let ctx = unsafe { Context::from_raw(own.end()) };
    Ok(Allocated { ctx, own: Some(own), reservation: None, remains: Remains::default() })
}

/// Code that relies on guards cannot use a memory without one.
#[cold]
fn no_guard() -> Error {
    let reason = "the module relies on a guard behind each memory, and the one that it imports has none: \
                  compile it with explicit bounds checks";
    ErrorKind::Unsupported(reason.to_owned()).into()
}

fn out_of_memory(error: io::Error) -> Error {
    ErrorKind::System { what: "reserving memory for an instance", error }.into()
}

impl ModuleInstance {
    /// Writes the fields of imports, and gives the host records that they need.
    unsafe fn link_imports(
        &mut self,
        module: &Module,
        store: &mut Store,
        imports: &[Entity],
    ) -> Result<Vec<NewRecord>, Error> {
        let mut records = Vec::new();
        let regions = self.regions();
        let (mut tables, mut memories, mut globals) = (0, 0, 0);
        let thunks: &[u32] = module.records(Section::HostThunks);
        for import in imports {
            // SAFETY: invariant **context**; every import has a field in its region.
            unsafe {
                match *import {
                    Entity::Func(func) => {
                        let index = self.imported_funcs.len() as u32;
                        let at = regions.func_import(index);
                        let slot = match func {
                            FuncEntity::Wasm(func) => FuncSlot::wasm(func.code, func.ctx.as_ptr()),
                            FuncEntity::Host(func) if func.def().is_dynamic() => {
                                let record = store.host_record(func, Some(self.ctx))?;
                                let slot = record.slot;
                                records.push(record);
                                slot
                            }
                            FuncEntity::Host(func) => {
                                let thunk = module.code().text(thunks[index as usize]);
                                let code = func.def().direct().unwrap_or(thunk);
                                FuncSlot {
                                    func: func.def().code(),
                                    env: func.env,
                                    importer: self.ctx.as_ptr(),
                                    thunk,
                                    ..FuncSlot::wasm(code, self.ctx.field(at))
                                }
                            }
                        };
                        self.ctx.write(at, slot);
                        self.imported_funcs.push(func);
                    }
                    Entity::Table(table) => {
                        self.ctx.write(regions.table_import(tables), (*table).def());
                        self.tables.push(table);
                        tables += 1;
                    }
                    Entity::Memory(memory) => {
                        if module.info().explicit_bounds == 0 && !(*memory).is_guarded() {
                            return Err(no_guard());
                        }
                        let def = (*memory).def();
                        let slot = MemorySlot { def, base: (*def).base };
                        self.ctx.write(regions.memory_import(memories), slot);
                        self.memories.push(memory);
                        memories += 1;
                    }
                    Entity::Global(global) => {
                        self.ctx.write(regions.global_import(globals), global.at);
                        globals += 1;
                    }
                }
            }
        }
        Ok(records)
    }

    /// Makes the memories that the module defines; `reservation` is that of memory 0, if it is one.
    unsafe fn make_memories(
        &mut self,
        module: &Module,
        allocator: &'static dyn Allocator,
        mut reservation: Option<Reservation>,
    ) -> Result<(), Error> {
        let imported = module.info().memory_imports;
        let guarded = module.info().explicit_bounds == 0;
        let descs: &[MemoryDesc] = module.records(Section::Memories);
        for (i, desc) in descs[imported as usize..].iter().enumerate() {
            let limits = desc.limits();
            let len = limits.min * WASM_PAGE;
            let reservation = match reservation.take() {
                Some(reservation) => reservation,
                None => {
                    let plan = MemoryPlan::zeros(len as usize, guarded);
                    allocator.allocate_memory(&plan).map_err(out_of_memory)?.0
                }
            };
            let def = self.ctx.field(self.regions().memory(i as u32, imported == 0));
            // SAFETY: the field is this memory's definition.
            let memory =
                unsafe { MemoryData::in_context(def, allocator, reservation, len, limits.max) };
            let mut memory = Box::new(memory);
            self.memories.push(&mut *memory);
            self.own_memories.push(memory);
        }
        Ok(())
    }

    unsafe fn write_header(&mut self) {
        let exported = match self.module.info().exported_memory {
            NONE => std::ptr::null_mut::<MemoryDef>(),
            // SAFETY: every memory of an instance is live.
            index => unsafe { (*self.memories[index as usize]).def() },
        };
        let this: *const ModuleInstance = self;
        // SAFETY: invariant **context**.
        unsafe {
            self.ctx.write(vmctx::STORE, self.store);
            self.ctx.write(vmctx::BUILTINS, builtins::TABLE.as_ptr());
            self.ctx.write(vmctx::INSTANCE, this);
            self.ctx.write(vmctx::EXPORTED_MEMORY, exported);
            self.ctx.write(vmctx::TRAP_OPERAND, 0u64);
        }
    }

    /// Writes the records of functions, but not those that remain from another instance.
    unsafe fn write_func_refs(&mut self, module: &Module, remains: &Remains) {
        let regions = self.regions();
        let descs: &[FuncRefDesc] = module.records(Section::FuncRefs);
        let written = match remains.are_of(module.id()) {
            true => module.fixed().imported_refs as usize,
            false => descs.len(),
        };
        for (i, desc) in descs[..written].iter().enumerate() {
            let offset = regions.func_ref(i as u32);
            let (code, ctx) = match desc.code {
                NONE => {
                    let slot = self.func_slot(desc.func);
                    (slot.code, slot.ctx)
                }
                code => (module.code().text(code), self.ctx.as_ptr()),
            };
            let ty = module.type_ref(desc.ty).digest;
            let this = self.ctx.field::<FuncRef>(offset);
            // SAFETY: invariant **context**.
            unsafe { self.ctx.write(offset, FuncRef { code, ctx, ty, this }) };
        }
    }

    pub(super) unsafe fn write_globals(&mut self) {
        let init = self.module.code().section(Section::GlobalInit);
        let at = self.ctx.field::<u8>(self.regions().globals);
        // SAFETY: invariant **context**: the region has the section's length.
        unsafe { at.copy_from_nonoverlapping(init.as_ptr(), init.len()) };
        let first = self.module.info().global_imports;
        let descs: &[GlobalDesc] = self.module.records(Section::Globals);
        for (i, desc) in descs.iter().enumerate().skip(first as usize) {
            if !desc.init.is_empty() {
                let value = self.evaluate(desc.init);
                // SAFETY: a validated initialiser has the global's type.
                unsafe { self.global(i as u32).set(value) };
            }
        }
    }

    /// Makes the tables that the module defines, from those that remain if they fit.
    unsafe fn make_tables(&mut self, module: &Module, remains: Remains) -> Result<(), Error> {
        let imported = module.info().table_imports as usize;
        let descs: &[TableDesc] = module.records(Section::Tables);
        let Tables { tables: remaining, filled } = remains.tables_of(module.id());
        self.usage.tables_are_filled = filled;
        self.own_tables.reserve_exact(descs.len() - imported);
        let mut remaining = remaining.into_iter();
        for desc in &descs[imported..] {
            if desc.slot == NONE {
                self.tables.push(std::ptr::null_mut());
                continue;
            }
            let def = self.ctx.field::<TableDef>(self.regions().table(desc.slot));
            // A table that remains has the same definition: invariant **remains**.
            let remaining = remaining
                .next()
                .and_then(|mut table| (filled || table.reset(desc.min)).then_some(table));
            let mut table = match remaining {
                Some(table) => table,
                // SAFETY: the field is this table's definition.
                None => Box::new(unsafe { make_table(def, desc)? }),
            };
            self.tables.push(&mut *table);
            self.own_tables.push(table);
            if !filled {
                self.fill_table(self.own_tables.len() - 1, desc);
            }
        }
        Ok(())
    }

    /// Sets the elements of an own table, which are null, to their initial value.
    pub(super) fn fill_table(&mut self, own: usize, desc: &TableDesc) {
        let value = self.item(&ElemItem { kind: desc.init_kind, index: desc.init_index });
        if value != 0 {
            // SAFETY: a validated initial value has the table's type.
            let filled = unsafe { self.own_tables[own].fill(0, value, desc.min) };
            debug_assert!(filled, "a table holds its own size");
        }
    }
}

/// A table of nulls.
///
/// # Safety
///
/// `def` is the table's definition, a field of its instance's context.
pub(super) unsafe fn make_table(def: *mut TableDef, desc: &TableDesc) -> Result<TableData, Error> {
    // SAFETY: by the contract.
    let table = unsafe { TableData::in_context(def, desc.table_type()) };
    let failed = |error| {
        let size = (desc.min as usize).saturating_mul(size_of::<FuncRef>());
        let error = sys::name_limit(error, size);
        ErrorKind::System { what: "making a table", error }
    };
    Ok(table.map_err(failed)?)
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use crate::{ErrorKind, FuncType, HostModuleBuilder, Runtime, ValType, Value};

    /// A module that imports two host functions of run-time signature, which need records, and one
    /// of compile-time signature, which needs none.
    fn text(rest: &str) -> Vec<u8> {
        let text = format!(
            r#"(module
              (import "host" "one" (func $one (param i32) (result i32)))
              (import "host" "two" (func $two (param i32) (result i32)))
              (import "host" "typed" (func $typed (param i32) (result i32)))
              (func (export "run") (param i32) (result i32)
                (call $two (call $one (call $typed (local.get 0)))))
              {rest})"#
        );
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn a_failed_instantiation_leaves_no_records() {
        let runtime = Runtime::new();
        let ty = FuncType::new([ValType::I32], [ValType::I32]);
        let add = |n: i32| {
            move |_: &mut crate::Caller<'_, ()>, args: &[Value], results: &mut [Value]| {
                results[0] = Value::I32(args[0].as_i32().unwrap() + n);
                Ok(())
            }
        };
        let host = HostModuleBuilder::new("host")
            .func_dynamic("one", ty.clone(), add(1))
            .func_dynamic("two", ty, add(10))
            .func("typed", |n: i32| n + 100)
            .build(&runtime)
            .unwrap();
        let mut namespace = runtime.namespace();
        namespace.instantiate_host(&host).unwrap();
        let table = r#"(table (export "t") 10000001 funcref)"#;
        let too_large = runtime.compile(&text(table)).unwrap();
        let with_memory = runtime.compile(&text(&format!("(memory 1) {table}"))).unwrap();
        for module in [&too_large, &with_memory, &too_large] {
            let error = namespace.instantiate(module).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::System { .. }), "{error}");
            let message = "making a table: 10000001 elements are more than 10000000";
            assert_eq!(error.to_string(), message);
            assert_eq!(namespace.store().host_records(), 0);
        }
        let good = runtime.compile(&text("(memory 1)")).unwrap();
        let instance = namespace.instantiate(&good).unwrap();
        assert_eq!(namespace.store().host_records(), 2);
        // An instance whose segments trap stays, with its records.
        let segment = r#"(table (export "t") 1 funcref) (elem (i32.const 1) $one)"#;
        let trapping = runtime.compile(&text(segment)).unwrap();
        assert!(namespace.instantiate(&trapping).unwrap_err().trap().is_some());
        assert_eq!(namespace.store().host_records(), 4);
        // On another thread the stack limit is another one, also for host records.
        std::thread::scope(|scope| {
            let run = || instance.call(&mut namespace, "run", &[Value::I32(1000)]);
            let results = scope.spawn(run).join().unwrap().unwrap();
            assert_eq!(results, [Value::I32(1111)]);
        });
    }
}
