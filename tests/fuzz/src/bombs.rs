//! Modules that are costly to compile: precast compiles each within bounds, or refuses it with an
//! error that says where. `benches/compare` compares their cost with that of another runtime.

use crate::Options;
use crate::rng::mix;
use anyhow::Result;
use precast_compiler::{ErrorKind, Settings, compile};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[path = "../../../compiler/tests/bombs/generator/mod.rs"]
mod generator;

/// The maximum time for a module.
const LONGEST: Duration = Duration::from_secs(60);

/// Compiles modules until the time is up, each with optimisation and without.
pub fn run(options: &Options) -> Result<ExitCode> {
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let settings = [true, false].map(|optimize| Settings { optimize, ..Settings::default() });
    let (mut modules, mut refused, mut findings) = (0u64, 0u64, 0u64);
    while Instant::now() < end {
        let seed = options.case.unwrap_or_else(|| mix(options.seed, modules));
        let wasm = generator::generate(seed);
        let mut complaints = Vec::new();
        for settings in &settings {
            let start = Instant::now();
            let result = compile(&wasm, settings);
            let time = start.elapsed();
            if time > LONGEST {
                complaints.push(format!("takes {time:?}"));
            }
            match result {
                Err(error) if error.kind == ErrorKind::Limit => refused += 1,
                // The generator does not limit the total size of the types.
                Err(error) if error.message.contains("effective type size exceeds") => {}
                Err(error) => complaints.push(error.to_string()),
                Ok(_) => {}
            }
        }
        modules += 1;
        if !complaints.is_empty() {
            findings += 1;
            std::fs::write(options.out.join(format!("bomb-{seed:#x}.wasm")), &wasm)?;
            println!("bomb {seed:#x}: {}", complaints.join("; "));
        }
        if options.case.is_some() {
            break;
        }
    }
    println!("{modules} modules, {refused} compilations refused, {findings} findings");
    Ok(ExitCode::from(u8::from(findings > 0)))
}
