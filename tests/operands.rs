//! Tests every operator on numbers and vectors with its operands as parameters, as constants,
//! loaded from the last bytes of memory, spilled across a call, and all the same. The results must
//! equal those of parameters in code that is not optimised. Chains of operators must give the
//! results of the single operators in sequence.
//!
//! Code generators had these faults (docs/advisories.md): wrong operators on constants, loads that
//! became part of an instruction that reads more, and operators that were folded into others at the
//! wrong width.

use std::fmt::Write;

use fastrand::Rng;
use precast::{Config, Instance, Memory, Namespace, Runtime, TrapCode, Value};

const PAGE: usize = 65536;

/// The outcome of a call: the bits of its result, or the reason of the trap.
type Outcome = Result<u128, TrapCode>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
}

use Ty::*;

impl Ty {
    fn name(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
            V128 => "v128",
        }
    }

    fn bytes(self) -> usize {
        match self {
            I32 | F32 => 4,
            I64 | F64 => 8,
            V128 => 16,
        }
    }

    /// Values that operators treat specially, as bits.
    fn values(self) -> Vec<u128> {
        let float = |v: f32| u128::from(v.to_bits());
        let double = |v: f64| u128::from(v.to_bits());
        match self {
            I32 => vec![0, 1, 0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 33, 0x80],
            I64 => vec![0, 1, !0 >> 64, 1 << 63, 0xffff_ffff, 0x8000_0000, 65],
            F32 => {
                vec![0, 1 << 31, 0x7fa0_0001, float(1.5), float(-3e9), float(f32::INFINITY), 1]
            }
            F64 => {
                let nan = 0xfff4_0000_0000_0001;
                vec![0, 1 << 63, nan, double(-2.5), double(3e9), double(f64::NEG_INFINITY), 1]
            }
            V128 => vec![
                0,
                !0,
                0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100,
                0x80ff_7f00_8000_7fff_8000_0000_7fff_ffff,
                0x8000_0000_0000_0000_7fff_ffff_ffff_ffff,
                0x7fc0_0000_ff80_0000_8000_0000_3fc0_0000,
            ],
        }
    }

    /// A constant with these bits.
    fn constant(self, bits: u128) -> String {
        match self {
            I32 => format!("(i32.const {:#x})", bits as u32),
            I64 => format!("(i64.const {:#x})", bits as u64),
            F32 => {
                let bits = bits as u32;
                let sign = if bits >> 31 == 1 { "-" } else { "" };
                let value = f32::from_bits(bits & !(1 << 31));
                match value.is_nan() {
                    true => format!("(f32.const {sign}nan:{:#x})", bits & 0x7f_ffff),
                    false => format!("(f32.const {sign}{value:?})"),
                }
            }
            F64 => {
                let bits = bits as u64;
                let sign = if bits >> 63 == 1 { "-" } else { "" };
                let value = f64::from_bits(bits & !(1 << 63));
                match value.is_nan() {
                    true => format!("(f64.const {sign}nan:{:#x})", bits & 0xf_ffff_ffff_ffff),
                    false => format!("(f64.const {sign}{value:?})"),
                }
            }
            V128 => format!("(v128.const i64x2 {:#x} {:#x})", bits as u64, (bits >> 64) as u64),
        }
    }

    fn value(self, bits: u128) -> Value {
        match self {
            I32 => Value::I32(bits as i32),
            I64 => Value::I64(bits as i64),
            F32 => Value::F32(bits as u32),
            F64 => Value::F64(bits as u64),
            V128 => Value::V128(bits),
        }
    }
}

fn bits(value: &Value) -> u128 {
    match *value {
        Value::I32(v) => (v as u32).into(),
        Value::I64(v) => (v as u64).into(),
        Value::F32(v) => v.into(),
        Value::F64(v) => v.into(),
        Value::V128(v) => v,
        _ => unreachable!("no operator gives references"),
    }
}

/// An operator with the types of its operands and result.
struct Op {
    name: String,
    takes: Vec<Ty>,
    gives: Ty,
}

impl Op {
    /// The operator applied to operands.
    fn apply(&self, operands: &[String]) -> String {
        format!("({} {})", self.name, operands.join(" "))
    }

    /// Whether two outcomes are the same. NaNs of arithmetic may differ in their bits.
    fn agrees(&self, a: Outcome, b: Outcome) -> bool {
        let (Ok(a), Ok(b)) = (a, b) else { return a == b };
        let width = match self.gives {
            F32 => 32,
            F64 => 64,
            V128 if self.name.starts_with("f32x4") => 32,
            V128 if self.name.starts_with("f64x2") => 64,
            _ => return a == b,
        };
        let is_nan = |lane: u128| match width {
            32 => f32::from_bits(lane as u32).is_nan(),
            _ => f64::from_bits(lane as u64).is_nan(),
        };
        (0..128 / width).all(|lane| {
            let lane_of = |v: u128| v >> (lane * width) & ((1 << width) - 1);
            lane_of(a) == lane_of(b) || is_nan(lane_of(a)) && is_nan(lane_of(b))
        })
    }
}

/// Operators of a shape, by their names without it, separated by spaces.
fn family(ops: &mut Vec<Op>, shape: &str, names: &str, takes: &[Ty], gives: Ty) {
    for name in names.split_whitespace() {
        let name = format!("{shape}.{}", name.replace(':', " "));
        ops.push(Op { name, takes: takes.to_vec(), gives });
    }
}

/// All operators of WebAssembly 2.0 on numbers and vectors.
fn operators() -> Vec<Op> {
    let mut ops = Vec::new();
    let o = &mut ops;
    let order = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
    for (shape, ty) in [("i32", I32), ("i64", I64)] {
        let binary = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
        family(o, shape, binary, &[ty, ty], ty);
        family(o, shape, order, &[ty, ty], I32);
        family(o, shape, "clz ctz popcnt extend8_s extend16_s", &[ty], ty);
        family(o, shape, "eqz", &[ty], I32);
        for (from, name) in [(F32, "f32"), (F64, "f64")] {
            let names = ["trunc_N_s", "trunc_N_u", "trunc_sat_N_s", "trunc_sat_N_u"];
            family(o, shape, &names.join(" ").replace('N', name), &[from], ty);
        }
    }
    family(o, "i64", "extend32_s", &[I64], I64);
    family(o, "i64", "extend_i32_s extend_i32_u", &[I32], I64);
    family(o, "i32", "wrap_i64", &[I64], I32);
    for (shape, ty) in [("f32", F32), ("f64", F64)] {
        family(o, shape, "add sub mul div min max copysign", &[ty, ty], ty);
        family(o, shape, "eq ne lt gt le ge", &[ty, ty], I32);
        family(o, shape, "abs neg ceil floor trunc nearest sqrt", &[ty], ty);
        family(o, shape, "convert_i32_s convert_i32_u", &[I32], ty);
        family(o, shape, "convert_i64_s convert_i64_u", &[I64], ty);
    }
    family(o, "f32", "demote_f64", &[F64], F32);
    family(o, "f64", "promote_f32", &[F32], F64);
    family(o, "i32", "reinterpret_f32", &[F32], I32);
    family(o, "i64", "reinterpret_f64", &[F64], I64);
    family(o, "f32", "reinterpret_i32", &[I32], F32);
    family(o, "f64", "reinterpret_i64", &[I64], F64);
    for ty in [I32, I64, F32, F64, V128] {
        ops.push(Op { name: "select".into(), takes: vec![ty, ty, I32], gives: ty });
    }
    vector_operators(&mut ops);
    ops
}

fn vector_operators(o: &mut Vec<Op>) {
    let (one, two) = (&[V128][..], &[V128, V128][..]);
    family(o, "v128", "not", one, V128);
    family(o, "v128", "and andnot or xor", two, V128);
    family(o, "v128", "bitselect", &[V128, V128, V128], V128);
    family(o, "v128", "any_true", one, I32);
    let order = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";
    let narrow = "min_s min_u max_s max_u";
    let saturating = "add_sat_s add_sat_u sub_sat_s sub_sat_u avgr_u";
    for (shape, lane, last, from) in [
        ("i8x16", I32, 15, ""),
        ("i16x8", I32, 7, "i8x16"),
        ("i32x4", I32, 3, "i16x8"),
        ("i64x2", I64, 1, "i32x4"),
    ] {
        family(o, shape, "add sub", two, V128);
        family(o, shape, "shl shr_s shr_u", &[V128, I32], V128);
        family(o, shape, "abs neg", one, V128);
        family(o, shape, "all_true bitmask", one, I32);
        family(o, shape, "splat", &[lane], V128);
        family(o, shape, &format!("replace_lane:0 replace_lane:{last}"), &[V128, lane], V128);
        if from.is_empty() {
            family(o, shape, "swizzle narrow_i16x8_s narrow_i16x8_u", two, V128);
            family(o, shape, "popcnt", one, V128);
            let mixed = "shuffle:0:17:2:19:4:21:6:23:8:25:10:27:12:29:14:31";
            let rotated = "shuffle:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20";
            family(o, shape, mixed, two, V128);
            family(o, shape, rotated, two, V128);
        } else {
            for half in ["low", "high"] {
                let names = format!("extend_{half}_{from}_s extend_{half}_{from}_u");
                family(o, shape, &names, one, V128);
                family(o, shape, &names.replace("extend", "extmul"), two, V128);
            }
            family(o, shape, "mul", two, V128);
        }
        if shape == "i64x2" {
            family(o, shape, "eq ne lt_s gt_s le_s ge_s", two, V128);
            family(o, shape, "extract_lane:0 extract_lane:1", one, I64);
            continue;
        }
        family(o, shape, &format!("{order} {narrow}"), two, V128);
        if shape == "i32x4" {
            family(o, shape, "extract_lane:0 extract_lane:3", one, I32);
            family(o, shape, "dot_i16x8_s", two, V128);
            continue;
        }
        family(o, shape, saturating, two, V128);
        let names = format!("extract_lane_s:0 extract_lane_u:{last}");
        family(o, shape, &names, one, I32);
    }
    family(o, "i16x8", "q15mulr_sat_s narrow_i32x4_s narrow_i32x4_u", two, V128);
    family(o, "i16x8", "extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u", one, V128);
    family(o, "i32x4", "extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u", one, V128);
    family(o, "i32x4", "trunc_sat_f32x4_s trunc_sat_f32x4_u", one, V128);
    family(o, "i32x4", "trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero", one, V128);
    for (shape, lane, last) in [("f32x4", F32, 3), ("f64x2", F64, 1)] {
        family(o, shape, "add sub mul div min max pmin pmax eq ne lt gt le ge", two, V128);
        family(o, shape, "abs neg sqrt ceil floor trunc nearest", one, V128);
        family(o, shape, "splat", &[lane], V128);
        family(o, shape, &format!("replace_lane:0 replace_lane:{last}"), &[V128, lane], V128);
        family(o, shape, &format!("extract_lane:0 extract_lane:{last}"), one, lane);
    }
    family(o, "f32x4", "convert_i32x4_s convert_i32x4_u demote_f64x2_zero", one, V128);
    family(o, "f64x2", "convert_low_i32x4_s convert_low_i32x4_u promote_low_f32x4", one, V128);
}

/// One way in which an operator gets its operands.
struct Form {
    what: String,
    body: String,
    /// The only possible value of each operand.
    fixed: Vec<Option<u128>>,
    /// The operand that is loaded from memory.
    loaded: Option<usize>,
    /// Whether all operands are the first one.
    same: bool,
}

fn forms(op: &Op) -> Vec<Form> {
    let count = op.takes.len();
    let params: Vec<String> = (0..count).map(|i| format!("(local.get {i})")).collect();
    let plain = |what: &str, body: String| Form {
        what: what.into(),
        body,
        fixed: vec![None; count],
        loaded: None,
        same: false,
    };
    let mut forms = vec![
        plain("parameters", op.apply(&params)),
        plain("spilled", format!("(call $nothing) {}", op.apply(&params))),
    ];
    for (i, &ty) in op.takes.iter().enumerate() {
        for value in ty.values() {
            let mut operands = params.clone();
            operands[i] = ty.constant(value);
            let mut form = plain(&format!("operand {i} constant"), op.apply(&operands));
            form.fixed[i] = Some(value);
            forms.push(form);
        }
        let end = PAGE - ty.bytes();
        for address in [format!("(local.get {count})"), format!("(i32.const {end})")] {
            let mut operands = params.clone();
            operands[i] = format!("({}.load {address})", ty.name());
            let what = format!("operand {i} loaded from {address}");
            forms.push(Form { loaded: Some(i), ..plain(&what, op.apply(&operands)) });
        }
    }
    for values in combinations(&op.takes) {
        let operands: Vec<_> =
            op.takes.iter().zip(&values).map(|(ty, &value)| ty.constant(value)).collect();
        let mut form = plain("constants", op.apply(&operands));
        form.fixed = values.into_iter().map(Some).collect();
        forms.push(form);
    }
    if count > 1 && op.takes[0] == op.takes[1] {
        let mut operands = params.clone();
        operands[1] = operands[0].clone();
        forms.push(Form { same: true, ..plain("the same twice", op.apply(&operands)) });
    }
    forms
}

/// All combinations of values that operators treat specially.
fn combinations(types: &[Ty]) -> Vec<Vec<u128>> {
    let mut all = vec![Vec::new()];
    for ty in types {
        let longer = |start: Vec<u128>| {
            let values = ty.values().into_iter();
            values.map(move |value| start.iter().copied().chain([value]).collect())
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

/// A module whose export `fN` is the Nth of some forms of an operator.
fn module(op: &Op, forms: &[Form]) -> String {
    let params: Vec<&str> = op.takes.iter().map(|ty| ty.name()).collect();
    let ty = format!("(param {} i32) (result {})", params.join(" "), op.gives.name());
    let mut text = r#"(module (memory (export "memory") 1 1) (func $nothing)"#.to_owned();
    for (n, form) in forms.iter().enumerate() {
        writeln!(text, r#"(func (export "f{n}") {ty} {})"#, form.body).unwrap();
    }
    text + ")"
}

/// An instance of a module with one memory.
struct Machine {
    namespace: Box<Namespace>,
    instance: Instance,
    memory: Memory,
}

impl Machine {
    fn new(runtime: &Runtime, text: &str) -> Machine {
        let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}"));
        let module = runtime.compile(&wasm).unwrap_or_else(|e| panic!("{e}: {text}"));
        let mut namespace = runtime.namespace();
        let instance = namespace.instantiate(&module).unwrap();
        let memory = instance.memory(&namespace, "memory").unwrap();
        Machine { namespace, instance, memory }
    }

    /// Calls a form. The last argument is the address of a loaded operand of that many bytes.
    fn call(&mut self, n: usize, op: &Op, values: &[u128], bytes: usize) -> Outcome {
        let args = op.takes.iter().zip(values).map(|(ty, &value)| ty.value(value));
        let args: Vec<Value> = args.chain([Value::I32((PAGE - bytes) as i32)]).collect();
        self.results(&format!("f{n}"), &args)
    }

    fn results(&mut self, name: &str, args: &[Value]) -> Outcome {
        match self.instance.call(&mut self.namespace, name, args) {
            Ok(results) => Ok(bits(&results[0])),
            Err(error) => Err(error.trap().unwrap_or_else(|| panic!("{name}: {error}")).code()),
        }
    }
}

fn runtimes() -> [Runtime; 2] {
    [true, false].map(|yes| Runtime::with_config(Config::new().optimize(yes).threads(1)))
}

#[test]
fn operands_of_every_shape_give_the_same() {
    let [optimized, plain] = runtimes();
    let mut compared = 0;
    for op in operators() {
        let forms = forms(&op);
        let mut reference = Machine::new(&plain, &module(&op, &forms[..1]));
        let text = module(&op, &forms);
        for runtime in [&optimized, &plain] {
            let mut machine = Machine::new(runtime, &text);
            for values in combinations(&op.takes) {
                let expected = reference.call(0, &op, &values, 0);
                for (n, form) in forms.iter().enumerate() {
                    let differs = |(fixed, &value): (&Option<u128>, &u128)| {
                        fixed.is_some_and(|fixed| fixed != value)
                    };
                    let other = form.fixed.iter().zip(&values).any(differs);
                    if other || form.same && values[0] != values[1] {
                        continue;
                    }
                    let bytes = form.loaded.map_or(0, |i| op.takes[i].bytes());
                    if let Some(i) = form.loaded {
                        let memory = machine.memory.data_mut(&mut machine.namespace).unwrap();
                        memory[PAGE - bytes..].copy_from_slice(&values[i].to_le_bytes()[..bytes]);
                    }
                    let found = machine.call(n, &op, &values, bytes);
                    let what = || format!("{} of {values:x?}, {}", op.name, form.what);
                    assert!(
                        op.agrees(found, expected),
                        "{}: {found:x?}, not {expected:x?}",
                        what()
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 100_000, "{compared}");
    println!("{compared} results compared");
}

/// A step of a chain: an operator with one operand, the rest constants.
const LINKS: &[(&str, Ty, Ty)] = &[
    ("(i32.add X (i32.const 1))", I32, I32),
    ("(i32.add X (i32.const -8))", I32, I32),
    ("(i32.sub (i32.const 0) X)", I32, I32),
    ("(i32.mul X (i32.const 5))", I32, I32),
    ("(i32.mul X (i32.const 8))", I32, I32),
    ("(i32.mul X (i32.const -1))", I32, I32),
    ("(i32.and X (i32.const 0xff))", I32, I32),
    ("(i32.and X (i32.const -8))", I32, I32),
    ("(i32.or X (i32.const 0x80000000))", I32, I32),
    ("(i32.xor X (i32.const -1))", I32, I32),
    ("(i32.shl X (i32.const 1))", I32, I32),
    ("(i32.shl X (i32.const 3))", I32, I32),
    ("(i32.shl X (i32.const 24))", I32, I32),
    ("(i32.shl X (i32.const 31))", I32, I32),
    ("(i32.shl X (i32.const 33))", I32, I32),
    ("(i32.shr_s X (i32.const 3))", I32, I32),
    ("(i32.shr_s X (i32.const 24))", I32, I32),
    ("(i32.shr_u X (i32.const 3))", I32, I32),
    ("(i32.shr_u X (i32.const 31))", I32, I32),
    ("(i32.rotl X (i32.const 8))", I32, I32),
    ("(i32.rotr X (i32.const 13))", I32, I32),
    ("(i32.extend8_s X)", I32, I32),
    ("(i32.extend16_s X)", I32, I32),
    ("(i32.clz X)", I32, I32),
    ("(i32.ctz X)", I32, I32),
    ("(i32.popcnt X)", I32, I32),
    ("(i32.eqz X)", I32, I32),
    ("(i32.lt_s X (i32.const 0))", I32, I32),
    ("(i32.lt_u X (i32.const 0x80))", I32, I32),
    ("(i32.div_s X (i32.const 3))", I32, I32),
    ("(i32.div_s X (i32.const -7))", I32, I32),
    ("(i32.div_s X (i32.const -1))", I32, I32),
    ("(i32.div_s X (i32.const 0x80000000))", I32, I32),
    ("(i32.div_u X (i32.const 10))", I32, I32),
    ("(i32.div_u X (i32.const -2))", I32, I32),
    ("(i32.rem_s X (i32.const 8))", I32, I32),
    ("(i32.rem_s X (i32.const -1))", I32, I32),
    ("(i32.rem_u X (i32.const 7))", I32, I32),
    ("(i32.div_s (i32.const 0x80000000) X)", I32, I32),
    ("(select X (i32.const 7) (i32.const 1))", I32, I32),
    ("(i64.extend_i32_s X)", I32, I64),
    ("(i64.extend_i32_u X)", I32, I64),
    ("(i32.wrap_i64 X)", I64, I32),
    ("(i64.eqz X)", I64, I32),
    ("(i64.lt_s X (i64.const 0))", I64, I32),
    ("(i64.add X (i64.const 0x80000000))", I64, I64),
    ("(i64.add X (i64.const -1))", I64, I64),
    ("(i64.sub (i64.const 0) X)", I64, I64),
    ("(i64.mul X (i64.const 9))", I64, I64),
    ("(i64.mul X (i64.const 0x100000000))", I64, I64),
    ("(i64.and X (i64.const 0xffffffff))", I64, I64),
    ("(i64.and X (i64.const -8))", I64, I64),
    ("(i64.xor X (i64.const -1))", I64, I64),
    ("(i64.shl X (i64.const 3))", I64, I64),
    ("(i64.shl X (i64.const 32))", I64, I64),
    ("(i64.shl X (i64.const 65))", I64, I64),
    ("(i64.shr_s X (i64.const 32))", I64, I64),
    ("(i64.shr_u X (i64.const 32))", I64, I64),
    ("(i64.shr_u X (i64.const 3))", I64, I64),
    ("(i64.rotl X (i64.const 40))", I64, I64),
    ("(i64.extend8_s X)", I64, I64),
    ("(i64.extend16_s X)", I64, I64),
    ("(i64.extend32_s X)", I64, I64),
    ("(i64.clz X)", I64, I64),
    ("(i64.ctz X)", I64, I64),
    ("(i64.popcnt X)", I64, I64),
    ("(i64.div_s X (i64.const -5))", I64, I64),
    ("(i64.div_s X (i64.const -1))", I64, I64),
    ("(i64.div_u X (i64.const 0x100000001))", I64, I64),
    ("(i64.rem_s X (i64.const 16))", I64, I64),
    ("(i64.rem_u X (i64.const 1000000007))", I64, I64),
    ("(f64.convert_i32_u X)", I32, F64),
    ("(f64.convert_i64_s X)", I64, F64),
    ("(f32.convert_i64_u X)", I64, F32),
    ("(f64.copysign (f64.const 1) X)", F64, F64),
    ("(f64.copysign X (f64.const -1))", F64, F64),
    ("(f64.neg X)", F64, F64),
    ("(f64.abs X)", F64, F64),
    ("(f64.min X (f64.const 0))", F64, F64),
    ("(f64.max X (f64.const -0))", F64, F64),
    ("(f32.demote_f64 X)", F64, F32),
    ("(f64.promote_f32 X)", F32, F64),
    ("(f32.min X (f32.const -0))", F32, F32),
    ("(f32.copysign (f32.const 2) X)", F32, F32),
    ("(i64.trunc_sat_f64_s X)", F64, I64),
    ("(i32.trunc_sat_f32_u X)", F32, I32),
    ("(i64.reinterpret_f64 X)", F64, I64),
    ("(f64.reinterpret_i64 (i64.and X (i64.const 0x3ff0000000000000)))", I64, F64),
    ("(i8x16.splat X)", I32, V128),
    ("(i32x4.splat X)", I32, V128),
    ("(i64x2.splat X)", I64, V128),
    ("(f64x2.splat X)", F64, V128),
    ("(i8x16.shr_s X (i32.const 9))", V128, V128),
    ("(i8x16.shl X (i32.const 1))", V128, V128),
    ("(i16x8.shr_u X (i32.const 15))", V128, V128),
    ("(i64x2.shr_s X (i32.const 3))", V128, V128),
    ("(i64x2.shr_s X (i32.const 63))", V128, V128),
    ("(i64x2.shr_u X (i32.const 65))", V128, V128),
    ("(i64x2.mul X (v128.const i64x2 0x100000001 -1))", V128, V128),
    ("(i8x16.swizzle X (v128.const i8x16 15 14 13 12 0 0 255 16 128 1 2 3 4 5 6 7))", V128, V128),
    ("(i8x16.swizzle (v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15) X)", V128, V128),
    (
        "(v128.bitselect X (v128.const i64x2 0 -1) (v128.const i8x16 0 -1 0 -1 0 -1 0 -1 0 0 0 0 -1 -1 -1 -1))",
        V128,
        V128,
    ),
    ("(v128.bitselect (v128.const i64x2 1 2) (v128.const i64x2 3 4) X)", V128, V128),
    ("(select X (v128.const i64x2 1 2) (i32.const 0))", V128, V128),
    ("(i16x8.extend_high_i8x16_s X)", V128, V128),
    ("(i8x16.narrow_i16x8_u X X)", V128, V128),
    ("(i8x16.bitmask X)", V128, I32),
    ("(i8x16.extract_lane_s 7 X)", V128, I32),
    ("(i16x8.extract_lane_u 7 X)", V128, I32),
    ("(i64x2.extract_lane 1 X)", V128, I64),
];

/// A function that applies some text to its parameter.
fn link(name: &str, body: &str, takes: Ty, gives: Ty) -> String {
    let (takes, gives) = (takes.name(), gives.name());
    format!(r#"(func (export "{name}") (param {takes}) (result {gives}) {body})"#) + "\n"
}

/// Compares chains of operators, given by their numbers, with the operators in sequence.
fn compare(chains: &[Vec<usize>]) {
    const MEMORY: &str = r#"(memory (export "memory") 1 1)"#;
    let runtimes = runtimes();
    let mut text = format!("(module {MEMORY}");
    for (n, (body, takes, gives)) in LINKS.iter().enumerate() {
        text += &link(&format!("f{n}"), &body.replace('X', "(local.get 0)"), *takes, *gives);
    }
    let mut steps = Machine::new(&runtimes[1], &(text + ")"));
    for some in chains.chunks(1000) {
        let mut text = format!("(module {MEMORY}");
        for (n, chain) in some.iter().enumerate() {
            let grow = |inner: String, &n: &usize| LINKS[n].0.replace('X', &inner);
            let body = chain.iter().fold("(local.get 0)".to_owned(), grow);
            let (takes, gives) = (LINKS[chain[0]].1, LINKS[chain[chain.len() - 1]].2);
            text += &link(&format!("f{n}"), &body, takes, gives);
        }
        text += ")";
        for runtime in &runtimes {
            let mut machine = Machine::new(runtime, &text);
            for (n, chain) in some.iter().enumerate() {
                let takes = LINKS[chain[0]].1;
                for value in takes.values() {
                    let step = |value: Outcome, &n: &usize| {
                        steps.results(&format!("f{n}"), &[LINKS[n].1.value(value?)])
                    };
                    let expected = chain.iter().fold(Ok(value), step);
                    let found = machine.results(&format!("f{n}"), &[takes.value(value)]);
                    let what: Vec<&str> = chain.iter().map(|&n| LINKS[n].0).collect();
                    assert_eq!(found, expected, "{what:?} of {value:#x}");
                }
            }
        }
    }
}

#[test]
fn operators_of_operators_give_what_they_give_alone() {
    let all = (0..LINKS.len()).flat_map(|a| (0..LINKS.len()).map(move |b| vec![a, b]));
    let pairs: Vec<_> = all.filter(|pair| LINKS[pair[0]].2 == LINKS[pair[1]].1).collect();
    assert!(pairs.len() > 3000, "{}", pairs.len());
    compare(&pairs);
}

#[test]
fn chains_of_operators_give_what_they_give_alone() {
    let mut random = Rng::with_seed(26_489);
    let mut chain = || {
        let mut chain = vec![random.usize(..LINKS.len())];
        let len = random.usize(3..7);
        while chain.len() < len {
            let next = random.usize(..LINKS.len());
            if LINKS[next].1 == LINKS[chain[chain.len() - 1]].2 {
                chain.push(next);
            }
        }
        chain
    };
    let chains: Vec<_> = (0..4000).map(|_| chain()).collect();
    compare(&chains);
}
