//! Compares the machine code of important shapes with the expected code in `tests/disas/*.wat`.
//!
//! Each file has a module and, after it in comments, the machine code of its functions for each
//! target. The code is that of the linked artifact, decoded by disassemblers that share nothing with
//! the code generator. `BLESS=1 cargo test --test disas` rewrites the comments; review the
//! difference.
//!
//! A file may change the defaults with lines of this form:
//!
//! ```text
//! ;;@ targets: x86-64-v3 aarch64+lse     instead of x86_64 and aarch64
//! ;;@ guards: off                        no guards against speculation
//! ;;@ show: stubs thunks                 besides functions
//! ```

#[path = "disas/aarch64.rs"]
mod aarch64;
#[path = "support/expected.rs"]
mod expected;
#[path = "disas/listing.rs"]
mod listing;
#[path = "disas/x86_64.rs"]
mod x86_64;

use std::process::ExitCode;

use libtest_mimic::Failed;
use listing::{Decoder, Listing};
use precast_abi::artifact::Artifact;
use precast_compiler::{Settings, Symbol};

fn main() -> ExitCode {
    expected::run("tests/disas", machine_code)
}

/// The machine code of a module for each of its targets.
fn machine_code(_: &str, module: &str) -> Result<String, Failed> {
    let wasm = wat::parse_str(module)?;
    let options = Options::of(module)?;
    let mut text = String::new();
    for target in &options.targets {
        text += &format!("== {target} ==\n{}", disassemble(&wasm, target, &options)?);
    }
    Ok(text)
}

/// The options in the comments of a module.
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
                            _ => return Err(format!("unknown kind to show: {kind}")),
                        }
                    }
                }
                _ => return Err(format!("unknown option: {line}")),
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
