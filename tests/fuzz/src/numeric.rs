//! Modules of numeric operators, on scalars and vectors, with partly constant operands, which an
//! optimiser rewrites.

use crate::case::{Generated, random_val};
use crate::outcome::{Sig, Ty};
use crate::provider::{constant, sig_text};
use crate::rng::Rng;
use anyhow::Result;
use std::fmt::Write;

const NUMBERS: &[Ty] = &[Ty::I32, Ty::I64, Ty::F32, Ty::F64, Ty::V128, Ty::V128];

/// An operator: its name, its operands and its result.
struct Op {
    name: String,
    operands: Vec<Ty>,
    result: Ty,
    /// Whether the bits of a NaN that it makes depend on the engine, and the function that makes
    /// the NaN canonical.
    canon: Option<&'static str>,
}

/// Functions that make NaNs canonical.
const CANON: &str = "
(func $f32 (param f32) (result f32)
  (select (local.get 0) (f32.const nan) (f32.eq (local.get 0) (local.get 0))))
(func $f64 (param f64) (result f64)
  (select (local.get 0) (f64.const nan) (f64.eq (local.get 0) (local.get 0))))
(func $f32x4 (param v128) (result v128)
  (v128.bitselect (local.get 0) (v128.const f32x4 nan nan nan nan)
    (f32x4.eq (local.get 0) (local.get 0))))
(func $f64x2 (param v128) (result v128)
  (v128.bitselect (local.get 0) (v128.const f64x2 nan nan)
    (f64x2.eq (local.get 0) (local.get 0))))
";

/// The operators by result.
struct Ops(Vec<Op>);

impl Ops {
    fn new() -> Ops {
        use Ty::*;
        let mut ops = Ops(Vec::new());
        for (prefix, ty) in [("i32", I32), ("i64", I64)] {
            let both = "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr";
            ops.add(prefix, both, &[ty, ty], ty);
            ops.add(prefix, "clz ctz popcnt extend8_s extend16_s", &[ty], ty);
            ops.add(prefix, "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u", &[ty, ty], I32);
            ops.add(prefix, "eqz", &[ty], I32);
            for (suffix, from) in [("f32", F32), ("f64", F64)] {
                for sign in ["s", "u"] {
                    ops.add(prefix, &format!("trunc_sat_{suffix}_{sign}"), &[from], ty);
                    ops.add(prefix, &format!("trunc_{suffix}_{sign}"), &[from], ty);
                    ops.add(suffix, &format!("convert_{prefix}_{sign}"), &[ty], from);
                }
            }
        }
        ops.add("i64", "extend32_s", &[I64], I64);
        ops.add("i64", "extend_i32_s extend_i32_u", &[I32], I64);
        ops.add("i32", "wrap_i64", &[I64], I32);
        ops.add("i32", "reinterpret_f32", &[F32], I32);
        ops.add("i64", "reinterpret_f64", &[F64], I64);
        for (prefix, ty) in [("f32", F32), ("f64", F64)] {
            ops.add(prefix, "add sub mul div min max copysign", &[ty, ty], ty);
            ops.add(prefix, "abs neg sqrt ceil floor trunc nearest", &[ty], ty);
            ops.add(prefix, "eq ne lt gt le ge", &[ty, ty], I32);
        }
        ops.add("f32", "demote_f64", &[F64], F32);
        ops.add("f64", "promote_f32", &[F32], F64);
        ops.vectors();
        for op in &mut ops.0 {
            let float = ["f32x4", "f64x2", "f32", "f64"].into_iter();
            let of = float.clone().find(|prefix| op.name.split('.').next() == Some(prefix));
            op.canon = of.filter(|_| matches!(op.result, F32 | F64 | V128));
        }
        ops
    }

    fn vectors(&mut self) {
        use Ty::*;
        let v = &[V128][..];
        let vv = &[V128, V128][..];
        self.add("v128", "and andnot or xor", vv, V128);
        self.add("v128", "not", v, V128);
        self.add("v128", "bitselect", &[V128, V128, V128], V128);
        self.add("v128", "any_true", v, I32);
        for (shape, lane) in [("i8x16", I32), ("i16x8", I32), ("i32x4", I32), ("i64x2", I64)] {
            self.add(shape, "add sub eq ne lt_s gt_s le_s ge_s", vv, V128);
            self.add(shape, "abs neg", v, V128);
            self.add(shape, "shl shr_s shr_u", &[V128, I32], V128);
            self.add(shape, "all_true bitmask", v, I32);
            self.add(shape, "splat", &[lane], V128);
            if shape != "i64x2" {
                self.add(shape, "lt_u gt_u le_u ge_u min_s min_u max_s max_u", vv, V128);
            }
            if shape != "i8x16" {
                self.add(shape, "mul", vv, V128);
            }
        }
        for shape in ["i8x16", "i16x8"] {
            self.add(shape, "add_sat_s add_sat_u sub_sat_s sub_sat_u avgr_u", vv, V128);
        }
        for (shape, from) in [("i16x8", "i8x16"), ("i32x4", "i16x8"), ("i64x2", "i32x4")] {
            for half in ["low", "high"] {
                for sign in ["s", "u"] {
                    self.add(shape, &format!("extend_{half}_{from}_{sign}"), v, V128);
                    self.add(shape, &format!("extmul_{half}_{from}_{sign}"), vv, V128);
                }
            }
        }
        self.add("i8x16", "narrow_i16x8_s narrow_i16x8_u swizzle", vv, V128);
        self.add("i8x16", "popcnt", v, V128);
        self.add("i16x8", "narrow_i32x4_s narrow_i32x4_u q15mulr_sat_s", vv, V128);
        self.add("i16x8", "extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u", v, V128);
        self.add("i32x4", "extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u", v, V128);
        self.add("i32x4", "dot_i16x8_s", vv, V128);
        self.add("i32x4", "trunc_sat_f32x4_s trunc_sat_f32x4_u", v, V128);
        self.add("i32x4", "trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero", v, V128);
        for (shape, lane) in [("f32x4", F32), ("f64x2", F64)] {
            self.add(shape, "add sub mul div min max pmin pmax", vv, V128);
            self.add(shape, "abs neg sqrt ceil floor trunc nearest", v, V128);
            self.add(shape, "splat", &[lane], V128);
            // Their results are not floats, and canonical NaNs among them do no harm.
            self.add(shape, "eq ne lt gt le ge", vv, V128);
        }
        self.add("f32x4", "convert_i32x4_s convert_i32x4_u demote_f64x2_zero", v, V128);
        self.add("f64x2", "convert_low_i32x4_s convert_low_i32x4_u promote_low_f32x4", v, V128);
    }

    fn add(&mut self, prefix: &str, names: &str, operands: &[Ty], result: Ty) {
        for name in names.split(' ') {
            let name = format!("{prefix}.{name}");
            self.0.push(Op { name, operands: operands.to_vec(), result, canon: None });
        }
    }
}

/// Makes a module. Its calls are random.
pub fn generate(rng: &mut Rng) -> Result<Generated> {
    let ops = Ops::new();
    let mut text = format!("(module {CANON}");
    for n in 0..rng.range(1, 4) {
        let params: Vec<_> = (0..rng.range(1, 4)).map(|_| rng.pick(NUMBERS)).collect();
        let results: Vec<_> = (0..rng.range(1, 3)).map(|_| rng.pick(NUMBERS)).collect();
        let sig = Sig { params, results };
        writeln!(text, "(func (export \"f{n}\") {}", sig_text(&sig))?;
        for &ty in &sig.results {
            writeln!(text, "  {}", expr(ty, &sig.params, &ops.0, 0, rng))?;
        }
        text.push_str(")\n");
    }
    text.push(')');
    let wasm = wat::parse_str(&text).map_err(|error| anyhow::anyhow!("{error}\n{text}"))?;
    Ok(Generated { wasm, fuel: None, calls: Vec::new(), large: false })
}

fn expr(ty: Ty, params: &[Ty], ops: &[Op], depth: u32, rng: &mut Rng) -> String {
    let leaf = depth >= 5 || (depth > 1 && rng.one_in(4));
    if leaf {
        let fitting: Vec<_> = (0..params.len()).filter(|&i| params[i] == ty).collect();
        return match fitting.as_slice() {
            [] => format!("({})", constant(&random_val(ty, rng))),
            _ if rng.one_in(3) => format!("({})", constant(&random_val(ty, rng))),
            fitting => format!("(local.get {})", rng.pick(fitting)),
        };
    }
    let operand = |ty: Ty, rng: &mut Rng| expr(ty, params, ops, depth + 1, rng);
    match (ty, rng.below(12)) {
        (_, 0) => {
            let (a, b) = (operand(ty, rng), operand(ty, rng));
            format!("(select {a} {b} {})", operand(Ty::I32, rng))
        }
        (Ty::I32, 1) => {
            let (shape, lanes) = rng.pick(&[("i8x16", 16), ("i16x8", 8)]);
            let (sign, lane) = (rng.pick(&["s", "u"]), rng.below(lanes));
            format!("({shape}.extract_lane_{sign} {lane} {})", operand(Ty::V128, rng))
        }
        (Ty::I32, 2) => {
            let lane = rng.below(4);
            format!("(i32x4.extract_lane {lane} {})", operand(Ty::V128, rng))
        }
        (Ty::I64, 1) => {
            let lane = rng.below(2);
            format!("(i64x2.extract_lane {lane} {})", operand(Ty::V128, rng))
        }
        (Ty::V128, 1 | 2) => {
            let lanes: Vec<_> = (0..16).map(|_| rng.below(32).to_string()).collect();
            let (a, b) = (operand(Ty::V128, rng), operand(Ty::V128, rng));
            format!("(i8x16.shuffle {} {a} {b})", lanes.join(" "))
        }
        (Ty::V128, 3) => {
            let (shape, lanes, lane) = rng.pick(&[
                ("i8x16", 16, Ty::I32),
                ("i16x8", 8, Ty::I32),
                ("i32x4", 4, Ty::I32),
                ("i64x2", 2, Ty::I64),
                ("f32x4", 4, Ty::F32),
                ("f64x2", 2, Ty::F64),
            ]);
            let n = rng.below(lanes);
            let (vector, value) = (operand(Ty::V128, rng), operand(lane, rng));
            format!("({shape}.replace_lane {n} {vector} {value})")
        }
        _ => {
            let fitting: Vec<_> = ops.iter().filter(|op| op.result == ty).collect();
            let op = rng.pick(&fitting);
            let operands: Vec<_> = op.operands.iter().map(|&ty| operand(ty, rng)).collect();
            let text = format!("({} {})", op.name, operands.join(" "));
            match op.canon {
                Some(canon) => format!("(call ${canon} {text})"),
                None => text,
            }
        }
    }
}
