//! The number of values in a body that its length does not bound: locals, and the operands of
//! calls, blocks and branches.
//!
//! A call of a thousand arguments and a thousand results takes two bytes of WebAssembly, and fifty
//! thousand locals take four. Pairs of an operator's operands are counted too, because values that
//! pass through many operators conflict with each other in register allocation. The values are
//! counted before anything is compiled, so refusing a module with too many costs no more than
//! reading it. The sums do not depend on the order of the functions.

use super::module::Module;
use crate::error::{CompileError, ErrorKind};
use precast_abi::index::{FuncIndex, TypeIndex};
use precast_abi::types::FuncType;
use wasmparser::{BlockType, Operator};

/// Number of values that every module may have.
const VALUES: u64 = 1 << 20;

/// Number of further values per byte of the module. RATIONALE.md has the numbers of real programs.
const VALUES_PER_BYTE: u64 = 16;

/// Pairs of operands that every module may have: an operator with `n` operands has `n * n`.
const PAIRS: u64 = 1 << 24;

/// Number of further pairs per byte of the module.
const PAIRS_PER_BYTE: u64 = 1 << 8;

/// The values of all bodies of a module.
#[derive(Default)]
pub(crate) struct ValueCount {
    values: Sum,
    pairs: Sum,
}

impl ValueCount {
    /// Adds a body at offset `at`.
    pub(crate) fn add(&mut self, at: usize, body: &ValueCounter<'_>) {
        let one = |count| Sum { total: count, largest: count, at };
        self.merge(ValueCount { values: one(body.values), pairs: one(body.pairs) });
    }

    /// Adds the values of the bodies after these.
    pub(crate) fn merge(&mut self, next: ValueCount) {
        self.values.merge(next.values);
        self.pairs.merge(next.pairs);
    }

    /// Fails if a module of `len` bytes has too many values. The error is located at the body that
    /// has the most.
    pub(crate) fn check(&self, len: usize) -> Result<(), CompileError> {
        let len = len as u64;
        let (sum, message) = if self.values.total > VALUES + VALUES_PER_BYTE * len {
            (&self.values, "its locals, calls, blocks and branches have too many values")
        } else if self.pairs.total > PAIRS + PAIRS_PER_BYTE * len {
            (&self.pairs, "too many of its calls, blocks and branches have many operands")
        } else {
            return Ok(());
        };
        Err(CompileError::new(ErrorKind::Limit, sum.at, message))
    }
}

/// A sum over bodies.
#[derive(Default)]
struct Sum {
    total: u64,
    /// The largest number of one body.
    largest: u64,
    /// Offset of the first body with that number.
    at: usize,
}

impl Sum {
    fn merge(&mut self, next: Sum) {
        self.total = self.total.saturating_add(next.total);
        if next.largest > self.largest {
            (self.largest, self.at) = (next.largest, next.at);
        }
    }
}

/// Counts the values of one body, which need not be valid.
pub(crate) struct ValueCounter<'m> {
    module: &'m Module<'m>,
    /// Per open construct, the number of operands of a branch to it, and of its results.
    labels: Vec<(u64, u64)>,
    values: u64,
    pairs: u64,
}

impl<'m> ValueCounter<'m> {
    /// Starts the count of a body of type `ty`.
    pub(crate) fn new(module: &'m Module<'m>, ty: &FuncType) -> Self {
        let results = ty.results().len() as u64;
        ValueCounter { module, labels: vec![(results, results)], values: 0, pairs: 0 }
    }

    /// Adds locals.
    pub(crate) fn locals(&mut self, count: u32) {
        self.values = self.values.saturating_add(count.into());
    }

    /// Adds the operands of an operator.
    pub(crate) fn operator(&mut self, op: &Operator<'_>) {
        let mut times = 1;
        let operands = match *op {
            Operator::Call { function_index } => self.func(FuncIndex(function_index)),
            Operator::CallIndirect { type_index, .. } => self.ty(TypeIndex(type_index)),
            Operator::Block { blockty } => self.open(blockty, false),
            Operator::Loop { blockty } => self.open(blockty, true),
            Operator::If { blockty } => self.open(blockty, false),
            Operator::Else => self.labels.last().map_or(0, |&(_, results)| results),
            Operator::End => self.labels.pop().map_or(0, |(_, results)| results),
            Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                self.label(relative_depth)
            }
            Operator::BrTable { ref targets } => {
                // All labels take the same number of operands, and each label is passed them once.
                times = self.labels.len().min(targets.len() as usize + 1) as u64;
                self.label(targets.default())
            }
            Operator::Return => self.labels.first().map_or(0, |&(_, results)| results),
            _ => return,
        };
        let moved = operands.saturating_mul(times);
        self.values = self.values.saturating_add(moved);
        self.pairs = self.pairs.saturating_add(moved.saturating_mul(operands));
    }

    fn open(&mut self, ty: BlockType, is_loop: bool) -> u64 {
        let (params, results) = self.module.block_arity(ty);
        let (params, results) = (params as u64, results as u64);
        self.labels.push((if is_loop { params } else { results }, results));
        params
    }

    fn label(&self, depth: u32) -> u64 {
        let at = self.labels.len().checked_sub(depth as usize + 1);
        at.map_or(0, |at| self.labels[at].0)
    }

    fn ty(&self, ty: TypeIndex) -> u64 {
        let (params, results) = self.module.arity(ty);
        (params + results) as u64
    }

    fn func(&self, func: FuncIndex) -> u64 {
        self.module.funcs.get(func.index()).map_or(0, |ty| self.ty(*ty))
    }
}
