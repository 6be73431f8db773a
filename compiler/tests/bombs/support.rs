//! Text of compilation bombs, and compilation with counted allocations.

use peak_alloc::PeakAlloc;
use precast_abi::artifact::{Artifact, Section};
use precast_compiler::{CompileError, ErrorKind, Settings, compile, producer};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasmparser::{Parser, Payload};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

pub(crate) const MIB: usize = 1 << 20;

/// Keeps other tests from running, since their allocations would be counted.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn settings() -> Settings {
    Settings { threads: 1, ..Settings::default() }
}

pub(crate) fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|e| panic!("{e}"))
}

/// Compiles a module; also returns the peak of allocated bytes.
pub(crate) fn measure(wasm: &[u8]) -> (Result<Vec<u8>, CompileError>, usize) {
    // Allocations that the process makes once do not count.
    compile(b"\0asm\x01\0\0\0", &settings()).expect("an empty module");
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let artifact = compile(wasm, &settings());
    (artifact, ALLOCATOR.peak_usage() - before)
}

/// Compiles a module that is not refused. Returns the artifact and the peak of allocated bytes.
pub(crate) fn cost(text: &str) -> (Vec<u8>, usize) {
    cost_of(&parse(text))
}

/// As [`cost`], of a binary module.
pub(crate) fn cost_of(wasm: &[u8]) -> (Vec<u8>, usize) {
    let (artifact, peak) = measure(wasm);
    (artifact.unwrap_or_else(|e| panic!("{e}")), peak)
}

/// The bytes of code of an artifact.
pub(crate) fn text_len(artifact: &[u8]) -> usize {
    let checked = Artifact::check(artifact, &producer(&settings()));
    checked.unwrap_or_else(|e| panic!("{e}")).entry(Section::Text).len as usize
}

/// `count` value types, as text of a signature.
pub(crate) fn types(count: usize) -> String {
    ["i64", "i32", "f64", "f32"].iter().cycle().take(count).copied().collect::<Vec<_>>().join(" ")
}

/// `count` imports of functions of type 0.
pub(crate) fn imports(count: usize) -> String {
    (0..count).map(|n| format!(r#"(import "" "{n}" (func (type 0)))"#)).collect()
}

/// Compiles a module that exceeds a limit on every target. Returns the offset of the error and the
/// peak of allocated bytes.
pub(crate) fn refused(wasm: &[u8], why: &str) -> (usize, usize) {
    let (artifact, peak) = measure(wasm);
    let error = artifact.map(|bytes| bytes.len()).expect_err("it is too large");
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    let located = format!("module too large at offset {:#x}: ", error.offset);
    assert!(error.to_string().starts_with(&located), "{error}");
    assert!(error.message.contains(why), "{error}");
    for target in ["x86_64", "aarch64"] {
        let target = target.parse().unwrap_or_else(|e| panic!("{e}"));
        let settings = Settings { target, ..settings() };
        let other = compile(wasm, &settings).map(|bytes| bytes.len());
        assert_eq!(other.expect_err("it is too large"), error);
    }
    (error.offset, peak)
}

/// The ranges of a module's bodies in its bytes.
pub(crate) fn bodies(wasm: &[u8]) -> Vec<Range<usize>> {
    let payloads = Parser::new(0).parse_all(wasm).map(|payload| payload.expect("it is valid"));
    payloads
        .filter_map(|payload| match payload {
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                Some(range.start as usize..range.end as usize)
            }
            _ => None,
        })
        .collect()
}
