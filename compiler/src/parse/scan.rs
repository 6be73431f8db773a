//! The scan: a first pass over function bodies, before any is translated. It collects how they use
//! tables, which functions they refer to, which of them branch through a table, and what they call.
//! The plan derives from it which tables become dispatch tables, where code keeps the base of
//! memory, and which functions check the stack.

use super::module::{Body, Module};
use super::value_count::{ValueCount, ValueCounter};
use precast_abi::index::FuncIndex;
use rayon::prelude::*;
use std::collections::BTreeSet;
use wasmparser::{FunctionBody, Operator};

/// Facts about the bodies of a module.
#[derive(Default)]
pub(crate) struct Scan {
    /// Tables that some body reads or writes, other than by calls through them.
    pub(crate) touched: BTreeSet<u32>,
    /// Tables that some body grows.
    pub(crate) grown: BTreeSet<u32>,
    /// Defined functions, by position, that branch through a table.
    pub(crate) dispatching: BTreeSet<usize>,
    /// Calls, per defined function.
    pub(crate) calls: Vec<Calls>,
    /// Functions that some body refers to with `ref.func`.
    pub(crate) referenced: BTreeSet<FuncIndex>,
    /// Whether some body refers to a data segment.
    pub(crate) names_data: bool,
    /// Whether some body refers to an element segment.
    pub(crate) names_elems: bool,
    /// Number of values of locals, calls, blocks and branches.
    pub(crate) values: ValueCount,
}

/// The callees and locals of one function.
#[derive(Default)]
pub(crate) struct Calls {
    /// Positions of the defined functions it calls directly, ascending.
    pub(crate) direct: Vec<u32>,
    /// Whether it calls anything else: an import, an element of a table, or the runtime.
    pub(crate) others: bool,
    /// Number of locals that it declares.
    pub(crate) locals: u32,
}

/// Scans all bodies.
pub(crate) fn scan(module: &Module<'_>) -> Scan {
    let bodies = module.bodies.par_iter().enumerate();
    let scans = bodies.fold(Scan::default, |scan, (n, body)| scan.body(module, n, body));
    // Rayon keeps the order, so `calls` is in the order of the functions.
    scans
        .reduce(Scan::default, |mut a, mut b| {
            a.calls.append(&mut b.calls);
            a.touched.extend(b.touched);
            a.grown.extend(b.grown);
            a.dispatching.extend(b.dispatching);
            a.referenced.extend(b.referenced);
            a.names_data |= b.names_data;
            a.names_elems |= b.names_elems;
            a.values.merge(b.values);
            a
        })
        .known_callees()
}

impl Scan {
    /// Removes callees that do not exist: bodies are not validated yet.
    fn known_callees(mut self) -> Self {
        let count = self.calls.len() as u32;
        for calls in &mut self.calls {
            calls.direct.truncate(calls.direct.partition_point(|&callee| callee < count));
        }
        self
    }

    /// Scans one body, which is not validated yet. The scan stops at an error, which validation
    /// will report.
    fn body(mut self, module: &Module<'_>, n: usize, body: &Body<'_>) -> Self {
        let imports = module.func_imports;
        let mut calls = Calls { locals: locals(&body.body), ..Calls::default() };
        let mut counter = ValueCounter::new(module, &module.types[body.ty.index()]);
        counter.locals(calls.locals);
        let ops = body.body.get_operators_reader().into_iter().flatten();
        for op in ops.map_while(Result::ok) {
            counter.operator(&op);
            match op {
                Operator::Call { function_index } => match function_index.checked_sub(imports) {
                    Some(callee) => calls.direct.push(callee),
                    None => calls.others = true,
                },
                Operator::CallIndirect { .. } => calls.others = true,
                Operator::BrTable { .. } => {
                    self.dispatching.insert(n);
                }
                Operator::RefFunc { function_index } => {
                    self.referenced.insert(FuncIndex(function_index));
                }
                Operator::TableGet { table }
                | Operator::TableSet { table }
                | Operator::TableFill { table } => {
                    self.touched.insert(table);
                }
                Operator::TableInit { table, .. } => {
                    self.touched.insert(table);
                    self.names_elems = true;
                }
                Operator::ElemDrop { .. } => self.names_elems = true,
                Operator::MemoryInit { .. } | Operator::DataDrop { .. } => self.names_data = true,
                Operator::TableGrow { table } => {
                    self.touched.insert(table);
                    self.grown.insert(table);
                }
                Operator::TableCopy { dst_table, src_table } => {
                    self.touched.insert(dst_table);
                    self.touched.insert(src_table);
                }
                _ => {}
            }
        }
        calls.direct.sort_unstable();
        calls.direct.dedup();
        calls.direct.shrink_to_fit();
        self.calls.push(calls);
        self.values.add(body.body.range().start as usize, &counter);
        self
    }
}

/// Number of locals that a body declares.
fn locals(body: &FunctionBody<'_>) -> u32 {
    let locals = body.get_locals_reader().into_iter().flatten();
    locals.map_while(Result::ok).fold(0, |sum: u32, (count, _)| sum.saturating_add(count))
}
