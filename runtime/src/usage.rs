//! Usage: the memory that an instance takes.

use crate::instance::Instance;
use crate::namespace::Namespace;

/// The memory that an instance takes, in bytes. What it imports belongs to another instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// The sizes of the memories that the instance defines.
    pub memories: u64,
    /// The part of the memories that is in the machine's memory now: pages that were written, and
    /// pages of initial bytes that were read. None if the system does not tell.
    pub resident: Option<u64>,
    /// The elements of the tables that the instance defines, and the room for more that they have.
    pub tables: u64,
    /// The state that machine code uses besides: globals, imports and records of functions.
    pub context: u64,
}

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
        let usage = namespace.store().instance_usage(self.index);
        let (memories, resident, tables, context) = usage.unwrap_or_default();
        MemoryUsage { memories, resident, tables, context }
    }
}
