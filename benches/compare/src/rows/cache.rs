//! Hits in precast's cache, compared with an artifact that a program stores itself for wasmtime.

use crate::Result;
use crate::compare::Compare;
use crate::rows::load::{Artifacts, deserialize};
use crate::timing::in_batches;
use precast::cache::{Options, Verify};
use std::fmt::Write;
use std::fs;
use std::rc::Rc;
use std::time::Duration;

/// Measures the rows. precast gets the WebAssembly file, wasmtime the artifact.
pub(crate) fn measure(compare: &mut Compare) -> Result<()> {
    for (level, verify) in [("header", Verify::Header), ("full", Verify::Full)] {
        for (name, functions) in [("empty", 0), ("5,000 functions", 5000)] {
            compare.times(&format!("cache/{level}/{name}"), |clock| {
                let wasm = module(functions)?;
                let files = Rc::new(Artifacts::of(&wasm)?);
                let folder = files.precast.with_extension("cache");
                let cache = Options::new().verify(verify).open(folder)?;
                let source = files.precast.with_extension("wasm");
                fs::write(&source, &wasm)?;
                // The file must be unchanged for some seconds before it is known by its stamp.
                std::thread::sleep(Duration::from_secs(5));
                let config = precast::Config::new().cache(cache);
                let (runtime, engine) =
                    (precast::Runtime::with_config(config), wasmtime::Engine::default());
                runtime.compile_file(&source)?;
                let ours = {
                    let files = files.clone();
                    in_batches(clock, move || {
                        let _kept = &files;
                        runtime.cached_file(&source).map(drop).ok_or("a miss".into())
                    })
                };
                let theirs =
                    in_batches(clock, move || deserialize(&engine, &files.wasmtime).map(drop));
                Ok((ours, theirs))
            });
        }
    }
    Ok(())
}

/// A module with this many functions; with none it is the empty module.
fn module(functions: u32) -> Result<Vec<u8>> {
    let mut text = "(module".to_owned();
    if functions > 0 {
        text += "(memory 1)";
    }
    for n in 0..functions {
        let (offset, end) = (n % 1000 * 8, n % 5000 * 8);
        write!(
            text,
            "(func (param i32 i64) (result i64) (local i64)
               (loop $next
                 (local.set 2 (i64.add (i64.mul (local.get 2) (i64.const {n}))
                                       (i64.load offset={offset} (local.get 0))))
                 (local.set 0 (i32.add (local.get 0) (i32.const 8)))
                 (br_if $next (i32.lt_u (local.get 0) (i32.const {end}))))
               (i64.div_u (local.get 2) (local.get 1)))"
        )?;
    }
    Ok(wat::parse_str(text + ")")?)
}
