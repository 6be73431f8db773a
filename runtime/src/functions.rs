//! Safe places for the code of single functions: this process's memory, or any store behind a seal.

use crate::config::Config;
use crate::seal::{Domain, SealKey};
use precast_compiler::{BundleBytes, FunctionStore, Lineage, MemoryStore};
use std::sync::Arc;

/// Keeps the code of functions in memory, for [`Config::functions_in_memory`]. Only compilations
/// put something in. Cheap to clone; the clones are one.
#[derive(Clone, Debug, Default)]
pub struct FunctionMemory(Arc<MemoryStore>);

impl FunctionMemory {
    /// One that is empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that it holds.
    pub fn size(&self) -> usize {
        self.0.size()
    }
}

/// A store whose bundles carry a seal: what somebody else put into it is not found.
struct Sealed {
    store: Arc<dyn FunctionStore>,
    key: SealKey,
}

impl FunctionStore for Sealed {
    fn find(&self, lineage: &Lineage) -> Vec<BundleBytes> {
        let found = self.store.find(lineage).into_iter();
        // A store may lend a file that somebody can change, and need not give the same bytes
        // twice: what is checked and then used is a copy.
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
    /// Keeps the code of single functions in memory, and takes it from there when a module is
    /// compiled in which they did not change. Every function is validated, and the artifact is
    /// the same as without. Default: none.
    pub fn functions_in_memory(mut self, memory: &FunctionMemory) -> Self {
        self.functions = Some(memory.0.clone());
        self
    }

    /// As [`Config::functions_in_memory`], in any store. Bundles have a seal by `key`: those that
    /// have none, or that were changed since, are not used.
    pub fn functions_sealed(mut self, store: Arc<dyn FunctionStore>, key: &SealKey) -> Self {
        self.functions = Some(Arc::new(Sealed { store, key: key.clone() }));
        self
    }
}
