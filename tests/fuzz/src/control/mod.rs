//! Modules of calls, tables and structured control: constant tables and mutable tables, with nulls
//! and functions of other types in them.

mod code;

use crate::case::{FUEL, FUEL_PER_CALL, Generated};
use crate::outcome::{Sig, Ty};
use crate::provider::{constant, sig_text, ty_name};
use crate::rng::Rng;
use anyhow::Result;
use code::spend;
use std::fmt::Write;

const TYPES: &[Ty] = &[Ty::I32, Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::V128, Ty::Func, Ty::Extern];

/// The maximum nesting of expressions and blocks.
const MAX_DEPTH: u32 = 4;

struct Func {
    ty: usize,
    imported: bool,
}

struct Table {
    element: Ty,
    size: u64,
    /// The functions that segments put there, if they are known.
    contents: Vec<Option<u64>>,
    /// Whether code may write to it, or read it other than by calls.
    touched: bool,
}

/// A global; all are mutable.
struct Global {
    ty: Ty,
}

struct Generator<'r> {
    rng: &'r mut Rng,
    types: Vec<Sig>,
    funcs: Vec<Func>,
    tables: Vec<Table>,
    globals: Vec<Global>,
    /// Passive segments, by the type of their elements.
    segments: Vec<Ty>,
    /// The types of the locals of the current function.
    locals: Vec<Ty>,
    /// The types that a branch to each enclosing block carries, outermost first.
    labels: Vec<Vec<Ty>>,
    /// The number of instructions that the function may still have.
    budget: u32,
}

/// Makes a module. Its calls are random.
pub fn generate(rng: &mut Rng) -> Result<Generated> {
    let mut g = Generator {
        rng,
        types: Vec::new(),
        funcs: Vec::new(),
        tables: Vec::new(),
        globals: Vec::new(),
        segments: Vec::new(),
        locals: Vec::new(),
        labels: Vec::new(),
        budget: 0,
    };
    let text = g.module()?;
    let wasm = wat::parse_str(&text).map_err(|error| anyhow::anyhow!("{error}\n{text}"))?;
    Ok(Generated { wasm, fuel: None, calls: Vec::new(), large: false })
}

impl Generator<'_> {
    fn list(&mut self, most: u64) -> Vec<Ty> {
        let n = if self.rng.one_in(12) { 12 } else { most };
        (0..self.rng.below(n + 1)).map(|_| self.rng.pick(TYPES)).collect()
    }

    fn module(&mut self) -> Result<String> {
        let mut text = String::from("(module\n");
        // Types for which the host has closures, and two equal ones.
        self.types.push(Sig { params: vec![], results: vec![] });
        self.types.push(Sig { params: vec![Ty::I32], results: vec![Ty::I32] });
        self.types.push(Sig { params: vec![Ty::I32], results: vec![Ty::I32] });
        self.types.push(Sig { params: vec![Ty::I64], results: vec![Ty::I64] });
        self.types
            .push(Sig { params: vec![Ty::I32, Ty::I64, Ty::F32, Ty::F64], results: vec![Ty::I64] });
        self.types.push(Sig { params: vec![Ty::I32, Ty::I32], results: vec![Ty::I32, Ty::I64] });
        for _ in 0..self.rng.range(1, 5) {
            let (params, results) = (self.list(4), self.list(3));
            self.types.push(Sig { params, results });
        }
        for (n, sig) in self.types.iter().enumerate() {
            writeln!(text, "(type $t{n} (func{}))", sig_text(sig))?;
        }
        for _ in 0..self.rng.below(4) {
            self.add_func(true);
            let n = self.funcs.len() - 1;
            writeln!(text, "(import \"x\" \"f{n}\" (func $f{n} (type $t{})))", self.funcs[n].ty)?;
        }
        writeln!(text, "(import \"x\" \"g0\" (global $base i32))")?;
        let has_func_global = self.rng.one_in(2);
        if has_func_global {
            writeln!(text, "(import \"x\" \"g1\" (global $func funcref))")?;
        }
        for _ in 0..self.rng.range(2, 10) {
            self.add_func(false);
        }
        let tables = self.rng.range(1, 4);
        let imported_tables = self.rng.below(tables);
        for n in 0..tables {
            let element = if self.rng.one_in(6) { Ty::Extern } else { Ty::Func };
            let size = self.rng.pick(&[0, 1, 4, 10, 10, 33, 120]);
            let max = match self.rng.below(3) {
                0 => String::new(),
                1 => format!(" {size}"),
                _ => format!(" {}", size + self.rng.below(20)),
            };
            let name = ty_name(element);
            if n < imported_tables {
                writeln!(text, "(import \"x\" \"t{n}\" (table $tab{n} {size}{max} {name}))")?;
            } else {
                writeln!(text, "(table $tab{n} {size}{max} {name})")?;
            }
            let contents = vec![None; size as usize];
            self.tables.push(Table { element, size, contents, touched: self.rng.one_in(2) });
        }
        writeln!(text, "(global $fuel (export {FUEL:?}) (mut i32) (i32.const {FUEL_PER_CALL}))")?;
        for n in 0..self.rng.range(2, 6) {
            let ty = self.rng.pick(TYPES);
            let init = match ty {
                Ty::Func if self.rng.one_in(2) => format!("ref.func $f{}", self.any_func()),
                ty => constant(&crate::case::random_val(ty, self.rng)),
            };
            let export =
                if self.rng.one_in(2) { format!("(export \"g{n}\") ") } else { String::new() };
            writeln!(text, "(global $g{n} {export}(mut {}) ({init}))", ty_name(ty))?;
            self.globals.push(Global { ty });
        }
        self.segments_text(&mut text, has_func_global)?;
        for n in 0..self.funcs.len() {
            let declare = self.rng.one_in(2) || n + 1 == self.funcs.len();
            if declare {
                writeln!(text, "(export \"f{n}\" (func $f{n}))")?;
            }
            writeln!(text, "(elem declare func $f{n})")?;
        }
        for n in 0..self.tables.len() {
            if self.rng.one_in(4) {
                writeln!(text, "(export \"tab{n}\" (table $tab{n}))")?;
            }
        }
        for n in 0..self.funcs.len() {
            if !self.funcs[n].imported {
                self.func(&mut text, n)?;
            }
        }
        if self.rng.one_in(6)
            && let Some(start) = (0..self.funcs.len()).find(|&n| self.funcs[n].ty == 0)
        {
            writeln!(text, "(start $f{start})")?;
        }
        text.push(')');
        Ok(text)
    }

    fn add_func(&mut self, imported: bool) {
        let ty = self.rng.below(self.types.len() as u64) as usize;
        self.funcs.push(Func { ty, imported });
    }

    fn any_func(&mut self) -> u64 {
        self.rng.below(self.funcs.len() as u64)
    }

    /// Element segments: active ones at constant and other offsets, and passive ones.
    fn segments_text(&mut self, text: &mut String, has_func_global: bool) -> Result<()> {
        // First a segment that fills most tables, so that calls find functions.
        for n in 0..self.tables.len() as u64 + self.rng.below(6) {
            let fill = (n as usize) < self.tables.len() && !self.rng.one_in(4);
            let at = if fill { n } else { self.rng.below(self.tables.len() as u64) } as usize;
            let passive = !fill && self.rng.one_in(2);
            let (element, size) = (self.tables[at].element, self.tables[at].size);
            let most = self.rng.pick(&[1, 5, 20]);
            let items = if fill { size } else { self.rng.below(most + 1) };
            let room = size.saturating_sub(items);
            let start = self.rng.below(room + 1);
            // Mostly in bounds, because a failed instantiation tests little else.
            let (offset, known) = match self.rng.below(12) {
                0 if !fill => ("(global.get $base)".to_owned(), false),
                1 if !fill => ("(i32.add (global.get $base) (i32.const 1))".to_owned(), false),
                2 if self.rng.one_in(4) => (format!("(i32.const {})", room + 1), false),
                3 => (format!("(i32.add (i32.const {start}) (i32.const 0))"), true),
                _ => (format!("(i32.const {start})"), true),
            };
            let mut list = String::new();
            for i in start..start + items {
                let mut func = None;
                let item = match (element, self.rng.below(12)) {
                    (Ty::Extern, _) => "(ref.null extern)".to_owned(),
                    (_, 0) => "(ref.null func)".to_owned(),
                    (_, 1) if has_func_global => "(global.get $func)".to_owned(),
                    _ => {
                        func = Some(self.any_func());
                        format!("(ref.func $f{})", func.expect("it was chosen"))
                    }
                };
                write!(list, " {item}")?;
                if let (true, false, Some(place)) =
                    (known, passive, self.tables[at].contents.get_mut(i as usize))
                {
                    *place = func;
                }
            }
            let element_name = ty_name(element);
            if passive {
                let n = self.segments.len();
                writeln!(text, "(elem $e{n} {element_name}{list})")?;
                self.segments.push(element);
            } else if items <= size {
                writeln!(text, "(elem (table $tab{at}) (offset {offset}) {element_name}{list})")?;
            }
        }
        Ok(())
    }

    fn func(&mut self, text: &mut String, n: usize) -> Result<()> {
        let sig = self.types[self.funcs[n].ty].clone();
        self.locals = sig.params.clone();
        self.labels = vec![sig.results.clone()];
        self.budget = self.rng.pick(&[30, 80, 250]);
        let mut locals = String::new();
        for _ in 0..self.rng.range(1, 6) {
            let ty = self.rng.pick(TYPES);
            self.locals.push(ty);
            write!(locals, " {}", ty_name(ty))?;
        }
        let mut body = spend();
        for _ in 0..self.rng.range(1, 6) {
            writeln!(body, "  {}", self.statement(0))?;
        }
        for &ty in &sig.results {
            writeln!(body, "  {}", self.expr(ty, 1))?;
        }
        writeln!(text, "(func $f{n} (type $t{}) (local{locals})\n  {body})", self.funcs[n].ty)?;
        Ok(())
    }
}
