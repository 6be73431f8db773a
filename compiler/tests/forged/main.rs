//! Artifacts with a valid checksum and one forged record: each kind is refused.

mod deep;

use precast_abi::artifact::*;
use precast_abi::types::ValType;
use precast_compiler::{Settings, compile, producer};
use std::sync::LazyLock;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const MODULE: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (import "host" "f" (func $f (type $unary)))
  (import "host" "nothing" (func $nothing))
  (import "host" "base" (global $base i32))
  (import "host" "thing" (global $thing externref))
  (import "host" "mutable" (global $mutable (mut i32)))
  (memory (export "memory") 1 2)
  (data (i32.const 16) "in the image")
  (data (global.get $base) "not in the image")
  (data $passive "passive")
  (table $t (export "t") 4 8 funcref)
  (table $x (export "x") 4 externref)
  (elem (table $t) (global.get $base) func $f $g)
  (elem (table $x) (i32.const 1) externref (global.get $thing) (ref.null extern))
  (elem $p func $g $g)
  (global $sum (export "sum") i32 (i32.add (global.get $base) (i32.const 7)))
  (global $ref (mut funcref) (ref.func $g))
  (global $null (mut externref) (ref.null extern))
  (global $v (mut v128) (v128.const i64x2 1 2))
  (global $i (mut i64) (i64.const -1))
  (func $g (export "g") (type $unary)
    (table.init $t $p (i32.const 0) (i32.const 0) (i32.const 1))
    (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 1))
    (call $f (local.get 0)))
  (func (export "take") (param i64 f64) (result f64) (local.get 1))
  (func $start)
  (start $start))"#;

/// An artifact that can be changed.
#[derive(Clone)]
struct Forgery {
    bytes: Vec<u8>,
    artifact: Artifact,
    producer: Producer,
}

impl Forgery {
    fn new() -> Self {
        static WHOLE: LazyLock<Forgery> = LazyLock::new(Forgery::compile);
        WHOLE.clone()
    }

    fn compile() -> Self {
        let settings = Settings { threads: 1, ..Settings::default() };
        let wasm = wat::parse_str(MODULE).expect("test module");
        let bytes = compile(&wasm, &settings).expect("it is valid");
        let producer = producer(&settings);
        let artifact = Artifact::check(&bytes, &producer).expect("it is whole");
        Forgery { bytes, artifact, producer }
    }

    fn records<T: FromBytes + IntoBytes + Immutable + KnownLayout>(
        &mut self,
        section: Section,
    ) -> &mut [T] {
        let SectionEntry { offset, len, .. } = self.artifact.entry(section);
        let bytes = &mut self.bytes[offset as usize..(offset + len) as usize];
        <[T]>::mut_from_bytes(bytes).expect("a section of these records")
    }

    fn info(&mut self) -> &mut Info {
        &mut self.records(Section::Info)[0]
    }

    fn section(&mut self, section: Section) -> &mut SectionEntry {
        let header = Header::mut_from_prefix(&mut self.bytes).expect("a header").0;
        &mut header.table[section as usize]
    }

    /// Fixes the checksum and checks the artifact.
    fn check(mut self) -> Result<(), String> {
        self.fix_checksum();
        let checked = Artifact::check(&self.bytes, &self.producer);
        checked.map(drop).map_err(|error| error.to_string())
    }

    fn fix_checksum(&mut self) {
        let header = Header::mut_from_prefix(&mut self.bytes).expect("a header").0;
        header.checksum = 0;
        let hot_end = header.hot_end as usize;
        let checksum = xxhash_rust::xxh3::xxh3_64(&self.bytes[..hot_end]);
        Header::mut_from_prefix(&mut self.bytes).expect("a header").0.checksum = checksum;
    }
}

#[track_caller]
fn refused(why: &str, forge: impl FnOnce(&mut Forgery)) {
    let mut forgery = Forgery::new();
    forge(&mut forgery);
    let error = forgery.check().expect_err("a forged record is accepted");
    assert!(error.contains("damaged") && error.contains(why), "not {why:?}: {error}");
}

/// The positions of globals, of expressions' operations and of items in the module above.
const SUM: usize = 3;
const REF: usize = 4;
const NULL: usize = 5;
const VECTOR: usize = 6;
const INTEGER: usize = 7;

#[test]
fn a_module_that_nobody_forged() {
    Forgery::new().check().unwrap();
}

#[test]
fn constant_expressions_with_a_stack_that_is_wrong() {
    let op = |n: usize, op: ConstOpcode| {
        move |f: &mut Forgery| f.records::<ConstOp>(Section::ConstOps)[n].op = op as u64
    };
    // global.get base, const 7, add
    refused("type of a constant", op(2, ConstOpcode::Const));
    refused("type of a constant", op(1, ConstOpcode::I32Add));
    refused("type of a constant", op(0, ConstOpcode::I32Add));
    refused("type of a constant", op(2, ConstOpcode::I64Add));
    refused("a constant", |f| f.records::<ConstOp>(Section::ConstOps)[2].op = 99);
    refused("a constant", |f| f.records::<GlobalDesc>(Section::Globals)[SUM].init.count = 2);
    refused("a constant", |f| f.records::<GlobalDesc>(Section::Globals)[SUM].init.count = 4);
    refused("a constant", |f| f.records::<GlobalDesc>(Section::Globals)[SUM].init.count = u32::MAX);
    refused("a constant", |f| f.records::<GlobalDesc>(Section::Globals)[SUM].init.count = 0);
    // The start of an expression; a case that fuzzing found.
    for first in [1, 3073, u32::MAX] {
        refused("a constant", |f| {
            f.records::<GlobalDesc>(Section::Globals)[SUM].init.first = first
        });
        refused("a constant", |f| f.records::<ElemDesc>(Section::Elems)[1].offset.first = first);
    }
}

#[test]
fn constant_expressions_of_another_type() {
    let ty = |n: usize, ty: ValType| {
        move |f: &mut Forgery| f.records::<GlobalDesc>(Section::Globals)[n].ty = ty as u32
    };
    for wrong in [ValType::I64, ValType::F32, ValType::FuncRef, ValType::ExternRef] {
        refused("type of a constant", ty(SUM, wrong));
    }
    // A number as a reference, and a function as a number or as a value of the host.
    refused("type of a constant", ty(REF, ValType::ExternRef));
    refused("type of a constant", ty(REF, ValType::I64));
    refused("type of a constant", ty(0, ValType::I64));
    refused("a global's value", ty(INTEGER, ValType::ExternRef));
    refused("a global's value", ty(INTEGER, ValType::I32));
    refused("a global's value", |f| {
        let at = f.records::<GlobalDesc>(Section::Globals)[NULL].offset - f.info().globals_at;
        f.records::<u8>(Section::GlobalInit)[at as usize] = 1;
    });
    refused("unknown value type", |f| f.records::<GlobalDesc>(Section::Globals)[SUM].ty = 0x17f);
    // An active segment's offset.
    let last = |f: &mut Forgery| f.records::<ConstOp>(Section::ConstOps).len() - 1;
    refused("type of a constant", move |f| {
        let last = last(f);
        f.records::<ConstOp>(Section::ConstOps)[last] =
            ConstOp { op: ConstOpcode::RefFunc as u64, lo: 0, hi: 0 };
    });
    refused("type of a constant", move |f| {
        let last = last(f);
        f.records::<ConstOp>(Section::ConstOps)[last] =
            ConstOp { op: ConstOpcode::Const as u64, lo: 1 << 32, hi: 0 };
    });
}

#[test]
fn constant_expressions_that_read_what_is_no_constant() {
    let read =
        |global: u64| move |f: &mut Forgery| f.records::<ConstOp>(Section::ConstOps)[0].lo = global;
    refused("not constant", read(2));
    refused("a constant", read(SUM as u64));
    refused("a constant", read(u64::MAX));
    refused("type of a constant", read(1));
    refused("a global's type", |f| f.records::<GlobalDesc>(Section::Globals)[SUM].mutable = 2);
    refused("not constant", |f| f.records::<GlobalDesc>(Section::Globals)[0].mutable = 1);
}

#[test]
fn elements_of_another_type() {
    let item = |n: usize, kind: ElemKind, index: u32| {
        move |f: &mut Forgery| {
            f.records::<ElemItem>(Section::ElemItems)[n] = ElemItem { kind: kind as u32, index }
        }
    };
    // Functions $f and $g; $thing and null; $g and $g.
    refused("another type", item(0, ElemKind::Global, 1));
    refused("another type", item(2, ElemKind::FuncRef, 0));
    refused("another type", item(5, ElemKind::Global, 1));
    refused("not a reference", item(0, ElemKind::Global, 0));
    refused("not constant", item(0, ElemKind::Global, REF as u32));
    refused("not constant", item(0, ElemKind::Global, 1000));
    refused("an element", item(0, ElemKind::FuncRef, 1000));
    refused("an element", |f| f.records::<ElemItem>(Section::ElemItems)[3].kind = 7);
    let table = |n: usize, ty: ValType| {
        move |f: &mut Forgery| f.records::<TableDesc>(Section::Tables)[n].element = ty as u32
    };
    refused("another type", table(0, ValType::ExternRef));
    refused("another type", table(1, ValType::FuncRef));
    refused("table of non-references", table(1, ValType::I64));
    refused("initial value", |f| {
        let table = &mut f.records::<TableDesc>(Section::Tables)[1];
        (table.init_kind, table.init_index) = (ElemKind::FuncRef as u32, 0);
    });
    refused("a table's size", |f| f.records::<TableDesc>(Section::Tables)[0].max = 3);
}

#[test]
fn segments_that_share_or_leave_elements() {
    refused("element", |f| f.records::<ElemDesc>(Section::Elems)[2].first = 0);
    refused("element", |f| f.records::<ElemDesc>(Section::Elems)[2].count = 1);
    refused("element", |f| f.records::<ElemDesc>(Section::Elems)[2].count = u32::MAX);
    refused("element", |f| f.records::<ElemDesc>(Section::Elems)[1].table = 0);
    refused("element", |f| {
        f.records::<ElemDesc>(Section::Elems)[2].mode = SegmentMode::Dropped as u32
    });
    refused("element", |f| {
        f.records::<ElemDesc>(Section::Elems)[2].mode = SegmentMode::Active as u32
    });
    refused("data segment", |f| {
        let last = f.records::<DataDesc>(Section::DataSegments).last_mut().unwrap();
        last.offset = ConstExpr { first: 0, count: 1 };
    });
}

#[test]
fn frames_of_handlers_that_are_none() {
    for frame in [8, 1 << 20, u32::MAX, 0x8000_0000] {
        refused("frame of a handler", |f| {
            f.records::<HandlerDesc>(Section::Handlers)[0].frame = frame
        });
    }
    refused("outside the text", |f| {
        f.records::<HandlerDesc>(Section::Handlers)[0].handler = u32::MAX - 1
    });
    refused("out of order", |f| {
        let handlers = f.records::<HandlerDesc>(Section::Handlers);
        handlers[1].ret = handlers[0].ret;
    });
}

#[test]
fn regions_of_the_context_that_overlap() {
    type Field = fn(&mut Info) -> &mut i32;
    let fields: [Field; 8] = [
        |info| &mut info.globals_at,
        |info| &mut info.tables_at,
        |info| &mut info.func_imports_at,
        |info| &mut info.global_imports_at,
        |info| &mut info.table_imports_at,
        |info| &mut info.memory_imports_at,
        |info| &mut info.memories_at,
        |info| &mut info.func_refs_at,
    ];
    for field in fields {
        for by in [-16, 16, 8, i32::MIN / 2] {
            refused("layout of the context", |f| *field(f.info()) += by);
        }
    }
    refused("layout of the context", |f| f.info().vmctx_size -= 16);
    refused("layout of the context", |f| f.info().vmctx_size += 16);
    // The region is one global smaller.
    refused("layout of the context", |f| f.section(Section::GlobalInit).len -= 16);
    refused("layout of the context", |f| f.records::<TableDesc>(Section::Tables)[1].slot = NONE);
}

#[test]
fn globals_that_overlap() {
    refused("globals that overlap", |f| {
        let globals = f.records::<GlobalDesc>(Section::Globals);
        globals[INTEGER].offset = globals[VECTOR].offset + 8;
    });
    refused("globals that overlap", |f| {
        let globals = f.records::<GlobalDesc>(Section::Globals);
        globals[SUM].offset = globals[REF].offset;
    });
    for offset in [i32::MIN, i32::MAX, 0, 4] {
        refused("a global's offset", |f| {
            f.records::<GlobalDesc>(Section::Globals)[SUM].offset = offset
        });
    }
}

#[test]
fn sections_that_overlap() {
    for (section, before) in [
        (Section::Types, Section::Features),
        (Section::Handlers, Section::DataSegments),
        (Section::Rodata, Section::Text),
        (Section::Image, Section::Text),
        (Section::Funcs, Section::Data),
    ] {
        refused("is misplaced", |f| {
            let offset = f.section(before).offset;
            f.section(section).offset = offset;
        });
    }
    refused("is misplaced", |f| f.section(Section::Text).len += 1 << 20);
    refused("is misplaced", |f| f.section(Section::Info).offset = 0);
}

#[test]
fn functions_with_the_type_of_others() {
    // The second imported function has another type than the first.
    refused("a function", |f| {
        let export = f.records::<ExportDesc>(Section::Exports);
        let export = export.iter_mut().find(|e| e.kind == Kind::Func as u32).unwrap();
        (export.index, export.code) = (1, NONE);
    });
    refused("a func ref", |f| {
        let funcs = f.records::<FuncRefDesc>(Section::FuncRefs);
        let imported = funcs.iter_mut().find(|func| func.code == NONE).unwrap();
        imported.code = 0;
    });
    refused("a func ref", |f| {
        let other = f.records::<ImportDesc>(Section::Imports)[1].index;
        let funcs = f.records::<FuncRefDesc>(Section::FuncRefs);
        funcs.iter_mut().find(|func| func.code == NONE).unwrap().ty = other;
    });
    refused("start function", |f| {
        let take = f.records::<ImportDesc>(Section::Imports)[0].index;
        f.info().start_type = take;
    });
}

#[test]
fn facts_that_are_neither_yes_nor_no() {
    refused("whether code counts fuel", |f| f.info().counts_fuel = 2);
    refused("whether it is a snapshot", |f| f.info().is_snapshot = 2);
    refused("whether code checks bounds", |f| f.info().explicit_bounds = 2);
    refused("whether code checks bounds", |f| f.info().reserved = 1);
    let mut counts = Forgery::new();
    let info = counts.info();
    (info.counts_fuel, info.is_snapshot, info.explicit_bounds) = (1, 1, 1);
    counts.check().expect("a module may count");
}
