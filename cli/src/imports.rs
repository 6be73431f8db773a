//! Imports that nothing defines: named in one line, or supplied on demand.

use anyhow::{Result, bail};
use clap::ValueEnum;
use precast::{CompiledModule, ExternType, ImportType, Linker};

/// What to do about functions that a module imports and nothing defines.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownImports {
    /// Link them; calling one is a trap.
    Trap,
    /// Link them; calling one does nothing and answers zeros.
    Zero,
}

/// Makes sure that everything `module` imports is defined: refuses it, or supplies functions as
/// `policy` says.
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
