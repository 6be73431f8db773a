//! Reads what a user hands us as a module: binary, text or artifact, told apart by content.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use precast::{CompiledModule, Runtime, Source};
use wast::parser::{self, ParseBuffer};

use crate::consent::Consent;

/// Enough first bytes to tell the formats apart.
const SNIFF: usize = 16;

const WASM_MAGIC: &[u8] = b"\0asm";
/// Where a component has its layer, a module has the upper half of its version.
const COMPONENT_LAYER: &[u8] = &[1, 0];

/// What a file turned out to be.
pub(crate) enum Input {
    /// An artifact; its bytes are left where they are, to be mapped.
    Artifact,
    /// A module in the binary format, and the file it was made from.
    Wasm(Vec<u8>, Source),
}

/// Opens `path` and reads as much of it as its format needs.
pub(crate) fn read(path: &Path) -> Result<Input> {
    read_bare(path).with_context(|| path.display().to_string())
}

/// Compiles what is in `path`, or loads it if it is an artifact that may be executed. What the
/// cache knows is not even read.
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
    // One allocation: modules are tens of megabytes.
    let len = file.metadata()?.len().saturating_sub(bytes.len() as u64);
    bytes.reserve_exact(usize::try_from(len).unwrap_or(0));
    file.read_to_end(bytes).map(drop)
}

/// The text format begins with a parenthesis, of a form or of a block comment, or with a line
/// comment.
fn looks_like_text_format(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('(') || text.starts_with(";;")
}

/// Turns the text format into the binary one. The error is one line and begins with its place.
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
