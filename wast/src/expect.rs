//! Values of a script: arguments, and the patterns that results must match.

use std::fmt::Debug;

use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

use precast::{Namespace, Value};

/// The value of an argument. A `ref.extern N` is a host value that holds the number.
pub(super) fn argument(namespace: &mut Namespace, arg: &WastArg<'_>) -> Result<Value, String> {
    let WastArg::Core(arg) = arg else {
        return Err(format!("an argument of a component: {arg:?}"));
    };
    Ok(match arg {
        WastArgCore::I32(n) => Value::I32(*n),
        WastArgCore::I64(n) => Value::I64(*n),
        WastArgCore::F32(n) => Value::F32(n.bits),
        WastArgCore::F64(n) => Value::F64(n.bits),
        WastArgCore::V128(v) => Value::V128(u128::from_le_bytes(v.to_le_bytes())),
        WastArgCore::RefExtern(n) => Value::ExternRef(Some(namespace.extern_ref(*n))),
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Func, .. }) => {
            Value::FuncRef(None)
        }
        WastArgCore::RefNull(HeapType::Abstract { ty: AbstractHeapType::Extern, .. }) => {
            Value::ExternRef(None)
        }
        other => return Err(format!("an argument of a later feature: {other:?}")),
    })
}

/// Whether `values` match the expected results.
pub(super) fn results(
    namespace: &Namespace,
    values: &[Value],
    expected: &[WastRet<'_>],
) -> Result<(), String> {
    if values.len() != expected.len() {
        return Err(format!("expected {} results, got {values:?}", expected.len()));
    }
    for (i, (&value, expected)) in values.iter().zip(expected).enumerate() {
        let WastRet::Core(expected) = expected else {
            return Err(format!("a result of a component: {expected:?}"));
        };
        if !matches_pattern(namespace, value, expected) {
            let (value, expected) = (show_value(value), show_pattern(expected));
            return Err(format!("result {i}: expected {expected}, got {value}"));
        }
    }
    Ok(())
}

fn matches_pattern(namespace: &Namespace, value: Value, pattern: &WastRetCore<'_>) -> bool {
    match (value, pattern) {
        (value, WastRetCore::Either(patterns)) => {
            patterns.iter().any(|p| matches_pattern(namespace, value, p))
        }
        (Value::I32(have), WastRetCore::I32(want)) => have == *want,
        (Value::I64(have), WastRetCore::I64(want)) => have == *want,
        (Value::F32(have), WastRetCore::F32(want)) => matches_f32(have, want),
        (Value::F64(have), WastRetCore::F64(want)) => matches_f64(have, want),
        (Value::V128(have), WastRetCore::V128(want)) => matches_v128(have, want),
        (Value::FuncRef(None), WastRetCore::RefNull(want)) => {
            is_null_of(AbstractHeapType::Func, want)
        }
        (Value::ExternRef(None), WastRetCore::RefNull(want)) => {
            is_null_of(AbstractHeapType::Extern, want)
        }
        // A function's index is not visible from outside its module, so any function will do.
        (Value::FuncRef(Some(_)), WastRetCore::RefFunc(_)) => true,
        (Value::ExternRef(Some(_)), WastRetCore::RefExtern(None)) => true,
        (Value::ExternRef(Some(have)), WastRetCore::RefExtern(Some(want))) => {
            have.get::<u32>(namespace) == Some(want)
        }
        _ => false,
    }
}

fn is_null_of(have: AbstractHeapType, want: &Option<HeapType<'_>>) -> bool {
    match want {
        None => true,
        Some(HeapType::Abstract { ty, .. }) => *ty == have,
        Some(_) => false,
    }
}

/// Floats are compared by their bits: the sign of zero counts, and so does a NaN's payload.
fn matches_f32(have: u32, want: &NanPattern<F32>) -> bool {
    const CANONICAL: u32 = 0x7fc0_0000;
    match want {
        NanPattern::CanonicalNan => have & 0x7fff_ffff == CANONICAL,
        NanPattern::ArithmeticNan => have & CANONICAL == CANONICAL,
        NanPattern::Value(want) => have == want.bits,
    }
}

fn matches_f64(have: u64, want: &NanPattern<F64>) -> bool {
    const CANONICAL: u64 = 0x7ff8_0000_0000_0000;
    match want {
        NanPattern::CanonicalNan => have & 0x7fff_ffff_ffff_ffff == CANONICAL,
        NanPattern::ArithmeticNan => have & CANONICAL == CANONICAL,
        NanPattern::Value(want) => have == want.bits,
    }
}

fn matches_v128(have: u128, want: &V128Pattern) -> bool {
    let bytes = have.to_le_bytes();
    match want {
        V128Pattern::I8x16(want) => lanes(bytes).map(i8::from_le_bytes).eq(want.iter().copied()),
        V128Pattern::I16x8(want) => lanes(bytes).map(i16::from_le_bytes).eq(want.iter().copied()),
        V128Pattern::I32x4(want) => lanes(bytes).map(i32::from_le_bytes).eq(want.iter().copied()),
        V128Pattern::I64x2(want) => lanes(bytes).map(i64::from_le_bytes).eq(want.iter().copied()),
        V128Pattern::F32x4(want) => lanes(bytes)
            .map(u32::from_le_bytes)
            .zip(want)
            .all(|(have, want)| matches_f32(have, want)),
        V128Pattern::F64x2(want) => lanes(bytes)
            .map(u64::from_le_bytes)
            .zip(want)
            .all(|(have, want)| matches_f64(have, want)),
    }
}

/// The lanes of a vector, `N` bytes each, lowest first.
fn lanes<const N: usize>(bytes: [u8; 16]) -> impl Iterator<Item = [u8; N]> {
    (0..16 / N).map(move |lane| std::array::from_fn(|i| bytes[lane * N + i]))
}

fn show_value(value: Value) -> String {
    match value {
        Value::F32(bits) => format!("f32 {:?} ({bits:#010x})", f32::from_bits(bits)),
        Value::F64(bits) => format!("f64 {:?} ({bits:#018x})", f64::from_bits(bits)),
        Value::V128(bits) => format!("v128 {bits:#034x}"),
        other => format!("{other:?}"),
    }
}

fn show_pattern(pattern: &WastRetCore<'_>) -> String {
    fn float<T, B: Debug>(pattern: &NanPattern<T>, show: impl Fn(&T) -> B) -> String {
        match pattern {
            NanPattern::CanonicalNan => "nan:canonical".to_owned(),
            NanPattern::ArithmeticNan => "nan:arithmetic".to_owned(),
            NanPattern::Value(value) => format!("{:?}", show(value)),
        }
    }
    match pattern {
        WastRetCore::F32(p) => {
            format!("f32 {}", float(p, |v| (f32::from_bits(v.bits), format!("{:#010x}", v.bits))))
        }
        WastRetCore::F64(p) => {
            format!("f64 {}", float(p, |v| (f64::from_bits(v.bits), format!("{:#018x}", v.bits))))
        }
        WastRetCore::V128(p) => format!("v128 {p:x?}"),
        other => format!("{other:?}"),
    }
}
