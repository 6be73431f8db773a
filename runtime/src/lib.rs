//! precast's runtime and embedding API: loads artifacts, links instances, runs them.
//!
//! ```
//! use precast_runtime::{HostModuleBuilder, Runtime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "compiler")] {
//! let runtime = Runtime::new();
//! // (module (func (export "add") (param i32 i32) (result i32)
//! //   (i32.add (local.get 0) (local.get 1))))
//! let wasm = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7f\x7f\x01\x7f\x03\x02\x01\0\
//!              \x07\x07\x01\x03add\0\0\x0a\x09\x01\x07\0\x20\0\x20\x01\x6a\x0b";
//! let module = runtime.compile(wasm)?;
//! let mut namespace = runtime.namespace();
//! let instance = namespace.instantiate(&module)?;
//! let add = instance.typed::<(i32, i32), i32>(&namespace, "add")?;
//! assert_eq!(add.call(&mut namespace, (2, 3))?, 5);
//! # }
//! # Ok(()) }
//! ```

#![deny(missing_docs)]
#![deny(unsafe_code)]

#[cfg(feature = "async")]
mod async_call;
#[cfg(feature = "async")]
mod async_host;
#[cfg(feature = "cache")]
mod cached;
mod config;
mod error;
mod func;
#[cfg(feature = "compiler")]
mod functions;
mod global;
mod host;
mod host_func;
mod inspect;
mod instance;
mod instance_pre;
mod interface;
mod interrupt;
mod limits;
mod linker;
mod load;
mod memory;
mod module;
mod namespace;
mod pool;
mod runtime;
mod seal;
mod snapshot;
mod standalone;
mod table;
mod trap;
mod usage;
mod value;
#[allow(unsafe_code)]
mod vm;

#[cfg(feature = "async")]
pub use async_host::{HostFuture, HostParams};
#[cfg(feature = "cache")]
pub use cached::Source;
pub use config::Config;
pub use error::{Error, ErrorKind, HostError, LinkError, SnapshotError};
pub use func::{Func, TypedFunc, WasmParams, WasmResults, WasmTy};
#[cfg(feature = "compiler")]
pub use functions::FunctionMemory;
pub use global::Global;
pub use host::{
    Caller, HostFunctions, HostModule, HostModuleBuilder, HostReturn, HostValues, IntoHostFunc,
    WithCaller,
};
pub use inspect::{Function, Inspection, Part};
pub use instance::{Extern, Instance};
pub use instance_pre::InstancePre;
pub use interface::{ExportType, ImportType};
pub use interrupt::InterruptHandle;
pub use limits::{Growth, GrowthRefused, RefusedBy, Resource, ResourceLimiter, ResourceLimits};
pub use linker::{Linker, UnknownImport};
pub use memory::Memory;
pub use module::CompiledModule;
pub use namespace::Namespace;
pub use pool::{Pool, PoolLimits, PoolStats};
pub use precast_abi::artifact::FormatError;
pub use precast_abi::trap::TrapCode;
pub use precast_abi::types::{
    ExternType, FuncType, GlobalType, HeapType, Limits, MemoryType, RefType, TableType, ValType,
};
#[cfg(feature = "cache")]
pub use precast_cache as cache;
#[cfg(feature = "compiler")]
pub use precast_compiler::{
    BundleBytes, CompileError, ErrorKind as CompileErrorKind, Features, FunctionStore, Lineage,
    MemoryStore, Target, TargetError, UnknownFeature,
};
pub use runtime::Runtime;
pub use seal::{SealError, SealKey};
pub use table::Table;
pub use trap::{Frame, Trap};
pub use usage::MemoryUsage;
pub use value::{ExternRef, Value, ValueError};
// For WASI alone. They are not part of the embedding API.
#[doc(hidden)]
pub use host::{HostFunction, Inlined};
#[doc(hidden)]
pub use vm::shared::Shared;
#[doc(hidden)]
pub use vm::wiped_on_fork::WipedOnFork;
