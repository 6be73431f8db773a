//! The machine code of the shapes that matter, as it stands in `tests/disas/*.wat`.
//!
//! Each file is a module and, behind it in comments, the machine code that the compiler makes of
//! its functions for each target. The code is that of the linked artifact, read by disassemblers
//! that have nothing to do with the code generator. `BLESS=1 cargo test --test disas` writes that
//! part anew; the difference is for the reviewer.
//!
//! A file may choose what differs from the defaults, in lines of its own:
//!
//! ```text
//! ;;@ targets: x86-64-v3 aarch64+lse     instead of x86_64 and aarch64
//! ;;@ guards: off                        no guards against speculation
//! ;;@ show: stubs thunks                 besides functions
//! ```

#[path = "disas/aarch64.rs"]
mod aarch64;
#[path = "disas/listing.rs"]
mod listing;
#[path = "disas/x86_64.rs"]
mod x86_64;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use listing::{Decoder, Listing};
use precast_abi::artifact::Artifact;
use precast_compiler::{Settings, Symbol};

/// Between the module and its code.
const MARKER: &str = ";; ---\n";

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disas");
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
            Trial::test(name, move || check(&path, bless))
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(path: &Path, bless: bool) -> Result<(), Failed> {
    let text = fs::read_to_string(path)?;
    let module = text.split_once(MARKER).map_or(text.as_str(), |(module, _)| module);
    let wasm = wat::parse_str(module)?;
    let options = Options::of(module)?;
    let mut now = format!("{module}{MARKER}");
    for target in &options.targets {
        let code = disassemble(&wasm, target, &options)?;
        now += &as_comments(&format!("== {target} ==\n{code}"));
    }
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

/// What a file chooses.
struct Options {
    targets: Vec<String>,
    guards: bool,
    stubs: bool,
    thunks: bool,
}

impl Options {
    fn of(module: &str) -> Result<Options, String> {
        let targets = vec!["x86_64".into(), "aarch64".into()];
        let mut options = Options { targets, guards: true, stubs: false, thunks: false };
        for line in module.lines().filter_map(|line| line.strip_prefix(";;@ ")) {
            match line.split_once(": ") {
                Some(("targets", targets)) => {
                    options.targets = targets.split_whitespace().map(str::to_owned).collect();
                }
                Some(("guards", "off")) => options.guards = false,
                Some(("show", kinds)) => {
                    for kind in kinds.split_whitespace() {
                        match kind {
                            "stubs" => options.stubs = true,
                            "thunks" => options.thunks = true,
                            _ => return Err(format!("nothing to show is called {kind}")),
                        }
                    }
                }
                _ => return Err(format!("no option is {line}")),
            }
        }
        Ok(options)
    }

    fn shows(&self, symbol: &Symbol) -> bool {
        let is_stub = symbol.name.starts_with("stub: ");
        let is_thunk = symbol.name.contains(" thunk of type ");
        (!is_stub || self.stubs) && (!is_thunk || self.thunks)
    }
}

/// The machine code of a module for a target.
fn disassemble(wasm: &[u8], target: &str, options: &Options) -> Result<String, Failed> {
    let settings = Settings {
        target: target.parse()?,
        spectre_guards: options.guards,
        threads: 1,
        ..Settings::default()
    };
    let decoder: &dyn Decoder =
        if target.starts_with("aarch64") { &aarch64::Aarch64 } else { &x86_64::X86_64 };
    let bytes = precast_compiler::compile(wasm, &settings)?;
    let symbols = precast_compiler::symbols(wasm, &settings)?;
    let artifact = Artifact::check(&bytes, &precast_compiler::producer(&settings))
        .map_err(|error| format!("not an artifact: {error:?}"))?;
    let listing = Listing::new(decoder, &artifact, &bytes, &symbols);
    let shown = symbols.iter().filter(|symbol| options.shows(symbol));
    let functions: Result<Vec<_>, _> = shown.map(|symbol| listing.function(symbol)).collect();
    Ok(functions?.join("\n"))
}

fn as_comments(code: &str) -> String {
    code.lines().map(|line| format!(";; {line}").trim_end().to_owned() + "\n").collect()
}
