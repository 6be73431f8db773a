//! A parsed module: its declarations, in terms of the types that compiler and runtime share.

use precast_abi::artifact::Kind;
use precast_abi::index::{FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex};
use precast_abi::types::{FuncType, GlobalType, MemoryType, TableType, ValType};
use std::collections::HashMap;
use wasmparser::{BlockType, FunctionBody, ValidatorResources, WasmFeatures};

/// A parsed module. Everything but the function bodies is validated.
#[derive(Default)]
pub(crate) struct Module<'data> {
    pub(crate) types: Vec<FuncType>,
    /// Per type, the first type that is equal to it.
    pub(crate) canonical: Vec<TypeIndex>,
    /// Per type, [`FuncType::digest`].
    pub(crate) digests: Vec<u64>,
    pub(crate) imports: Vec<Import<'data>>,
    pub(crate) func_imports: u32,
    pub(crate) table_imports: u32,
    pub(crate) memory_imports: u32,
    pub(crate) global_imports: u32,
    /// The type of every function, imports first.
    pub(crate) funcs: Vec<TypeIndex>,
    pub(crate) tables: Vec<TableType>,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) globals: Vec<Global>,
    pub(crate) exports: Vec<Export<'data>>,
    pub(crate) start: Option<FuncIndex>,
    pub(crate) elems: Vec<Elem>,
    pub(crate) data: Vec<Data<'data>>,
    /// The defined functions.
    pub(crate) bodies: Vec<Body<'data>>,
    /// Types and declarations for validating bodies; none if there are no bodies.
    pub(crate) resources: Option<ValidatorResources>,
    pub(crate) features: WasmFeatures,
    pub(crate) names: Names<'data>,
    /// Branch hints per function: the offset of each branch from the start of the body, ascending,
    /// and whether the branch is likely.
    pub(crate) branch_hints: HashMap<FuncIndex, Vec<(u32, bool)>>,
}

/// An import.
pub(crate) struct Import<'data> {
    pub(crate) module: &'data str,
    pub(crate) name: &'data str,
    pub(crate) kind: Kind,
    /// The type of a function; for other kinds the index in their index space.
    pub(crate) index: u32,
}

/// A global, with its initial value if the module defines it.
pub(crate) struct Global {
    pub(crate) ty: GlobalType,
    pub(crate) init: ConstExpr,
}

/// An export.
pub(crate) struct Export<'data> {
    pub(crate) name: &'data str,
    pub(crate) kind: Kind,
    pub(crate) index: u32,
}

/// The mode of a segment.
pub(crate) enum Mode<I> {
    Passive,
    Active { target: I, offset: ConstExpr },
    Declared,
}

/// An element segment.
pub(crate) struct Elem {
    pub(crate) mode: Mode<TableIndex>,
    pub(crate) items: Vec<Item>,
}

/// A reference in an element segment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Null,
    Func(FuncIndex),
    Global(GlobalIndex),
}

/// A data segment.
pub(crate) struct Data<'data> {
    pub(crate) mode: Mode<MemoryIndex>,
    pub(crate) bytes: &'data [u8],
}

/// The body of a defined function.
pub(crate) struct Body<'data> {
    pub(crate) body: FunctionBody<'data>,
    pub(crate) ty: TypeIndex,
}

/// The names in the module's name section.
#[derive(Default)]
pub(crate) struct Names<'data> {
    pub(crate) module: &'data str,
    pub(crate) funcs: HashMap<u32, &'data str>,
}

/// A constant expression: operations on a stack.
#[derive(Default)]
pub(crate) struct ConstExpr {
    pub(crate) ops: Vec<ConstOp>,
}

/// An operation of a constant expression.
#[derive(Clone, Copy)]
pub(crate) enum ConstOp {
    /// The bits of a value, zero-extended; null is zero.
    Const(u128),
    GlobalGet(GlobalIndex),
    RefFunc(FuncIndex),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

impl ConstExpr {
    /// The bits of the value, if it does not depend on the instance.
    pub(crate) fn constant(&self) -> Option<u128> {
        let mut stack = Vec::new();
        for &op in &self.ops {
            let value = match op {
                ConstOp::Const(bits) => bits,
                ConstOp::GlobalGet(_) | ConstOp::RefFunc(_) => return None,
                _ => {
                    let (b, a): (u128, u128) = (stack.pop()?, stack.pop()?);
                    binary(op, a as u64, b as u64)
                }
            };
            stack.push(value);
        }
        stack.pop().filter(|_| stack.is_empty())
    }

    /// The functions that the expression refers to.
    pub(crate) fn functions(&self) -> impl Iterator<Item = FuncIndex> {
        self.ops.iter().filter_map(|op| match op {
            ConstOp::RefFunc(func) => Some(*func),
            _ => None,
        })
    }
}

fn binary(op: ConstOp, a: u64, b: u64) -> u128 {
    let narrow = |value: u32| u128::from(value);
    match op {
        ConstOp::I32Add => narrow((a as u32).wrapping_add(b as u32)),
        ConstOp::I32Sub => narrow((a as u32).wrapping_sub(b as u32)),
        ConstOp::I32Mul => narrow((a as u32).wrapping_mul(b as u32)),
        ConstOp::I64Add => a.wrapping_add(b).into(),
        ConstOp::I64Sub => a.wrapping_sub(b).into(),
        _ => a.wrapping_mul(b).into(),
    }
}

impl Module<'_> {
    /// The type of a function.
    pub(crate) fn func_type(&self, func: FuncIndex) -> &FuncType {
        &self.types[self.funcs[func.index()].index()]
    }

    /// The canonical type of a function.
    pub(crate) fn canonical_type(&self, func: FuncIndex) -> TypeIndex {
        self.canonical[self.funcs[func.index()].index()]
    }

    /// Numbers of parameters and results of a block type; zeros if the type does not exist, which
    /// only happens before validation.
    pub(crate) fn block_arity(&self, ty: BlockType) -> (usize, usize) {
        match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(index) => self.arity(TypeIndex(index)),
        }
    }

    /// Numbers of parameters and results of a function type; zeros if the type does not exist.
    pub(crate) fn arity(&self, ty: TypeIndex) -> (usize, usize) {
        let ty = self.types.get(ty.index());
        ty.map_or((0, 0), |ty| (ty.params().len(), ty.results().len()))
    }

    /// The position of a function among the defined ones, if it is defined.
    pub(crate) fn defined(&self, func: FuncIndex) -> Option<u32> {
        func.0.checked_sub(self.func_imports)
    }

    /// Offset of the body of a defined function in the file.
    pub(crate) fn body_start(&self, func: FuncIndex) -> u32 {
        let body = self.defined(func).map(|n| &self.bodies[n as usize].body);
        body.map_or(0, |body| body.range().start as u32)
    }

    /// Length of the body of a defined function in bytes.
    pub(crate) fn body_len(&self, func: FuncIndex) -> usize {
        self.defined(func).map_or(0, |n| self.bodies[n as usize].body.as_bytes().len())
    }

    /// The position of a table among the defined ones, if it is defined.
    pub(crate) fn defined_table(&self, table: TableIndex) -> Option<u32> {
        table.0.checked_sub(self.table_imports)
    }

    /// The position of a memory among the defined ones, if it is defined.
    pub(crate) fn defined_memory(&self, memory: MemoryIndex) -> Option<u32> {
        memory.0.checked_sub(self.memory_imports)
    }

    /// The position of a global among the defined ones, if it is defined.
    pub(crate) fn defined_global(&self, global: GlobalIndex) -> Option<u32> {
        global.0.checked_sub(self.global_imports)
    }

    /// Whether the module defines memory 0, which is then at the context pointer.
    pub(crate) fn owns_memory0(&self) -> bool {
        self.memory_imports == 0 && !self.memories.is_empty()
    }

    /// Exports of one kind.
    pub(crate) fn exports_of(&self, kind: Kind) -> impl Iterator<Item = &Export<'_>> {
        self.exports.iter().filter(move |export| export.kind == kind)
    }
}

/// The value type for one of wasmparser; `None` for types of unsupported proposals.
pub(crate) fn val_type(ty: wasmparser::ValType) -> Option<ValType> {
    Some(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) if ty == wasmparser::RefType::FUNCREF => ValType::FuncRef,
        wasmparser::ValType::Ref(ty) if ty == wasmparser::RefType::EXTERNREF => ValType::ExternRef,
        wasmparser::ValType::Ref(_) => return None,
    })
}
