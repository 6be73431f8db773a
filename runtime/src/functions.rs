//! Stores for the code of single functions that safe code can use: the memory of this process, and
//! any store whose bundles are sealed.

use crate::config::Config;
use crate::seal::{Domain, SealKey};
use precast_compiler::{BundleBytes, FunctionStore, Lineage, MemoryStore};
use std::sync::Arc;

/// Keeps the code of functions in memory, for [`Config::functions_in_memory`]. Only compilations
/// add to it. Cheap to clone; clones share their contents.
#[derive(Clone, Debug, Default)]
pub struct FunctionMemory(Arc<MemoryStore>);

impl FunctionMemory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The size of its contents in bytes.
    pub fn size(&self) -> usize {
        self.0.size()
    }
}

/// A store whose bundles are sealed. A bundle without a valid seal counts as absent.
struct Sealed {
    store: Arc<dyn FunctionStore>,
    key: SealKey,
}

impl FunctionStore for Sealed {
    fn find(&self, lineage: &Lineage) -> Vec<BundleBytes> {
        let found = self.store.find(lineage).into_iter();
        // The bytes are copied before the check, because a store may return a mapped file that
        // another process can change.
        found.filter_map(|lent| self.open((*lent).as_ref().to_vec())).collect()
    }

    fn keep(&self, lineage: &Lineage, bundle: Vec<u8>) {
        self.store.keep(lineage, self.key.seal(Domain::Bundle, bundle));
    }
}

impl Sealed {
    fn open(&self, mut sealed: Vec<u8>) -> Option<BundleBytes> {
        let len = self.key.check_for(Domain::Bundle, &sealed).ok()?.len();
        sealed.truncate(len);
        Some(Arc::new(sealed))
    }
}

impl Config {
    /// Keeps the code of single functions in memory, and uses it when a module with the same
    /// functions is compiled. Every function is validated nevertheless, and the artifact is the
    /// same as without a store. Default: none.
    pub fn functions_in_memory(mut self, memory: &FunctionMemory) -> Self {
        self.functions = Some(memory.0.clone());
        self
    }

    /// As [`Config::functions_in_memory`], with any store. Bundles are sealed with `key`; those
    /// without a valid seal are not used.
    pub fn functions_sealed(mut self, store: Arc<dyn FunctionStore>, key: &SealKey) -> Self {
        self.functions = Some(Arc::new(Sealed { store, key: key.clone() }));
        self
    }
}
