//! Where code of earlier compilations is kept: the interface, and a store in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// BundleBytes that a store lends to a compilation: on the heap, or a mapped file.
pub type BundleBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// What the versions of one module have in common: a hash of the compiler, its settings that
/// change code, the module's name, its exports and the modules it imports from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lineage(pub [u8; 32]);

/// Keeps the code of functions, one *bundle* per compilation.
///
/// A bundle is read in place, and only where a function is found in it: mapping it costs less
/// than reading it. A damaged one is noticed and not used. A forged one is not noticed: it holds
/// machine code, and must be kept as safe as artifacts are.
pub trait FunctionStore: Send + Sync {
    /// Bundles in which functions of a module may be found, the likeliest first. A function is
    /// taken from the first that has it, so a few are as good as one, and any may be given:
    /// those that do not fit cost a search each. When nothing is known of the lineage, because
    /// an edit added an export say, what was kept last is worth a try.
    fn find(&self, lineage: &Lineage) -> Vec<BundleBytes>;

    /// Takes the bundle of a compilation: all functions of the module, found or compiled. It
    /// replaces those that [`find`](Self::find) gave. Not called when everything was found.
    fn keep(&self, lineage: &Lineage, bundle: Vec<u8>);
}

/// Keeps bundles in memory, the last of each lineage, without a bound.
#[derive(Default)]
pub struct MemoryStore {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bundles: HashMap<Lineage, BundleBytes>,
    last: Option<BundleBytes>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// BundleBytes that it holds.
    pub fn size(&self) -> usize {
        self.lock().bundles.values().map(|bytes| (**bytes).as_ref().len()).sum()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl FunctionStore for MemoryStore {
    fn find(&self, lineage: &Lineage) -> Vec<BundleBytes> {
        let kept = self.lock();
        kept.bundles.get(lineage).or(kept.last.as_ref()).cloned().into_iter().collect()
    }

    fn keep(&self, lineage: &Lineage, bundle: Vec<u8>) {
        let bundle: BundleBytes = Arc::new(bundle);
        let mut kept = self.lock();
        kept.last = Some(bundle.clone());
        kept.bundles.insert(*lineage, bundle);
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").field("bytes", &self.size()).finish()
    }
}
