//! Usage: the memory that an instance takes.

use crate::instance::Instance;
use crate::namespace::Namespace;
pub use crate::vm::store::MemoryUsage;

impl Instance {
    /// The memory that the instance takes. Its memories also have address space, 4 GiB each. All is
    /// zero if the namespace is closed.
    ///
    /// The time is proportional to the sizes of the memories: about 1 ms for 1 GiB.
    ///
    /// ```
    /// use precast_runtime::Runtime;
    ///
    /// let runtime = Runtime::new();
    /// # let wasm = wat::parse_str("(module (memory 2))").unwrap();
    /// let module = runtime.compile(&wasm).unwrap(); // It has a memory of 2 pages.
    /// let mut namespace = runtime.namespace();
    /// let instance = namespace.instantiate(&module).unwrap();
    /// assert_eq!(instance.memory_usage(&namespace).memories, 131072);
    /// ```
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    pub fn memory_usage(&self, namespace: &Namespace) -> MemoryUsage {
        namespace.own(self.store);
        namespace.store().instance_usage(self.index).unwrap_or_default()
    }
}
