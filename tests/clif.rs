//! Compares the intermediate code of important shapes with the expected code in `tests/clif/*.wat`.
//!
//! Each file has a module and, after it in comments, the code that the compiler makes of it.
//! `BLESS=1 cargo test --test clif` rewrites the comments; review the difference. A module whose
//! name ends in `_unguarded` is compiled without guards against speculation.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use precast_compiler::{Settings, Target};

/// The line between the module and its code.
const MARKER: &str = ";; ---\n";

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clif");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .collect();
    files.sort();
    let bless = std::env::var_os("BLESS").is_some();
    let trials = files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let guards = !name.ends_with("_unguarded");
            Trial::test(name, move || check(&path, guards, bless))
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(path: &Path, guards: bool, bless: bool) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let module = text.split_once(MARKER).map_or(text.as_str(), |(module, _)| module);
    let wasm = wat::parse_str(module)?;
    let code = precast_compiler::clif(&wasm, &settings(guards))?;
    let now = format!("{module}{MARKER}{}", as_comments(&code));
    if bless {
        fs::write(path, now)?;
        return Ok(());
    }
    match now.lines().zip(text.lines().chain(std::iter::repeat(""))).find(|(a, b)| a != b) {
        None if now == text => Ok(()),
        None => Err("the expected code is longer; see BLESS=1".into()),
        Some((now, then)) => {
            Err(format!("expected {then}\nnow      {now}\nsee all with BLESS=1").into())
        }
    }
}

/// The code is for a fixed machine, whichever machine runs the test.
fn settings(spectre_guards: bool) -> Settings {
    let triple = "x86_64-unknown-linux-gnu".parse().expect("a triple");
    let target = Target::Named { triple, enable: Vec::new() };
    Settings { target, spectre_guards, ..Settings::default() }
}

fn as_comments(code: &str) -> String {
    code.lines().map(|line| format!(";; {line}").trim_end().to_owned() + "\n").collect()
}
