//! Incremental compilation: the code of functions is stored under a hash of their content, and
//! reused.
//!
//! A function's [`key::Key`] is a hash of everything that its machine code depends on. References
//! to other functions are stored as "the n-th function that the body names", so code is reusable
//! after functions moved or were renumbered, and in other modules.
//!
//! Invariant: reused code equals the code that compiling gives, byte for byte.

mod bundle;
mod key;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use bundle::{Bundle, Kept, Names};
pub(crate) use key::{Environment, Key, KeyWriter, lineage};
pub use store::{BundleBytes, FunctionStore, Lineage, MemoryStore};

use crate::function::Done;
use crate::plan::Plan;
use bundle::Builder;
use cranelift_codegen::isa::TargetIsa;

/// The bundles that a compilation with a [`FunctionStore`] can reuse.
pub(crate) struct Reuse {
    pub(crate) environment: Environment,
    bundles: Vec<BundleBytes>,
    lineage: Lineage,
}

impl Reuse {
    /// Asks the store for bundles of earlier compilations.
    pub(crate) fn new(plan: &Plan<'_>, isa: &dyn TargetIsa, store: &dyn FunctionStore) -> Self {
        let environment = Environment::new(plan, isa);
        let lineage = lineage(plan.module, isa);
        let bundles = store.find(&lineage);
        Reuse { environment, bundles, lineage }
    }

    /// The bundles that can be read; others are ignored.
    pub(crate) fn bundles(&self) -> Vec<Bundle<'_>> {
        self.bundles.iter().filter_map(|bytes| Bundle::open((**bytes).as_ref())).collect()
    }

    /// Stores the code of a compilation, if any of it is new.
    pub(crate) fn keep(&self, store: &dyn FunctionStore, done: &[Done<'_>]) {
        if done.iter().all(|done| done.found) {
            return;
        }
        let code = done.iter().map(|done| done.function.code.len()).sum();
        let mut builder = Builder::with_capacity(done.len(), code);
        for done in done {
            if let Some(kept) = &done.kept {
                builder.add(kept, &done.function);
            }
        }
        if let Some(bundle) = builder.finish() {
            store.keep(&self.lineage, bundle);
        }
    }
}
