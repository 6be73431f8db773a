//! Runs the specification's test scripts (`.wast`) on the embedding API.
//!
//! `precast wast` and the specification tests use this crate.

#![forbid(unsafe_code)]

mod expect;
mod outcome;
mod renewal;
mod script;
mod spectest;

use std::panic::{AssertUnwindSafe, catch_unwind};

use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::Span;
use wast::{Wast, WastDirective};

use precast::Runtime;
use script::Script;

pub use renewal::Renewal;

/// Options of a run.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// Whether the functions of `spectest` print their arguments.
    pub verbose: bool,
    /// How instances are renewed.
    pub renewal: Renewal,
}

/// The results of a script.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// The number of directives that passed.
    pub passed: usize,
    /// The number of directives whose name begins with `assert_`, passed or not.
    pub assertions: usize,
    /// The directives that failed.
    pub failures: Vec<Failure>,
}

/// A directive that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The line of the directive; the first is 1.
    pub line: usize,
    /// The actual outcome.
    pub what: String,
}

/// Runs all directives of `text`, even after failures. A script that cannot be parsed is one
/// failure.
pub fn run(runtime: &Runtime, text: &str, options: Options) -> Report {
    let mut report = Report::default();
    if let Err(error) = run_directives(runtime, text, options, &mut report) {
        report.failures.push(Failure { line: line_of(text, error.span()), what: error.message() });
    }
    report
}

fn run_directives(
    runtime: &Runtime,
    text: &str,
    options: Options,
    report: &mut Report,
) -> Result<(), wast::Error> {
    let mut lexer = Lexer::new(text);
    // Names of exports in the suite have characters that the lexer refuses by default.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let directives = parser::parse::<Wast<'_>>(&buffer)?.directives;

    let mut script = match Script::new(runtime, options) {
        Ok(script) => script,
        Err(error) => {
            report.failures.push(Failure { line: 1, what: error.to_string() });
            return Ok(());
        }
    };
    for directive in directives {
        let line = line_of(text, directive.span());
        report.assertions += usize::from(is_assertion(&directive));
        // A panic is a failure like others, and the following directives still run.
        match catch_unwind(AssertUnwindSafe(|| script.run(directive))) {
            Ok(Ok(())) => report.passed += 1,
            Ok(Err(what)) => report.failures.push(Failure { line, what }),
            Err(panic) => report.failures.push(Failure { line, what: panic_text(&*panic) }),
        }
    }
    Ok(())
}

fn line_of(text: &str, span: Span) -> usize {
    span.linecol_in(text).0 + 1
}

fn is_assertion(directive: &WastDirective<'_>) -> bool {
    !matches!(
        directive,
        WastDirective::Module(_)
            | WastDirective::ModuleDefinition(_)
            | WastDirective::ModuleInstance { .. }
            | WastDirective::Register { .. }
            | WastDirective::Invoke(_)
            | WastDirective::Thread(_)
            | WastDirective::Wait { .. }
    )
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    format!("panic: {text}")
}
