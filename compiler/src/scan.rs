//! A first look at function bodies, before any is translated: what they do to tables, and which
//! functions they take references of. Whether a table can be compiled away depends on it.

use crate::module::Module;
use precast_abi::index::FuncIndex;
use rayon::prelude::*;
use std::collections::BTreeSet;
use wasmparser::{FunctionBody, Operator};

/// What the bodies do.
#[derive(Default)]
pub(crate) struct Scan {
    /// Tables that some body reads or writes as a table, rather than calling through it.
    pub(crate) touched: BTreeSet<u32>,
    /// Tables that some body grows.
    pub(crate) grown: BTreeSet<u32>,
    /// Functions of which some body takes a reference.
    pub(crate) referenced: BTreeSet<FuncIndex>,
    /// Whether some body names a data segment.
    pub(crate) names_data: bool,
    /// Whether some body names an element segment.
    pub(crate) names_elems: bool,
}

/// Looks at all bodies.
pub(crate) fn scan(module: &Module<'_>) -> Scan {
    module.bodies.par_iter().fold(Scan::default, |scan, body| scan.body(&body.body)).reduce(
        Scan::default,
        |mut a, b| {
            a.touched.extend(b.touched);
            a.grown.extend(b.grown);
            a.referenced.extend(b.referenced);
            a.names_data |= b.names_data;
            a.names_elems |= b.names_elems;
            a
        },
    )
}

impl Scan {
    /// Looks at one body. It is not validated yet; where it cannot be read, the look ends, and
    /// validation will say what is wrong.
    fn body(mut self, body: &FunctionBody<'_>) -> Self {
        let Ok(ops) = body.get_operators_reader() else {
            return self;
        };
        for op in ops {
            let Ok(op) = op else { break };
            match op {
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
        self
    }
}
