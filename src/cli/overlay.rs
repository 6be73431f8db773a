//! Adds functions to an instance that is already linked under a name.
//!
//! An instance cannot be changed, so a module made here takes its name: it imports what is known
//! from the old instance and what is missing from a host module, and exports both. Functions keep
//! their identity on the way, so calls go straight to them.

use std::fmt::Write;

use anyhow::Result;
use precast::{ExternType, HostModule, ImportType, Limits, Namespace, ValType};

use super::input;

/// Puts an instance under `name` that has `known` as before, and `missing` from `stand_ins`.
pub(crate) fn extend(
    namespace: &mut Namespace,
    name: &str,
    known: &[&ImportType],
    stand_ins: &HostModule<()>,
    missing: &[ImportType],
) -> Result<()> {
    let hidden = format!("stand-ins for {name}");
    namespace.instantiate_host_as(&hidden, stand_ins)?;

    let mut text = String::from("(module\n");
    for import in known {
        pass_on(&mut text, name, import);
    }
    for import in missing {
        pass_on(&mut text, &hidden, import);
    }
    text.push(')');

    let module = namespace.runtime().compile(&input::assemble(&text)?)?;
    let instance = namespace.instantiate(&module)?;
    namespace.register(name, instance);
    Ok(())
}

/// Adds an import from `module` that is exported under the same name.
fn pass_on(text: &mut String, module: &str, import: &ImportType) {
    let (module, name) = (string(module), string(&import.name));
    let (kind, ty) = match &import.ty {
        ExternType::Func(ty) => {
            ("func", format!("(param{}) (result{})", list(ty.params()), list(ty.results())))
        }
        ExternType::Table(ty) => ("table", format!("{} {}", limits(ty.limits), ty.element)),
        ExternType::Memory(ty) => ("memory", limits(ty.limits)),
        ExternType::Global(ty) if ty.mutable => ("global", format!("(mut {})", ty.value)),
        ExternType::Global(ty) => ("global", ty.value.to_string()),
    };
    // Writing to a string does not fail.
    let _ = writeln!(text, "({kind} (export {name}) (import {module} {name}) {ty})");
}

fn list(types: &[ValType]) -> String {
    types.iter().map(|ty| format!(" {ty}")).collect()
}

fn limits(Limits { min, max }: Limits) -> String {
    max.map_or(min.to_string(), |max| format!("{min} {max}"))
}

/// A string of the text format; every byte can be written as two digits.
fn string(name: &str) -> String {
    let digits: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    format!("\"{digits}\"")
}
