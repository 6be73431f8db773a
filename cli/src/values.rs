//! Values on the command line: the arguments of `--invoke` and the results it prints.

use std::ffi::OsString;

use anyhow::{Result, anyhow, bail};
use precast::{FuncType, ValType, Value};

/// Parses one argument for each parameter.
pub(crate) fn parse_all(ty: &FuncType, texts: &[OsString]) -> Result<Vec<Value>> {
    let params = ty.params();
    if texts.len() != params.len() {
        bail!("the function {ty} expects {} arguments, not {}", params.len(), texts.len());
    }
    params.iter().zip(texts).map(|(&ty, text)| parse(ty, &text.to_string_lossy())).collect()
}

fn parse(ty: ValType, text: &str) -> Result<Value> {
    let value = match ty {
        ValType::I32 => integer(text, 32).map(|n| Value::I32(n as i32)),
        ValType::I64 => integer(text, 64).map(|n| Value::I64(n as i64)),
        ValType::F32 => text.parse::<f32>().ok().map(|n| Value::F32(n.to_bits())),
        ValType::F64 => text.parse::<f64>().ok().map(|n| Value::F64(n.to_bits())),
        ValType::V128 => vector(text).map(Value::V128),
        ValType::FuncRef => (text == "null").then_some(Value::FuncRef(None)),
        ValType::ExternRef => (text == "null").then_some(Value::ExternRef(None)),
        _ => None,
    };
    value.ok_or_else(|| anyhow!("\"{text}\" is not a value of type {ty}"))
}

/// A decimal or hexadecimal integer of `bits` bits, signed or unsigned.
fn integer(text: &str, bits: u32) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let magnitude = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let value = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
    (-(1i128 << (bits - 1))..1i128 << bits).contains(&value).then_some(value)
}

fn vector(text: &str) -> Option<u128> {
    match text.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A value as `--invoke` prints it: numbers in a form that [`parse_all`] reads.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::I32(n) => n.to_string(),
        Value::I64(n) => n.to_string(),
        Value::F32(bits) => f32::from_bits(*bits).to_string(),
        Value::F64(bits) => f64::from_bits(*bits).to_string(),
        Value::V128(bits) => format!("{bits:#034x}"),
        Value::FuncRef(None) | Value::ExternRef(None) => "null".to_owned(),
        reference => reference.ty().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{ValType, Value, integer, parse};

    #[test]
    fn integers() {
        assert_eq!(integer("4294967295", 32), Some(0xffff_ffff));
        assert_eq!(integer("4294967296", 32), None);
        assert_eq!(integer("-2147483648", 32), Some(-0x8000_0000));
        assert_eq!(integer("-2147483649", 32), None);
        assert_eq!(integer("0x10", 64), Some(16));
        assert_eq!(integer("-0x1", 64), Some(-1));
        for bad in ["", "-", "--1", "0x", "1.0", "ten"] {
            assert_eq!(integer(bad, 64), None, "{bad:?}");
        }
    }

    #[test]
    fn other_types() {
        assert_eq!(parse(ValType::F32, "1.5").unwrap(), Value::F32(1.5f32.to_bits()));
        assert_eq!(parse(ValType::F64, "-inf").unwrap(), Value::F64(f64::NEG_INFINITY.to_bits()));
        assert_eq!(parse(ValType::V128, "0x1f").unwrap(), Value::V128(31));
        assert_eq!(parse(ValType::FuncRef, "null").unwrap(), Value::FuncRef(None));
        assert_eq!(
            parse(ValType::I32, "x").unwrap_err().to_string(),
            "\"x\" is not a value of type i32"
        );
    }
}
