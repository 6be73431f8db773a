//! Compiling again only what changed: functions are kept by their content, and found again.
//!
//! A function's [`key::Key`] is a hash of all that its machine code depends on; references to
//! other functions are kept as "the n-th function that the body names". So code can be used
//! again after functions moved or were renumbered, and two modules can share it.
//!
//! Invariant: what is found is what compiling would give, byte for byte.

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

/// What a compilation with a [`FunctionStore`] has at hand.
pub(crate) struct Reuse {
    pub(crate) environment: Environment,
    bundles: Vec<BundleBytes>,
    lineage: Lineage,
}

impl Reuse {
    /// Looks for bundles of earlier compilations.
    pub(crate) fn new(plan: &Plan<'_>, isa: &dyn TargetIsa, store: &dyn FunctionStore) -> Self {
        let environment = Environment::new(plan, isa);
        let lineage = lineage(plan.module, isa);
        let bundles = store.find(&lineage);
        Reuse { environment, bundles, lineage }
    }

    /// The bundles that can be read; others are as good as none.
    pub(crate) fn bundles(&self) -> Vec<Bundle<'_>> {
        self.bundles.iter().filter_map(|bytes| Bundle::open((**bytes).as_ref())).collect()
    }

    /// Gives the store the code of a compilation, if any of it is new.
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
