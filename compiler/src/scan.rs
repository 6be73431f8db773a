//! A first look at function bodies, before any is translated: what they do to tables, which
//! functions they take references of, and which of them dispatch. Whether a table can be compiled
//! away depends on it, and where code keeps the base of memory.

use crate::module::{Body, Module};
use crate::operands::Operands;
use precast_abi::index::FuncIndex;
use rayon::prelude::*;
use std::collections::BTreeSet;
use wasmparser::Operator;

/// What the bodies do.
#[derive(Default)]
pub(crate) struct Scan {
    /// Tables that some body reads or writes as a table, rather than calling through it.
    pub(crate) touched: BTreeSet<u32>,
    /// Tables that some body grows.
    pub(crate) grown: BTreeSet<u32>,
    /// Defined functions, by position, that branch through a table.
    pub(crate) dispatching: BTreeSet<usize>,
    /// Functions of which some body takes a reference.
    pub(crate) referenced: BTreeSet<FuncIndex>,
    /// Whether some body names a data segment.
    pub(crate) names_data: bool,
    /// Whether some body names an element segment.
    pub(crate) names_elems: bool,
    /// Values of locals, calls, blocks and branches.
    pub(crate) operands: u64,
}

/// Looks at all bodies.
pub(crate) fn scan(module: &Module<'_>) -> Scan {
    let bodies = module.bodies.par_iter().enumerate();
    let scans = bodies.fold(Scan::default, |scan, (n, body)| scan.body(module, n, body));
    scans.reduce(Scan::default, |mut a, b| {
        a.touched.extend(b.touched);
        a.grown.extend(b.grown);
        a.dispatching.extend(b.dispatching);
        a.referenced.extend(b.referenced);
        a.names_data |= b.names_data;
        a.names_elems |= b.names_elems;
        a.operands = a.operands.saturating_add(b.operands);
        a
    })
}

impl Scan {
    /// Looks at one body. It is not validated yet; where it cannot be read, the look ends, and
    /// validation will say what is wrong.
    fn body(mut self, module: &Module<'_>, n: usize, body: &Body<'_>) -> Self {
        let locals = body.body.get_locals_reader();
        let (Ok(locals), Ok(ops)) = (locals, body.body.get_operators_reader()) else {
            return self;
        };
        let mut operands = Operands::new(module, &module.types[body.ty.index()]);
        for group in locals {
            let Ok((count, _)) = group else { break };
            operands.locals(count);
        }
        for op in ops {
            let Ok(op) = op else { break };
            operands.operator(&op);
            match op {
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
        self.operands = self.operands.saturating_add(operands.count);
        self
    }
}
