//! A case: modules, their imports, and the calls to make. A seed determines all of it.

use crate::outcome::{Sig, Ty, Val};
use crate::rng::{Rng, mix};
use crate::{control, memory, numeric, provider, smith};
use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser::types::EntityType;
use wasmparser::{Parser, Payload, Validator, WasmFeatures};

/// The export with the remaining fuel of a guest; set before every call.
pub const FUEL: &str = "fuel of the fuzzer";

/// The number of function entries and loop iterations in a call.
pub const FUEL_PER_CALL: u32 = 1000;

/// The module that imports come from when Rust provides them.
pub const HOST: &str = "host";

/// The module that imports come from when WebAssembly provides them.
pub const GUEST: &str = "guest";

/// The generator of the main module of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Kind {
    /// wasm-smith: any valid module.
    Smith,
    /// Accesses to a memory near its bounds.
    Memory,
    /// Calls, tables and structured control.
    Control,
    /// Numeric operators.
    Numeric,
}

impl Kind {
    pub fn of(seed: u64) -> Kind {
        match seed % 10 {
            0..3 => Kind::Smith,
            3..6 => Kind::Memory,
            6..9 => Kind::Control,
            _ => Kind::Numeric,
        }
    }
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub enum Arg {
    Val(Val),
    /// A reference to this export.
    Export(String),
}

/// A call of an export of the main module.
#[derive(Clone, Debug)]
pub struct Call {
    pub export: String,
    pub args: Vec<Arg>,
}

/// An import, after all imports got unique names.
#[derive(Clone, Debug)]
pub struct Import {
    /// Whether [`GUEST`] provides it, and not [`HOST`].
    pub guest: bool,
    pub name: String,
    pub ty: ImportTy,
}

/// The type of an import.
#[derive(Clone, Debug)]
pub enum ImportTy {
    Func(Sig),
    Memory { min: u64, max: Option<u64> },
    Table { element: Ty, min: u64, max: Option<u64> },
    Global { value: Ty, mutable: bool },
}

/// A case as an engine runs it.
pub struct Case {
    pub seed: u64,
    pub kind: Kind,
    pub wasm: Vec<u8>,
    /// The module that provides the imports from [`GUEST`].
    pub guest: Option<Vec<u8>>,
    pub imports: Vec<Import>,
    /// The exported functions of the main module.
    pub funcs: Vec<(String, Sig)>,
    pub calls: Vec<Call>,
    /// Whether an export is the counter named [`FUEL`].
    pub fuel: bool,
    /// Whether the interpreter can run it: it touches every page of a new memory.
    pub interpret: bool,
}

/// The result of a generator.
pub struct Generated {
    pub wasm: Vec<u8>,
    /// The index of the global with the fuel, if it is not exported yet.
    pub fuel: Option<u32>,
    /// The calls to make. None for random calls.
    pub calls: Vec<Call>,
    /// Whether the module has a memory of several gigabytes.
    pub large: bool,
}

/// WebAssembly 2.0 and the extensions that precast accepts.
pub fn features() -> WasmFeatures {
    WasmFeatures::WASM2.union(WasmFeatures::EXTENDED_CONST)
}

impl Case {
    /// Makes the case of a seed. None if the generator cannot make a module of it.
    pub fn new(seed: u64) -> Result<Option<Case>> {
        let mut rng = Rng::new(seed);
        let kind = Kind::of(seed);
        let generated = match kind {
            Kind::Smith => match smith::generate(&mut rng)? {
                Some(generated) => generated,
                None => return Ok(None),
            },
            Kind::Memory => memory::generate(&mut rng)?,
            Kind::Control => control::generate(&mut rng)?,
            Kind::Numeric => numeric::generate(&mut rng)?,
        };
        let (wasm, imports) = rewrite(&generated.wasm, generated.fuel, &mut rng)?;
        let funcs = exported_funcs(&wasm)?;
        let guest = provider::generate(&imports, &mut rng)?;
        let mut calls = generated.calls;
        if calls.is_empty() && !funcs.is_empty() {
            calls = (0..rng.range(3, 8)).map(|_| random_call(&funcs, &mut rng)).collect();
        }
        let fuel = matches!(kind, Kind::Smith | Kind::Control);
        let interpret = !generated.large;
        Ok(Some(Case { seed, kind, wasm, guest, imports, funcs, calls, fuel, interpret }))
    }

    /// The imports from one of the two modules.
    pub fn imports_from(&self, guest: bool) -> impl Iterator<Item = (usize, &Import)> {
        self.imports.iter().enumerate().filter(move |(_, import)| import.guest == guest)
    }
}

/// A call of a random function with random arguments.
fn random_call(funcs: &[(String, Sig)], rng: &mut Rng) -> Call {
    let (export, sig) = &funcs[rng.below(funcs.len() as u64) as usize];
    let mut args = random_args(sig, rng.next());
    for arg in &mut args {
        if matches!(arg, Arg::Val(Val::Func(None))) && !rng.one_in(3) {
            *arg = Arg::Export(funcs[rng.below(funcs.len() as u64) as usize].0.clone());
        }
    }
    Call { export: export.clone(), args }
}

/// Random arguments. References to functions are null.
pub fn random_args(sig: &Sig, seed: u64) -> Vec<Arg> {
    let mut rng = Rng::new(seed);
    sig.params.iter().map(|&ty| Arg::Val(random_val(ty, &mut rng))).collect()
}

/// A random value. References to functions are null.
pub fn random_val(ty: Ty, rng: &mut Rng) -> Val {
    match ty {
        Ty::I32 => Val::I32(rng.interesting() as u32),
        Ty::I64 => Val::I64(rng.interesting()),
        Ty::F32 => Val::F32(match rng.below(3) {
            0 => (rng.interesting() as f32).to_bits(),
            1 => rng.pick(&[0.0, -0.0, f32::INFINITY, 2147483648.0, -1.5f32]).to_bits(),
            _ => quiet32(rng.next() as u32),
        }),
        Ty::F64 => Val::F64(match rng.below(3) {
            0 => (rng.interesting() as f64).to_bits(),
            1 => rng.pick(&[0.0, -0.0, f64::INFINITY, 9223372036854775808.0, -1.5f64]).to_bits(),
            _ => quiet64(rng.next()),
        }),
        Ty::V128 => Val::V128(u128::from(rng.interesting()) << 64 | u128::from(rng.interesting())),
        Ty::Func => Val::Func(None),
        Ty::Extern => Val::Extern((!rng.one_in(3)).then(|| rng.below(4) as u32)),
    }
}

/// The bits of a float that is either no NaN or the canonical one.
fn quiet32(bits: u32) -> u32 {
    if f32::from_bits(bits).is_nan() { 0x7fc0_0000 } else { bits }
}

fn quiet64(bits: u64) -> u64 {
    if f64::from_bits(bits).is_nan() { 0x7ff8_0000_0000_0000 } else { bits }
}

fn ty(ty: wasmparser::ValType) -> Result<Ty> {
    Ok(match ty {
        wasmparser::ValType::I32 => Ty::I32,
        wasmparser::ValType::I64 => Ty::I64,
        wasmparser::ValType::F32 => Ty::F32,
        wasmparser::ValType::F64 => Ty::F64,
        wasmparser::ValType::V128 => Ty::V128,
        wasmparser::ValType::Ref(wasmparser::RefType::FUNCREF) => Ty::Func,
        wasmparser::ValType::Ref(wasmparser::RefType::EXTERNREF) => Ty::Extern,
        other => bail!("the type {other} is not of WebAssembly 2.0"),
    })
}

fn sig(func: &wasmparser::FuncType) -> Result<Sig> {
    Ok(Sig {
        params: func.params().iter().map(|&t| ty(t)).collect::<Result<_>>()?,
        results: func.results().iter().map(|&t| ty(t)).collect::<Result<_>>()?,
    })
}

/// Gives every import a unique name, from [`HOST`] or [`GUEST`], and exports the fuel.
///
/// wasm-smith may import different items under one name, which nobody can provide.
fn rewrite(wasm: &[u8], fuel: Option<u32>, rng: &mut Rng) -> Result<(Vec<u8>, Vec<Import>)> {
    let validated = Validator::new_with_features(features()).validate_all(wasm);
    let types = validated.context("the generator made an invalid module")?;
    let types = types.as_ref();
    let mut module = wasm_encoder::Module::new();
    let mut imports = Vec::new();
    let mut exported = fuel.is_none();
    let export_fuel = |exports: &mut wasm_encoder::ExportSection| {
        if let Some(fuel) = fuel {
            exports.export(FUEL, wasm_encoder::ExportKind::Global, fuel);
        }
    };
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        // Sections that must come after the exports: the module had no exports.
        let late = matches!(
            payload,
            Payload::StartSection { .. }
                | Payload::ElementSection(_)
                | Payload::DataCountSection { .. }
                | Payload::CodeSectionStart { .. }
                | Payload::DataSection(_)
                | Payload::End(_)
        );
        if late && !exported {
            let mut exports = wasm_encoder::ExportSection::new();
            export_fuel(&mut exports);
            module.section(&exports);
            exported = true;
        }
        match payload {
            Payload::ImportSection(reader) => {
                let mut section = wasm_encoder::ImportSection::new();
                for import in reader.into_imports() {
                    let import = import?;
                    let entity = types.entity_type_from_import(&import).context("no type")?;
                    let ty = match entity {
                        EntityType::Func(id) | EntityType::FuncExact(id) => {
                            ImportTy::Func(sig(types[id].unwrap_func())?)
                        }
                        EntityType::Table(t) => ImportTy::Table {
                            element: ty(wasmparser::ValType::Ref(t.element_type))?,
                            min: t.initial,
                            max: t.maximum,
                        },
                        EntityType::Memory(m) => {
                            ImportTy::Memory { min: m.initial, max: m.maximum }
                        }
                        EntityType::Global(g) => {
                            ImportTy::Global { value: ty(g.content_type)?, mutable: g.mutable }
                        }
                        EntityType::Tag(_) => bail!("a tag is imported"),
                    };
                    let guest = rng.one_in(2);
                    let name = format!("i{}", imports.len());
                    let module = if guest { GUEST } else { HOST };
                    section.import(module, &name, RoundtripReencoder.entity_type(import.ty)?);
                    imports.push(Import { guest, name, ty });
                }
                module.section(&section);
            }
            Payload::ExportSection(reader) if !exported => {
                let mut exports = wasm_encoder::ExportSection::new();
                RoundtripReencoder.parse_export_section(&mut exports, reader)?;
                export_fuel(&mut exports);
                module.section(&exports);
                exported = true;
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = &wasm[range.start as usize..range.end as usize];
                    module.section(&wasm_encoder::RawSection { id, data });
                }
            }
        }
    }
    Ok((module.finish(), imports))
}

/// The functions a module exports.
fn exported_funcs(wasm: &[u8]) -> Result<Vec<(String, Sig)>> {
    let validated = Validator::new_with_features(features()).validate_all(wasm);
    let types = validated.context("an invalid module was made of a valid one")?;
    let types = types.as_ref();
    let mut funcs = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ExportSection(reader) = payload? else { continue };
        for export in reader {
            let export = export?;
            if let Some(EntityType::Func(id)) = types.entity_type_from_export(&export) {
                funcs.push((export.name.to_owned(), sig(types[id].unwrap_func())?));
            }
        }
    }
    Ok(funcs)
}

/// The seed of one case of a run.
pub fn case_seed(run: u64, n: u64) -> u64 {
    mix(run, n)
}
