//! The behaviour of host functions, decided independently of the engines so that all do the same.

use crate::case::{Arg, Case, Import, ImportTy, random_args, random_val};
use crate::outcome::{Class, Sig, Stop, Val};
use crate::rng::{Rng, mix};
use std::sync::{Arc, Mutex};

/// The maximum nesting of callbacks.
const MAX_DEPTH: u32 = 3;

/// The maximum number of callbacks in a run, without which nested callbacks would take forever.
const MAX_CALLBACKS: u32 = 12;

/// The part of a case that its host functions know.
pub struct Script {
    seed: u64,
    funcs: Vec<(String, Sig)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: u64,
    trace: u64,
    depth: u32,
    callbacks: u32,
    exhausted: bool,
}

/// The actions of a host function when it is called, in this order.
pub struct Reaction {
    /// Writes a byte to the memory that its caller exports as "memory", at this offset modulo its
    /// size.
    pub poke: Option<(u64, u8)>,
    /// Calls this export of its caller.
    pub callback: Option<(String, Vec<Arg>)>,
    /// Propagates a failure of that call.
    pub propagate: bool,
    /// Stops the guest.
    pub stop: bool,
    /// Returns these values.
    pub results: Vec<Val>,
}

impl Script {
    pub fn new(case: &Case) -> Arc<Script> {
        let funcs = case.funcs.clone();
        Arc::new(Script { seed: case.seed, funcs, state: Mutex::default() })
    }

    /// Decides the actions of a call of an import.
    pub fn react(&self, import: usize, sig: &Sig, args: &[Val]) -> Reaction {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let args = args.iter().fold(import as u64, |hash, arg| mix(hash, arg.hash()));
        state.trace = mix(state.trace, args);
        let mut rng = Rng::new(mix(self.seed, mix(state.calls, args)));
        let results = sig.results.iter().map(|&ty| random_val(ty, &mut rng)).collect();
        let poke = rng.one_in(3).then(|| (rng.next(), rng.next() as u8));
        let may = state.depth < MAX_DEPTH && state.callbacks < MAX_CALLBACKS;
        let callback = (may && !self.funcs.is_empty() && rng.one_in(6)).then(|| {
            state.callbacks += 1;
            let (name, sig) = &self.funcs[rng.below(self.funcs.len() as u64) as usize];
            (name.clone(), random_args(sig, rng.next()))
        });
        Reaction { poke, callback, propagate: rng.one_in(2), stop: rng.one_in(60), results }
    }

    /// Records the start of a callback.
    pub fn enter(&self) {
        self.state.lock().unwrap().depth += 1;
    }

    /// Records its result.
    pub fn leave(&self, result: &Result<Vec<Val>, Stop>) {
        let mut state = self.state.lock().unwrap();
        state.depth -= 1;
        let hash = match result {
            Ok(values) => values.iter().fold(1, |hash, value| mix(hash, value.hash())),
            Err(stop) => 2 + stop.class as u64,
        };
        state.trace = mix(state.trace, hash);
        state.exhausted |= matches!(result, Err(stop) if stop.class == Class::Resources);
    }

    pub fn trace(&self) -> u64 {
        self.state.lock().unwrap().trace
    }

    pub fn exhausted(&self) -> bool {
        self.state.lock().unwrap().exhausted
    }
}

/// The size that the host, or the guest that provides imports, adds to the demand of an import.
pub struct Provided {
    pub min: u64,
    pub max: Option<u64>,
    pub value: Val,
}

/// The memory, table or global that satisfies an import: often larger than the import demands.
pub fn provided(case_seed: u64, import: &Import) -> Provided {
    let n = import.name.bytes().fold(0, |hash, byte| mix(hash, byte.into()));
    let mut rng = Rng::new(mix(case_seed, n));
    let mut larger = |min: u64, max: Option<u64>, most: u64| {
        let extra = if rng.one_in(2) { 0 } else { rng.below(3) };
        let size = (min + extra).min(max.unwrap_or(most));
        // Without a maximum, and small enough for engines that allocate all of it.
        (size, Some(max.unwrap_or(size + rng.below(3)).min(most)))
    };
    let (min, max) = match import.ty {
        ImportTy::Memory { min, max } => larger(min, max, 65536),
        ImportTy::Table { min, max, .. } => larger(min, max, 1000),
        _ => (0, None),
    };
    let value = match import.ty {
        ImportTy::Global { value, .. } => match random_val(value, &mut rng) {
            // Offsets of segments come from globals; small ones are sometimes in bounds.
            Val::I32(v) if !v.is_multiple_of(4) => Val::I32(v % 20),
            Val::Extern(_) => Val::Extern(None),
            other => other,
        },
        _ => Val::Func(None),
    };
    Provided { min, max, value }
}
