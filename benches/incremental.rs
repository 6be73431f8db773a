//! Measures compiling a module again after an edit of one function, compared with compiling it from
//! nothing.
//!
//! `cargo bench --bench incremental [-- FILE.wasm...]` prints the fastest of a few rounds, wall and
//! processor time, for a generated module or for the given files. The edit changes one constant in
//! the function of median size.

use precast_compiler::{Compilation, FunctionStore, MemoryStore, Settings, compile_with};
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write;
use std::time::{Duration, Instant};
use wasmparser::{Operator, Parser, Payload};

const THREADS: usize = 2;
const ROUNDS: u32 = 3;
/// The number of functions of the generated module.
const FUNCTIONS: usize = 3_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    println!("{THREADS} threads, fastest of {ROUNDS}; wall ms, processor ms, part of cold");
    if files.is_empty() {
        measure("generated", &wat::parse_str(generated())?);
    }
    for file in files {
        measure(&file, &std::fs::read(&file)?);
    }
    Ok(())
}

fn measure(name: &str, wasm: &[u8]) {
    let edited = edit(wasm).expect("some function has a constant");
    let (mut cold, mut first) = (Times::MAX, Times::MAX);
    let (mut again, mut after) = (Times::MAX, Times::MAX);
    let mut counts = (0, 0);
    let mut size = 0;
    for _ in 0..ROUNDS {
        let reference = cold.time(|| compile(&edited, None));
        let store = MemoryStore::new();
        first.time(|| compile(wasm, Some(&store)));
        size = store.size();
        again.time(|| compile(wasm, Some(&store)));
        let done = after.time(|| compile(&edited, Some(&store)));
        assert!(done.artifact == reference.artifact, "the artifacts differ");
        counts = (done.functions, done.functions - done.found);
    }
    let (functions, compiled) = counts;
    println!("{name}: {functions} functions, {compiled} of them compiled after the edit");
    println!("  {} bytes of wasm, {size} of code kept", wasm.len());
    cold.print("cold", cold);
    first.print("cold, and kept", cold);
    again.print("nothing changed", cold);
    after.print("one function changed", cold);
}

fn compile(wasm: &[u8], store: Option<&dyn FunctionStore>) -> Compilation {
    let settings = Settings { threads: THREADS, ..Settings::default() };
    compile_with(wasm, &settings, store).unwrap_or_else(|e| panic!("{e}"))
}

/// The module with one constant changed, in a function of median size or a larger one.
fn edit(wasm: &[u8]) -> Option<Vec<u8>> {
    let mut bodies: Vec<_> = Parser::new(0)
        .parse_all(wasm)
        .filter_map(|payload| match payload {
            Ok(Payload::CodeSectionEntry(body)) => Some(body),
            _ => None,
        })
        .collect();
    bodies.sort_by_key(|body| body.as_bytes().len());
    for body in &bodies[bodies.len() / 2..] {
        for op in body.get_operators_reader().ok()?.into_iter_with_offsets() {
            let (op, at) = op.ok()?;
            // The byte after the operator is the constant, if it is small.
            let at = usize::try_from(at).ok()?;
            if matches!(op, Operator::I32Const { value: 2..60 }) && wasm[at + 1] < 0x40 {
                let mut edited = wasm.to_vec();
                edited[at + 1] ^= 1;
                return Some(edited);
            }
        }
    }
    None
}

/// A module of functions that load, store, branch, loop and call each other, directly and
/// through a table.
fn generated() -> String {
    let mut text = String::from(
        "(module (type $t (func (param i32 i32) (result i32)))
         (import \"host\" \"f\" (func $host (type $t)))
         (memory (export \"memory\") 16) (global $g (mut i32) (i32.const 0))
         (table 256 funcref) (elem (i32.const 0) func",
    );
    for n in 0..256 {
        let _ = write!(text, " $f{n}");
    }
    text.push_str(")\n");
    for n in 0..FUNCTIONS {
        let _ =
            writeln!(text, "(func $f{n} (export \"f{n}\") (type $t) (local $x i32) (local $y i64)");
        for part in 0..2 + n % 7 {
            let (callee, at) = ((n * 7 + part * 31) % FUNCTIONS, 8 * (n % 97));
            let _ = writeln!(
                text,
                "(local.set $x (i32.add (i32.load offset={at} (local.get 0)) (i32.const {part})))
                 (if (i32.lt_u (local.get $x) (local.get 1)) (then
                   (local.set 0 (call $f{callee} (local.get $x) (i32.const {n}))))
                 (else
                   (loop $again
                     (i64.store offset={at} (local.get $x)
                       (local.tee $y (i64.mul (i64.add (local.get $y) (i64.const {n}))
                         (i64.extend_i32_u (local.get $x)))))
                     (br_if $again (local.tee $x (i32.sub (local.get $x) (i32.const 1)))))))
                 (global.set $g (i32.xor (global.get $g) (call_indirect (type $t)
                   (local.get 0) (local.get $x) (i32.and (local.get 1) (i32.const 255)))))",
            );
        }
        text.push_str("(call $host (local.get 0) (local.get $x)))\n");
    }
    text.push(')');
    text
}

/// The fastest times: wall time and processor time.
#[derive(Clone, Copy)]
struct Times {
    wall: Duration,
    processor: Duration,
}

impl Times {
    const MAX: Times = Times { wall: Duration::MAX, processor: Duration::MAX };

    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (start, before) = (Instant::now(), processor_time());
        let result = work();
        self.wall = self.wall.min(start.elapsed());
        self.processor = self.processor.min(processor_time() - before);
        result
    }

    fn print(&self, what: &str, cold: Times) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let part = ms(self.wall) / ms(cold.wall);
        let (wall, processor) = (ms(self.wall), ms(self.processor));
        println!("  {what:<22} {wall:>9.1} {processor:>9.1} {part:>7.4}");
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
