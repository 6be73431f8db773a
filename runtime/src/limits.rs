//! Limits: the memory, table elements, instances and stack that the guests of a namespace may use.

use crate::namespace::Namespace;
pub use crate::vm::store::{Growth, GrowthRefused, RefusedBy, Resource, ResourceLimiter};
use crate::vm::store::{ResourceLimits as Limits, UNLIMITED};

/// The resources that the guests of a namespace may use, and those that each of its instances may
/// use. By default there is no limit.
///
/// An instantiation that exceeds a limit fails with [`ErrorKind::Limit`](crate::ErrorKind::Limit)
/// before anything is created. `memory.grow` and `table.grow` beyond a limit return -1, as the
/// specification allows, and the functions of the host that grow a memory or a table fail.
///
/// ```
/// use precast_runtime::{Config, ResourceLimits, Runtime};
///
/// let limits = ResourceLimits::new().memory_bytes(64 << 20).table_elements(10_000).instances(8);
/// let runtime = Runtime::with_config(Config::new().limits(limits));
/// # let wasm = wat::parse_str("(module (memory 2000))").unwrap();
/// let module = runtime.compile(&wasm).unwrap(); // It has a memory of 125 MiB.
/// let error = runtime.namespace().instantiate(&module).unwrap_err();
/// assert_eq!(error.to_string(), "131072000 bytes of memories are more than the limit of 67108864");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ResourceLimits(pub(crate) Limits);

impl ResourceLimits {
    /// No limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// The most bytes that all memories of the namespace have together. A memory counts with its
    /// size, whether its pages are in use or not, until its instance is removed.
    pub fn memory_bytes(mut self, bytes: u64) -> Self {
        self.0.namespace.memory_bytes = bytes;
        self
    }

    /// The most elements that all tables of the namespace have together.
    pub fn table_elements(mut self, elements: u64) -> Self {
        self.0.namespace.table_elements = elements;
        self
    }

    /// The most instances of modules in the namespace, without those of host modules. An instance
    /// that is removed does not count.
    pub fn instances(mut self, instances: u64) -> Self {
        self.0.instances = instances;
        self
    }

    /// The most bytes that the memories of one instance have together. Memories that it imports
    /// belong to another instance.
    pub fn instance_memory_bytes(mut self, bytes: u64) -> Self {
        self.0.instance.memory_bytes = bytes;
        self
    }

    /// The most elements that the tables of one instance have together.
    pub fn instance_table_elements(mut self, elements: u64) -> Self {
        self.0.instance.table_elements = elements;
        self
    }

    /// The most bytes of stack that guests use in a call by the host, in place of
    /// [`Config::max_stack`](crate::Config::max_stack).
    pub fn stack_bytes(mut self, bytes: usize) -> Self {
        self.0.stack_bytes = bytes;
        self
    }
}

impl Namespace {
    /// Sets limits in place of those of [`Config::limits`](crate::Config::limits). What the guests
    /// have already is not taken from them.
    pub fn set_limits(&mut self, limits: ResourceLimits) {
        self.store_mut().set_limits(limits.0);
    }

    /// The bytes of all memories, as [`ResourceLimits::memory_bytes`] counts them.
    pub fn memory_bytes(&self) -> u64 {
        self.store().usage().memory_bytes
    }

    /// The elements of all tables, as [`ResourceLimits::table_elements`] counts them.
    pub fn table_elements(&self) -> u64 {
        self.store().usage().table_elements
    }

    /// Gives the guests fuel, in place of what is left: so many operators of WebAssembly may be
    /// executed, in all calls together. A guest that has used it traps with
    /// [`TrapCode::OutOfFuel`](crate::TrapCode::OutOfFuel), and may be called again with new fuel.
    /// The modules must be compiled with [`Config::fuel`](crate::Config::fuel), or their
    /// instantiation fails with [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
    ///
    /// `block`, `loop`, `else`, `end` and `nop` cost nothing. Every other operator costs 1, and an
    /// operator that copies or fills costs 1 more for every 16 bytes or elements. Calls of the host
    /// cost nothing besides the call. The count is the same on every machine.
    ///
    /// Operators are counted at calls and where code joins. So a guest may execute more of them than its
    /// fuel allows, but at most as many as the function that it is in has. Fuel above `i64::MAX` is
    /// `i64::MAX`.
    ///
    /// ```
    /// use precast_runtime::{Config, Runtime, TrapCode};
    ///
    /// let runtime = Runtime::with_config(Config::new().fuel(true));
    /// # let text = r#"(module (func (export "run") (loop (br 0))))"#;
    /// # let wasm = wat::parse_str(text).unwrap();
    /// let module = runtime.compile(&wasm).unwrap(); // `run` is an endless loop.
    /// let mut namespace = runtime.namespace();
    /// namespace.set_fuel(1000);
    /// let instance = namespace.instantiate(&module).unwrap();
    /// let error = instance.call(&mut namespace, "run", &[]).unwrap_err();
    /// assert_eq!(error.trap().unwrap().code(), TrapCode::OutOfFuel);
    /// assert_eq!((namespace.fuel(), namespace.fuel_consumed()), (0, 1000));
    /// ```
    pub fn set_fuel(&mut self, fuel: u64) {
        self.store_mut().set_fuel(fuel);
    }

    /// The fuel that is left.
    pub fn fuel(&self) -> u64 {
        self.store().fuel()
    }

    /// The number of operators that guests have executed since [`Namespace::set_fuel`], or at all.
    /// After a trap of another kind than [`TrapCode::OutOfFuel`](crate::TrapCode::OutOfFuel), the operators
    /// are missing that the innermost function has executed since its last call.
    pub fn fuel_consumed(&self) -> u64 {
        self.store().fuel_consumed()
    }

    /// Sets the limiter that decides on the growth of memories and tables, in place of the one set
    /// before.
    ///
    /// ```
    /// use precast_runtime::{GrowthRefused, Growth, ResourceLimiter, Runtime};
    ///
    /// struct Budget { bytes: u64, refused: u64 }
    ///
    /// impl ResourceLimiter for Budget {
    ///     fn may_grow(&mut self, growth: &Growth) -> bool {
    ///         growth.desired <= self.bytes
    ///     }
    ///
    ///     fn refused(&mut self, _: &GrowthRefused) {
    ///         self.refused += 1;
    ///     }
    /// }
    ///
    /// let runtime = Runtime::new();
    /// let mut namespace = runtime.namespace();
    /// namespace.set_limiter(Budget { bytes: 1 << 20, refused: 0 });
    /// # let text = r#"(module (memory 1)
    /// #     (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    /// # let wasm = wat::parse_str(text).unwrap();
    /// let instance = namespace.instantiate(&runtime.compile(&wasm).unwrap()).unwrap();
    /// let grow = instance.typed::<i32, i32>(&namespace, "grow").unwrap();
    /// assert_eq!(grow.call(&mut namespace, 16).unwrap(), -1);
    /// assert_eq!(grow.call(&mut namespace, 15).unwrap(), 1);
    /// assert_eq!(namespace.limiter::<Budget>().unwrap().refused, 1);
    /// ```
    pub fn set_limiter(&mut self, limiter: impl ResourceLimiter) {
        self.store_mut().set_limiter(limiter);
    }

    /// The limiter that [`Namespace::set_limiter`] set, if it has type `L`.
    pub fn limiter<L: ResourceLimiter>(&self) -> Option<&L> {
        self.store().limiter()
    }

    /// As [`Namespace::limiter`], mutable.
    pub fn limiter_mut<L: ResourceLimiter>(&mut self) -> Option<&mut L> {
        self.store_mut().limiter_mut()
    }
}

const _: () = assert!(UNLIMITED == u64::MAX);
