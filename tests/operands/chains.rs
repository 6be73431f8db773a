//! Chains of operators, compared with the single operators in sequence.

use fastrand::Rng;

use crate::ty::Ty::{self, *};
use crate::{Machine, Outcome, runtimes};

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
