//! Stores for the code of functions: the interface, and a store in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// The bytes of a bundle, which a store lends to a compilation: on the heap, or a mapped file.
pub type BundleBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A hash that versions of one module share: of the compiler, its settings that change code, the
/// module's name, its exports, and the names of the modules that it imports from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Lineage(pub [u8; 32]);

/// Stores the code of functions, in one *bundle* per compilation.
///
/// A bundle is used in place, so a mapped file is cheaper than a copy. A damaged bundle is detected
/// and ignored. A forged bundle is not detected: it holds machine code, and a store must protect it
/// as artifacts are protected.
pub trait FunctionStore: Send + Sync {
    /// Bundles that may have functions of a module, the likeliest first. A function is taken from
    /// the first bundle that has it. Any bundle may be returned; one that has nothing in common
    /// with the module only costs a search per function. If the lineage is not known, for example
    /// because an edit added an export, the bundle that was stored last is a good guess.
    fn find(&self, lineage: &Lineage) -> Vec<BundleBytes>;

    /// Stores the bundle of a compilation, with all functions of the module. It replaces the
    /// bundles that [`find`](Self::find) returned. It is not called if every function was found.
    fn keep(&self, lineage: &Lineage, bundle: Vec<u8>);
}

/// Stores bundles in memory: the last of each lineage, without a limit.
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

    /// Bytes of all its bundles.
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
