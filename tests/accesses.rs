//! Tests every load and store against a model: each width, static offsets of every class that an
//! instruction set encodes differently, and indices of every shape that an address form could fold.
//!
//! The model is a slice and arithmetic on 64 bits. Before each access, memory around the effective
//! address is filled with bytes that identify their position. After it, memory is compared with the
//! model.

use std::fmt::Write;

use fastrand::Rng;
use precast::{Instance, Memory, Namespace, Runtime, TrapCode, TypedFunc};

const PAGE: u64 = 65536;

/// The size of the guard behind 4 GiB of indices: an access that could reach past it is checked in
/// code.
const GUARD: u64 = 64 << 20;

/// Static offsets: those that instructions encode in 8, 9, 12, 15 and 16 bits and those that need
/// more; close to the guard's end, beyond it, and the largest one.
const OFFSETS: &[u64] = &[
    0,
    1,
    255,
    256,
    4095,
    4096,
    32767,
    65535,
    1 << 24,
    GUARD - 16,
    GUARD - 1,
    GUARD,
    GUARD + 4095,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
];

/// An access: its text, with `{o}` for the offset and `{i}` for the index. A loaded value is
/// converted to an `i64`; a stored value comes from the `i64` in local 1.
struct Access {
    text: &'static str,
    width: usize,
    model: Model,
}

enum Model {
    Load(fn(u128) -> u64),
    Store(fn(u64) -> u128),
}

const fn load(text: &'static str, width: usize, model: fn(u128) -> u64) -> Access {
    Access { text, width, model: Model::Load(model) }
}

const fn store(text: &'static str, width: usize, model: fn(u64) -> u128) -> Access {
    Access { text, width, model: Model::Store(model) }
}

/// The result of `$mix` for a vector.
fn mix(vector: u128) -> u64 {
    (vector as u64).wrapping_mul(3) ^ (vector >> 64) as u64
}

/// Lanes of `from` bits as lanes of twice as many, with their sign if `signed`.
fn widen(raw: u64, from: u32, signed: bool) -> u128 {
    (0..64 / from).fold(0, |vector, lane| {
        let narrow = raw >> (lane * from) << (64 - from);
        let wide =
            if signed { (narrow as i64 >> (64 - from)) as u64 } else { narrow >> (64 - from) };
        let wide = u128::from(wide) & ((1 << (2 * from)) - 1);
        vector | wide << (2 * from * lane)
    })
}

/// A vector of the `bits` low bits of `raw` in every lane.
fn splat(raw: u128, bits: u32) -> u128 {
    (0..128 / bits).fold(0, |vector, lane| vector | raw << (lane * bits))
}

/// The vector of two such lanes, with `raw` in a lane of `bits` bits.
fn with_lane(raw: u128, bits: u32, lane: u32) -> u128 {
    let both = splat(0x0123_4567_89ab_cdef, 64);
    let mask = ((1 << bits) - 1) << (bits * lane);
    both & !mask | raw << (bits * lane)
}

/// The lane of `bits` bits of the vector with `value` in both halves.
fn lane_of(value: u64, bits: u32, lane: u32) -> u128 {
    splat(value.into(), 64) >> (bits * lane) & ((1 << bits) - 1)
}

const LANES: &str = "(i64x2.splat (i64.const 0x0123456789abcdef))";

const ACCESSES: &[Access] = &[
    load("(i64.extend_i32_u (i32.load {o} {i}))", 4, |m| m as u64),
    load("(i64.load {o} {i})", 8, |m| m as u64),
    load("(i64.extend_i32_u (i32.reinterpret_f32 (f32.load {o} {i})))", 4, |m| m as u64),
    load("(i64.reinterpret_f64 (f64.load {o} {i}))", 8, |m| m as u64),
    load("(i64.extend_i32_u (i32.load8_s {o} {i}))", 1, |m| (m as i8 as u32).into()),
    load("(i64.extend_i32_u (i32.load8_u {o} {i}))", 1, |m| m as u64),
    load("(i64.extend_i32_u (i32.load16_s {o} {i}))", 2, |m| (m as i16 as u32).into()),
    load("(i64.extend_i32_u (i32.load16_u {o} {i}))", 2, |m| m as u64),
    load("(i64.load8_s {o} {i})", 1, |m| m as i8 as u64),
    load("(i64.load8_u {o} {i})", 1, |m| m as u64),
    load("(i64.load16_s {o} {i})", 2, |m| m as i16 as u64),
    load("(i64.load16_u {o} {i})", 2, |m| m as u64),
    load("(i64.load32_s {o} {i})", 4, |m| m as i32 as u64),
    load("(i64.load32_u {o} {i})", 4, |m| m as u64),
    load("(call $mix (v128.load {o} {i}))", 16, mix),
    load("(call $mix (v128.load8x8_s {o} {i}))", 8, |m| mix(widen(m as u64, 8, true))),
    load("(call $mix (v128.load8x8_u {o} {i}))", 8, |m| mix(widen(m as u64, 8, false))),
    load("(call $mix (v128.load16x4_s {o} {i}))", 8, |m| mix(widen(m as u64, 16, true))),
    load("(call $mix (v128.load16x4_u {o} {i}))", 8, |m| mix(widen(m as u64, 16, false))),
    load("(call $mix (v128.load32x2_s {o} {i}))", 8, |m| mix(widen(m as u64, 32, true))),
    load("(call $mix (v128.load32x2_u {o} {i}))", 8, |m| mix(widen(m as u64, 32, false))),
    load("(call $mix (v128.load8_splat {o} {i}))", 1, |m| mix(splat(m, 8))),
    load("(call $mix (v128.load16_splat {o} {i}))", 2, |m| mix(splat(m, 16))),
    load("(call $mix (v128.load32_splat {o} {i}))", 4, |m| mix(splat(m, 32))),
    load("(call $mix (v128.load64_splat {o} {i}))", 8, |m| mix(splat(m, 64))),
    load("(call $mix (v128.load32_zero {o} {i}))", 4, mix),
    load("(call $mix (v128.load64_zero {o} {i}))", 8, mix),
    load("(call $mix (v128.load8_lane {o} 3 {i} {lanes}))", 1, |m| mix(with_lane(m, 8, 3))),
    load("(call $mix (v128.load16_lane {o} 6 {i} {lanes}))", 2, |m| mix(with_lane(m, 16, 6))),
    load("(call $mix (v128.load32_lane {o} 2 {i} {lanes}))", 4, |m| mix(with_lane(m, 32, 2))),
    load("(call $mix (v128.load64_lane {o} 1 {i} {lanes}))", 8, |m| mix(with_lane(m, 64, 1))),
    store("(i32.store {o} {i} (i32.wrap_i64 (local.get 1)))", 4, |v| v.into()),
    store("(i64.store {o} {i} (local.get 1))", 8, |v| v.into()),
    store("(f32.store {o} {i} (f32.reinterpret_i32 (i32.wrap_i64 (local.get 1))))", 4, |v| {
        v.into()
    }),
    store("(f64.store {o} {i} (f64.reinterpret_i64 (local.get 1)))", 8, |v| v.into()),
    store("(i32.store8 {o} {i} (i32.wrap_i64 (local.get 1)))", 1, |v| v.into()),
    store("(i32.store16 {o} {i} (i32.wrap_i64 (local.get 1)))", 2, |v| v.into()),
    store("(i64.store8 {o} {i} (local.get 1))", 1, |v| v.into()),
    store("(i64.store16 {o} {i} (local.get 1))", 2, |v| v.into()),
    store("(i64.store32 {o} {i} (local.get 1))", 4, |v| v.into()),
    store("(v128.store {o} {i} (i64x2.splat (local.get 1)))", 16, |v| splat(v.into(), 64)),
    store("(v128.store8_lane {o} 5 {i} (i64x2.splat (local.get 1)))", 1, |v| lane_of(v, 8, 5)),
    store("(v128.store16_lane {o} 3 {i} (i64x2.splat (local.get 1)))", 2, |v| lane_of(v, 16, 3)),
    store("(v128.store32_lane {o} 1 {i} (i64x2.splat (local.get 1)))", 4, |v| lane_of(v, 32, 1)),
    store("(v128.store64_lane {o} 1 {i} (i64x2.splat (local.get 1)))", 8, |v| lane_of(v, 64, 1)),
];

/// The index of an access, computed from local 0.
struct Pattern {
    text: &'static str,
    model: fn(u32) -> u32,
}

const fn pattern(text: &'static str, model: fn(u32) -> u32) -> Pattern {
    Pattern { text, model }
}

/// The constants are large enough that each class of offset reaches memory's end with one of them.
const PATTERNS: &[Pattern] = &[
    pattern("(local.get 0)", |p| p),
    // The upper half of the register is not zero.
    pattern(
        "(i32.wrap_i64 (i64.add (i64.extend_i32_u (local.get 0)) (i64.const 0x7654321000000000)))",
        |p| p,
    ),
    pattern("(i32.wrap_i64 (i64.extend_i32_s (local.get 0)))", |p| p),
    pattern("(i32.shl (local.get 0) (i32.const 1))", |p| p << 1),
    pattern("(i32.shl (local.get 0) (i32.const 2))", |p| p << 2),
    pattern("(i32.shl (local.get 0) (i32.const 3))", |p| p << 3),
    pattern("(i32.shl (local.get 0) (i32.const 4))", |p| p << 4),
    pattern("(i32.shl (local.get 0) (i32.const 35))", |p| p << 3),
    pattern("(i32.shr_u (local.get 0) (i32.const 2))", |p| p >> 2),
    pattern("(i32.shr_s (local.get 0) (i32.const 1))", |p| (p as i32 >> 1) as u32),
    pattern("(i32.wrap_i64 (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 3)))", |p| p << 3),
    pattern("(i32.and (local.get 0) (i32.const 0xffff))", |p| p & 0xffff),
    pattern("(i32.and (local.get 0) (i32.const 0xfffffff8))", |p| p & !7),
    pattern("(i32.and (i32.shl (local.get 0) (i32.const 2)) (i32.const 0x3fc))", |p| {
        p << 2 & 0x3fc
    }),
    pattern("(i32.extend8_s (local.get 0))", |p| p as i8 as u32),
    pattern("(i32.extend16_s (local.get 0))", |p| p as i16 as u32),
    pattern("(i32.add (local.get 0) (i32.const 8))", |p| p.wrapping_add(8)),
    pattern("(i32.add (local.get 0) (i32.const -4))", |p| p.wrapping_sub(4)),
    pattern("(i32.add (local.get 0) (local.get 0))", |p| p << 1),
    pattern("(i32.add (i32.shl (local.get 0) (i32.const 2)) (local.get 0))", |p| p.wrapping_mul(5)),
    pattern("(i32.sub (i32.const 0) (local.get 0))", |p| 0u32.wrapping_sub(p)),
    pattern("(i32.const 0)", |_| 0),
    pattern("(i32.const 7)", |_| 7),
    pattern("(i32.const 65528)", |_| 65528),
    pattern("(i32.const 0x1000000)", |_| 1 << 24),
    pattern("(i32.const 0x7fffffff)", |_| 0x7fff_ffff),
    pattern("(i32.const -1)", |_| u32::MAX),
];

fn replaced(access: &Access, offset: u64, pattern: &Pattern) -> String {
    access
        .text
        .replace("{o}", &format!("offset={offset}"))
        .replace("{i}", pattern.text)
        .replace("{lanes}", LANES)
}

/// A module with the accesses at one offset, exported as `f0`, `f1` and so on: each access with
/// each pattern.
fn module(memory: &str, offset: u64) -> String {
    let mut text = format!(
        "(module {memory}
           (func $mix (param v128) (result i64)
             (i64.xor (i64.mul (i64x2.extract_lane 0 (local.get 0)) (i64.const 3))
                      (i64x2.extract_lane 1 (local.get 0))))"
    );
    let pairs = ACCESSES.iter().flat_map(|a| PATTERNS.iter().map(move |p| (a, p)));
    for (i, (access, pattern)) in pairs.enumerate() {
        let body = replaced(access, offset, pattern);
        let result = match access.model {
            Model::Load(_) => "",
            Model::Store(_) => "(i64.const 0)",
        };
        writeln!(text, r#"(func (export "f{i}") (param i32 i64) (result i64) {body} {result})"#)
            .unwrap();
    }
    text + ")"
}

/// Values of local 0 for which an access touches either side of memory's end, or other places.
fn params(pages: u64, offset: u64, width: usize, numbers: &mut Rng) -> Vec<u32> {
    let last = (pages * PAGE) as i64 - offset as i64 - width as i64;
    let mut params = vec![0, 1, u32::MAX, 1 << 31, numbers.u32(..)];
    for index in [last, last + 1] {
        for shift in [0, 1, 2, 3] {
            params.push((index >> shift) as u32);
        }
    }
    params.push((last + 1).wrapping_neg() as u32);
    params.push(if last > 0 { numbers.u32(..last as u32) } else { 2 });
    params
}

/// The instance and memory on which a set of accesses runs.
struct Bench {
    namespace: Box<Namespace>,
    instance: Instance,
    memory: Memory,
    pages: u64,
    numbers: Rng,
    inside: u32,
    outside: u32,
}

impl Bench {
    fn run(&mut self, offset: u64) {
        let pairs = ACCESSES.iter().flat_map(|a| PATTERNS.iter().map(move |p| (a, p)));
        for (i, (access, pattern)) in pairs.enumerate() {
            let name = format!("f{i}");
            let func = self.instance.typed::<(i32, i64), i64>(&self.namespace, &name).unwrap();
            let params = params(self.pages, offset, access.width, &mut self.numbers);
            // A constant is the same whatever the parameter.
            let few = if pattern.text.starts_with("(i32.const") { 1 } else { params.len() };
            for param in &params[..few] {
                self.check(&func, access, pattern, offset, *param);
            }
        }
    }

    fn check(
        &mut self,
        func: &TypedFunc<(i32, i64), i64>,
        access: &Access,
        pattern: &Pattern,
        offset: u64,
        param: u32,
    ) {
        let len = self.pages * PAGE;
        let at = u64::from((pattern.model)(param)) + offset;
        let end = at + access.width as u64;
        // The bytes that an access may touch by mistake, or a part of them.
        let window = at.saturating_sub(32).min(len - 64)..(end + 32).min(len);
        let window = window.start as usize..window.end as usize;
        let before: Vec<u8> = window.clone().map(|_| self.numbers.u8(..)).collect();
        self.memory.data_mut(&mut self.namespace).unwrap()[window.clone()].copy_from_slice(&before);
        let value = self.numbers.u64(..);
        let result = func.call(&mut self.namespace, (param as i32, value as i64));
        let what = || format!("{} with {param:#x}", replaced(access, offset, pattern));

        let mut expected = before;
        if end <= len {
            self.inside += 1;
            let place = at as usize - window.start..end as usize - window.start;
            let result = result.unwrap_or_else(|e| panic!("{}: {e}", what())) as u64;
            match access.model {
                Model::Load(model) => {
                    let mut bytes = [0; 16];
                    bytes[..access.width].copy_from_slice(&expected[place]);
                    let loaded = model(u128::from_le_bytes(bytes));
                    assert!(result == loaded, "{}: {result:#x}, not {loaded:#x}", what());
                }
                Model::Store(model) => {
                    let bytes = model(value).to_le_bytes();
                    expected[place].copy_from_slice(&bytes[..access.width]);
                }
            }
        } else {
            self.outside += 1;
            let error = result.err().unwrap_or_else(|| panic!("{} does not trap", what()));
            let code = error.trap().map(|trap| trap.code());
            assert_eq!(code, Some(TrapCode::MemoryOutOfBounds), "{}", what());
        }
        let after = &self.memory.data(&self.namespace).unwrap()[window];
        assert!(after == expected, "{}: memory is {after:x?}, not {expected:x?}", what());
    }
}

/// Runs everything on a memory of `pages`. `text` declares the memory, and `definer` defines it if
/// it is imported.
fn agree(text: &str, definer: Option<&str>, pages: u64) {
    let runtime = Runtime::new();
    for &offset in OFFSETS {
        let mut namespace = runtime.namespace();
        if let Some(definer) = definer {
            let definer = runtime.compile(&wat::parse_str(definer).unwrap()).unwrap();
            namespace.instantiate_as("definer", &definer).unwrap();
        }
        let wasm = wat::parse_str(module(text, offset)).unwrap();
        let instance = namespace.instantiate(&runtime.compile(&wasm).unwrap()).unwrap();
        let memory = instance.memory(&namespace, "memory").unwrap();
        let numbers = Rng::with_seed(offset);
        let mut bench =
            Bench { namespace, instance, memory, pages, numbers, inside: 0, outside: 0 };
        bench.run(offset);
        assert!(bench.outside > 1000, "offset {offset}: {} outside", bench.outside);
        assert!(
            offset >= pages * PAGE || bench.inside > 300,
            "offset {offset}: {} inside",
            bench.inside
        );
    }
}

/// Enough for the offsets beyond the guard to be in bounds.
const LARGE: u64 = GUARD / PAGE + 2;

#[test]
fn in_a_large_memory() {
    agree(&format!(r#"(memory (export "memory") {LARGE})"#), None, LARGE);
}

#[test]
fn in_a_memory_of_one_page_that_never_grows() {
    agree(r#"(memory (export "memory") 1 1)"#, None, 1);
}

#[test]
fn in_an_imported_memory() {
    let definer = format!(r#"(module (memory (export "memory") {LARGE}))"#);
    let import = r#"(import "definer" "memory" (memory 1)) (export "memory" (memory 0))"#;
    agree(import, Some(&definer), LARGE);
}
