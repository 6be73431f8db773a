//! The code of functions: expressions, statements, blocks and calls.

use super::{Generator, MAX_DEPTH, TYPES};
use crate::outcome::Ty;
use crate::provider::{constant, ty_name};

impl Generator<'_> {
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
    pub(super) fn expr(&mut self, ty: Ty, depth: u32) -> String {
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

    pub(super) fn statement(&mut self, depth: u32) -> String {
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
pub(super) fn spend() -> String {
    "(if (i32.eqz (global.get $fuel)) (then unreachable)) \
     (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))\n"
        .to_owned()
}
