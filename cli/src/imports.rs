//! Undefined imports: an error that names them, or functions that take their place.

use anyhow::{Result, bail};
use clap::ValueEnum;
use precast::{CompiledModule, ExternType, ImportType, Linker};

/// The treatment of undefined functions that a module imports.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownImports {
    /// Link them; a call is a trap.
    Trap,
    /// Link them; a call does nothing and returns zeros.
    Zero,
}

/// Checks that all imports of `module` are defined. Undefined functions are an error, or `policy`
/// defines them.
pub(crate) fn supply(
    linker: &mut Linker,
    module: &CompiledModule,
    policy: Option<UnknownImports>,
) -> Result<()> {
    let mut unknown = linker.unknown_imports(module);
    if policy.is_some() {
        unknown.retain(|import| !matches!(import.ty, ExternType::Func(_)));
    }
    refuse(&unknown)?;
    match policy {
        None => {}
        Some(UnknownImports::Trap) => {
            linker.define_unknown_imports_as_traps(module)?;
        }
        Some(UnknownImports::Zero) => {
            linker.define_unknown_imports_as_zeros(module)?;
        }
    }
    Ok(())
}

fn refuse(unknown: &[ImportType]) -> Result<()> {
    let line =
        |import: &ImportType| format!("{:?} {:?}: {}", import.module, import.name, import.ty);
    let list: Vec<String> = unknown.iter().map(line).collect();
    match list.as_slice() {
        [] => Ok(()),
        [one] => bail!("unknown import {one}"),
        many => bail!("{} unknown imports: {}", many.len(), many.join("; ")),
    }
}
