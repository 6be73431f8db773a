//! Compares the intermediate code of important shapes with the expected code in `tests/clif/*.wat`.
//!
//! Each file has a module and, after it in comments, the code that the compiler makes of it.
//! `BLESS=1 cargo test --test clif` rewrites the comments; review the difference. A module whose
//! name ends in `_unguarded` is compiled without guards against speculation; one whose name ends in
//! `_fuel` counts its operators.

#[path = "support/expected.rs"]
mod expected;

use std::process::ExitCode;

use libtest_mimic::Failed;
use precast_compiler::{Settings, Target};

fn main() -> ExitCode {
    expected::run("tests/clif", clif)
}

fn clif(name: &str, module: &str) -> Result<String, Failed> {
    let (guards, fuel) = (!name.ends_with("_unguarded"), name.ends_with("_fuel"));
    Ok(precast_compiler::clif(&wat::parse_str(module)?, &settings(guards, fuel))?)
}

/// The code is for a fixed machine, whichever machine runs the test.
fn settings(spectre_guards: bool, fuel: bool) -> Settings {
    let triple = "x86_64-unknown-linux-gnu".parse().expect("a triple");
    let target = Target::Named { triple, enable: Vec::new() };
    Settings { target, spectre_guards, fuel, ..Settings::default() }
}
