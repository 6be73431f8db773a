//! Modules that access a memory in every width, near its bounds and far beyond.

use crate::case::{Arg, Call, Generated};
use crate::outcome::Val;
use crate::rng::Rng;
use anyhow::Result;
use std::fmt::Write;

const PAGE: u64 = 65536;

/// Static offsets: those that instructions encode in different ways, those around the 64 MiB that
/// precast leaves unmapped after a memory, and those near the maximum.
const OFFSETS: &[u64] = &[
    0,
    0,
    0,
    1,
    7,
    8,
    255,
    256,
    4095,
    4096,
    32767,
    32768,
    65535,
    65536,
    1 << 24,
    (64 << 20) - 16,
    (64 << 20) - 8,
    (64 << 20) - 1,
    64 << 20,
    (64 << 20) + 1,
    (1 << 31) - 1,
    1 << 31,
    0xffff_0000,
    0xffff_fff0,
    0xffff_ffff,
];

/// Sizes of memories in pages. The large ones are reserved but hardly used.
const SIZES: &[u64] = &[0, 1, 1, 1, 1, 2, 2, 3, 3, 17, 1024, 1025, 32768, 65535, 65536];

/// Loads: the instruction, the number of bytes it reads, and the conversion of its result to an
/// `i64`.
const LOADS: &[(&str, u64, &str)] = &[
    ("i32.load", 4, "i64.extend_i32_u"),
    ("i32.load8_u", 1, "i64.extend_i32_u"),
    ("i32.load8_s", 1, "i64.extend_i32_s"),
    ("i32.load16_u", 2, "i64.extend_i32_u"),
    ("i32.load16_s", 2, "i64.extend_i32_s"),
    ("i64.load", 8, ""),
    ("i64.load8_u", 1, ""),
    ("i64.load8_s", 1, ""),
    ("i64.load16_u", 2, ""),
    ("i64.load16_s", 2, ""),
    ("i64.load32_u", 4, ""),
    ("i64.load32_s", 4, ""),
    ("f32.load", 4, "f32"),
    ("f64.load", 8, "i64.reinterpret_f64"),
    ("v128.load", 16, "v128"),
    ("v128.load8x8_s", 8, "v128"),
    ("v128.load8x8_u", 8, "v128"),
    ("v128.load16x4_s", 8, "v128"),
    ("v128.load16x4_u", 8, "v128"),
    ("v128.load32x2_s", 8, "v128"),
    ("v128.load32x2_u", 8, "v128"),
    ("v128.load8_splat", 1, "v128"),
    ("v128.load16_splat", 2, "v128"),
    ("v128.load32_splat", 4, "v128"),
    ("v128.load64_splat", 8, "v128"),
    ("v128.load32_zero", 4, "v128"),
    ("v128.load64_zero", 8, "v128"),
];

/// Stores: the instruction, the number of bytes it writes, and the conversion of an `i64` to its
/// operand.
const STORES: &[(&str, u64, &str)] = &[
    ("i32.store", 4, "i32.wrap_i64"),
    ("i32.store8", 1, "i32.wrap_i64"),
    ("i32.store16", 2, "i32.wrap_i64"),
    ("i64.store", 8, ""),
    ("i64.store8", 1, ""),
    ("i64.store16", 2, ""),
    ("i64.store32", 4, ""),
    ("f32.store", 4, "f32"),
    ("f64.store", 8, "f64.reinterpret_i64"),
    ("v128.store", 16, "i64x2.splat"),
];

/// Loads and stores of a lane: the width of the lane in bits.
const LANES: &[u64] = &[8, 16, 32, 64];

struct Generator<'r> {
    rng: &'r mut Rng,
    text: String,
    /// The initial bytes of the memory.
    size: u64,
    funcs: u64,
    /// Whether most accesses of the current function are in bounds. Otherwise it soon traps.
    tame: bool,
    /// Distances from an index to the end of an access, in the current function. Good arguments are
    /// the end of memory minus one of these.
    reaches: Vec<u64>,
}

/// Makes a module and the calls to make.
pub fn generate(rng: &mut Rng) -> Result<Generated> {
    let pages = rng.pick(SIZES);
    let large = pages > 1025;
    let max = match rng.below(4) {
        0 => String::new(),
        1 => format!("{pages}"),
        2 => format!("{}", (pages + rng.below(4)).min(65536)),
        _ => "65536".to_owned(),
    };
    let imported = !large && rng.one_in(3);
    let exported = rng.one_in(2);
    let size = pages * PAGE;
    let funcs = rng.range(1, 5);
    let text = String::from("(module\n");
    let mut g = Generator { rng, text, size, funcs, tame: false, reaches: vec![] };
    g.text.push_str("(import \"x\" \"call\" (func $host (param i32) (result i32)))\n");
    if imported {
        writeln!(g.text, "(import \"x\" \"memory\" (memory $m {pages} {max}))")?;
    } else {
        writeln!(g.text, "(memory $m {pages} {max})")?;
    }
    if exported {
        g.text.push_str("(export \"memory\" (memory $m))\n");
    }
    g.text.push_str("(global $steps (export \"steps\") (mut i32) (i32.const 0))\n");
    g.text.push_str("(global $last (export \"last\") (mut i64) (i64.const 0))\n");
    if size > 0 {
        g.data(0, 300)?;
        g.data(size - 96, 96)?;
    }
    let passive = g.bytes(80);
    writeln!(g.text, "(data $passive \"{passive}\")")?;
    let mut calls = Vec::new();
    for n in 0..funcs {
        g.func(n)?;
        for _ in 0..g.rng.range(3, 8) {
            let args = vec![
                Arg::Val(Val::I32(g.index())),
                Arg::Val(Val::I32(g.index())),
                Arg::Val(Val::I64(match g.rng.below(3) {
                    0 => u64::from(g.index()),
                    1 => u64::from(g.index()) | g.rng.next() << 32,
                    _ => g.rng.interesting(),
                })),
            ];
            calls.push(Call { export: format!("f{n}"), args });
        }
    }
    g.text.push(')');
    Ok(Generated { wasm: wat::parse_str(&g.text)?, fuel: None, calls, large })
}

impl Generator<'_> {
    fn bytes(&mut self, n: usize) -> String {
        self.rng.bytes(n).iter().map(|byte| format!("\\{byte:02x}")).collect()
    }

    fn data(&mut self, at: u64, n: usize) -> Result<()> {
        let bytes = self.bytes(n);
        Ok(writeln!(self.text, "(data (i32.const {:#x}) \"{bytes}\")", at as u32)?)
    }

    /// An interesting index: mostly one whose access ends at, before or after a bound.
    fn index(&mut self) -> u32 {
        let reach = if self.reaches.is_empty() { 0 } else { self.rng.pick(&self.reaches) };
        let near = self.rng.below(5).wrapping_sub(2);
        let index = match self.rng.below(10) {
            0..5 => self.size.wrapping_sub(reach).wrapping_add(near),
            5 => self.size.wrapping_sub(self.rng.below(24)),
            6 => self.rng.below(64),
            7 => (1 << 32) - 1 - self.rng.below(20),
            8 => self.rng.below(self.size.max(1)),
            _ => self.rng.interesting(),
        };
        index as u32
    }

    /// An offset. Records the distance to the end of an access with it.
    fn offset(&mut self, bytes: u64) -> u64 {
        let offset = match if self.tame { 0 } else { self.rng.below(4) } {
            0 => self.rng.below(64),
            1 if self.size > 32 => (self.size - self.rng.below(32)).min((1 << 32) - 1),
            _ => self.rng.pick(OFFSETS),
        };
        self.reaches.push(offset + bytes);
        offset
    }

    /// An expression for an index.
    fn index_text(&mut self, depth: u32) -> String {
        if self.tame && depth == 0 && self.size > 0 && !self.rng.one_in(24) {
            let room = (self.size - 96) as u32;
            return match self.rng.below(4) {
                0 => format!("(i32.const {:#x})", self.rng.below(u64::from(room)) as u32),
                1 => format!("(i32.and {} (i32.const {:#x}))", self.index_text(1), 0x7fff),
                2 => format!("(i32.shr_u {} (i32.const {}))", self.index_text(1), 17),
                _ => format!("(i32.rem_u {} (i32.const {room:#x}))", self.index_text(1)),
            };
        }
        let mut local = || self.rng.pick(&["$a", "$b", "$i"]);
        let local = local();
        match self.rng.below(if depth > 1 { 4 } else { 16 }) {
            0..2 => format!("(i32.const {:#x})", self.index()),
            2..5 => format!("(local.get {local})"),
            5 => {
                let mask = self.rng.pick(&[0xff, 0xffff, 0xffff_fff0, self.size as u32 | 0xffff]);
                format!("(i32.and (local.get {local}) (i32.const {mask:#x}))")
            }
            6 => {
                let op = self.rng.pick(&["shl", "shr_u", "shr_s", "rotl"]);
                let by = self.rng.below(33);
                format!("(i32.{op} {} (i32.const {by}))", self.index_text(depth + 1))
            }
            7 => format!("(i32.wrap_i64 (i64.extend_i32_u {}))", self.index_text(depth + 1)),
            8 => "(i32.wrap_i64 (local.get $c))".to_owned(),
            9 => "(i32.wrap_i64 (i64.shr_u (local.get $c) (i64.const 16)))".to_owned(),
            10 | 11 => {
                let by = match self.rng.below(3) {
                    0 => self.rng.below(40).wrapping_sub(20),
                    1 => self.rng.pick(OFFSETS).wrapping_neg(),
                    _ => self.rng.interesting(),
                } as u32;
                format!("(i32.add {} (i32.const {by:#x}))", self.index_text(depth + 1))
            }
            12 => {
                let by = self.rng.pick(&[1, 2, 3, 4, 8, 16, 4096]);
                format!("(i32.mul {} (i32.const {by}))", self.index_text(depth + 1))
            }
            13 => format!("(i32.load8_u (i32.and (local.get {local}) (i32.const 63)))"),
            14 => format!(
                "(select {} {} (local.get $b))",
                self.index_text(depth + 1),
                self.index_text(depth + 1)
            ),
            _ => {
                let op = self.rng.pick(&["extend8_s", "extend16_s", "clz"]);
                format!("(i32.{op} {})", self.index_text(depth + 1))
            }
        }
    }

    fn access(&mut self, op: &str, bytes: u64) -> String {
        let offset = match self.offset(bytes) {
            0 => String::new(),
            offset => format!(" offset={offset:#x}"),
        };
        let align = 1 << self.rng.below(u64::from(bytes.trailing_zeros()) + 1);
        format!("{op}{offset} align={align}")
    }

    /// An expression that loads, as an `i64`.
    fn load(&mut self) -> String {
        if self.rng.one_in(8) {
            let bits = self.rng.pick(LANES);
            let op = self.access(&format!("v128.load{bits}_lane"), bits / 8);
            let lane = self.rng.below(128 / bits);
            let index = self.index_text(0);
            return lanes(&format!("({op} {lane} {index} (local.get $v))"));
        }
        let (op, bytes, convert) = self.rng.pick(LOADS);
        let op = self.access(op, bytes);
        let load = format!("({op} {})", self.index_text(0));
        match convert {
            "" => load,
            "f32" => format!("(i64.extend_i32_u (i32.reinterpret_f32 {load}))"),
            "v128" => lanes(&load),
            convert => format!("({convert} {load})"),
        }
    }

    fn store(&mut self) -> String {
        let value = match self.rng.below(4) {
            0 => format!("(i64.const {:#x})", self.rng.interesting()),
            1 => "(local.get $c)".to_owned(),
            2 => self.load(),
            _ => "(local.get $acc)".to_owned(),
        };
        if self.rng.one_in(8) {
            let bits = self.rng.pick(LANES);
            let op = self.access(&format!("v128.store{bits}_lane"), bits / 8);
            let lane = self.rng.below(128 / bits);
            return format!("({op} {lane} {} (local.get $v))", self.index_text(0));
        }
        let (op, bytes, convert) = self.rng.pick(STORES);
        let op = self.access(op, bytes);
        let value = match convert {
            "" => value,
            "f32" => format!("(f32.reinterpret_i32 (i32.wrap_i64 {value}))"),
            convert => format!("({convert} {value})"),
        };
        format!("({op} {} {value})", self.index_text(0))
    }

    /// The length of a bulk operation: mostly a constant, and short.
    fn length(&mut self) -> String {
        let n = match self.rng.below(8) {
            0 => 0,
            1..5 => self.rng.below(68),
            5 => self.rng.below(400),
            6 if !self.tame => self.size as u32 as u64,
            _ if self.tame => self.rng.below(68),
            _ => return format!("(i32.and {} (i32.const 0x1ff))", self.index_text(1)),
        };
        self.reaches.push(n);
        format!("(i32.const {n:#x})")
    }

    fn statement(&mut self, depth: u32) -> String {
        let accumulate = |value: String| {
            format!("(local.set $acc (i64.xor (i64.rotl (local.get $acc) (i64.const 9)) {value}))")
        };
        match self.rng.below(if depth > 1 { 18 } else { 22 }) {
            0..5 => accumulate(self.load()),
            5 => format!("(drop {})", self.load()),
            6..10 => self.store(),
            10 => {
                // The same index twice, so that one bounds check could serve for both.
                let index = self.index_text(0);
                let first = self.access("i64.load", 8);
                let second = self.access("i32.store16", 2);
                format!(
                    "(local.set $i {index}) {} ({second} (local.get $i) (local.get $a))",
                    accumulate(format!("({first} (local.get $i))"))
                )
            }
            11 => {
                let (to, from) = (self.index_text(0), self.index_text(0));
                format!("(memory.copy {to} {from} {})", self.length())
            }
            12 => {
                // The two ranges overlap.
                let (index, by) = (self.index_text(0), self.rng.below(20));
                let by = format!("(i32.add (local.get $i) (i32.const {by}))");
                let (to, from) = match self.rng.one_in(2) {
                    true => ("(local.get $i)".to_owned(), by),
                    false => (by, "(local.get $i)".to_owned()),
                };
                format!("(local.set $i {index}) (memory.copy {to} {from} {})", self.length())
            }
            13 => {
                let (to, byte) = (self.index_text(0), self.rng.pick(&["$a", "$b", "$i"]));
                format!("(memory.fill {to} (local.get {byte}) {})", self.length())
            }
            14 => {
                let (to, from) = (self.index_text(0), self.rng.below(100));
                let drop = if self.rng.one_in(8) { "(data.drop $passive)" } else { "" };
                let len = self.rng.below(90);
                format!("(memory.init $passive {to} (i32.const {from}) (i32.const {len})) {drop}")
            }
            15 => {
                // Engines that keep a large memory on the heap would copy it.
                let small = self.size <= 17 * PAGE;
                let by = if small { self.rng.pick(&[0, 0, 1, 2, 65536, !0u32]) } else { 0 };
                let grow = match by {
                    0 if self.rng.one_in(2) => "(memory.size)".to_owned(),
                    by => format!("(memory.grow (i32.const {by}))"),
                };
                accumulate(format!("(i64.extend_i32_s {grow})"))
            }
            16 => "(global.set $steps (i32.add (global.get $steps) (i32.const 1))) \
                   (global.set $last (local.get $acc))"
                .to_owned(),
            17 => match self.rng.below(3) {
                0 => "(local.set $i (call $host (local.get $i)))".to_owned(),
                1 => format!("(local.set $i {})", self.index_text(0)),
                _ => format!("(local.set $v (v128.load (i32.const {:#x})))", self.rng.below(40)),
            },
            18 | 19 => {
                let bit = self.rng.below(4);
                let (yes, no) = (self.statement(depth + 1), self.statement(depth + 1));
                format!(
                    "(if (i32.and (local.get $b) (i32.const {})) (then {yes}) (else {no}))",
                    1 << bit
                )
            }
            20 => {
                let n = format!("$n{depth}");
                let (count, stride) =
                    (self.rng.range(1, 9), self.rng.pick(&[1u32, 4, 8, 4096, !0]));
                let body = self.statement(depth + 1);
                format!(
                    "(local.set {n} (i32.const {count})) (loop $l{depth} {body} \
                     (local.set $i (i32.add (local.get $i) (i32.const {stride}))) \
                     (br_if $l{depth} (local.tee {n} (i32.sub (local.get {n}) (i32.const 1)))))"
                )
            }
            _ => format!("{} {}", self.statement(depth + 1), self.statement(depth + 1)),
        }
    }

    fn func(&mut self, n: u64) -> Result<()> {
        self.reaches.clear();
        self.tame = !self.rng.one_in(3);
        let mut body = String::new();
        for _ in 0..self.rng.range(1, 7) {
            writeln!(body, "  {}", self.statement(0))?;
        }
        // Calls go in one direction only, so they end.
        if n + 1 < self.funcs && self.rng.one_in(3) {
            let next = n + 1;
            writeln!(
                body,
                "  (drop (call $f{next} (local.get $i) (local.get $a) (local.get $acc)))"
            )?;
        }
        writeln!(
            self.text,
            "(func $f{n} (export \"f{n}\") (param $a i32) (param $b i32) (param $c i64) (result i64)\n  \
             (local $i i32) (local $n0 i32) (local $n1 i32) (local $acc i64) (local $v v128)\n  \
             (local.set $i (local.get $b)) (local.set $v (i64x2.splat (local.get $c)))\n\
             {body}  (local.get $acc))"
        )?;
        Ok(())
    }
}

/// A vector as an `i64` that depends on all of it.
fn lanes(vector: &str) -> String {
    format!(
        "(i64.xor (i64x2.extract_lane 0 (local.tee $v {vector})) \
         (i64.mul (i64x2.extract_lane 1 (local.get $v)) (i64.const 3)))"
    )
}
