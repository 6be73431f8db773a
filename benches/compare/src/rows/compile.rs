//! Compiling, and what comes of it.

use crate::compare::Compare;
use crate::timing::in_batches;
use crate::{Result, guests};
use precast_abi::artifact::{Artifact, Section};
use std::sync::Arc;

/// Threads that compile, in both runtimes.
const THREADS: usize = 2;

/// Measures the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    for (name, path) in compare.modules() {
        let wasm = Arc::new(guests::read(&path)?);
        times(compare, &format!("compile/{name}"), &wasm)?;
        sizes(compare, &name, &wasm)?;
    }
    Ok(())
}

/// The time to a module that can be instantiated.
fn times(compare: &mut Compare, row: &str, wasm: &Arc<Vec<u8>>) -> Result<()> {
    compare.times(row, |clock| {
        // Both compile in the pool they are called from.
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
    let header = Artifact::peek(ours.serialize()).ok_or("not an artifact")?;
    let text_len = header.table[Section::Text as usize].len;
    compare.sizes(&text, usize::try_from(text_len)?, theirs.text().len());
    compare.sizes(&artifact, ours.serialize().len(), theirs.serialize()?.len());
    Ok(())
}
