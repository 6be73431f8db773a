//! A WebAssembly module that provides imports, so that instances import from instances.

use crate::case::{Import, ImportTy};
use crate::host::provided;
use crate::outcome::{Sig, Ty, Val};
use crate::rng::Rng;
use anyhow::Result;
use std::fmt::Write;

/// The name of a type in the text format.
pub fn ty_name(ty: Ty) -> &'static str {
    match ty {
        Ty::I32 => "i32",
        Ty::I64 => "i64",
        Ty::F32 => "f32",
        Ty::F64 => "f64",
        Ty::V128 => "v128",
        Ty::Func => "funcref",
        Ty::Extern => "externref",
    }
}

/// The type of a function in the text format.
pub fn sig_text(sig: &Sig) -> String {
    let list = |what: &str, types: &[Ty]| match types {
        [] => String::new(),
        types => {
            let names: Vec<_> = types.iter().map(|&ty| ty_name(ty)).collect();
            format!(" ({what} {})", names.join(" "))
        }
    };
    format!("{}{}", list("param", &sig.params), list("result", &sig.results))
}

/// An instruction that makes a value.
pub fn constant(value: &Val) -> String {
    let nan = |bits: u64, mask: u64| {
        if bits & mask != 0 { format!("nan:{:#x}", bits & mask) } else { "inf".into() }
    };
    match value {
        Val::I32(v) => format!("i32.const {v:#x}"),
        Val::I64(v) => format!("i64.const {v:#x}"),
        Val::F32(bits) => {
            let v = f32::from_bits(*bits);
            let sign = if v.is_sign_negative() { "-" } else { "" };
            match v.is_finite() {
                true => format!("f32.const {v:?}"),
                false => format!("f32.const {sign}{}", nan(u64::from(*bits), 0x7f_ffff)),
            }
        }
        Val::F64(bits) => {
            let v = f64::from_bits(*bits);
            let sign = if v.is_sign_negative() { "-" } else { "" };
            match v.is_finite() {
                true => format!("f64.const {v:?}"),
                false => format!("f64.const {sign}{}", nan(*bits, (1 << 52) - 1)),
            }
        }
        Val::V128(v) => format!("v128.const i64x2 {:#x} {:#x}", *v as u64, (*v >> 64) as u64),
        Val::Func(_) => "ref.null func".into(),
        Val::Extern(_) => "ref.null extern".into(),
    }
}

/// Makes the module for the `imports` that a guest provides, if there are any.
pub fn generate(imports: &[Import], rng: &mut Rng) -> Result<Option<Vec<u8>>> {
    let seed = rng.next();
    let mine: Vec<_> = imports.iter().filter(|import| import.guest).collect();
    if mine.is_empty() {
        return Ok(None);
    }
    let funcs: Vec<&str> = mine
        .iter()
        .filter(|import| matches!(import.ty, ImportTy::Func(_)))
        .map(|import| import.name.as_str())
        .collect();
    let mut text = String::from("(module (global $calls (mut i32) (i32.const 0))\n");
    for import in &mine {
        let name = &import.name;
        let have = provided(seed, import);
        let max = have.max.map_or(String::new(), |max| format!(" {max}"));
        match &import.ty {
            ImportTy::Func(sig) => func(&mut text, name, sig, rng)?,
            ImportTy::Memory { .. } => {
                writeln!(text, "(memory (export {name:?}) {}{max})", have.min)?;
                if have.min > 0 {
                    let byte = rng.below(256);
                    writeln!(text, "(data (i32.const {}) \"\\{byte:02x}abc\")", rng.below(60000))?;
                }
            }
            ImportTy::Table { element, .. } => {
                let element_name = ty_name(*element);
                writeln!(
                    text,
                    "(table ${name} (export {name:?}) {}{max} {element_name})",
                    have.min
                )?;
                if *element == Ty::Func && !funcs.is_empty() {
                    for _ in 0..have.min.min(rng.below(6)) {
                        let (at, func) = (rng.below(have.min), rng.pick(&funcs));
                        writeln!(text, "(elem (table ${name}) (i32.const {at}) func ${func})")?;
                    }
                }
            }
            ImportTy::Global { value, mutable } => {
                let ty = ty_name(*value);
                let ty = if *mutable { format!("(mut {ty})") } else { ty.into() };
                let init = match (value, funcs.is_empty() || rng.one_in(3)) {
                    (Ty::Func, false) => format!("ref.func ${}", rng.pick(&funcs)),
                    _ => constant(&have.value),
                };
                writeln!(text, "(global (export {name:?}) {ty} ({init}))")?;
            }
        }
    }
    text.push(')');
    Ok(Some(wat::parse_str(&text)?))
}

/// A function that counts its calls, sometimes traps, and returns its arguments if they fit the
/// results.
fn func(text: &mut String, name: &str, sig: &Sig, rng: &mut Rng) -> Result<()> {
    writeln!(text, "(func ${name} (export {name:?}){}", sig_text(sig))?;
    writeln!(text, "  (global.set $calls (i32.add (global.get $calls) (i32.const 1)))")?;
    if rng.one_in(3) {
        writeln!(text, "  (if (i32.eq (global.get $calls) (i32.const 5)) (then unreachable))")?;
    }
    for &result in &sig.results {
        let fitting: Vec<_> = (0..sig.params.len()).filter(|&i| sig.params[i] == result).collect();
        let value = match (fitting.as_slice(), result) {
            ([], Ty::I32) => "global.get $calls".into(),
            ([], Ty::Func) if rng.one_in(2) => format!("ref.func ${name}"),
            ([], ty) => constant(&crate::case::random_val(ty, rng)),
            (fitting, _) => format!("local.get {}", rng.pick(fitting)),
        };
        let value = match result {
            Ty::I32 => format!("i32.add ({value}) (global.get $calls)"),
            _ => value,
        };
        writeln!(text, "  ({value})")?;
    }
    text.push_str(")\n");
    Ok(())
}
