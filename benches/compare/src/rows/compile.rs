//! The time to compile, and the size of the result.

use crate::compare::Compare;
use crate::timing::in_batches;
use crate::{Result, guests};
use object::{Object, ObjectSymbol, SymbolKind};
use precast_abi::artifact::{Artifact, Section};
use std::sync::Arc;

/// The number of compilation threads in both runtimes.
const THREADS: usize = 2;

/// Measures the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    for (name, path) in compare.modules() {
        let wasm = Arc::new(guests::read(&path)?);
        times(compare, &format!("compile/{name}"), &wasm)?;
        sizes(compare, &name, &wasm)?;
        aarch64_size(compare, &name, &wasm)?;
    }
    Ok(())
}

/// The time until a module can be instantiated.
fn times(compare: &mut Compare, row: &str, wasm: &Arc<Vec<u8>>) -> Result<()> {
    compare.times(row, |clock| {
        // Both compile in the thread pool from which they are called.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build()?;
        let pool = Arc::new(pool);
        let ours = {
            let (pool, wasm, runtime) = (pool.clone(), wasm.clone(), precast::Runtime::new());
            in_batches(clock, move || {
                pool.install(|| runtime.compile(&wasm))?;
                Ok(())
            })
        };
        let (wasm, engine) = (wasm.clone(), wasmtime::Engine::default());
        let theirs = in_batches(clock, move || {
            pool.install(|| wasmtime::Module::new(&engine, &*wasm))?;
            Ok(())
        });
        Ok((ours, theirs))
    })?;
    Ok(())
}

/// The size of the machine code, and of the whole artifact.
fn sizes(compare: &mut Compare, name: &str, wasm: &[u8]) -> Result<()> {
    let (text, artifact) = (format!("text size/{name}"), format!("artifact size/{name}"));
    if !compare.wants(&text) && !compare.wants(&artifact) {
        return Ok(());
    }
    let ours = precast::Runtime::new().compile(wasm)?;
    let theirs = wasmtime::Module::new(&wasmtime::Engine::default(), wasm)?;
    compare.sizes(&text, text_len(ours.serialize())?, theirs.text().len());
    compare.sizes(&artifact, ours.serialize().len(), theirs.serialize()?.len());
    Ok(())
}

/// The size of the machine code for an aarch64 without optional features.
fn aarch64_size(compare: &mut Compare, name: &str, wasm: &[u8]) -> Result<()> {
    let row = format!("aarch64 text size/{name}");
    if !compare.wants(&row) {
        return Ok(());
    }
    let ours = precast::Runtime::new().precompile_for(wasm, "aarch64".parse()?)?;
    let mut config = wasmtime::Config::new();
    config.target("aarch64-unknown-linux-gnu")?;
    let theirs = wasmtime::Engine::new(&config)?.precompile_module(wasm)?;
    // wasmtime pads its section to 64 KiB; the size counts up to the end of its last function.
    let functions = object::File::parse(&*theirs)?;
    let functions = functions.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let end = functions.map(|symbol| symbol.address() + symbol.size()).max();
    compare.sizes(&row, text_len(&ours)?, usize::try_from(end.ok_or("no function")?)?);
    Ok(())
}

/// The length of an artifact's machine code.
fn text_len(artifact: &[u8]) -> Result<usize> {
    let header = Artifact::peek(artifact).ok_or("not an artifact")?;
    Ok(usize::try_from(header.table[Section::Text as usize].len)?)
}
