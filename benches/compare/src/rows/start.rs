//! From an artifact file to a finished program: the cost of a short-lived guest.

use crate::bound::Bound;
use crate::command::{Command, wasi_linker};
use crate::compare::Compare;
use crate::rows::load::{Artifacts, deserialize};
use crate::timing::in_batches;
use crate::{Result, guests};
use std::rc::Rc;

/// Measures the rows: load, instantiate with WASI, run, drop everything.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    let programs: [(&str, &[&str]); 3] = [
        ("hello.wasm", &[]),
        ("demo.wasm", &["notes.md"]),
        ("programs/minisql/minisql.wasm", &["shop.sql"]),
    ];
    for (guest, args) in programs {
        let command = Command::new(&guests::path(guest));
        let command = Command { args: args.to_vec(), root: Some("data"), ..command };
        compare.times(&format!("start/{}", guests::stem(&command.path)), |clock| {
            let files = Rc::new(Artifacts::of(&guests::read(&command.path)?)?);
            let (runtime, engine) = (precast::Runtime::new(), wasmtime::Engine::default());
            let ours = {
                let (files, command) = (files.clone(), command.clone());
                in_batches(clock, move || {
                    // SAFETY: the file was just compiled, and nothing changes it.
                    let module = unsafe { runtime.load(&files.precast) }?;
                    command.in_precast(module)?.run(clock, Bound::None).map(drop)
                })
            };
            let linker = wasi_linker(&engine)?;
            let theirs = in_batches(clock, move || {
                let module = deserialize(&engine, &files.wasmtime)?;
                command.in_wasmtime(&linker, &module)?.run(clock, Bound::None).map(drop)
            });
            Ok((ours, theirs))
        });
    }
    Ok(())
}
