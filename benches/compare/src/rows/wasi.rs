//! WASI calls of a guest: the rows of `benches/wasi`, which compares them with the raw system
//! calls.

use crate::Result;
use crate::clock::Clock;
use crate::compare::Compare;
use std::path::Path;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

#[path = "../../../wasi/guest.rs"]
mod guest;

/// The approximate time of one call of a loop in seconds.
const BATCH: f64 = 0.005;

/// Measures the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    let directory = scratch()?;
    guest::furnish(directory.path())?;
    for (call, _) in guest::ROWS {
        compare.times(&format!("wasi/{call}"), |clock| {
            let (mut namespace, instance) = precast(directory.path())?;
            let run = instance.typed::<(u32,), u32>(&namespace, call)?;
            let ours = per_call(clock, move |n| Ok(run.call(&mut namespace, (n,))?));
            let (mut store, instance) = wasmtime(directory.path())?;
            let run = instance.get_typed_func::<u32, u32>(&mut store, call)?;
            let theirs = per_call(clock, move |n| Ok(run.call(&mut store, n)?));
            Ok((ours, theirs))
        });
    }
    Ok(())
}

/// A directory in memory, so that no disk is timed.
fn scratch() -> Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { Ok(tempfile::tempdir_in(memory)?) } else { Ok(tempfile::tempdir()?) }
}

/// The guest in precast.
fn precast(directory: &Path) -> Result<(Box<precast::Namespace>, precast::Instance)> {
    let runtime = precast::Runtime::new();
    let mut namespace = runtime.namespace();
    precast::wasi::Builder::new()
        .args(guest::ARGS)
        .envs(guest::ENV)
        .dir(directory, "/data")
        .dir("/dev", "/dev")
        .instantiate(&mut namespace)?;
    let module = runtime.compile(&wat::parse_str(guest::text())?)?;
    let instance = namespace.instantiate(&module)?;
    instance.call(&mut namespace, "setup", &[])?;
    Ok((namespace, instance))
}

/// The guest in wasmtime, with the synchronous host functions of the same name.
fn wasmtime(directory: &Path) -> Result<(wasmtime::Store<WasiP1Ctx>, wasmtime::Instance)> {
    let engine = wasmtime::Engine::default();
    let mut linker = wasmtime::Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |wasi: &mut WasiP1Ctx| wasi)?;
    let wasi = WasiCtxBuilder::new()
        .args(&guest::ARGS)
        .envs(&guest::ENV)
        .allow_blocking_current_thread(true)
        .preopened_dir(directory, "/data", FsPerms::ReadWrite)?
        .preopened_dir("/dev", "/dev", FsPerms::ReadWrite)?
        .build_p1();
    let mut store = wasmtime::Store::new(&engine, wasi);
    let module = wasmtime::Module::new(&engine, wat::parse_str(guest::text())?)?;
    let instance = linker.instantiate(&mut store, &module)?;
    let setup = instance.get_typed_func::<(), ()>(&mut store, "setup")?;
    setup.call(&mut store, ())?;
    Ok((store, instance))
}

/// The time of one call in a loop of `run`, which takes the number of calls and returns the bitwise
/// or of their errnos. The first call determines the size of a batch.
fn per_call(clock: Clock, mut run: impl FnMut(u32) -> Result<u32>) -> impl FnMut() -> Result<f64> {
    let mut count = 0;
    let mut timed = move |n: u32| -> Result<f64> {
        let watch = clock.start();
        match run(n)? {
            0 => Ok(watch.seconds()),
            errnos => Err(format!("errno {errnos}").into()),
        }
    };
    move || {
        let mut elapsed = timed(count.max(1))?;
        if count == 0 {
            count = 1;
            while elapsed < BATCH {
                count *= 2;
                elapsed = timed(count)?;
            }
        }
        Ok(elapsed / f64::from(count))
    }
}
