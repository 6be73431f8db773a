//! `precast inspect`: the contents of an artifact, as text or JSON.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use precast::Inspection;
use serde_json::{Value, json};

use crate::state::{self, KeyError};

/// Arguments of `precast inspect`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inspect {
    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// The artifact, which may be for another machine.
    file: PathBuf,
}

const EXAMPLES: &str = "\
Offsets and sizes are in bytes, offsets from the start of the file.

Examples:
  precast inspect app.precast | less
  precast inspect --json app.precast | jq '.functions | max_by(.size)'";

impl Inspect {
    /// Prints the artifact's header, sections, functions, imports and exports.
    pub(crate) fn execute(&self) -> Result<ExitCode> {
        let file = || self.file.display().to_string();
        let bytes = fs::read(&self.file).with_context(file)?;
        let inspection = Inspection::of(&bytes).with_context(file)?;
        let seal = Seal::of(&inspection, &bytes);
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        if self.json {
            serde_json::to_writer_pretty(&mut stdout, &as_json(&inspection, &seal))?;
            writeln!(stdout)?;
        } else {
            as_text(&mut stdout, &inspection, &seal)?;
        }
        stdout.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The seal of an artifact, as seen by this user.
enum Seal {
    None,
    Own,
    Other,
    /// The user's key cannot be used.
    Unknown(KeyError),
}

impl Seal {
    fn of(inspection: &Inspection, file: &[u8]) -> Seal {
        if !inspection.sealed {
            return Seal::None;
        }
        match state::key() {
            Ok(key) if key.check(file).is_ok() => Seal::Own,
            Ok(_) => Seal::Other,
            Err(error) => Seal::Unknown(error),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Seal::None => "none",
            Seal::Own => "own",
            Seal::Other => "other",
            Seal::Unknown(_) => "unknown",
        }
    }

    fn text(&self) -> String {
        match self {
            Seal::None => "none".to_owned(),
            Seal::Own => "yours".to_owned(),
            Seal::Other => "not yours, or invalid".to_owned(),
            Seal::Unknown(error) => format!("not checked: {error}"),
        }
    }
}

fn as_text(out: &mut impl Write, artifact: &Inspection, seal: &Seal) -> io::Result<()> {
    writeln!(out, "format    {}", artifact.version)?;
    writeln!(out, "compiler  {}", artifact.compiler)?;
    writeln!(out, "target    {}", artifact.target)?;
    writeln!(out, "features  {}", artifact.features.join(" "))?;
    writeln!(out, "tunables  {:016x}", artifact.tunables)?;
    writeln!(out, "wasm      {}", hex(&artifact.wasm_hash))?;
    writeln!(out, "name      {}", shown(artifact.name.as_deref()))?;
    let state = if artifact.is_snapshot { "snapshot" } else { "initial" };
    writeln!(out, "state     {state}")?;
    writeln!(out, "size      {}", artifact.size)?;
    writeln!(out, "seal      {}", seal.text())?;

    writeln!(out, "\nsections\n    offset       size  name")?;
    for part in &artifact.sections {
        let damaged = if part.whole { "" } else { "  DAMAGED" };
        writeln!(out, "{:>10} {:>10}  {}{damaged}", part.offset, part.size, part.name)?;
    }
    writeln!(out, "\nfunctions\n    offset       size      index  name")?;
    for function in &artifact.functions {
        let (offset, size, index) = (function.offset, function.size, function.index);
        writeln!(out, "{offset:>10} {size:>10} {index:>10}  {}", shown(function.name.as_deref()))?;
    }
    writeln!(out, "\nimports")?;
    for import in &artifact.imports {
        writeln!(out, "  {:?} {:?}: {}", import.module, import.name, import.ty)?;
    }
    writeln!(out, "\nexports")?;
    for export in &artifact.exports {
        writeln!(out, "  {:?}: {}", export.name, export.ty)?;
    }
    Ok(())
}

fn as_json(artifact: &Inspection, seal: &Seal) -> Value {
    let sections = artifact.sections.iter().map(|part| {
        json!({
            "name": part.name, "offset": part.offset, "size": part.size, "whole": part.whole,
        })
    });
    let functions = artifact.functions.iter().map(|function| {
        json!({
            "index": function.index, "name": function.name,
            "offset": function.offset, "size": function.size,
        })
    });
    let imports = artifact.imports.iter().map(|import| {
        json!({
            "module": import.module, "name": import.name,
            "kind": import.ty.kind(), "type": import.ty.to_string(),
        })
    });
    let exports = artifact.exports.iter().map(|export| {
        json!({
            "name": export.name, "kind": export.ty.kind(), "type": export.ty.to_string(),
        })
    });
    json!({
        "format": artifact.version,
        "compiler": artifact.compiler,
        "target": artifact.target,
        "features": artifact.features,
        "tunables": format!("{:016x}", artifact.tunables),
        "wasm": hex(&artifact.wasm_hash),
        "name": artifact.name,
        "snapshot": artifact.is_snapshot,
        "size": artifact.size,
        "seal": seal.word(),
        "sections": sections.collect::<Vec<_>>(),
        "functions": functions.collect::<Vec<_>>(),
        "imports": imports.collect::<Vec<_>>(),
        "exports": exports.collect::<Vec<_>>(),
    })
}

/// A name with control characters escaped, for a terminal.
fn shown(name: Option<&str>) -> String {
    name.map_or("-".to_owned(), |name| name.escape_debug().to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
