//! Imports that nothing defines: named in one line, or supplied on demand.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, bail};
use clap::ValueEnum;
use precast::{
    CompiledModule, ExternType, HostError, HostModuleBuilder, ImportType, Namespace, Value,
};

use super::overlay;

/// What to do about functions that a module imports and nothing defines.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownImports {
    /// Link them; calling one is a trap.
    Trap,
    /// Link them; calling one does nothing and answers zeros.
    Zero,
}

/// A function that `--unknown-imports trap` supplied was called.
#[derive(Debug)]
pub(crate) struct UnknownImportCalled {
    name: String,
}

impl fmt::Display for UnknownImportCalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown import {} was called", self.name)
    }
}

impl std::error::Error for UnknownImportCalled {}

/// Makes sure that everything `module` imports is defined in `namespace`: refuses it, or supplies
/// functions as `policy` says.
pub(crate) fn supply(
    namespace: &mut Namespace,
    module: &CompiledModule,
    policy: Option<UnknownImports>,
) -> Result<()> {
    let (known, unknown): (Vec<_>, Vec<_>) =
        module.imports().into_iter().partition(|import| is_defined(namespace, import));
    let Some(policy) = policy else {
        return refuse(&unknown);
    };
    let (functions, others): (Vec<_>, Vec<_>) =
        unknown.into_iter().partition(|import| matches!(import.ty, ExternType::Func(_)));
    refuse(&others)?;

    let mut by_module = BTreeMap::<String, Vec<ImportType>>::new();
    for import in functions {
        by_module.entry(import.module.clone()).or_default().push(import);
    }
    for (name, missing) in by_module {
        let stand_ins = missing
            .iter()
            .fold(HostModuleBuilder::new(&name), |host, import| add(host, import, policy))
            .build(namespace.runtime())?;
        if namespace.instance(&name).is_none() {
            namespace.instantiate_host(&stand_ins)?;
        } else {
            let known: Vec<&ImportType> = known.iter().filter(|i| i.module == name).collect();
            overlay::extend(namespace, &name, &known, &stand_ins, &missing)?;
        }
    }
    Ok(())
}

fn is_defined(namespace: &Namespace, import: &ImportType) -> bool {
    namespace
        .instance(&import.module)
        .is_some_and(|instance| instance.export(namespace, &import.name).is_some())
}

fn refuse(unknown: &[ImportType]) -> Result<()> {
    let list: Vec<String> = unknown.iter().map(|i| format!("{}: {}", quoted(i), i.ty)).collect();
    match list.as_slice() {
        [] => Ok(()),
        [one] => bail!("unknown import {one}"),
        many => bail!("{} unknown imports: {}", many.len(), many.join("; ")),
    }
}

/// The two names of an import as the text format has them.
fn quoted(import: &ImportType) -> String {
    format!("{:?} {:?}", import.module, import.name)
}

fn add(
    host: HostModuleBuilder<()>,
    import: &ImportType,
    policy: UnknownImports,
) -> HostModuleBuilder<()> {
    let name = quoted(import);
    let ExternType::Func(ty) = &import.ty else {
        return host;
    };
    let zeros: Vec<Value> = ty.results().iter().map(|&ty| Value::default(ty)).collect();
    host.func_dynamic(&import.name, ty.clone(), move |_caller, _args, results| match policy {
        UnknownImports::Zero => {
            results.copy_from_slice(&zeros);
            Ok(())
        }
        UnknownImports::Trap => Err(HostError::new(UnknownImportCalled { name: name.clone() })),
    })
}
