//! Keys of functions: a hash of everything that a function's machine code depends on.
//!
//! The hash covers the bytes of the body, with a description of the item that each index refers to:
//!
//! ```text
//! environment | type | branch hints | { bytes up to an index | description of the item }
//! ```
//!
//! The indices of functions and types are not hashed, since they change whenever an item is added
//! before them: a call is hashed as "the n-th function this body calls, of this type". Other
//! indices are hashed with the facts that the plan has about them. A function with an operator
//! whose operands this file does not know has no key, and is always compiled.

use super::store::Lineage;
use crate::parse::module::{Module, val_type};
use crate::plan::constant_table::{Dispatch, type_number};
use crate::plan::{MemoryPlace, Plan, TablePlace};
use blake3::{Hash, Hasher};
use cranelift_codegen::isa::TargetIsa;
use precast_abi::artifact::Producer;
use precast_abi::index::{FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex};
use precast_abi::types::FuncType;
use wasmparser::{BlockType, HeapType, Operator};

/// A function's key. Two functions with different code have different keys unless BLAKE3 collides,
/// so a module cannot inject code into another.
pub(crate) type Key = [u8; 32];

/// Hashes that are part of the keys of all functions of a module.
pub(crate) struct Environment {
    common: Hash,
    /// Per type.
    types: Vec<Hash>,
    /// All elements of all constant tables.
    elements: Hash,
}

/// A hash of the compiler and of all its settings that change code.
fn fingerprint(isa: &dyn TargetIsa) -> Hash {
    let mut hasher = Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(crate::BUILD);
    add(&isa.triple().to_string());
    add(&format!("{:?}", Producer::for_target("")));
    add(&isa.flags().to_string());
    for flag in isa.isa_flags() {
        add(&flag.to_string());
    }
    hasher.finalize()
}

/// The lineage of a module; see [`Lineage`].
pub(crate) fn lineage(module: &Module<'_>, isa: &dyn TargetIsa) -> Lineage {
    let mut hasher = Hasher::new();
    hasher.update(fingerprint(isa).as_bytes());
    let mut add = |kind: u8, text: &str| {
        hasher.update(&[kind]);
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(0, module.names.module);
    let mut exports: Vec<_> = module.exports.iter().map(|e| (e.kind as u8, e.name)).collect();
    exports.sort_unstable();
    exports.into_iter().for_each(|(kind, name)| add(kind, name));
    let mut imports: Vec<_> = module.imports.iter().map(|import| import.module).collect();
    imports.sort_unstable();
    imports.dedup();
    imports.into_iter().for_each(|name| add(255, name));
    Lineage(*hasher.finalize().as_bytes())
}

impl Environment {
    pub(crate) fn new(plan: &Plan<'_>, isa: &dyn TargetIsa) -> Self {
        let module = plan.module;
        let mut hasher = Hasher::new();
        hasher.update(fingerprint(isa).as_bytes());
        // Code of every memory access depends on these.
        hasher.update(&plan.widest_whole_store.to_le_bytes());
        hasher.update(&[plan.counts_fuel.into(), plan.explicit_bounds.into()]);
        for (index, memory) in module.memories.iter().enumerate() {
            let (kind, at) = match plan.memory(MemoryIndex::from(index)) {
                MemoryPlace::Context => (0, 0),
                MemoryPlace::Own(at) => (1, at),
                MemoryPlace::Imported(at) => (2, at),
            };
            hasher.update(&[kind, memory.limits.max.is_some().into()]);
            hasher.update(&at.to_le_bytes());
            hasher.update(&memory.limits.min.to_le_bytes());
            hasher.update(&memory.limits.max.unwrap_or(0).to_le_bytes());
        }
        let types: Vec<Hash> = module.types.iter().map(type_hash).collect();
        Environment { common: hasher.finalize(), elements: elements_hash(plan, &types), types }
    }
}

fn type_hash(ty: &FuncType) -> Hash {
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&(ty.params().len() as u64).to_le_bytes());
    bytes.extend(ty.params().iter().chain(ty.results()).map(|&ty| ty as u8));
    blake3::hash(&bytes)
}

/// Bytes per update of the hasher.
const PIECE: usize = 1 << 14;

fn elements_hash(plan: &Plan<'_>, types: &[Hash]) -> Hash {
    let module = plan.module;
    // Hashed in pieces: a small module can have tables of a million elements.
    let mut hasher = Hasher::new();
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&module.func_imports.to_le_bytes());
    for (index, table) in &plan.constant_tables {
        bytes.extend_from_slice(&index.0.to_le_bytes());
        bytes.extend_from_slice(&(table.elements.len() as u64).to_le_bytes());
        for element in &table.elements {
            let func = element.map_or(u32::MAX, |func| func.0);
            bytes.extend_from_slice(&func.to_le_bytes());
            if let Some(func) = *element {
                // The offset of an import's slot; zero for a defined function.
                let defined = module.defined(func).is_some();
                let slot = if defined { 0 } else { plan.regions.func_import(func.0) };
                bytes.extend_from_slice(&slot.to_le_bytes());
                bytes.extend_from_slice(types[module.canonical_type(func).index()].as_bytes());
            }
            if bytes.len() >= PIECE {
                hasher.update(&bytes);
                bytes.clear();
            }
        }
    }
    hasher.update(&bytes);
    hasher.finalize()
}

/// Precedes each description of an item in the hashed bytes.
#[repr(u8)]
enum Tag {
    End,
    Call,
    CallImport,
    CallConstant,
    CallTable,
    Global,
    RefFunc,
    Table,
    BlockType,
}

/// Writes down what functions are hashed from, one after the other.
pub(crate) struct KeyWriter<'p> {
    plan: &'p Plan<'p>,
    environment: &'p Environment,
    bytes: Vec<u8>,
    body: &'p [u8],
    /// Offset in the body of the bytes that are not hashed yet.
    run: usize,
    known: bool,
    /// Functions and data objects that the body refers to, in the order of their first use.
    pub(crate) callees: Order,
    pub(crate) data: Order,
}

/// Numbers in the order in which they first appeared.
#[derive(Default)]
pub(crate) struct Order {
    numbers: Vec<u32>,
    /// Per number, its place, if the number appeared.
    places: Vec<u32>,
}

impl Order {
    fn clear(&mut self) {
        self.numbers.clear();
    }

    /// The place of a number, if it appeared.
    pub(crate) fn find(&self, number: u32) -> Option<u32> {
        let place = *self.places.get(number as usize)?;
        (self.number(place) == Some(number)).then_some(place)
    }

    /// The number at a place.
    pub(crate) fn number(&self, place: u32) -> Option<u32> {
        self.numbers.get(place as usize).copied()
    }

    fn place(&mut self, number: u32) -> u32 {
        if let Some(place) = self.find(number) {
            return place;
        }
        if self.places.len() <= number as usize {
            self.places.resize(number as usize + 1, 0);
        }
        let place = self.numbers.len() as u32;
        self.places[number as usize] = place;
        self.numbers.push(number);
        place
    }
}

impl<'p> KeyWriter<'p> {
    pub(crate) fn new(plan: &'p Plan<'p>, environment: &'p Environment) -> Self {
        KeyWriter {
            plan,
            environment,
            bytes: Vec::new(),
            body: &[],
            run: 0,
            known: true,
            callees: Order::default(),
            data: Order::default(),
        }
    }

    /// Begins with the `n`th defined function.
    pub(crate) fn begin(&mut self, n: usize) {
        let module = self.plan.module;
        let body = &module.bodies[n];
        self.bytes.clear();
        self.callees.clear();
        self.data.clear();
        self.body = body.body.as_bytes();
        self.run = 0;
        self.known = true;
        self.bytes.extend_from_slice(self.environment.common.as_bytes());
        self.ty(body.ty);
        self.bytes.push(self.plan.checks_stack(n).into());
        let index = FuncIndex(module.func_imports + n as u32);
        let hints = module.branch_hints.get(&index).map_or(&[][..], Vec::as_slice);
        self.number(hints.len() as u64);
        for &(offset, likely) in hints {
            self.number(u64::from(offset) << 1 | u64::from(likely));
        }
    }

    /// Adds a valid operator, with its range in the body.
    pub(crate) fn operator(&mut self, op: &Operator<'_>, start: usize, end: usize) {
        match *op {
            Operator::Call { function_index } => self.call(FuncIndex(function_index), start, end),
            Operator::CallIndirect { type_index, table_index } => {
                self.call_indirect(TypeIndex(type_index), TableIndex(table_index), start, end);
            }
            Operator::GlobalGet { global_index } | Operator::GlobalSet { global_index } => {
                self.global(GlobalIndex(global_index), end);
            }
            Operator::RefFunc { function_index } => {
                self.replace(start, end, Tag::RefFunc);
                self.number(self.plan.func_ref_offset(FuncIndex(function_index)) as u64);
            }
            Operator::TableGet { table }
            | Operator::TableSet { table }
            | Operator::TableSize { table }
            | Operator::TableGrow { table }
            | Operator::TableFill { table }
            | Operator::TableInit { table, .. } => self.table(TableIndex(table), end),
            Operator::TableCopy { dst_table, src_table } => {
                self.table(TableIndex(dst_table), end);
                self.table(TableIndex(src_table), end);
            }
            Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => {
                self.block_type(blockty, start, end)
            }
            Operator::RefNull { hty } => self.known &= matches!(hty, HeapType::Abstract { .. }),
            Operator::TypedSelect { ty } => self.known &= val_type(ty).is_some(),
            _ => self.known &= is_plain(op),
        }
    }

    /// The key of the function, if it has one.
    pub(crate) fn finish(&mut self) -> Option<Key> {
        self.write_run(self.body.len());
        self.bytes.push(Tag::End as u8);
        self.known.then(|| *blake3::hash(&self.bytes).as_bytes())
    }

    /// The key of a function whose code also depends on elements of constant tables. Functions with
    /// equal first keys agree on whether it does.
    pub(crate) fn with_elements(&self, key: &Key) -> Key {
        let mut hasher = Hasher::new();
        hasher.update(key);
        hasher.update(self.environment.elements.as_bytes());
        for callee in &self.callees.numbers {
            hasher.update(&callee.to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    fn call(&mut self, func: FuncIndex, start: usize, end: usize) {
        let ty = self.plan.module.funcs[func.index()];
        match self.plan.module.defined(func) {
            Some(n) => {
                self.replace(start, end, Tag::Call);
                let place = self.callees.place(n);
                self.number(place.into());
                // If callees are inlined one day, the callee's key must follow.
            }
            None => {
                self.replace(start, end, Tag::CallImport);
                self.number(self.plan.regions.func_import(func.0) as u64);
            }
        }
        self.ty(ty);
    }

    fn call_indirect(&mut self, ty: TypeIndex, table: TableIndex, start: usize, end: usize) {
        let TablePlace::Constant(known) = self.plan.table(table) else {
            self.replace(start, end, Tag::CallTable);
            self.number(table.0.into());
            self.ty(ty);
            return self.table(table, end);
        };
        self.replace(start, end, Tag::CallConstant);
        self.number(table.0.into());
        self.number(known.elements.len() as u64);
        self.ty(ty);
        let canonical = self.plan.module.canonical[ty.index()];
        let (object, number) = match known.dispatch(canonical) {
            Dispatch::Unchecked(object) => (object, 0),
            Dispatch::Checked(object) => (object, type_number(canonical)),
        };
        let place = self.data.place(object.as_u32());
        self.number(place.into());
        // Type numbers start at one.
        self.number(number.into());
    }

    fn global(&mut self, index: GlobalIndex, end: usize) {
        let module = self.plan.module;
        let global = &module.globals[index.index()];
        let defined = module.defined_global(index).is_some();
        let constant = if defined { global.init.constant() } else { None };
        self.replace(end, end, Tag::Global);
        let ty = global.ty.value as u8;
        self.bytes.extend([
            ty,
            global.ty.mutable.into(),
            defined.into(),
            constant.is_some().into(),
        ]);
        self.number(self.plan.global_offsets[index.index()] as u64);
        // Code contains the value of a global only if the global is immutable.
        let constant = constant.filter(|_| !global.ty.mutable).unwrap_or(0);
        self.bytes.extend_from_slice(&constant.to_le_bytes());
    }

    fn table(&mut self, table: TableIndex, end: usize) {
        let (kind, at) = match self.plan.table(table) {
            TablePlace::Constant(known) => (0, known.elements.len() as u64),
            TablePlace::Own(at) => (1, at as u64),
            TablePlace::Imported(at) => (2, at as u64),
        };
        self.replace(end, end, Tag::Table);
        let len = self.plan.fixed_table_len(table);
        let element = self.plan.module.tables[table.index()].element.val_type() as u8;
        self.bytes.extend([kind, element, len.is_some().into()]);
        self.number(at);
        self.number(len.unwrap_or(0));
    }

    fn block_type(&mut self, ty: BlockType, start: usize, end: usize) {
        if let BlockType::FuncType(index) = ty {
            // Keeps the opcode and replaces the index after it.
            self.replace(start + 1, end, Tag::BlockType);
            self.ty(TypeIndex(index));
        }
    }

    /// Adds the bytes before `start`, and a tag in place of those up to `end`. Their length is part
    /// of the hash, since locations in the code are distances from the start of the body.
    fn replace(&mut self, start: usize, end: usize, tag: Tag) {
        self.write_run(start);
        self.run = end;
        self.bytes.push(tag as u8);
        self.number((end - start) as u64);
    }

    fn write_run(&mut self, end: usize) {
        self.number((end - self.run) as u64);
        self.bytes.extend_from_slice(&self.body[self.run..end]);
        self.run = end;
    }

    fn ty(&mut self, ty: TypeIndex) {
        self.bytes.extend_from_slice(self.environment.types[ty.index()].as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }
}

/// Whether the bytes of an operand with this name determine the code: a value, a local, a label,
/// the index of a segment, which code passes to the runtime, or of a memory, which the environment
/// describes.
const fn is_plain_operand(name: &str) -> bool {
    const PLAIN: &[&str] = &[
        "value",
        "local_index",
        "relative_depth",
        "targets",
        "memarg",
        "mem",
        "dst_mem",
        "src_mem",
        "data_index",
        "elem_index",
        "lane",
        "lanes",
    ];
    let mut n = 0;
    while n < PLAIN.len() {
        if equal(PLAIN[n].as_bytes(), name.as_bytes()) {
            return true;
        }
        n += 1;
    }
    false
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    let mut n = 0;
    while n < a.len() && n < b.len() && a[n] == b[n] {
        n += 1;
    }
    n == a.len() && n == b.len()
}

macro_rules! define_is_plain {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        /// Whether the bytes of an operator alone determine its code.
        fn is_plain(op: &Operator<'_>) -> bool {
            match op {
                $(Operator::$op { .. } => {
                    const { true $($(&& is_plain_operand(stringify!($arg)))*)? }
                })*
                _ => false,
            }
        }
    };
}

wasmparser::for_each_operator!(define_is_plain);
