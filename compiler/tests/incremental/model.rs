//! A model of a module, for random edits.

use fastrand::Rng;
use std::fmt::Write;

const TYPES: [&str; 4] = ["i32", "i64", "f32", "f64"];

/// An editable module. Items refer to each other by name, so edits renumber them.
#[derive(Clone)]
pub(crate) struct Model {
    types: Vec<Signature>,
    imports: Vec<(usize, usize)>,
    globals: Vec<(usize, usize, bool, u8)>,
    funcs: Vec<Function>,
    memory: (usize, Option<usize>, bool),
    /// Elements of a table, its size, and whether it is exported.
    elements: Vec<usize>,
    table: (usize, bool, bool),
    data: Vec<(usize, usize)>,
    next: usize,
}

#[derive(Clone)]
struct Signature {
    id: usize,
    params: Vec<usize>,
    results: Vec<usize>,
}

#[derive(Clone)]
struct Function {
    id: usize,
    /// The number of its type, unique among all types that were ever added.
    ty: usize,
    locals: usize,
    body: Vec<Statement>,
}

#[derive(Clone, Copy)]
enum Statement {
    Local(u8),
    Call(usize),
    Indirect(usize, Option<u8>),
    GlobalGet(usize),
    GlobalSet(usize),
    Load(u16),
    LoadAt(u16),
    Store(u16),
    FarLoad,
    Size,
    Grow,
    Fill(u8),
    RefFunc(usize),
    TableSize,
    TableGet,
    Block(usize),
    If(u8),
    Segment,
}

impl Model {
    pub(crate) fn new(random: &mut Rng) -> Model {
        let mut model = Model {
            types: Vec::new(),
            imports: Vec::new(),
            globals: Vec::new(),
            funcs: Vec::new(),
            memory: (1, Some(4), false),
            elements: Vec::new(),
            table: (8, random.usize(..100) < 30, random.usize(..100) < 20),
            data: vec![(3, 5)],
            next: 0,
        };
        for _ in 0..4 {
            model.add_type(random);
        }
        for _ in 0..2 {
            model.add_import(random);
        }
        for _ in 0..4 {
            model.add_global(random);
        }
        for n in 0..12 {
            model.add_func(random);
            if n % 2 == 0 {
                let element = model.element(random);
                model.elements.push(element);
            }
        }
        model
    }

    fn id(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn func(&self, random: &mut Rng) -> usize {
        self.funcs[random.usize(..self.funcs.len())].id
    }

    /// An element of the table: a function, sometimes an import.
    fn element(&self, random: &mut Rng) -> usize {
        match random.usize(..100) < 30 {
            true => self.imports[random.usize(..self.imports.len())].0,
            false => self.func(random),
        }
    }

    /// The name and the type of a function or an import.
    fn callee(&self, id: usize) -> (String, usize) {
        match self.imports.iter().find(|import| import.0 == id) {
            Some((_, ty)) => (format!("$i{id}"), *ty),
            None => {
                let func = self.funcs.iter().find(|func| func.id == id);
                (format!("$f{id}"), func.expect("functions are not removed").ty)
            }
        }
    }

    fn ty(&self, random: &mut Rng) -> usize {
        self.types[random.usize(..self.types.len())].id
    }

    fn add_type(&mut self, random: &mut Rng) {
        let mut list = |n| (0..random.usize(..n)).map(|_| random.usize(..4)).collect();
        let (params, results) = (list(4), list(3));
        let id = self.id();
        let at = random.usize(..self.types.len() + 1);
        self.types.insert(at, Signature { id, params, results });
    }

    fn add_import(&mut self, random: &mut Rng) {
        let import = (self.id(), self.ty(random));
        self.imports.insert(random.usize(..self.imports.len() + 1), import);
    }

    fn add_global(&mut self, random: &mut Rng) {
        let global = (self.id(), random.usize(..4), random.usize(..100) < 60, random.u8(..) & 63);
        self.globals.insert(random.usize(..self.globals.len() + 1), global);
    }

    fn add_func(&mut self, random: &mut Rng) {
        let (id, ty) = (self.id(), self.ty(random));
        let at = random.usize(..self.funcs.len() + 1);
        self.funcs.insert(at, Function { id, ty, locals: random.usize(..3), body: Vec::new() });
        for _ in 0..1 + random.usize(..6) {
            let statement = self.statement(random);
            self.funcs[at].body.push(statement);
        }
    }

    fn statement(&self, random: &mut Rng) -> Statement {
        match random.usize(..20) {
            0 => Statement::Local(random.u8(..)),
            1..4 => Statement::Call(self.func(random)),
            4 => Statement::Call(self.imports[random.usize(..self.imports.len())].0),
            5 | 6 => Statement::Indirect(self.ty(random), None),
            7 => {
                let at = random.usize(..9);
                let element = self.elements.get(at).filter(|_| random.usize(..100) < 80);
                let ty = element.map_or_else(|| self.ty(random), |&id| self.callee(id).1);
                Statement::Indirect(ty, Some(at as u8))
            }
            8 => Statement::GlobalGet(self.globals[random.usize(..self.globals.len())].0),
            9 => Statement::GlobalSet(self.globals[random.usize(..self.globals.len())].0),
            10 => Statement::Load(random.u16(..)),
            11 => Statement::LoadAt(random.u16(..)),
            12 => Statement::Store(random.u16(..)),
            13 => match random.usize(..3) {
                0 => Statement::FarLoad,
                1 => Statement::Size,
                _ => Statement::Grow,
            },
            14 => Statement::Fill(random.u8(..)),
            15 => Statement::RefFunc(self.func(random)),
            16 if random.usize(..100) < 20 => Statement::TableGet,
            16 => Statement::TableSize,
            17 => Statement::Block(self.ty(random)),
            18 if random.usize(..100) < 20 => Statement::Segment,
            _ => Statement::If(random.u8(..) % 3),
        }
    }

    /// Makes one edit, of a kind that people and compilers make.
    pub(crate) fn edit(&mut self, random: &mut Rng) {
        let n = random.usize(..self.funcs.len());
        match random.usize(..18) {
            0..4 => {
                let at = random.usize(..self.funcs[n].body.len());
                let statement = self.statement(random);
                match self.funcs[n].body.get_mut(at) {
                    Some(old) => *old = statement,
                    None => self.funcs[n].body.push(statement),
                }
            }
            4 => self.add_func(random),
            5 => {
                let func = self.funcs.remove(n);
                self.funcs.insert(random.usize(..self.funcs.len() + 1), func);
            }
            6 => self.add_type(random),
            7 => {
                let at = random.usize(..self.types.len());
                let ty = self.types.remove(at);
                self.types.insert(random.usize(..self.types.len() + 1), ty);
            }
            8 => self.add_import(random),
            9 => self.add_global(random),
            10 => {
                let at = random.usize(..self.globals.len());
                match random.usize(..3) {
                    0 => self.globals[at].1 = random.usize(..4),
                    1 => self.globals[at].2 ^= true,
                    _ => self.globals[at].3 = random.u8(..) & 63,
                }
            }
            11 => match random.usize(..3) {
                0 => self.memory.0 = 1 + random.usize(..3),
                1 => self.memory.1 = [None, Some(4), Some(1)][random.usize(..3)],
                _ => self.memory.2 ^= true,
            },
            12 => {
                let at = random.usize(..self.elements.len());
                self.elements[at] = self.element(random);
            }
            13 => match random.usize(..3) {
                0 => self.table.0 = 8 + random.usize(..3),
                1 => self.table.1 ^= true,
                _ => self.table.2 ^= true,
            },
            14 => self.data.push((random.usize(..100), random.usize(..40))),
            15 => self.funcs[n].locals = random.usize(..4),
            16 => {
                let ty = random.usize(..self.types.len());
                let list =
                    |random: &mut Rng| (0..random.usize(..3)).map(|_| random.usize(..4)).collect();
                self.types[ty].params = list(random);
                self.types[ty].results = list(random);
            }
            _ => self.funcs[n].ty = self.ty(random),
        }
    }

    fn signature(&self, id: usize) -> &Signature {
        self.types.iter().find(|ty| ty.id == id).expect("types are not removed")
    }

    /// `call` with constants as arguments, and its results dropped.
    fn call(&self, text: &mut String, ty: usize, index: &str, call: &str) {
        let ty = self.signature(ty);
        for &param in &ty.params {
            let _ = write!(text, "({}.const {param}) ", TYPES[param]);
        }
        let _ = write!(text, "{index} {call} {}", "drop ".repeat(ty.results.len()));
    }

    pub(crate) fn render(&self) -> String {
        let mut text = String::from("(module\n");
        for ty in &self.types {
            let names =
                |list: &[usize]| list.iter().map(|&t| TYPES[t]).collect::<Vec<_>>().join(" ");
            let (params, results) = (names(&ty.params), names(&ty.results));
            let _ = writeln!(text, "(type $t{} (func (param {params}) (result {results})))", ty.id);
        }
        for (id, ty) in &self.imports {
            let _ = writeln!(text, "(import \"host\" \"i{id}\" (func $i{id} (type $t{ty})))");
        }
        let (min, max, imported) = self.memory;
        let max = max.map_or(String::new(), |max| max.max(min).to_string());
        let import = if imported { "(import \"host\" \"memory\")" } else { "" };
        let _ = writeln!(text, "(memory {import} {min} {max})");
        let (len, exported, bounded) = self.table;
        let export = if exported { "(export \"table\")" } else { "" };
        let bound = if bounded { len.to_string() } else { String::new() };
        let _ = writeln!(text, "(table $table {export} {len} {bound} funcref)");
        for &(id, ty, mutable, value) in &self.globals {
            let name = TYPES[ty];
            let ty = if mutable { format!("(mut {name})") } else { name.into() };
            let _ = writeln!(text, "(global $g{id} {ty} ({name}.const {value}))");
        }
        let _ = write!(text, "(elem (table $table) (i32.const 0) func");
        for func in &self.elements {
            let _ = write!(text, " {}", self.callee(*func).0);
        }
        text.push_str(")\n");
        for &(at, len) in &self.data {
            let _ = writeln!(text, "(data (i32.const {at}) \"{}\")", "x".repeat(len));
        }
        text.push_str("(elem declare func");
        for func in &self.funcs {
            let _ = write!(text, " $f{}", func.id);
        }
        text.push_str(")\n");
        for func in &self.funcs {
            self.function(&mut text, func);
        }
        text.push(')');
        text
    }

    fn function(&self, text: &mut String, func: &Function) {
        let Function { id, ty, locals, body } = func;
        let _ = write!(text, "(func $f{id} (export \"f{id}\") (type $t{ty}) (local $x i32)");
        let _ = writeln!(text, " {}", "(local i64)".repeat(*locals));
        for statement in body {
            self.statement_text(text, *statement);
            text.push('\n');
        }
        for &result in &self.signature(*ty).results {
            let _ = write!(text, "({}.const 1)", TYPES[result]);
        }
        text.push_str(")\n");
    }

    fn statement_text(&self, text: &mut String, statement: Statement) {
        let _ = match statement {
            Statement::Local(n) => {
                write!(text, "(local.set $x (i32.add (local.get $x) (i32.const {n})))")
            }
            Statement::Call(id) => {
                let (name, ty) = self.callee(id);
                self.call(text, ty, "", &format!("call {name}"));
                Ok(())
            }
            Statement::Indirect(ty, at) => {
                let index = at.map_or("(local.get $x)".into(), |at| format!("(i32.const {at})"));
                let call = format!("call_indirect $table (type $t{ty})");
                self.call(text, ty, &index, &call);
                Ok(())
            }
            Statement::GlobalGet(id) => write!(text, "(drop (global.get $g{id}))"),
            Statement::GlobalSet(id) => {
                let global = self.globals.iter().find(|global| global.0 == id);
                let &(_, ty, mutable, _) = global.expect("globals are not removed");
                let name = TYPES[ty];
                match mutable {
                    true => write!(
                        text,
                        "(global.set $g{id} ({name}.add (global.get $g{id}) ({name}.const 1)))"
                    ),
                    false => write!(text, "(drop (global.get $g{id}))"),
                }
            }
            Statement::Load(at) => {
                write!(text, "(local.set $x (i32.load offset={at} (local.get $x)))")
            }
            Statement::LoadAt(at) => {
                write!(text, "(local.set $x (i32.load8_u (i32.const {at})))")
            }
            Statement::Store(at) => {
                write!(text, "(i32.store16 offset={at} (local.get $x) (local.get $x))")
            }
            Statement::FarLoad => {
                write!(text, "(local.set $x (i32.load offset=4000000000 (local.get $x)))")
            }
            Statement::Size => write!(text, "(local.set $x (memory.size))"),
            Statement::Grow => write!(text, "(local.set $x (memory.grow (local.get $x)))"),
            Statement::Fill(len) => {
                write!(text, "(memory.fill (local.get $x) (i32.const 1) (i32.const {len}))")
            }
            Statement::RefFunc(id) => {
                write!(text, "(local.set $x (ref.is_null (ref.func $f{id})))")
            }
            Statement::TableSize => write!(text, "(local.set $x (table.size $table))"),
            Statement::TableGet => {
                write!(text, "(local.set $x (ref.is_null (table.get $table (local.get $x))))")
            }
            Statement::Block(ty) => {
                self.block(text, ty);
                Ok(())
            }
            Statement::If(hint) => {
                if hint < 2 {
                    let _ = write!(text, "(@metadata.code.branch_hint \"\\0{hint}\") ");
                }
                write!(text, "(if (local.get $x) (then (local.set $x (i32.const 4))))")
            }
            Statement::Segment => write!(text, "(data.drop 0)"),
        };
    }

    /// A block of a type, with a conditional branch out of it.
    fn block(&self, text: &mut String, ty: usize) {
        let signature = self.signature(ty);
        for &param in &signature.params {
            let _ = write!(text, "({}.const {param}) ", TYPES[param]);
        }
        let _ = write!(text, "(block (type $t{ty}) {}", "drop ".repeat(signature.params.len()));
        for &result in &signature.results {
            let _ = write!(text, "({}.load (local.get $x)) ", TYPES[result]);
        }
        let _ =
            write!(text, "(br_if 0 (local.get $x))) {}", "drop ".repeat(signature.results.len()));
    }
}
