//! The operators of WebAssembly 2.0 on numbers and vectors.

use crate::Outcome;
use crate::ty::Ty::{self, *};

/// An operator with the types of its operands and result.
pub(crate) struct Op {
    pub(crate) name: String,
    pub(crate) takes: Vec<Ty>,
    pub(crate) gives: Ty,
}

impl Op {
    /// The operator applied to operands.
    pub(crate) fn apply(&self, operands: &[String]) -> String {
        format!("({} {})", self.name, operands.join(" "))
    }

    /// Whether two outcomes are the same. NaNs of arithmetic may differ in their bits.
    pub(crate) fn agrees(&self, a: Outcome, b: Outcome) -> bool {
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
pub(crate) fn operators() -> Vec<Op> {
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
