//! The artifact's sections, written from the plan and the linked code.

pub(crate) mod image;

use crate::error::CompileError;
use crate::link::artifact_module::Linked;
use crate::parse::module::{self, Mode, Module};
use crate::plan::Plan;
use crate::settings::Settings;
use crate::target;
use cranelift_codegen::isa::TargetIsa;
use image::Image;
use precast_abi::artifact::*;
use precast_abi::index::{FuncIndex, GlobalIndex, TableIndex, TypeIndex};
use zerocopy::IntoBytes;

/// Builds the artifact's bytes.
pub(crate) fn build(
    plan: &Plan<'_>,
    image: Image,
    linked: Linked,
    isa: &dyn TargetIsa,
    settings: &Settings,
    wasm: &[u8],
) -> Vec<u8> {
    let mut sections = Sections { plan, linked: &linked, strings: Vec::new(), ops: Vec::new() };
    let mut writer = Writer::new();
    sections.info(&mut writer, image.start);
    writer.bytes(Section::Features, target::features(isa).into_bytes());
    sections.types(&mut writer);
    sections.imports(&mut writer);
    sections.exports(&mut writer);
    sections.tables_and_memories(&mut writer);
    sections.globals(&mut writer);
    sections.funcs(&mut writer);
    sections.elems(&mut writer);
    sections.data(&mut writer, &image);
    writer.records(Section::ConstOps, &sections.ops);
    writer.bytes(Section::Strings, std::mem::take(&mut sections.strings));
    code(&mut writer, linked);
    names(&mut writer, plan.module);
    writer.bytes(Section::Image, image.bytes);
    let hash = xxhash_rust::xxh3::xxh3_128(wasm).to_le_bytes();
    writer.finish(&target::producer(settings), hash, target::page_size(isa))
}

/// Checks the records of an artifact as a verifier of machine code does.
pub(crate) fn verify(artifact: &[u8], settings: &Settings) -> Result<(), CompileError> {
    // Records are read in place, so they must be aligned.
    let mut aligned = vec![0u128; artifact.len().div_ceil(size_of::<u128>())];
    let bytes = &mut aligned.as_mut_bytes()[..artifact.len()];
    bytes.copy_from_slice(artifact);
    let checked = Artifact::check(bytes, &target::producer(settings));
    checked.and_then(|checked| checked.check_deep(bytes)).map_err(CompileError::internal)?;
    Ok(())
}

/// Data that several sections add to.
struct Sections<'a> {
    plan: &'a Plan<'a>,
    linked: &'a Linked,
    strings: Vec<u8>,
    ops: Vec<ConstOp>,
}

impl Sections<'_> {
    fn string(&mut self, text: &str) -> StrRef {
        let offset = self.strings.len() as u32;
        self.strings.extend_from_slice(text.as_bytes());
        StrRef { offset, len: text.len() as u32 }
    }

    /// The text offset of a defined function.
    fn code(&self, func: FuncIndex) -> u32 {
        let defined = self.plan.module.defined(func);
        defined.map_or(NONE, |n| self.linked.code(self.plan.ids.defined(n)))
    }

    fn func_ref(&self, func: FuncIndex) -> u32 {
        self.plan.func_ref(func).expect("the plan has every function that is referred to")
    }

    fn expr(&mut self, expr: &module::ConstExpr) -> ConstExpr {
        let first = self.ops.len() as u32;
        if let Some(bits) = expr.constant() {
            self.ops.push(const_op(ConstOpcode::Const, bits));
            return ConstExpr { first, count: 1 };
        }
        for &op in &expr.ops {
            let (op, operand) = match op {
                module::ConstOp::Const(bits) => (ConstOpcode::Const, bits),
                module::ConstOp::GlobalGet(global) => (ConstOpcode::GlobalGet, global.0.into()),
                module::ConstOp::RefFunc(func) => {
                    (ConstOpcode::RefFunc, self.func_ref(func).into())
                }
                module::ConstOp::I32Add => (ConstOpcode::I32Add, 0),
                module::ConstOp::I32Sub => (ConstOpcode::I32Sub, 0),
                module::ConstOp::I32Mul => (ConstOpcode::I32Mul, 0),
                module::ConstOp::I64Add => (ConstOpcode::I64Add, 0),
                module::ConstOp::I64Sub => (ConstOpcode::I64Sub, 0),
                module::ConstOp::I64Mul => (ConstOpcode::I64Mul, 0),
            };
            self.ops.push(const_op(op, operand));
        }
        ConstExpr { first, count: self.ops.len() as u32 - first }
    }

    fn info(&mut self, writer: &mut Writer<'_>, image_start: u64) {
        let (module, regions) = (self.plan.module, &self.plan.regions);
        let exported = module.exports_of(Kind::Memory).find(|export| export.name == "memory");
        let start = module.start;
        let info = Info {
            func_imports: module.func_imports,
            table_imports: module.table_imports,
            memory_imports: module.memory_imports,
            global_imports: module.global_imports,
            funcs: module.funcs.len() as u32,
            globals_at: regions.globals,
            tables_at: regions.tables,
            func_imports_at: regions.func_imports,
            global_imports_at: regions.global_imports,
            table_imports_at: regions.table_imports,
            memory_imports_at: regions.memory_imports,
            memories_at: regions.memories,
            func_refs_at: regions.func_refs,
            vmctx_size: regions.size,
            exported_memory: exported.map_or(NONE, |export| export.index),
            start_func: start.map_or(NONE, |func| func.0),
            start_code: start.map_or(NONE, |func| self.code(func)),
            start_type: start.map_or(NONE, |func| module.funcs[func.index()].0),
            counts_fuel: self.plan.counts_fuel.into(),
            is_snapshot: 0,
            explicit_bounds: self.plan.explicit_bounds.into(),
            reserved: 0,
            image_start,
        };
        writer.records(Section::Info, &[info]);
    }

    fn types(&mut self, writer: &mut Writer<'_>) {
        let (module, ids) = (self.plan.module, &self.plan.ids);
        let mut values = Vec::new();
        let mut records = Vec::with_capacity(module.types.len());
        for (index, ty) in module.types.iter().enumerate() {
            let canonical = module.canonical[TypeIndex::from(index).index()];
            records.push(TypeDesc {
                digest: module.digests[index],
                first: values.len() as u32,
                params: ty.params().len() as u32,
                results: ty.results().len() as u32,
                typed_entry: self.linked.code(ids.typed_entry(canonical)),
                array_entry: self.linked.code(ids.array_entry(canonical)),
                reserved: 0,
            });
            values.extend(ty.params().iter().chain(ty.results()).map(|&ty| ty as u8));
        }
        writer.records(Section::Types, &records);
        writer.bytes(Section::TypeValues, values);
    }

    fn imports(&mut self, writer: &mut Writer<'_>) {
        let imports = self.plan.module.imports.iter();
        let records: Vec<_> = imports
            .map(|import| ImportDesc {
                module: self.string(import.module),
                name: self.string(import.name),
                kind: import.kind as u32,
                index: import.index,
            })
            .collect();
        writer.records(Section::Imports, &records);
        let funcs = (0..self.plan.module.func_imports).map(FuncIndex);
        let types = funcs.map(|func| self.plan.module.canonical_type(func));
        let thunks = types.map(|ty| self.linked.code(self.plan.ids.host_thunk(ty)));
        let thunks: Vec<u32> = thunks.collect();
        writer.records(Section::HostThunks, &thunks);
    }

    fn exports(&mut self, writer: &mut Writer<'_>) {
        let module = self.plan.module;
        let hash = |export: &&module::Export<'_>| Artifact::hash(export.name.as_bytes());
        let mut sorted: Vec<_> = module.exports.iter().collect();
        sorted.sort_by_key(|export| (hash(export), export.name));
        let records: Vec<_> = sorted
            .iter()
            .map(|export| {
                let func = (export.kind == Kind::Func).then_some(FuncIndex(export.index));
                ExportDesc {
                    hash: hash(export),
                    name: self.string(export.name),
                    kind: export.kind as u32,
                    index: export.index,
                    ty: func.map_or(NONE, |func| module.funcs[func.index()].0),
                    code: func.map_or(NONE, |func| self.code(func)),
                }
            })
            .collect();
        writer.records(Section::Exports, &records);
    }

    fn tables_and_memories(&mut self, writer: &mut Writer<'_>) {
        let module = self.plan.module;
        let tables = module.tables.iter().enumerate();
        let tables: Vec<_> = tables
            .map(|(index, table)| TableDesc {
                min: table.limits.min,
                max: table.limits.max.unwrap_or(u64::MAX),
                element: table.element.val_type() as u32,
                slot: self.plan.table_slot(TableIndex::from(index)).unwrap_or(NONE),
                init_kind: ElemKind::Null as u32,
                init_index: 0,
            })
            .collect();
        writer.records(Section::Tables, &tables);
        let memories = module.memories.iter();
        let memories: Vec<_> = memories
            .map(|memory| MemoryDesc {
                min: memory.limits.min,
                max: memory.limits.max.unwrap_or(u64::MAX),
            })
            .collect();
        writer.records(Section::Memories, &memories);
    }

    fn globals(&mut self, writer: &mut Writer<'_>) {
        let plan = self.plan;
        let mut init = Vec::new();
        let mut records = Vec::with_capacity(plan.module.globals.len());
        for (index, global) in plan.module.globals.iter().enumerate() {
            let offset = plan.global_offsets[index];
            let ty = global.ty.value;
            let mut expr = ConstExpr::EMPTY;
            if plan.module.defined_global(GlobalIndex::from(index)).is_some() {
                let start = (offset - plan.regions.globals) as usize;
                let size = ty.size() as usize;
                if init.len() < start + size {
                    init.resize(start + size, 0);
                }
                match global.init.constant() {
                    Some(bits) => {
                        init[start..start + size].copy_from_slice(&bits.to_le_bytes()[..size]);
                    }
                    None => expr = self.expr(&global.init),
                }
            }
            records.push(GlobalDesc {
                ty: ty as u32,
                mutable: global.ty.mutable.into(),
                offset,
                init: expr,
                reserved: 0,
            });
        }
        writer.records(Section::Globals, &records);
        writer.bytes(Section::GlobalInit, init);
    }

    fn funcs(&mut self, writer: &mut Writer<'_>) {
        let funcs = self.plan.func_refs.iter();
        let func_refs: Vec<_> = funcs
            .map(|&func| FuncRefDesc {
                func: func.0,
                ty: self.plan.module.funcs[func.index()].0,
                code: self.code(func),
                reserved: 0,
            })
            .collect();
        writer.records(Section::FuncRefs, &func_refs);
        let module = self.plan.module;
        let types = module.funcs[module.func_imports as usize..].iter();
        let places = self.linked.places[..module.bodies.len()].iter().zip(types);
        let places: Vec<_> =
            places.map(|(&(start, len), ty)| FuncDesc { start, len, ty: ty.0 }).collect();
        writer.records(Section::Funcs, &places);
    }

    fn elems(&mut self, writer: &mut Writer<'_>) {
        let plan = self.plan;
        let mut items = Vec::new();
        let mut records = Vec::with_capacity(plan.module.elems.len());
        for elem in &plan.module.elems {
            let first = items.len() as u32;
            let dropped = ElemDesc {
                mode: SegmentMode::Dropped as u32,
                table: 0,
                offset: ConstExpr::EMPTY,
                first,
                count: 0,
            };
            let (mode, table, offset) = match &elem.mode {
                Mode::Passive => (SegmentMode::Passive, 0, ConstExpr::EMPTY),
                Mode::Active { target, offset } if !plan.constant_tables.contains_key(target) => {
                    (SegmentMode::Active, target.0, self.expr(offset))
                }
                _ => {
                    records.extend(plan.names_elems.then_some(dropped));
                    continue;
                }
            };
            items.extend(elem.items.iter().map(|item| match *item {
                module::Item::Null => ElemItem { kind: ElemKind::Null as u32, index: 0 },
                module::Item::Func(func) => {
                    ElemItem { kind: ElemKind::FuncRef as u32, index: self.func_ref(func) }
                }
                module::Item::Global(global) => {
                    ElemItem { kind: ElemKind::Global as u32, index: global.0 }
                }
            }));
            let count = items.len() as u32 - first;
            records.push(ElemDesc { mode: mode as u32, table, offset, count, ..dropped });
        }
        writer.records(Section::Elems, &records);
        writer.records(Section::ElemItems, &items);
    }

    fn data(&mut self, writer: &mut Writer<'_>, image: &Image) {
        let mut bytes = Vec::new();
        let mut records = Vec::with_capacity(self.plan.module.data.len());
        for (index, data) in self.plan.module.data.iter().enumerate() {
            let (mode, memory, offset) = match &data.mode {
                _ if index < image.segments => {
                    let dropped = DataDesc {
                        mode: SegmentMode::Dropped as u32,
                        memory: 0,
                        offset: ConstExpr::EMPTY,
                        start: 0,
                        len: 0,
                    };
                    records.extend(self.plan.names_data.then_some(dropped));
                    continue;
                }
                Mode::Active { target, offset } => {
                    (SegmentMode::Active, target.0, self.expr(offset))
                }
                Mode::Passive | Mode::Declared => (SegmentMode::Passive, 0, ConstExpr::EMPTY),
            };
            records.push(DataDesc {
                mode: mode as u32,
                memory,
                offset,
                start: bytes.len() as u64,
                len: data.bytes.len() as u64,
            });
            bytes.extend_from_slice(data.bytes);
        }
        writer.records(Section::DataSegments, &records);
        writer.bytes(Section::Data, bytes);
    }
}

fn const_op(op: ConstOpcode, operand: u128) -> ConstOp {
    ConstOp { op: op as u64, lo: operand as u64, hi: (operand >> 64) as u64 }
}

/// Writes the sections that linking produces.
fn code(writer: &mut Writer<'_>, linked: Linked) {
    let handlers = linked.handlers.iter();
    let handlers: Vec<_> = handlers
        .map(|&crate::link::compiled::Handler { ret, handler, frame }| HandlerDesc {
            ret,
            handler,
            frame,
            reserved: 0,
        })
        .collect();
    let calls = linked.calls.iter();
    let calls: Vec<_> =
        calls.map(|&crate::link::compiled::Call { ret, wasm }| CallLoc { ret, wasm }).collect();
    writer.records(Section::Handlers, &handlers);
    writer.records(Section::CallLocs, &calls);
    writer.records(Section::TrapOffsets, &linked.trap_offsets);
    writer.records(Section::TrapLocs, &linked.trap_locations);
    writer.bytes(Section::TrapCodes, linked.trap_codes);
    writer.bytes(Section::Text, linked.text);
    writer.bytes(Section::Rodata, linked.rodata);
}

/// Writes the names of the functions and of the module.
fn names(writer: &mut Writer<'_>, module: &Module<'_>) {
    let mut bytes = Vec::new();
    let mut string = |text: &str| {
        let offset = bytes.len() as u32;
        bytes.extend_from_slice(text.as_bytes());
        StrRef { offset, len: text.len() as u32 }
    };
    let funcs = 0..module.funcs.len() as u32;
    let name = |func| module.names.funcs.get(&func).copied().unwrap_or_default();
    let mut records: Vec<_> = funcs.map(|func| string(name(func))).collect();
    records.push(string(module.names.module));
    writer.records(Section::Names, &records);
    writer.bytes(Section::NameBytes, bytes);
}
