//! Snapshot: the state of an instance as the initial state of a new module with the same code.
//!
//! The new artifact has the sections of the instance's own one, except those of initial values:
//!
//! ```text
//! info           no start function; where the image begins
//! exports        without `_initialize`
//! memories       minimum = pages now          image          memory 0, or its longest part
//! tables         minimum = elements now       data segments  the rest, as active segments
//! globals        values now                   elems          elements that are not null
//! ```
//!
//! Segments keep their indices, because code names them: those that instantiation or an instruction has
//! dropped are empty, and those that are new come last.

use super::state::ModuleInstance;
use crate::error::SnapshotError;
use crate::vm::memory::parts;
use crate::vm::table::RawRef;
use precast_abi::artifact::*;
use precast_abi::limits::MEMORY_IMAGE_MAX;
use precast_abi::types::{RefType, ValType};
use precast_abi::vmctx;
use std::ops::Range;

/// The export that initialises a reactor. It must not run twice.
const INITIALIZE: &str = "_initialize";

/// Most nulls between two elements that one segment covers.
const MAX_NULLS: usize = 16;

/// The records that describe the initial state of a snapshot's instances.
struct State<'a> {
    instance: &'a ModuleInstance,
    ops: Vec<ConstOp>,
    items: Vec<ElemItem>,
    data: Vec<u8>,
}

impl ModuleInstance {
    /// The artifact of a module whose instances start in the state of this one. No code of this one runs.
    ///
    /// # Errors
    ///
    /// When its state is not its own: it imports a memory, a table or a mutable global, or it refers to
    /// what belongs to the host or to another instance.
    pub(in crate::vm) fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        self.check_imports()?;
        let (artifact, bytes) = (self.module.artifact(), self.module.bytes());
        let mut state =
            State { instance: self, ops: Vec::new(), items: Vec::new(), data: Vec::new() };
        let (globals, init) = state.globals()?;
        let elems = state.elems()?;
        let (data, image_start, image) = state.data();
        let mut writer = Writer::new();
        for &section in Section::ALL {
            writer.bytes(section, artifact.bytes(bytes, section));
        }
        writer.records(Section::Info, &[self.snapshot_info(image_start)]);
        writer.records(Section::Exports, &self.snapshot_exports());
        writer.records(Section::Memories, &self.snapshot_memories());
        writer.records(Section::Tables, &self.snapshot_tables());
        writer.records(Section::Globals, &globals);
        writer.bytes(Section::GlobalInit, init);
        writer.records(Section::Elems, &elems);
        writer.records(Section::DataSegments, &data);
        let State { ops, items, data, .. } = state;
        writer.records(Section::ConstOps, &ops);
        writer.records(Section::ElemItems, &items);
        writer.bytes(Section::Data, data);
        writer.bytes(Section::Image, image);
        let header = Artifact::peek(bytes).expect("a checked artifact has a header");
        Ok(writer.finish(&header.producer, header.wasm_hash, artifact.alignment()))
    }

    /// Refuses imports with a state that belongs to another instance.
    fn check_imports(&self) -> Result<(), SnapshotError> {
        let globals: &[GlobalDesc] = self.module.records(Section::Globals);
        for import in self.module.records::<ImportDesc>(Section::Imports) {
            let what = match Kind::from_raw(import.kind).expect("a checked artifact") {
                Kind::Memory => "memory",
                Kind::Table => "table",
                Kind::Global if globals[import.index as usize].mutable != 0 => "mutable global",
                Kind::Func | Kind::Global => continue,
            };
            let string = |at| self.module.artifact().string(self.module.bytes(), at).to_owned();
            let (module, name) = (string(import.module), string(import.name));
            return Err(SnapshotError::Import { what, module, name });
        }
        Ok(())
    }

    fn snapshot_info(&self, image_start: u64) -> Info {
        Info {
            start_func: NONE,
            start_code: NONE,
            start_type: NONE,
            is_snapshot: 1,
            image_start,
            ..*self.module.info()
        }
    }

    fn snapshot_exports(&self) -> Vec<ExportDesc> {
        let exports: &[ExportDesc] = self.module.records(Section::Exports);
        let name = |e: &ExportDesc| self.module.artifact().string(self.module.bytes(), e.name);
        exports.iter().filter(|export| name(export) != INITIALIZE).copied().collect()
    }

    fn snapshot_memories(&self) -> Vec<MemoryDesc> {
        let descs: &[MemoryDesc] = self.module.records(Section::Memories);
        let pages = self.own_memories.iter().map(|memory| memory.pages());
        descs.iter().zip(pages).map(|(&desc, min)| MemoryDesc { min, ..desc }).collect()
    }

    /// The tables. Those that were compiled away stay as they are.
    fn snapshot_tables(&self) -> Vec<TableDesc> {
        let mut sizes = self.own_tables.iter().map(|table| table.size());
        let mut sized = |desc: &TableDesc| match desc.slot {
            NONE => *desc,
            _ => TableDesc {
                min: sizes.next().unwrap_or(desc.min),
                init_kind: ElemKind::Null as u32,
                init_index: 0,
                ..*desc
            },
        };
        self.module.records::<TableDesc>(Section::Tables).iter().map(&mut sized).collect()
    }

    /// The position of the function to which a reference refers, among those that can be referred to.
    fn position_of(&self, raw: RawRef) -> Option<u32> {
        let offset = usize::try_from(raw.checked_sub(self.func_ref(0))?).ok()?;
        let size = vmctx::FuncRef::SIZE as usize;
        let position = offset / size;
        let is_own = offset.is_multiple_of(size) && position < self.func_ref_descs().len();
        is_own.then_some(position as u32)
    }
}

impl State<'_> {
    /// Adds a constant expression of one operation.
    fn expr(&mut self, op: ConstOpcode, operand: u64) -> ConstExpr {
        let first = self.ops.len() as u32;
        self.ops.push(ConstOp { op: op as u64, lo: operand, hi: 0 });
        ConstExpr { first, count: 1 }
    }

    /// Adds a copy of a constant expression of the module.
    fn copied(&mut self, expr: ConstExpr) -> ConstExpr {
        let ops: &[ConstOp] = self.instance.module.records(Section::ConstOps);
        let first = self.ops.len() as u32;
        self.ops.extend(&ops[expr.first as usize..][..expr.count as usize]);
        ConstExpr { first, ..expr }
    }

    /// The globals and the initial bytes of their region. Immutable ones keep their expressions, which
    /// give the same values again.
    fn globals(&mut self) -> Result<(Vec<GlobalDesc>, Vec<u8>), SnapshotError> {
        let instance = self.instance;
        let module = &instance.module;
        let imported = module.info().global_imports as usize;
        let mut init = module.code().section(Section::GlobalInit).to_vec();
        let mut descs = module.records::<GlobalDesc>(Section::Globals).to_vec();
        for (index, desc) in descs.iter_mut().enumerate().skip(imported) {
            if desc.mutable == 0 {
                desc.init = self.copied(desc.init);
                continue;
            }
            let global = instance.global(index as u32);
            let (ty, bits) = (global.ty.value, global.get());
            let place = || format!("global {index}");
            desc.init = ConstExpr::EMPTY;
            let bits = match ty {
                ValType::I32 | ValType::F32 => u128::from(bits as u32),
                ValType::I64 | ValType::F64 | ValType::V128 => bits,
                _ if bits == 0 => 0,
                ValType::FuncRef => {
                    let position = instance.position_of(bits as RawRef);
                    let position = position.ok_or_else(|| SnapshotError::Function(place()))?;
                    desc.init = self.expr(ConstOpcode::RefFunc, position.into());
                    0
                }
                _ => return Err(SnapshotError::HostReference(place())),
            };
            let start = (desc.offset - instance.regions().globals) as usize;
            let size = ty.size() as usize;
            init[start..start + size].copy_from_slice(&bits.to_le_bytes()[..size]);
        }
        Ok((descs, init))
    }

    /// The element segments: those that instructions can still read, then those that fill the tables.
    fn elems(&mut self) -> Result<Vec<ElemDesc>, SnapshotError> {
        let instance = self.instance;
        let items: &[ElemItem] = instance.module.records(Section::ElemItems);
        let mut elems = instance.module.records::<ElemDesc>(Section::Elems).to_vec();
        for (elem, dropped) in elems.iter_mut().zip(&instance.dropped_elems) {
            let own = &items[elem.first as usize..][..elem.count as usize];
            elem.first = self.items.len() as u32;
            if dropped.get() {
                let mode = SegmentMode::Dropped as u32;
                *elem = ElemDesc { mode, table: 0, offset: ConstExpr::EMPTY, count: 0, ..*elem };
            } else {
                self.items.extend(own);
            }
        }
        let tables: &[TableDesc] = instance.module.records(Section::Tables);
        let slots = tables.iter().zip(0..).filter(|(desc, _)| desc.slot != NONE);
        for ((_, index), table) in slots.zip(&instance.own_tables) {
            let ty = table.table_type().element;
            let elements: Vec<RawRef> =
                (0..table.size()).map(|at| table.get(at).unwrap_or_default()).collect();
            for run in runs(&elements) {
                let first = self.items.len() as u32;
                for (at, &raw) in run.clone().zip(&elements[run.clone()]) {
                    let item = self.item(ty, raw, || format!("element {at} of table {index}"))?;
                    self.items.push(item);
                }
                elems.push(ElemDesc {
                    mode: SegmentMode::Active as u32,
                    table: index,
                    offset: self.expr(ConstOpcode::Const, run.start as u64),
                    first,
                    count: run.len() as u32,
                });
            }
        }
        // The fields of the records have 32 bits.
        if u32::try_from(self.items.len()).is_err() {
            return Err(SnapshotError::TooLarge);
        }
        Ok(elems)
    }

    /// The item for an element of a table.
    fn item(
        &self,
        ty: RefType,
        raw: RawRef,
        place: impl FnOnce() -> String,
    ) -> Result<ElemItem, SnapshotError> {
        if raw == 0 {
            return Ok(ElemItem { kind: ElemKind::Null as u32, index: 0 });
        }
        if ty != RefType::FUNCREF {
            return Err(SnapshotError::HostReference(place()));
        }
        match self.instance.position_of(raw) {
            Some(index) => Ok(ElemItem { kind: ElemKind::FuncRef as u32, index }),
            None => Err(SnapshotError::Function(place())),
        }
    }

    /// The data segments, the start of the image, and the image. The segments are those that
    /// instructions can still read, then those that fill what the image does not.
    fn data(&mut self) -> (Vec<DataDesc>, u64, Vec<u8>) {
        let instance = self.instance;
        let all = instance.module.code().section(Section::Data);
        let mut segments = instance.module.records::<DataDesc>(Section::DataSegments).to_vec();
        for (segment, dropped) in segments.iter_mut().zip(&instance.dropped_data) {
            let own = &all[segment.start as usize..][..segment.len as usize];
            let start = self.data.len() as u64;
            if dropped.get() {
                let mode = SegmentMode::Dropped as u32;
                *segment = DataDesc { mode, memory: 0, offset: ConstExpr::EMPTY, start: 0, len: 0 };
            } else {
                segment.start = start;
                self.data.extend(own);
            }
        }
        let mut image = 0..0;
        for (memory, index) in instance.own_memories.iter().zip(0..) {
            let (bytes, mut parts) = (memory.bytes(), memory.parts_with_bytes());
            let longest = parts.iter().enumerate().max_by_key(|(_, part)| part.len());
            if let Some((longest, _)) = longest.filter(|_| index == 0) {
                image = parts[longest].clone();
                image.end = image.end.min(image.start + MEMORY_IMAGE_MAX as usize);
                parts[longest].start = image.end;
            }
            for part in parts.into_iter().filter(|part| !part.is_empty()) {
                let start = self.data.len() as u64;
                let bytes = parts::without_trailing_zeros(&bytes[part.clone()]);
                self.data.extend(bytes);
                segments.push(DataDesc {
                    mode: SegmentMode::Active as u32,
                    memory: index,
                    offset: self.expr(ConstOpcode::Const, part.start as u64),
                    start,
                    len: bytes.len() as u64,
                });
            }
        }
        (segments, image.start as u64, self.image(image))
    }

    /// The bytes of memory 0 in a range, without pages of zeros at its end.
    fn image(&self, range: Range<usize>) -> Vec<u8> {
        let Some(memory) = self.instance.own_memories.first() else { return Vec::new() };
        let bytes = &memory.bytes()[range];
        let used = parts::without_trailing_zeros(bytes).len();
        let len = used.next_multiple_of(self.instance.module.artifact().alignment());
        bytes[..len.min(bytes.len())].to_vec()
    }
}

/// The ranges of elements that are not null, with a few nulls between them.
fn runs(elements: &[RawRef]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in (0..elements.len()).filter(|&at| elements[at] != 0) {
        match runs.last_mut() {
            Some(run) if at - run.end <= MAX_NULLS => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}
