//! Reset and snapshot of instances.

use crate::error::Error;
use crate::instance::Instance;
use crate::module::CompiledModule;
use crate::namespace::Namespace;
use crate::vm::activation::call;

impl Instance {
    /// Gives the instance the state that it had right after instantiation, in place: handles on its
    /// functions, memories, tables and globals stay valid. This takes microseconds if the instance has
    /// changed little.
    ///
    /// Memories, tables and globals that the module defines have their initial contents and sizes, active
    /// segments are written again, and the start function is run again. The host modules whose functions
    /// the module imports get new states: a guest of WASI finds its descriptors as they were first. What
    /// the instance imports from other modules keeps its state, and so do fuel, limits and the data of
    /// the namespace.
    ///
    /// An instance that was interrupted can be used again. If it imports from another that was, that one
    /// must be reset before.
    ///
    /// ```
    /// # use precast_runtime::Runtime;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "compiler")] {
    /// let runtime = Runtime::new();
    /// let module = runtime.compile(&wat::parse_str(
    ///     r#"(module (global (export "count") (mut i32) (i32.const 5))
    ///          (func (export "increment")
    ///            (global.set 0 (i32.add (global.get 0) (i32.const 1)))))"#,
    /// )?)?;
    /// let mut namespace = runtime.namespace();
    /// let instance = namespace.instantiate(&module)?;
    /// instance.call(&mut namespace, "increment", &[])?;
    /// let count = instance.global(&namespace, "count").unwrap();
    /// assert_eq!(count.get(&namespace)?.as_i32(), Some(6));
    /// instance.reset(&mut namespace)?;
    /// assert_eq!(count.get(&namespace)?.as_i32(), Some(5));
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if a call is running in the namespace; [`ErrorKind::Interrupted`] if the
    /// instance imports from one that is unusable; [`ErrorKind::NotFound`] if it was removed;
    /// [`ErrorKind::Closed`]. If a segment is out of bounds, the system refuses, or the start function
    /// fails, the instance cannot be used before a later reset.
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    ///
    /// [`ErrorKind::Invalid`]: crate::ErrorKind::Invalid
    /// [`ErrorKind::Interrupted`]: crate::ErrorKind::Interrupted
    /// [`ErrorKind::NotFound`]: crate::ErrorKind::NotFound
    /// [`ErrorKind::Closed`]: crate::ErrorKind::Closed
    pub fn reset(&self, namespace: &mut Namespace) -> Result<(), Error> {
        namespace.own(self.store);
        let _span = tracing::debug_span!("reset").entered();
        let Some(start) = namespace.store_mut().reset(self.index)? else { return Ok(()) };
        let ran = call::call(namespace.store_pointer(), &start, |_, _, _| Ok(()), |_, _, _| ());
        if ran.is_err() {
            namespace.store_mut().reset_failed(self.index);
        }
        ran
    }

    /// A module whose instances start in the state that this instance has now. It has the same code,
    /// imports and exports, so it is made without a compilation: a program that has loaded its library
    /// or read its configuration starts in the time that its memory takes to map.
    ///
    /// The state is that of memories, tables, globals and dropped segments. It is not that of the host: a
    /// new instance has new states of host modules, for example the descriptors that its WASI module
    /// grants. So a guest that remembers arguments, the environment or granted directories needs the same
    /// again. The snapshot has no start function, and no export `_initialize`: instances of it are
    /// initialised.
    ///
    /// ```
    /// # use precast_runtime::{Runtime, Value};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "compiler")] {
    /// let runtime = Runtime::new();
    /// let module = runtime.compile(&wat::parse_str(
    ///     r#"(module (memory (export "memory") 1)
    ///          (func (export "init") (i32.store (i32.const 8) (i32.const 42)))
    ///          (func (export "answer") (result i32) (i32.load (i32.const 8))))"#,
    /// )?)?;
    /// let mut namespace = runtime.namespace();
    /// let instance = namespace.instantiate(&module)?;
    /// instance.call(&mut namespace, "init", &[])?;
    /// let initialised = instance.snapshot(&mut namespace)?;
    ///
    /// let mut namespace = runtime.namespace();
    /// let instance = namespace.instantiate(&initialised)?;
    /// assert_eq!(instance.call(&mut namespace, "answer", &[])?, [Value::I32(42)]);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Snapshot`] if a part of the state cannot be captured: memories, tables and mutable
    /// globals of other instances, references to values of the host or to functions of others, and what
    /// [`HostModuleBuilder::check_snapshot`] refuses, such as open files. [`ErrorKind::Invalid`] if a call
    /// is running in the namespace; [`ErrorKind::Interrupted`]; [`ErrorKind::NotFound`] if the instance was
    /// removed; [`ErrorKind::System`] if the system has too little memory; [`ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// If the instance belongs to another namespace.
    ///
    /// [`ErrorKind::Snapshot`]: crate::ErrorKind::Snapshot
    /// [`ErrorKind::Invalid`]: crate::ErrorKind::Invalid
    /// [`ErrorKind::Interrupted`]: crate::ErrorKind::Interrupted
    /// [`ErrorKind::NotFound`]: crate::ErrorKind::NotFound
    /// [`ErrorKind::System`]: crate::ErrorKind::System
    /// [`ErrorKind::Closed`]: crate::ErrorKind::Closed
    /// [`HostModuleBuilder::check_snapshot`]: crate::HostModuleBuilder::check_snapshot
    pub fn snapshot(&self, namespace: &mut Namespace) -> Result<CompiledModule, Error> {
        namespace.own(self.store);
        let _span = tracing::debug_span!("snapshot").entered();
        let artifact = namespace.store_mut().snapshot(self.index)?;
        namespace.runtime().load_own(&artifact)
    }
}

impl CompiledModule {
    /// A snapshot that `make` takes of an instance of this module: from the runtime's cache if it is
    /// there, else made and kept there. Without a cache it is made each time.
    ///
    /// The module and `label` identify the snapshot in the cache. So the label must say everything else
    /// that decides the state: the program that an interpreter has loaded, for example, by a hash of it.
    ///
    /// # Errors
    ///
    /// Those of `make`, and [`ErrorKind::System`] if the system has too little memory.
    ///
    /// [`ErrorKind::System`]: crate::ErrorKind::System
    #[cfg(feature = "cache")]
    pub fn cached_snapshot(
        &self,
        label: &str,
        make: impl FnOnce() -> Result<CompiledModule, Error>,
    ) -> Result<CompiledModule, Error> {
        self.check_open()?;
        match &self.runtime().config().cache {
            Some(cache) => crate::cached::snapshot(self, cache, label, make),
            None => make(),
        }
    }
}
