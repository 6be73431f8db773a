//! The time to compile, and the size of the result.

use crate::clock::Clock;
use crate::compare::Compare;
use crate::timing::in_batches;
use crate::{Result, guests};
use object::{Object, ObjectSymbol, SymbolKind};
use precast_abi::artifact::{Artifact, Section};
use std::path::Path;
use std::sync::Arc;

/// The number of compilation threads in both runtimes.
const THREADS: usize = 2;

/// Measures the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    for (name, path) in compare.modules() {
        compare.times(&format!("compile/{name}"), |clock| times(clock, &path));
        compare.sizes(&format!("text size/{name}"), || text_sizes(&path));
        compare.sizes(&format!("artifact size/{name}"), || artifact_sizes(&path));
        compare.sizes(&format!("aarch64 text size/{name}"), || aarch64_text_sizes(&path));
    }
    Ok(())
}

/// The time until a module can be instantiated.
fn times(
    clock: Clock,
    path: &Path,
) -> Result<(impl FnMut() -> Result<f64> + use<>, impl FnMut() -> Result<f64> + use<>)> {
    let wasm = Arc::new(guests::read(path)?);
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
    let engine = wasmtime::Engine::default();
    let theirs = in_batches(clock, move || {
        pool.install(|| wasmtime::Module::new(&engine, &*wasm))?;
        Ok(())
    });
    Ok((ours, theirs))
}

/// A module compiled by both runtimes.
fn both(path: &Path) -> Result<(precast::CompiledModule, wasmtime::Module)> {
    let wasm = guests::read(path)?;
    let theirs = wasmtime::Module::new(&wasmtime::Engine::default(), &wasm)?;
    Ok((precast::Runtime::new().compile(&wasm)?, theirs))
}

/// The sizes of the machine code.
fn text_sizes(path: &Path) -> Result<[usize; 2]> {
    let (ours, theirs) = both(path)?;
    Ok([text_len(ours.serialize())?, theirs.text().len()])
}

/// The sizes of the whole artifacts.
fn artifact_sizes(path: &Path) -> Result<[usize; 2]> {
    let (ours, theirs) = both(path)?;
    Ok([ours.serialize().len(), theirs.serialize()?.len()])
}

/// The sizes of the machine code for an aarch64 without optional features.
fn aarch64_text_sizes(path: &Path) -> Result<[usize; 2]> {
    let wasm = guests::read(path)?;
    let ours = precast::Runtime::new().precompile_for(&wasm, "aarch64".parse()?)?;
    let mut config = wasmtime::Config::new();
    config.target("aarch64-unknown-linux-gnu")?;
    let theirs = wasmtime::Engine::new(&config)?.precompile_module(&wasm)?;
    // wasmtime pads its section to 64 KiB; the size counts up to the end of its last function.
    let functions = object::File::parse(&*theirs)?;
    let functions = functions.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let end = functions.map(|symbol| symbol.address() + symbol.size()).max();
    Ok([text_len(&ours)?, usize::try_from(end.ok_or("no function")?)?])
}

/// The length of an artifact's machine code.
fn text_len(artifact: &[u8]) -> Result<usize> {
    let header = Artifact::peek(artifact).ok_or("not an artifact")?;
    Ok(usize::try_from(header.table[Section::Text as usize].len)?)
}
