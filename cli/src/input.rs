//! Reads the file of a module: binary format, text format or artifact, distinguished by content.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use precast::{CompiledModule, Runtime, Source};
use wast::parser::{self, ParseBuffer};

use crate::consent::Consent;

/// The number of bytes that distinguish the formats.
const SNIFF: usize = 16;

const WASM_MAGIC: &[u8] = b"\0asm";
/// The layer of a component. A module has the upper half of its version there.
const COMPONENT_LAYER: &[u8] = &[1, 0];

/// The contents of a file.
pub(crate) enum Input {
    /// An artifact, which is not read because it will be mapped.
    Artifact,
    /// A module in the binary format, and the file from which it comes.
    Wasm(Vec<u8>, Source),
}

/// Reads the file at `path`; only its beginning if it is an artifact.
pub(crate) fn read(path: &Path) -> Result<Input> {
    read_bare(path).with_context(|| path.display().to_string())
}

/// Compiles the module in `path`, or loads it if it is an artifact that may run. A file that the
/// cache knows is not read.
pub(crate) fn module(runtime: &Runtime, path: &Path, consent: &Consent) -> Result<CompiledModule> {
    if let Some(module) = runtime.cached_file(path) {
        return Ok(module);
    }
    match read(path)? {
        Input::Artifact => consent.load(runtime, path),
        Input::Wasm(wasm, source) => {
            let module = runtime.compile_source(&source, &wasm);
            module.with_context(|| path.display().to_string())
        }
    }
}

fn read_bare(path: &Path) -> Result<Input> {
    let mut file = File::open(path)?;
    let source = Source::of(&file)?;
    let mut bytes = Vec::with_capacity(SNIFF);
    file.by_ref().take(SNIFF as u64).read_to_end(&mut bytes)?;
    if Runtime::is_artifact(&bytes) {
        return Ok(Input::Artifact);
    }
    read_rest(&mut file, &mut bytes)?;
    if bytes.is_empty() {
        bail!("the file is empty");
    }
    if bytes.starts_with(WASM_MAGIC) {
        if bytes.get(6..8) == Some(COMPONENT_LAYER) {
            bail!("this is a WebAssembly component; precast runs modules");
        }
        return Ok(Input::Wasm(bytes, source));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) if looks_like_text_format(text) => Ok(Input::Wasm(assemble(text)?, source)),
        _ => bail!("neither a WebAssembly module (binary or text) nor an artifact"),
    }
}

fn read_rest(file: &mut File, bytes: &mut Vec<u8>) -> io::Result<()> {
    // One allocation, because modules may have tens of megabytes.
    let len = file.metadata()?.len().saturating_sub(bytes.len() as u64);
    bytes.reserve_exact(usize::try_from(len).unwrap_or(0));
    file.read_to_end(bytes).map(drop)
}

/// The text format begins with a parenthesis (a form or block comment) or with a line comment.
fn looks_like_text_format(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('(') || text.starts_with(";;")
}

/// Converts the text format to the binary format. The error is one line and begins with the line
/// and column.
pub(crate) fn assemble(text: &str) -> Result<Vec<u8>> {
    let assemble = || {
        let buffer = ParseBuffer::new(text)?;
        parser::parse::<wast::Wat<'_>>(&buffer)?.encode()
    };
    let wasm = assemble().map_err(|error: wast::Error| {
        let (line, column) = error.span().linecol_in(text);
        anyhow::anyhow!("{}:{}: {}", line + 1, column + 1, error.message())
    })?;
    if wasm.get(6..8) == Some(COMPONENT_LAYER) {
        bail!("this is a WebAssembly component; precast runs modules");
    }
    Ok(wasm)
}
