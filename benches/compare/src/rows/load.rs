//! Mapping artifact files and unmapping them.

use crate::compare::Compare;
use crate::timing::in_batches;
use crate::{Result, guests};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Measures the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    for (name, path) in compare.modules() {
        compare.times(&format!("load/{name}"), |clock| {
            let files = Rc::new(Artifacts::of(&guests::read(&path)?)?);
            let (runtime, engine) = (precast::Runtime::new(), wasmtime::Engine::default());
            let ours = {
                let files = files.clone();
                in_batches(clock, move || {
                    // SAFETY: the file was just compiled, and nothing changes it.
                    unsafe { runtime.load(&files.precast) }?;
                    Ok(())
                })
            };
            let theirs = in_batches(clock, move || deserialize(&engine, &files.wasmtime).map(drop));
            Ok((ours, theirs))
        });
    }
    Ok(())
}

/// The artifact files of one module.
pub(crate) struct Artifacts {
    /// precast's.
    pub(crate) precast: PathBuf,
    /// wasmtime's.
    pub(crate) wasmtime: PathBuf,
    /// The folder of both, removed when it is dropped.
    _folder: tempfile::TempDir,
}

impl Artifacts {
    /// Compiles a module in both runtimes.
    pub(crate) fn of(wasm: &[u8]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let [precast, wasmtime] = ["precast", "cwasm"].map(|name| folder.path().join(name));
        fs::write(&precast, precast::Runtime::new().compile(wasm)?.serialize())?;
        let engine = wasmtime::Engine::default();
        fs::write(&wasmtime, wasmtime::Module::new(&engine, wasm)?.serialize()?)?;
        Ok(Artifacts { precast, wasmtime, _folder: folder })
    }
}

/// Loads an artifact of wasmtime that this process wrote.
pub(crate) fn deserialize(engine: &wasmtime::Engine, path: &Path) -> Result<wasmtime::Module> {
    // SAFETY: the file is one of `Artifacts`, as wasmtime serialized it, in a private folder.
    Ok(unsafe { wasmtime::Module::deserialize_file(engine, path) }?)
}
