//! Proves properties of the machine code of an artifact, without trusting the compiler.
//!
//! # What is proven
//!
//! Theorem, for an artifact for x86-64 whose defined functions are all proven by [`verify`], and
//! which satisfies the assumptions below: while one of these functions is executed, called as its
//! type and the `tail` convention say,
//!
//! - every load and store goes to a linear memory or its guard, a table entry below the table's
//!   length, a global, a field of the context that functions may use, the function's own frame and
//!   parameters, the caller's area of results, a record of a function reference, or (loads only) the
//!   artifact's text and constants;
//! - every jump goes to an instruction of the function that was analysed; every call goes to the start
//!   of a function whose type and context are the ones passed, to an import with its context, or to a
//!   stub; a return finds the stack pointer, the return slot and the preserved registers as they were;
//! - no number becomes a reference;
//! - where an instruction may fault, the frame pointer leads to the caller's frame.
//!
//! # What is assumed
//!
//! **The stubs of builtins and the thunks are what they claim to be.** Their code is not analysed yet.
//! A call of a stub is checked against the builtin that the stub loads. Nor are the records of an
//! artifact checked here: that exports, function references and element segments have the code of
//! their type, that constant initialisers hold no references, and the frames of handlers. Nor is the
//! depth of the stack: that every cycle of calls has a check, and how much a function uses. **Because
//! of these, a [`Report`] is no licence to run bytes of strangers.** It is an oracle against the
//! compiler.
//!
//! Trusted: the decoder (crate `iced-x86`: lengths, operands, registers read and written), this
//! crate, the layouts of `precast-abi`, and the runtime, which makes contexts, tables and memories as
//! those layouts say. Not proven at all: that code does what a WebAssembly module says, that it ends,
//! and that it leaks nothing by speculation.
//!
//! # The argument
//!
//! A *value number* (`value.rs`) names a value. Two places with the same number hold the same value.
//! A number is a tree of operations over leaves. A leaf `Def(address, place)` is what the latest
//! execution of an instruction gave, and `Phi(block, place)` what the latest entry of a block gave.
//! An instruction that is executed again gives its leaf a new meaning. No place, order or interval
//! still refers to the old one. For: take a path on which an instruction is executed twice. The cycle
//! between is entered from outside at some block. On a path that has not executed the instruction, no
//! place holds its leaf, by induction over the path. So at that block the two paths disagree, and the
//! join replaces the number (and drops facts that one of both paths lacks). The argument needs no
//! reducible graph.
//!
//! Facts about a number are of two kinds. Intervals in `Values` hold at all points; they only grow,
//! and all blocks are executed again when one did. Intervals and orders in a `State` hold at a point;
//! branches add them, and a join keeps those that hold on both paths. Each block is executed at least
//! once with its last state and the last intervals, and every execution shows all obligations of the
//! block. Code that is not reached by this execution is not reached by the processor.
//!
//! An address is a sum of one pointer and numbers (`access.rs`). Its distance from the pointer is
//! bounded in integers that do not wrap, so the address is the pointer plus a number in the bounds. A
//! store through a pointer that is not the stack changes no slot of the frame: the frame of a
//! function is on the stack of the host or of a fiber, and no context, memory, table or constant
//! overlaps it; the area of results is in the caller's frame. A stack address with an unknown distance
//! is no base that `access.rs` accepts. Calls change what lies below the stack pointer, their
//! parameters and their area of results, which are forgotten. Signals change only what lies below the
//! stack pointer.
//!
//! Only calls grow or move tables, and tables never shrink. So a table's base may be used until the
//! next call, and an index below its length stays so. Memories do not move and only grow.
//!
//! A call through a table takes code, type and context from one entry with no store to a table and no
//! call in between, and the type compares equal to the digest of a type of the artifact, which this
//! crate computes. A store to an entry first removes the type, then stores both halves of one record.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod access;
mod allow;
mod contract;
mod error;
mod flow;
mod prover;
mod state;
mod transfer;
mod value;

pub use error::VerifyError;

use contract::Module;
use precast_abi::artifact::{Artifact, Section};
use prover::Prover;
use rayon::prelude::*;

/// What was shown of an artifact.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Defined functions.
    pub functions: usize,
    /// Accesses, calls, jumps and returns that were shown to be allowed.
    pub obligations: u64,
    /// Functions that could not be proven: for each the first instruction that failed, in the order
    /// of the functions.
    pub failures: Vec<VerifyError>,
}

/// Analyses all defined functions of an artifact for x86-64 that has passed [`Artifact::check`].
/// The crate's documentation says what is shown, and what is not.
pub fn verify(artifact: &Artifact, bytes: &[u8]) -> Report {
    let module = Module::new(artifact, bytes);
    let first = module.info.func_imports;
    if let Err(goal) = preconditions(artifact, bytes, &module) {
        let (code, known) = (Vec::new(), String::new());
        let error = VerifyError { function: first, offset: 0, code, goal, known };
        return Report { failures: vec![error], ..Report::default() };
    }
    let outcomes: Vec<Result<u64, VerifyError>> = (0..module.funcs.len())
        .into_par_iter()
        .map(|n| {
            let function = first.saturating_add(n as u32);
            let func = &module.funcs[n];
            let missing = || VerifyError {
                function,
                offset: u64::from(func.start),
                code: Vec::new(),
                goal: "a function inside the text, of a type",
                known: String::new(),
            };
            Prover::new(&module, func).ok_or_else(missing)?.run(function)
        })
        .collect();
    let mut report = Report { functions: outcomes.len(), ..Report::default() };
    for outcome in outcomes {
        match outcome {
            Ok(obligations) => report.obligations += obligations,
            Err(error) => report.failures.push(error),
        }
    }
    report
}

/// What the analysis of functions relies on; else what does not hold.
fn preconditions(
    artifact: &Artifact,
    bytes: &[u8],
    module: &Module<'_>,
) -> Result<(), &'static str> {
    let target = Artifact::peek(bytes).map(|header| &header.producer.target[..]);
    if !target.is_some_and(|target| target.starts_with(b"x86_64-")) {
        return Err("code for x86-64");
    }
    if !artifact.is_whole(bytes, Section::Funcs) || !module.funcs.is_sorted_by_key(|f| f.start) {
        return Err("the records of functions are whole and sorted");
    }
    Ok(())
}
