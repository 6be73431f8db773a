//! The types of numbers and vectors, and values that operators treat specially.

use precast::Value;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
}

use Ty::*;

impl Ty {
    pub(crate) fn name(self) -> &'static str {
        match self {
            I32 => "i32",
            I64 => "i64",
            F32 => "f32",
            F64 => "f64",
            V128 => "v128",
        }
    }

    pub(crate) fn bytes(self) -> usize {
        match self {
            I32 | F32 => 4,
            I64 | F64 => 8,
            V128 => 16,
        }
    }

    /// Values that operators treat specially, as bits.
    pub(crate) fn values(self) -> Vec<u128> {
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
    pub(crate) fn constant(self, bits: u128) -> String {
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

    pub(crate) fn value(self, bits: u128) -> Value {
        match self {
            I32 => Value::I32(bits as i32),
            I64 => Value::I64(bits as i64),
            F32 => Value::F32(bits as u32),
            F64 => Value::F64(bits as u64),
            V128 => Value::V128(bits),
        }
    }
}

pub(crate) fn bits(value: &Value) -> u128 {
    match *value {
        Value::I32(v) => (v as u32).into(),
        Value::I64(v) => (v as u64).into(),
        Value::F32(v) => v.into(),
        Value::F64(v) => v.into(),
        Value::V128(v) => v,
        _ => unreachable!("no operator gives references"),
    }
}
