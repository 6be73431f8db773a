//! The observable results of a run, in types that all engines share, and the comparison of two
//! runs.

use crate::rng::mix;
use std::fmt;

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
    Func,
    Extern,
}

/// The type of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Sig {
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
}

/// A value. Floats are bits: NaNs are canonical wherever their bits depend on the engine.
#[derive(Clone, PartialEq, Debug)]
pub enum Val {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// Null, or the type of the function.
    Func(Option<Sig>),
    /// Null, or the number that the host assigned.
    Extern(Option<u32>),
}

impl Val {
    /// A hash that is the same in every engine.
    pub fn hash(&self) -> u64 {
        match self {
            Val::I32(v) | Val::F32(v) => u64::from(*v),
            Val::I64(v) | Val::F64(v) => *v,
            Val::V128(v) => mix(*v as u64, (*v >> 64) as u64),
            Val::Func(v) => v.as_ref().map_or(1, |sig| 2 + sig.params.len() as u64),
            Val::Extern(v) => v.map_or(3, |v| 4 + u64::from(v)),
        }
    }
}

/// The reason why code stopped, as coarse as the coarsest engine reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Unreachable,
    Memory,
    Table,
    NullElement,
    Signature,
    DivisionByZero,
    Overflow,
    Conversion,
    /// A host function stopped the guest.
    Host,
    /// The stack or another resource is exhausted. The point at which this happens differs between
    /// engines.
    Resources,
    Other,
}

/// The reason why a step failed.
#[derive(Clone, PartialEq, Debug)]
pub struct Stop {
    pub class: Class,
    /// Details by which only runs of precast are compared.
    pub detail: String,
}

/// An item that the embedder can read after a step.
#[derive(Clone, PartialEq)]
pub enum Seen {
    Memory { pages: u64, hash: u64 },
    Table(Vec<Val>),
    Global(Val),
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Memory { pages, hash } => write!(f, "memory of {pages} pages, hash {hash:#x}"),
            Seen::Table(elements) => {
                write!(f, "table of {}:", elements.len())?;
                for (i, element) in elements.iter().enumerate() {
                    if !matches!(element, Val::Func(None) | Val::Extern(None)) {
                        write!(f, " {i}={element:?}")?;
                    }
                }
                Ok(())
            }
            Seen::Global(value) => write!(f, "global {value:?}"),
        }
    }
}

/// One step: the instantiation or a call, and the observable state after it.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: String,
    pub result: Result<Vec<Val>, Stop>,
    pub seen: Vec<(String, Seen)>,
    /// A hash of all calls of host functions so far.
    pub trace: u64,
}

/// All steps of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub steps: Vec<Step>,
    /// Set if any call, even one inside a host function, exhausted resources: later steps cannot be
    /// compared.
    pub exhausted: bool,
    /// The memories at the end, to report where they differ.
    pub memories: Vec<(String, Vec<u8>)>,
}

/// The level at which two outcomes must agree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Including the text of a trap and its backtrace.
    Details,
    /// Up to the class of a trap.
    Classes,
}

/// The first difference between two outcomes, as text.
pub fn difference(a: &Outcome, b: &Outcome, strictness: Strictness) -> Option<String> {
    if a.exhausted || b.exhausted {
        return None;
    }
    for (x, y) in a.steps.iter().zip(&b.steps) {
        let same = match (&x.result, &y.result) {
            (Ok(x), Ok(y)) => x == y,
            (Err(x), Err(y)) if strictness == Strictness::Classes => x.class == y.class,
            (Err(x), Err(y)) => x == y,
            _ => false,
        };
        if !same {
            return Some(format!("{}:\n  {:x?}\n  {:x?}", x.name, x.result, y.result));
        }
        if x.trace != y.trace {
            return Some(format!("{}: host functions were called otherwise", x.name));
        }
        if x.seen.len() != y.seen.len() {
            return Some(format!("{}: {} and {} exports", x.name, x.seen.len(), y.seen.len()));
        }
        for ((name, s), (_, t)) in x.seen.iter().zip(&y.seen) {
            if s != t {
                let place = memory_difference(a, b, name).unwrap_or_default();
                return Some(format!("after {}, {name}:\n  {s:x?}\n  {t:x?}{place}", x.name));
            }
        }
    }
    (a.steps.len() != b.steps.len())
        .then(|| format!("{} and {} steps", a.steps.len(), b.steps.len()))
}

/// The first difference between memories at the end.
fn memory_difference(a: &Outcome, b: &Outcome, name: &str) -> Option<String> {
    let find = |o: &Outcome| o.memories.iter().find(|(n, _)| n == name).map(|(_, m)| m.clone());
    let (x, y) = (find(a)?, find(b)?);
    let at = x.iter().zip(&y).position(|(x, y)| x != y)?;
    let part = |m: &[u8]| m[at..m.len().min(at + 16)].to_vec();
    Some(format!("\n  in the end from {at:#x}: {:02x?}\n  and {:02x?}", part(&x), part(&y)))
}

/// The part of a memory that is hashed and kept: all of it, or the two ends of a large one, because
/// a case would otherwise spend its time there.
pub fn ends(memory: &[u8]) -> (&[u8], &[u8]) {
    const WHOLE: usize = 4 << 20;
    const END: usize = 256 << 10;
    if memory.len() <= WHOLE {
        return (memory, &[]);
    }
    (&memory[..END], &memory[memory.len() - END..])
}

/// The observable state of a memory.
pub fn see_memory(memory: &[u8]) -> Seen {
    let (low, high) = ends(memory);
    let mut hash = 0u64;
    for half in [low, high] {
        for word in half.as_chunks::<8>().0 {
            let word = u64::from_le_bytes(*word);
            hash = (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        }
    }
    Seen::Memory { pages: memory.len() as u64 / 65536, hash }
}
