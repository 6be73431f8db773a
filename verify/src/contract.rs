//! Contracts: what the convention of WebAssembly code gives a function, and what the artifact's
//! records say about the context.

use crate::state::VECTOR;
use crate::value::{Place, Refs};
use iced_x86::{Decoder, DecoderOptions, FlowControl, Mnemonic, Register};
use precast_abi::artifact::{
    Artifact, DataDesc, ElemDesc, FuncDesc, GlobalDesc, ImportDesc, Info, Kind, MemoryDesc, NONE,
    Section, TableDesc,
};
use precast_abi::builtin::Builtin;
use precast_abi::types::{FuncType, ValType};
use precast_abi::vmctx::{Regions, TableDef};

/// General registers of parameters, in order: rdi, rsi, rdx, rcx, r8, r9.
const INT_PARAMS: [Place; 6] = [7, 6, 2, 1, 8, 9];
/// General registers of results, in order: rax, rcx, rdx, rsi, rdi, r8, r9, r10.
const INT_RESULTS: [Place; 8] = [0, 1, 2, 6, 7, 8, 9, 10];
/// Vector registers of parameters and of results.
const VECTORS: Place = 8;
/// General registers that a call preserves: rbx, rbp, r12 to r15.
pub(crate) const SAVED: [Place; 6] = [3, 5, 12, 13, 14, 15];

/// Where a value is passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Passed {
    /// In a register.
    In(Place),
    /// In memory, this far from the first value there: distance and bytes.
    Memory(i64, u8),
}

/// How functions of a type are called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Signature {
    /// The register of the context.
    pub(crate) context: Place,
    /// The register of the address of results in memory, and their bytes.
    pub(crate) area: Option<(Place, i64)>,
    pub(crate) params: Vec<(Passed, ValType)>,
    pub(crate) results: Vec<(Passed, ValType)>,
    /// Bytes of parameters on the stack, which the callee removes.
    pub(crate) stack: i64,
}

/// What a value of a type refers to.
pub(crate) fn refs_of(ty: ValType) -> Refs {
    match ty {
        ValType::FuncRef => Refs::FUNC,
        ValType::ExternRef => Refs::HOST,
        _ => Refs::NONE,
    }
}

impl Signature {
    pub(crate) fn new(ty: &FuncType) -> Signature {
        let mut results = Vec::new();
        let bytes = pass(ty.results(), &mut results, &INT_RESULTS, 0);
        let area = (bytes > 0).then_some((INT_PARAMS[0], bytes));
        let first = usize::from(area.is_some());
        let mut params = Vec::new();
        let stack = pass(ty.params(), &mut params, &INT_PARAMS, first + 1);
        Signature { context: INT_PARAMS[first], area, params, results, stack: (stack + 15) & !15 }
    }
}

/// Assigns places to values; returns the bytes in memory.
fn pass(
    types: &[ValType],
    places: &mut Vec<(Passed, ValType)>,
    ints: &[Place],
    used: usize,
) -> i64 {
    let (mut int, mut vector, mut end) = (used, 0, 0i64);
    for &ty in types {
        let in_vector = matches!(ty, ValType::F32 | ValType::F64 | ValType::V128);
        let register = match in_vector {
            true => (vector < VECTORS).then_some(VECTOR + vector),
            false => ints.get(int).copied(),
        };
        let place = match register {
            Some(register) => Passed::In(register),
            None => {
                let size = i64::from(ty.size());
                let at = (end + size - 1) & -size;
                end = at + size;
                Passed::Memory(at, size as u8)
            }
        };
        if register.is_some() {
            if in_vector { vector += 1 } else { int += 1 }
        }
        places.push((place, ty));
    }
    end
}

/// The facts of an artifact that proofs use.
pub(crate) struct Module<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) rodata: &'a [u8],
    /// Where read-only data lies, from the start of the text.
    pub(crate) rodata_at: u64,
    pub(crate) info: &'a Info,
    pub(crate) regions: Regions,
    pub(crate) funcs: &'a [FuncDesc],
    pub(crate) globals: &'a [GlobalDesc],
    pub(crate) memories: &'a [MemoryDesc],
    pub(crate) tables: &'a [TableDesc],
    pub(crate) signatures: Vec<Signature>,
    pub(crate) digests: Vec<u64>,
    /// The first of equal types, per type.
    pub(crate) canonical: Vec<u32>,
    /// The type per imported function.
    pub(crate) imports: Vec<u32>,
    /// Records of functions that can be referred to.
    pub(crate) func_refs: u32,
    /// Element segments and data segments.
    pub(crate) elems: u64,
    pub(crate) datas: u64,
}

/// A memory or table and what a field of the context says about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FieldKind {
    MemoryBase(u32),
    MemoryLen(u32),
    MemoryDef(u32),
    TableBase(u32),
    TableLen(u32),
    TableDef(u32),
    StoreContext,
    Code(u32),
    Callee(u32),
    GlobalAddress(u32),
}

impl<'a> Module<'a> {
    pub(crate) fn new(artifact: &Artifact, bytes: &'a [u8]) -> Module<'a> {
        let types: Vec<FuncType> = (0..artifact.types(bytes).len() as u32)
            .map(|ty| artifact.func_type(bytes, ty))
            .collect();
        let info = artifact.info(bytes);
        let text = artifact.bytes(bytes, Section::Text);
        let imports = artifact.records::<ImportDesc>(bytes, Section::Imports).iter();
        let count = |section, size: usize| artifact.entry(section).len / size as u64;
        let mut firsts = std::collections::HashMap::new();
        let canonical =
            types.iter().enumerate().map(|(n, ty)| *firsts.entry(ty).or_insert(n as u32)).collect();
        Module {
            text,
            rodata: artifact.bytes(bytes, Section::Rodata),
            rodata_at: text.len().next_multiple_of(artifact.alignment()) as u64,
            info,
            regions: info.regions(),
            funcs: artifact.records(bytes, Section::Funcs),
            globals: artifact.records(bytes, Section::Globals),
            memories: artifact.records(bytes, Section::Memories),
            tables: artifact.records(bytes, Section::Tables),
            signatures: types.iter().map(Signature::new).collect(),
            // Computed, not read: whoever made the artifact could store any number.
            digests: types.iter().map(FuncType::digest).collect(),
            canonical,
            imports: imports.filter(|i| i.kind == Kind::Func as u32).map(|i| i.index).collect(),
            elems: count(Section::Elems, size_of::<ElemDesc>()),
            datas: count(Section::DataSegments, size_of::<DataDesc>()),
            func_refs: artifact.entry(Section::FuncRefs).len as u32
                / size_of::<precast_abi::artifact::FuncRefDesc>() as u32,
        }
    }

    /// Whether memory 0 lies at the context.
    pub(crate) fn owns_memory0(&self) -> bool {
        self.info.memory_imports == 0 && !self.memories.is_empty()
    }

    /// The bytes of the image at an address, if they are all inside text or read-only data.
    pub(crate) fn image(&self, at: u64, len: u64) -> Option<&'a [u8]> {
        let (from, section) = match at.checked_sub(self.rodata_at) {
            Some(from) => (from, self.rodata),
            None => (at, self.text),
        };
        section.get(usize::try_from(from).ok()?..usize::try_from(from.checked_add(len)?).ok()?)
    }

    /// The function that starts at an address.
    pub(crate) fn func_at(&self, at: u64) -> Option<&'a FuncDesc> {
        let n = self.funcs.binary_search_by(|f| u64::from(f.start).cmp(&at)).ok()?;
        Some(&self.funcs[n])
    }

    /// The builtin whose stub begins at an address: the stub loads the array of builtins, and then the
    /// builtin's element. This tells which stub it claims to be; that it is one is not shown.
    pub(crate) fn builtin_at(&self, at: u64) -> Option<Builtin> {
        let behind = self.funcs.last().is_none_or(|f| at >= u64::from(f.start) + u64::from(f.len));
        let bytes = self.text.get(usize::try_from(at).ok()?..).filter(|_| behind)?;
        let mut array = Register::None;
        for ins in Decoder::with_ip(64, bytes, at, DecoderOptions::NONE).iter().take(400) {
            if ins.is_invalid() {
                return None;
            }
            let is_load = ins.mnemonic() == Mnemonic::Mov
                && ins.memory_base() != Register::None
                && ins.op0_register().is_gpr64();
            let disp = ins.memory_displacement64() as i64;
            if is_load && disp == i64::from(precast_abi::vmctx::BUILTINS) {
                array = ins.op0_register();
            } else if is_load && array != Register::None && ins.memory_base() == array {
                return Builtin::ALL
                    .get(usize::try_from(disp / 8).ok()?)
                    .copied()
                    .filter(|_| disp % 8 == 0);
            } else if ins.flow_control() == FlowControl::IndirectCall {
                return None;
            }
        }
        None
    }

    /// What a field of the context holds, for the fields that functions may load.
    pub(crate) fn field(&self, at: i32) -> Option<FieldKind> {
        use precast_abi::vmctx::{
            FuncSlot, MEMORY0_BASE, MEMORY0_LEN, MemoryDef, MemorySlot, STORE,
        };
        let (info, regions) = (self.info, &self.regions);
        let within = |start: i32, count: u32, size: u32| {
            let from = u32::try_from(i64::from(at) - i64::from(start)).ok()?;
            (from / size < count).then_some((from / size, (from % size) as i32))
        };
        if at == STORE {
            return Some(FieldKind::StoreContext);
        }
        if self.owns_memory0() && (at == MEMORY0_BASE || at == MEMORY0_LEN) {
            let base = at == MEMORY0_BASE;
            return Some(if base { FieldKind::MemoryBase(0) } else { FieldKind::MemoryLen(0) });
        }
        if let Some((n, part)) = within(regions.func_imports, info.func_imports, FuncSlot::SIZE) {
            return match part {
                FuncSlot::CODE => Some(FieldKind::Code(n)),
                FuncSlot::CTX => Some(FieldKind::Callee(n)),
                _ => None,
            };
        }
        if let Some((n, part)) =
            within(regions.memory_imports, info.memory_imports, MemorySlot::SIZE)
        {
            return match part {
                MemorySlot::DEF => Some(FieldKind::MemoryDef(n)),
                MemorySlot::BASE => Some(FieldKind::MemoryBase(n)),
                _ => None,
            };
        }
        let skipped = u32::from(self.owns_memory0());
        let own = (self.memories.len() as u32).saturating_sub(info.memory_imports + skipped);
        if let Some((n, part)) = within(regions.memories, own, MemoryDef::SIZE) {
            let memory = n + info.memory_imports + skipped;
            return match part {
                MemoryDef::BASE => Some(FieldKind::MemoryBase(memory)),
                MemoryDef::LEN => Some(FieldKind::MemoryLen(memory)),
                _ => None,
            };
        }
        if let Some((n, 0)) = within(regions.table_imports, info.table_imports, 8) {
            return Some(FieldKind::TableDef(n));
        }
        let slots = self.tables.iter().filter(|t| t.slot != NONE).count() as u32;
        if let Some((n, part)) = within(regions.tables, slots, TableDef::SIZE) {
            let table = self.tables.iter().position(|t| t.slot == n)? as u32;
            return match part {
                TableDef::BASE => Some(FieldKind::TableBase(table)),
                TableDef::LEN => Some(FieldKind::TableLen(table)),
                _ => None,
            };
        }
        let imported = self.globals.iter().take(info.global_imports as usize);
        let global = imported.enumerate().find(|(_, g)| g.offset == at)?;
        Some(FieldKind::GlobalAddress(global.0 as u32))
    }
}

/// The type of a table's elements: whether they are functions.
pub(crate) fn holds_functions(table: &TableDesc) -> bool {
    table.element == ValType::FuncRef as u32
}

/// The type of a global's value.
pub(crate) fn global_type(global: &GlobalDesc) -> Option<ValType> {
    ValType::from_raw(u8::try_from(global.ty).ok()?)
}
