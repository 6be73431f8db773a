//! Modules of calls, tables and structured control: constant tables and mutable tables, with nulls
//! and functions of other types in them.

use crate::case::{FUEL, FUEL_PER_CALL, Generated};
use crate::outcome::{Sig, Ty};
use crate::provider::{constant, sig_text, ty_name};
use crate::rng::Rng;
use anyhow::Result;
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

    fn local_of(&mut self, ty: Ty) -> Option<usize> {
        let of: Vec<_> = (0..self.locals.len()).filter(|&i| self.locals[i] == ty).collect();
        (!of.is_empty()).then(|| self.rng.pick(&of))
    }

    fn global_of(&mut self, ty: Ty) -> Option<usize> {
        let of: Vec<_> = (0..self.globals.len()).filter(|&i| self.globals[i].ty == ty).collect();
        (!of.is_empty()).then(|| self.rng.pick(&of))
    }

    fn table_of(&mut self, element: Ty) -> Option<usize> {
        let fits = |i: &usize| self.tables[*i].element == element && self.tables[*i].touched;
        let of: Vec<_> = (0..self.tables.len()).filter(fits).collect();
        (!of.is_empty()).then(|| self.rng.pick(&of))
    }

    fn exprs(&mut self, types: &[Ty], depth: u32) -> String {
        let all: Vec<_> = types.iter().map(|&ty| self.expr(ty, depth)).collect();
        all.join(" ")
    }

    /// An index into a table: mostly in bounds.
    fn table_index(&mut self, table: usize, depth: u32) -> String {
        let size = self.tables[table].size.max(1);
        match self.rng.below(6) {
            0..3 => format!("(i32.const {})", self.rng.below(size)),
            3 => format!("(i32.const {:#x})", size.wrapping_add(self.rng.interesting()) as u32),
            4 => format!("(i32.rem_u {} (i32.const {size}))", self.expr(Ty::I32, depth + 1)),
            _ => self.expr(Ty::I32, depth + 1),
        }
    }

    /// The index of a function of a type in a table, as a constant or not.
    fn index_of(&mut self, table: usize, ty: usize) -> Option<String> {
        let contents = &self.tables[table].contents;
        let sig = |func: u64| &self.types[self.funcs[func as usize].ty];
        let fits = |i: &usize| contents[*i].is_some_and(|func| sig(func) == &self.types[ty]);
        let fitting: Vec<_> = (0..contents.len()).filter(fits).collect();
        if fitting.is_empty() {
            return None;
        }
        let index = self.rng.pick(&fitting);
        Some(match self.rng.below(3) {
            0 => format!("(i32.const {index})"),
            1 => format!("(i32.xor (i32.const {}) (i32.const 5))", index ^ 5),
            _ => format!("(i32.add (i32.const {index}) (i32.eqz (global.get $fuel)))"),
        })
    }

    /// A call of a function with these results, if there is one.
    fn call(&mut self, results: &[Ty], depth: u32) -> Option<String> {
        let types: Vec<_> =
            (0..self.types.len()).filter(|&t| self.types[t].results == results).collect();
        if types.is_empty() {
            return None;
        }
        let ty = self.rng.pick(&types);
        let params = self.types[ty].params.clone();
        let tables: Vec<_> =
            (0..self.tables.len()).filter(|&i| self.tables[i].element == Ty::Func).collect();
        if !tables.is_empty() && self.rng.below(3) > 0 {
            let table = self.rng.pick(&tables);
            let args = self.exprs(&params, depth + 1);
            let index = match self.index_of(table, ty) {
                Some(index) if !self.rng.one_in(4) => index,
                _ => self.table_index(table, depth),
            };
            return Some(format!("(call_indirect $tab{table} (type $t{ty}) {args} {index})"));
        }
        let funcs: Vec<_> = (0..self.funcs.len()).filter(|&f| self.funcs[f].ty == ty).collect();
        if funcs.is_empty() {
            return None;
        }
        let func = self.rng.pick(&funcs);
        Some(format!("(call $f{func} {})", self.exprs(&params, depth + 1)))
    }

    /// An expression of a type.
    fn expr(&mut self, ty: Ty, depth: u32) -> String {
        self.budget = self.budget.saturating_sub(1);
        let leaf = depth >= MAX_DEPTH || self.budget == 0;
        match self.rng.below(if leaf { 4 } else { 16 }) {
            0 | 1 => {
                if let Some(local) = self.local_of(ty) {
                    return format!("(local.get {local})");
                }
            }
            2 => {
                if let Some(global) = self.global_of(ty) {
                    return format!("(global.get $g{global})");
                }
            }
            3 => {}
            4 | 5 => {
                if let Some(call) = self.call(&[ty], depth) {
                    return call;
                }
            }
            6 => {
                let (a, b) = (self.expr(ty, depth + 1), self.expr(ty, depth + 1));
                let condition = self.expr(Ty::I32, depth + 1);
                let name = ty_name(ty);
                return format!("(select (result {name}) {a} {b} {condition})");
            }
            7 => return self.block(&[ty], depth),
            8 => {
                let condition = self.expr(Ty::I32, depth + 1);
                self.labels.push(vec![ty]);
                let (a, b) = (self.body(&[ty], depth), self.body(&[ty], depth));
                self.labels.pop();
                let name = ty_name(ty);
                return format!("(if (result {name}) {condition} (then {a}) (else {b}))");
            }
            9 => {
                if let Some(local) = self.local_of(ty) {
                    return format!("(local.tee {local} {})", self.expr(ty, depth + 1));
                }
            }
            10 if matches!(ty, Ty::Func | Ty::Extern) => {
                if let Some(table) = self.table_of(ty) {
                    return format!("(table.get $tab{table} {})", self.table_index(table, depth));
                }
            }
            _ => return self.operator(ty, depth),
        }
        match ty {
            Ty::Func if !self.rng.one_in(3) => format!("(ref.func $f{})", self.any_func()),
            Ty::I32 if self.rng.one_in(2) => format!("(i32.const {})", self.rng.below(40)),
            ty => format!("({})", constant(&crate::case::random_val(ty, self.rng))),
        }
    }

    /// An operator with a result of a type. None of them makes a NaN, whose bits depend on the
    /// engine.
    fn operator(&mut self, ty: Ty, depth: u32) -> String {
        let d = depth + 1;
        match ty {
            Ty::I32 => match self.rng.below(8) {
                0 => format!("(ref.is_null {})", self.expr(Ty::Func, d)),
                1 => format!("(ref.is_null {})", self.expr(Ty::Extern, d)),
                2 => {
                    let op = self.rng.pick(&["eq", "lt_s", "gt_u", "ne"]);
                    format!("(i64.{op} {} {})", self.expr(Ty::I64, d), self.expr(Ty::I64, d))
                }
                3 => format!("(i32.wrap_i64 {})", self.expr(Ty::I64, d)),
                4 => match self.rng.below(self.tables.len() as u64) {
                    table if self.tables[table as usize].touched => {
                        format!("(table.size $tab{table})")
                    }
                    _ => format!("(i32.trunc_sat_f64_s {})", self.expr(Ty::F64, d)),
                },
                5 => format!("(f64.lt {} {})", self.expr(Ty::F64, d), self.expr(Ty::F64, d)),
                _ => {
                    let ops = ["add", "sub", "mul", "and", "or", "xor", "shl", "div_s", "rem_u"];
                    let op = self.rng.pick(&ops);
                    format!("(i32.{op} {} {})", self.expr(Ty::I32, d), self.expr(Ty::I32, d))
                }
            },
            Ty::I64 => match self.rng.below(4) {
                0 => format!("(i64.extend_i32_s {})", self.expr(Ty::I32, d)),
                1 => format!("(i64.reinterpret_f64 {})", self.expr(Ty::F64, d)),
                2 => format!("(i64x2.extract_lane 1 {})", self.expr(Ty::V128, d)),
                _ => {
                    let op = self.rng.pick(&["add", "sub", "mul", "and", "xor", "shr_u", "rotl"]);
                    format!("(i64.{op} {} {})", self.expr(Ty::I64, d), self.expr(Ty::I64, d))
                }
            },
            Ty::F32 => match self.rng.below(2) {
                0 => format!("(f32.convert_i32_s {})", self.expr(Ty::I32, d)),
                _ => format!("(f32.copysign {} {})", self.expr(Ty::F32, d), self.expr(Ty::F32, d)),
            },
            Ty::F64 => match self.rng.below(2) {
                0 => format!("(f64.convert_i64_u {})", self.expr(Ty::I64, d)),
                _ => format!("(f64.neg {})", self.expr(Ty::F64, d)),
            },
            Ty::V128 => match self.rng.below(2) {
                0 => format!("(i64x2.splat {})", self.expr(Ty::I64, d)),
                _ => format!("(i32x4.add {} {})", self.expr(Ty::V128, d), self.expr(Ty::V128, d)),
            },
            Ty::Func => format!("(ref.func $f{})", self.any_func()),
            Ty::Extern => "(ref.null extern)".to_owned(),
        }
    }

    /// Statements and then values of some types.
    fn body(&mut self, results: &[Ty], depth: u32) -> String {
        let mut text = String::new();
        for _ in 0..self.rng.below(3) {
            text.push_str(&self.statement(depth + 1));
            text.push(' ');
        }
        text + &self.exprs(results, depth + 1)
    }

    /// A block, or a loop, with these results.
    fn block(&mut self, results: &[Ty], depth: u32) -> String {
        let names: Vec<_> = results.iter().map(|&ty| ty_name(ty)).collect();
        let ty = match names.as_slice() {
            [] => String::new(),
            names => format!("(result {})", names.join(" ")),
        };
        if self.rng.one_in(3) {
            self.labels.push(Vec::new());
            let body = self.body(results, depth);
            self.labels.pop();
            return format!("(loop {ty} {} {body})", spend());
        }
        self.labels.push(results.to_vec());
        let body = self.body(results, depth);
        self.labels.pop();
        format!("(block {ty} {body})")
    }

    /// The label of an enclosing block, with the types that a branch to it carries.
    fn label(&mut self) -> (usize, Vec<Ty>) {
        let at = self.rng.below(self.labels.len() as u64) as usize;
        (self.labels.len() - 1 - at, self.labels[at].clone())
    }

    /// Moves results from the stack into locals, or drops them.
    fn take(&mut self, results: &[Ty]) -> String {
        let mut text = String::new();
        for &ty in results.iter().rev() {
            match self.local_of(ty) {
                Some(local) => text.push_str(&format!(" (local.set {local})")),
                None => text.push_str(" (drop)"),
            }
        }
        text
    }

    fn statement(&mut self, depth: u32) -> String {
        self.budget = self.budget.saturating_sub(1);
        if depth >= MAX_DEPTH || self.budget == 0 {
            return "(nop)".to_owned();
        }
        let d = depth + 1;
        match self.rng.below(17) {
            0..3 => {
                let local = self.rng.below(self.locals.len() as u64) as usize;
                format!("(local.set {local} {})", self.expr(self.locals[local], d))
            }
            3 => {
                let global = self.rng.below(self.globals.len() as u64) as usize;
                format!("(global.set $g{global} {})", self.expr(self.globals[global].ty, d))
            }
            4..8 => {
                let ty = self.rng.below(self.types.len() as u64) as usize;
                let results = self.types[ty].results.clone();
                match self.call(&results, d) {
                    Some(call) => call + &self.take(&results),
                    None => "(nop)".to_owned(),
                }
            }
            8 => {
                let results = self.list(3);
                self.block(&results, d) + &self.take(&results)
            }
            9 => {
                let condition = self.expr(Ty::I32, d);
                self.labels.push(Vec::new());
                let (yes, no) = (self.body(&[], d), self.body(&[], d));
                self.labels.pop();
                match self.rng.one_in(2) {
                    true => format!("(if {condition} (then {yes}))"),
                    false => format!("(if {condition} (then {yes}) (else {no}))"),
                }
            }
            10 => {
                let (distance, types) = self.label();
                let (values, condition) = (self.exprs(&types, d), self.expr(Ty::I32, d));
                format!("(br_if {distance} {values} {condition}){}", self.take(&types))
            }
            11 => {
                // In a separate block that is seldom entered, because nothing comes after it.
                let condition = self.expr(Ty::I32, d);
                self.labels.push(Vec::new());
                let (distance, types) = self.label();
                // All targets must carry the same types.
                let count = self.labels.len();
                let fits = |i: &usize| self.labels[count - 1 - i] == types;
                let same: Vec<_> = (0..count).filter(fits).collect();
                let targets: String =
                    (0..self.rng.below(6)).map(|_| format!("{} ", self.rng.pick(&same))).collect();
                let (values, index) = (self.exprs(&types, d), self.expr(Ty::I32, d));
                self.labels.pop();
                format!("(if {condition} (then (br_table {targets}{distance} {values} {index})))")
            }
            12 if self.rng.one_in(4) => {
                let condition = self.expr(Ty::I32, d);
                self.labels.push(Vec::new());
                let results = self.exprs(&self.labels[0].clone(), d);
                self.labels.pop();
                format!("(if {condition} (then (return {results})))")
            }
            13 | 14 => self.table_statement(d),
            15 if self.rng.one_in(8) => {
                "(if (i32.eqz (global.get $fuel)) (then unreachable))".into()
            }
            _ => {
                let ty = self.rng.pick(TYPES);
                format!("(drop {})", self.expr(ty, d))
            }
        }
    }

    /// A write to a table or a segment, where that is allowed.
    fn table_statement(&mut self, d: u32) -> String {
        let element = if self.rng.one_in(5) { Ty::Extern } else { Ty::Func };
        let Some(table) = self.table_of(element) else { return "(nop)".to_owned() };
        let at = self.table_index(table, d);
        let len = self.rng.below(6);
        match self.rng.below(7) {
            0..2 => format!("(table.set $tab{table} {at} {})", self.expr(element, d)),
            2 => {
                let value = self.expr(element, d);
                format!("(drop (table.grow $tab{table} {value} (i32.const {len})))")
            }
            3 => {
                format!("(table.fill $tab{table} {at} {} (i32.const {len}))", self.expr(element, d))
            }
            4 => {
                let Some(other) = self.table_of(element) else { return "(nop)".to_owned() };
                let from = self.table_index(other, d);
                format!("(table.copy $tab{table} $tab{other} {at} {from} (i32.const {len}))")
            }
            _ => {
                let fits = |i: &usize| self.segments[*i] == element;
                let fitting: Vec<_> = (0..self.segments.len()).filter(fits).collect();
                if fitting.is_empty() {
                    return "(nop)".to_owned();
                }
                let segment = self.rng.pick(&fitting);
                if self.rng.one_in(4) {
                    return format!("(elem.drop $e{segment})");
                }
                let from = self.rng.below(4);
                format!(
                    "(table.init $tab{table} $e{segment} {at} (i32.const {from}) (i32.const {len}))"
                )
            }
        }
    }
}

/// Traps if the fuel is used up, and uses some.
fn spend() -> String {
    "(if (i32.eqz (global.get $fuel)) (then unreachable)) \
     (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))\n"
        .to_owned()
}
